# frozen_string_literal: true

module ScalingoStagingSync
  class Server
    # What of a file a request asks for, as RFC 9110 has it (sections 13 and 14). Of several ranges none is heeded, which that
    # leaves to the server: many small ones are a way to have a server work for nothing.
    module ByteRange
      # One range, first and last byte; or the last bytes.
      ONE = /\Abytes=(\d{0,18})-(\d{0,18})\z/i
      private_constant :ONE

      module_function

      # @param header [String, nil] the header Range
      # @param size [Integer] bytes of the file
      # @return [Range, nil, :none] the bytes that are asked for; nil: all of them; :none: there are no such
      def of(header, size)
        first, last = header.to_s.strip.match(ONE)&.captures
        return if first.nil? || (first.empty? && last.empty?)

        return suffix(Integer(last, 10), size) if first.empty?

        span(Integer(first, 10), (last.empty? ? size - 1 : Integer(last, 10)), size)
      end

      def suffix(count, size)
        return :none if count.zero? || size.zero?

        ([size - count, 0].max)..(size - 1)
      end
      private_class_method :suffix

      def span(first, last, size)
        return :none if first >= size
        return if last < first # no range at all

        first..[last, size - 1].min
      end
      private_class_method :span
    end
  end
end
