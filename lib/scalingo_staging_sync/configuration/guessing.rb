# frozen_string_literal: true

require_relative "guessing/tables"

module ScalingoStagingSync
  class Configuration
    # How hard a secret is to guess, in bits, estimated low: what follows a pattern counts for nothing, a word counts as
    # one of a few thousand, one that people write where a key is to come as nothing, a date as one sign, and every other
    # character as one of those that its kind has. A text in Base64 or hexadecimal is no harder to guess than the text.
    #
    # Without such a floor a key like sixteen times "a" would let a stranger test a guess at a pseudonym. A key made by
    # chance has patterns and words by chance, too: these must be too few to refuse it.
    module Guessing
      # What a key needs. Four words chosen at random fall short, six suffice, and so do 16 letters and digits.
      ENOUGH = 60

      # A word from a list of some thousand, a word that follows from a sentence, and a letter of something longer than a word.
      BITS_OF_WORD = 12.0
      BITS_IN_SENTENCE = 7.0
      BITS_OF_LETTER = 2.2
      LONGEST_WORD = 12

      # A word that says nothing, and a sign that was there before.
      BITS_OF_LITTLE = 1.0

      VOWELS = /[aeiouy]/i

      # Letters of one case, perhaps with a capital at the front, or what is between such.
      PART = /[[:upper:]]?[[:lower:]]+|[[:upper:]]+|[[:alpha:]]+|[^[:alpha:]]+/

      # Letters of one case that stand alone, as words do and letters chosen by chance hardly.
      ALONE = /(?<![[:alnum:]])(?:[[:upper:]]?[[:lower:]]{1,12}|[[:upper:]]{1,12})(?![[:alnum:]])/

      # How many pairs of letters are common ones in a word: at least so many of those that stand alone, and of others.
      COMMON_ALONE = 0.3
      COMMON = 0.6
      HEXADECIMAL = /\A[\h-]+\z/
      private_constant :BITS_OF_WORD, :BITS_IN_SENTENCE, :BITS_OF_LETTER, :LONGEST_WORD, :BITS_OF_LITTLE, :VOWELS, :PART, :ALONE,
                       :COMMON_ALONE, :COMMON, :HEXADECIMAL

      module_function

      # @param text [String] a secret
      # @return [Float] bits
      def bits(text)
        text = in_utf8(text)
        [bits_as_written(text), *unpacked(text).map { |inner| of_bytes(inner) }].min
      end

      # Without accents; bytes that are no text stay.
      def in_utf8(text)
        text.encode(Encoding::UTF_8).unicode_normalize(:nfd).gsub(/\p{Mn}/, "")
      rescue EncodingError, ArgumentError
        text.b
      end
      private_class_method :in_utf8

      def bits_as_written(text)
        text = text.gsub(Tables::DATES, "~").gsub(Tables::HEXADECIMAL_WORDS, "~")
        return of_characters(fresh(text.delete("-"))) if text.match?(HEXADECIMAL)

        spelled = text.gsub(Tables::FOR_LETTERS) { |signs| signs.tr(*Tables::LETTERS) }
        # Random letters form words too, but hardly ever one of these.
        spelled = text if spelled.scan(PART).none? { |part| part.length > 3 && expected?(part.downcase) }
        [text, spelled].uniq.flat_map { |spelling| [spelling, fresh(spelling)] }.map { |left| estimate(left) }.min
      end
      private_class_method :bits_as_written

      # @return [Array<String>] the bytes that the text may stand for
      def unpacked(text)
        hexadecimal = [text].pack("H*") if text.match?(/\A(?:\h\h)+\z/)
        base64 = text.tr("-_", "+/").delete("=").unpack1("m") if text.match?(%r{\A[\w+/-]+={0,2}\z})
        [hexadecimal, base64].compact
      end
      private_class_method :unpacked

      def of_bytes(bytes)
        text = bytes.dup.force_encoding(Encoding::UTF_8)
        return bits_as_written(text) if text.valid_encoding? && text.match?(/\A[^[:cntrl:]]+\z/)

        left = fresh(bytes)
        [left.length * 8.0, of_few(left)].min
      end
      private_class_method :of_bytes

      def estimate(text)
        alone = text.scan(ALONE).select { |part| part.length < 4 || word?(part, COMMON_ALONE) }
        words, others = text.gsub(ALONE) { |part| alone.include?(part) ? " " : part }.scan(PART).partition { |part| known?(part) }
        words += alone
        # A text with few letters in words was chosen at random, and so were its words.
        return of_characters(text) if words.sum(&:length) * 3 < text.scan(/[[:alnum:]]/).size * 2

        of_words(words.map(&:downcase)) + others.uniq.sum { |part| of_characters(part) }
      end
      private_class_method :estimate

      # The text without what follows from what stands before it: repetitions, runs, and steps such as "abc" and "97531".
      def fresh(text)
        text = text[0, period(text)]
        chars = text.chars
        one, two = [1, 2].map { |apart| chars.each_index.reject { |at| follows?(chars, at, apart) }.map { |at| chars[at] }.join }
        # Words have such letters by chance.
        (two.length * 2 > text.length) ? one : [one, two].min_by(&:length)
      end
      private_class_method :fresh

      # After how many characters a text repeats itself; its length where it does not.
      def period(text)
        (1..(text.length * 2 / 3)).find { |length| text.start_with?(text[length..]) } || text.length
      end
      private_class_method :period

      # Whether a character goes on with what two others began, each so far apart from the next: two apart, two such series
      # run side by side.
      def follows?(chars, at, apart)
        return false if at < apart * 2

        three = [at - (apart * 2), at - apart, at].map { |place| chars[place] }
        first, second, third = three.map(&:ord)
        return true if (third - second).abs <= 2 && third - second == second - first

        Tables::NEIGHBOURS.include?(three.join.downcase.tr(*Tables::SHIFTED))
      end
      private_class_method :follows?

      def of_words(words)
        words = words.uniq
        little = words.count { |word| Tables::LITTLE.include?(word) }
        # Passphrase word lists do not hold stop words.
        most = (little > 1 && little * 4 >= words.size) ? BITS_IN_SENTENCE : BITS_OF_WORD
        words.sum { |word| of_word(word, most) }
      end
      private_class_method :of_words

      def of_word(word, most)
        return BITS_OF_LITTLE if expected?(word) || Tables::LITTLE.include?(word)

        (word.length > LONGEST_WORD) ? word.length * BITS_OF_LETTER : [most, word.length * 4.0].min
      end
      private_class_method :of_word

      def of_characters(part)
        return BITS_OF_LITTLE if part.match?(/\A[^[:alnum:]]\z/) || expected?(part.downcase)

        signs, others = part.chars.partition { |char| char.match?(/[^a-zA-Z0-9]/) }
        once = signs.uniq.size
        others = others.join
        (once * Math.log2(33)) + ((signs.size - once) * BITS_OF_LITTLE) + [others.length * Math.log2(kinds(others)), of_few(others)].min
      end
      private_class_method :of_characters

      # Of a few characters again and again; more than any where there are many.
      def of_few(chars)
        different = chars.chars.uniq.size
        (different * 3 >= chars.length) ? Float::INFINITY : chars.length * Math.log2(different)
      end
      private_class_method :of_few

      def known?(part) = word?(part, COMMON) || (part.length > 2 && expected?(part.downcase))
      private_class_method :known?

      # Letters that stand side by side in words, too. Keys made by chance have no others than those of ASCII.
      def word?(part, least)
        return false unless part.length >= 4 && part.match?(/\A[[:alpha:]]+\z/)
        return true unless part.ascii_only?

        pairs = part.downcase.chars.each_cons(2).map(&:join)
        common = pairs.count { |pair| Tables::PAIRS.include?(pair) }.fdiv(pairs.size)
        part.match?(VOWELS) && common >= least
      end
      private_class_method :word?

      # Whether a word is composed of expected ones.
      def expected?(word)
        return true if word.empty?

        Tables::EXPECTED.any? { |one| word.start_with?(one) && expected?(word[one.length..]) }
      end
      private_class_method :expected?

      # How many letters and digits exist of the kinds that a part uses.
      def kinds(part)
        return 16 if part.match?(/\A\h+\z/) && !part.match?(/\A\d+\z/)

        [{ /[a-z]/ => 26, /[A-Z]/ => 26, /[0-9]/ => 10 }.sum { |kind, count| part.match?(kind) ? count : 0 }, 1].max
      end
      private_class_method :kinds
    end
  end
end
