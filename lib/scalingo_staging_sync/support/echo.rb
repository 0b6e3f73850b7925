# frozen_string_literal: true

module ScalingoStagingSync
  module Support
    # Arguments, variables and settings, as a message may show them. What may hold credentials is not shown: a URL of any
    # kind, since a pre-signed link and a webhook are secrets without a password, and what looks like a token.
    module Echo
      # What stands in place of a text that is not shown.
      HIDDEN = "[hidden: credentials may be in it]"

      # Characters of a value that a message quotes.
      LONGEST = 80

      # What tokens and keys of services begin with.
      TOKEN = /
        \b(?:tk-[a-z]{2,}-|xox[a-z]-|AKIA|ASIA[A-Z0-9]{16}\b|eyJ[\w-]{8}|gh[a-z]_|github_pat_|glpat-|npm_\w{30}|
        whsec_|[rs]k_(?:live|test)_|sk-(?:ant|live|proj)-|AIza[\w-]{20}|SG\.[\w-]{16})\S*
      /xi

      # What a password, a token or a key is called where it is given with its name.
      NAMED = /(?:passw(?:or)?d|passphrase|pwd|secret(?:_key_base)?|token|(?:api|access)[_-]?key|signature|sig|credential|authorization)/i

      # File.expand_path makes one slash of a URL's two, and people forget one; a scheme has two letters at least, or the
      # drive of a path would be one. The third is a line of a .pgpass file.
      SECRET = %r{
        [a-z][a-z0-9+.-]+:[/\\]
        | [^\s@/]*:[^@]*@
        | :(?:\d+|\*):[^\s:]+:[^\s:]+:\S
        | \bhooks\.slack\.com/
        | #{NAMED}["']?\s*(?:=>?|:(?!:))\s*\S
        | --#{NAMED}\s+\S
        | [?&]\w*key=
        | \b(?:bearer|basic)\s+\S{8}
        | PRIVATE\sKEY-
        | #{TOKEN}
      }xi

      # What stands beside the password in a connection string of libpq's, as a rule in SQL hands one to dblink.
      BESIDE = /\b(?:host(?:addr)?|port|user|dbname)=/
      PASSWORD = /\bpassword=[^\s"'`]+/

      # A URL in the midst of a sentence, also one with spaces where it stands in quotation marks; or a connection string.
      URL = %r{
        (?<=["'`])[a-z][a-z0-9+.-]+:/{1,2}[^"'`]*@[^"'`]*
        | [a-z][a-z0-9+.-]+:[^\s"'`]*(?:/[^\s"'`]*@|[?&](?:\w*key|[\w-]*#{NAMED})=)[^\s"'`]*
        | #{BESIDE}[^"'`]*#{PASSWORD} | #{PASSWORD}(?=[^"'`]*#{BESIDE})
        | (?:https?:/{0,2})?\bhooks\.slack\.com/[^\s"'`]+
        | #{TOKEN}
      }xi

      # What would steer a terminal, or turn the direction of what follows. A list has lines.
      STEERING = /[[:cntrl:]&&[^\n\t]]|[\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/

      # How many times a text may have been percent-encoded.
      LAYERS = 3
      private_constant :TOKEN, :NAMED, :SECRET, :BESIDE, :PASSWORD, :URL, :STEERING, :LAYERS

      module_function

      # @param value [Object] what was given
      # @return [Boolean] whether it, or something in it, may hold credentials
      def secret?(value)
        case value
        when Hash then value.any? { |pair| secret?(pair) }
        when Array then value.any? { |inner| secret?(inner) }
        when Regexp then secret?(value.source.delete("\\"))
        when Numeric, nil, true, false then false
        else layers(value.to_s.scrub).any? { |text| SECRET.match?(text) }
        end
      end

      # The text, and what it is where it is percent-encoded, perhaps more than once.
      def layers(text)
        texts = [text]
        LAYERS.times do
          inner = texts.last.b.gsub(/%\h\h/) { |code| code[1, 2].hex.chr }.force_encoding(Encoding::UTF_8).scrub
          break if inner == texts.last

          texts << inner
        end
        texts
      end
      private_class_method :layers

      # @param text [Object] a name or a path that was given
      # @return [String] it for use within a sentence: no control characters, so that it cannot steer a terminal
      def of(text)
        return HIDDEN if secret?(text)

        escaped(text.to_s.scrub("?").gsub(/[[:cntrl:]]/, " "))
      end

      # @param text [Object] a name that was given
      # @return [String] the same, cut where it is long
      def short(text) = cut(of(text))

      # @param value [Object] what was given
      # @return [String] it as Ruby writes it, cut where it is long
      def inspect(value)
        shown = visible(value).inspect
        cut(URL.match?(shown) ? HIDDEN : escaped(shown))
      end

      # For what is only named, and not yet looked for: the system's own error would have the name in its message, and
      # stays with ours as its cause.
      #
      # @param text [Object] a name or a path that was given
      # @param what [String] what it names, such as "the audit file"
      # @param remedy [String] what to do, a sentence
      # @return [void]
      # @raise [ConfigurationError] when credentials may be in it
      def refuse_secret(text, what, remedy)
        raise ConfigurationError.new("What is given as #{what} is not shown, because credentials may be in it.", remedy) if secret?(text)
      end

      # For sentences whose parts come from elsewhere.
      #
      # @param sentence [String] a sentence
      # @return [String] it without the URLs that hold credentials, and with what would steer a terminal as Ruby writes it
      def clean(sentence)
        escaped(sentence.scrub("?").gsub(URL, HIDDEN))
      end

      def cut(text) = (text.length > LONGEST) ? "#{text[0, LONGEST - 3]}..." : text
      private_class_method :cut

      def escaped(text)
        text = text.dup.force_encoding(Encoding::UTF_8).scrub("?") unless text.encoding == Encoding::UTF_8
        text.gsub(STEERING) { |character| character.dump[1...-1] }
      end
      private_class_method :escaped

      # The same value with every part replaced that is not shown.
      def visible(value)
        case value
        when Hash then value.to_h { |key, inner| [visible(key), visible(inner)] }
        when Array then value.map { |inner| visible(inner) }
        else secret?(value) ? Hidden : value
        end
      end
      private_class_method :visible

      # A hidden part of a value that is inspected.
      module Hidden
        # @return [String] no more than that it is hidden
        def self.inspect = HIDDEN
      end
      private_constant :Hidden
    end
  end
end
