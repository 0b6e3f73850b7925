# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # Text in a value that was given, in the one encoding that the engine and PostgreSQL get. An initializer that an editor
    # has saved in another one holds bytes that are no text.
    module Utf8
      module_function

      # @param value [Object] what was given
      # @return [Object] it with every String and Symbol in UTF-8; the same object if that is so already
      # @raise [EncodingError] when one of them has no form in UTF-8
      def of(value)
        case value
        when Hash then same(value, value.to_h { |key, inner| [of(key), of(inner)] }) { |made| made.to_a.flatten(1) }
        when Array then same(value, value.map { |inner| of(inner) })
        when Symbol then value.to_s.then { |text| converted(text).then { |made| made.equal?(text) ? value : made.to_sym } }
        when String then converted(value)
        else value
        end
      end

      # @param value [Object] what was given
      # @return [String, Symbol, nil] the first text in it that has no form in UTF-8, hidden if it is a password; nil if there
      #   is none
      def unreadable(value)
        case value
        when Hash then first(value) { |key, inner| unreadable(key) || (unreadable(inner) && shown(key, inner)) }
        when Array then first(value) { |inner| unreadable(inner) }
        when String, Symbol then value unless readable?(value)
        end
      end

      # @param value [Object] what was given
      # @return [String, nil] a sentence about the first text in it that has no form in UTF-8; nil if there is none
      def problem(value)
        text = unreadable(value)
        "#{Support::Echo.inspect(text.to_s.b)} is not UTF-8 text; save the file that sets it as UTF-8." if text
      end

      def first(parts, &) = parts.lazy.filter_map(&).first
      private_class_method :first

      # A mask may have a password.
      def shown(key, inner) = (key.to_s == "password") ? Support::Echo::HIDDEN : unreadable(inner)
      private_class_method :shown

      def readable?(value)
        of(value) && true
      rescue EncodingError
        false
      end
      private_class_method :readable?

      def same(value, made, &parts)
        parts ||= :itself.to_proc
        (parts.call(value).zip(parts.call(made)).all? { |before, after| before.equal?(after) }) ? value : made
      end
      private_class_method :same

      def converted(text)
        return text if [Encoding::UTF_8, Encoding::US_ASCII].include?(text.encoding) && text.valid_encoding?
        raise EncodingError, "not valid" unless text.valid_encoding?

        text.encode(Encoding::UTF_8)
      end
      private_class_method :converted
    end
  end
end
