# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # How hard a secret is to guess, in bits, estimated low: what follows a pattern counts for nothing, a word counts as
    # one of a few thousand, and every other character as one of those that its kind has.
    #
    # Without such a floor a key like sixteen times "a" would let a stranger test a guess at a pseudonym.
    module Guessing
      # What a key needs. Four words chosen by chance fall short of it, six reach it, and so do 16 letters and digits.
      ENOUGH = 60

      # A word of a list of some thousand, or a letter of a longer one.
      BITS_OF_WORD = 12.0
      BITS_OF_LETTER = 2.2

      # What people write where a key is still to come, or who the key is for.
      EXPECTED = %w[
        anonymisation anonymization anonymize abracadabra admin app azerty bar baz base change changeit changeme chiffrement cle confidential
        database default demo demonstration development dev dummy example exemple fill foo here hello insert iloveyou key letmein local master
        me motdepasse my not password passe passphrase passwort phrase placeholder please postgres prod production qwerty rails real replace
        salt scalingo secret secrete secure staging stage string sync synchronization synchronisation test testing tests the this token todo
        user value welcome word xxx your
      ].freeze

      # Rows of keyboards and the alphabet's order.
      ROWS = %w[qwertyuiop asdfghjkl zxcvbnm azertyuiop qsdfghjklm wxcvbn 1234567890].freeze

      VOWELS = /[aeiouy\u00e0-\u00ff]/

      # Letters of one case, perhaps with a capital at the front, or what is between such.
      PART = /[[:upper:]]?[[:lower:]]+|[[:upper:]]+|[[:alpha:]]+|[^[:alpha:]]+/
      private_constant :PART, :BITS_OF_WORD, :BITS_OF_LETTER, :EXPECTED, :ROWS, :VOWELS

      module_function

      # @param text [String] a secret
      # @return [Float] bits
      def bits(text)
        text = text.valid_encoding? ? text : text.b
        left = fresh(text)
        words, others = left.scan(PART).partition { |part| word?(part) }
        # What has few letters in words was chosen by chance, and its words came by chance, too.
        return of_characters(left, kinds(left)) if words.sum(&:length) * 3 < left.length * 2 || text.match?(/\A[\h-]+\z/)

        words.map(&:downcase).uniq.sum { |word| of_word(word) } + others.sum { |part| of_characters(part, kinds(part)) }
      end

      # The text without what follows from what stands before it: repetitions, runs, and steps such as "abc" and "97531".
      def fresh(text)
        text = text[0, period(text)]
        chars = text.chars
        chars.each_index.reject { |at| at > 1 && follows?(chars, at) }.map { |at| chars[at] }.join
      end
      private_class_method :fresh

      # After how many characters a text repeats itself; its length where it does not.
      def period(text)
        (1..(text.length / 2)).find { |length| text.start_with?(text[length..]) } || text.length
      end
      private_class_method :period

      def follows?(chars, at)
        before, last, this = chars[at - 2, 3]
        step = this.ord - last.ord
        (step.abs <= 2 && step == last.ord - before.ord) || ROWS.any? do |row|
          [row, row.reverse].any? do |keys|
            keys.include?("#{before}#{last}#{this}".downcase)
          end
        end
      end
      private_class_method :follows?

      def of_word(word)
        expected?(word) ? 1.0 : [BITS_OF_WORD, word.length * BITS_OF_LETTER].max
      end
      private_class_method :of_word

      # A single sign is what stands between two words.
      def of_characters(part, kinds)
        return 1.0 if part.match?(/\A[^[:alnum:]]\z/) || expected?(part.downcase)

        part.length * Math.log2(kinds)
      end
      private_class_method :of_characters

      # Letters that can be said.
      def word?(part)
        part.length >= 4 && part.match?(/\A[[:alpha:]]+\z/) && part.downcase.match?(VOWELS) &&
          part.downcase.gsub(VOWELS, " ").split.none? { |consonants| consonants.length > 4 }
      end
      private_class_method :word?

      # Whether a word is made of expected ones.
      def expected?(word)
        return true if word.empty?

        EXPECTED.any? { |one| word.start_with?(one) && expected?(word[one.length..]) }
      end
      private_class_method :expected?

      # How many characters there are of the kinds that a part has.
      def kinds(part)
        return 16 if part.match?(/\A\h+\z/)

        { /[a-z]/ => 26, /[A-Z]/ => 26, /[0-9]/ => 10, /[^a-zA-Z0-9]/ => 33 }.sum { |kind, count| part.match?(kind) ? count : 0 }
      end
      private_class_method :kinds
    end
  end
end
