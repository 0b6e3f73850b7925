# frozen_string_literal: true

module ScalingoStagingSync
  module Support
    # Numbers as people read them, the same in every locale, because logs are compared.
    module Figures
      UNITS = %w[B kB MB GB TB].freeze
      private_constant :UNITS

      module_function

      # @param number [Integer] a count
      # @return [String] it with commas, such as "50,000"
      def count(number)
        number.to_i.to_s.reverse.scan(/\d{1,3}/).join(",").reverse
      end

      # @param number [Integer] how many
      # @param noun [String] of what, in the singular
      # @return [String] such as "1 table" or "12 tables"
      def counted(number, noun)
        "#{count(number)} #{noun}#{"s" unless number == 1}"
      end

      # @param number [Integer] bytes
      # @return [String] such as "1.2 GB", in powers of 1,000
      def bytes(number)
        size = number.to_f
        unit = UNITS.find.with_index { |_, index| size < 1000**(index + 1) || index == UNITS.size - 1 }
        size /= 1000**UNITS.index(unit)
        "#{(size >= 100 || unit == "B") ? size.round : size.round(1)} #{unit}"
      end

      # @param time [String] RFC 3339, as Scalingo and the engine write it
      # @return [String] such as "2026-11-01 02:12 UTC"; unchanged if it cannot be read
      def moment(time)
        Time.new(time).utc.strftime("%Y-%m-%d %H:%M UTC")
      rescue ArgumentError
        time
      end

      # @param time [String] RFC 3339
      # @param now [Time] until when
      # @return [String, nil] such as "6 h old" or "3 days old"; nil if it cannot be read
      def age(time, now: Time.now)
        hours = (now - Time.new(time)) / 3600
        (hours < 48) ? "#{hours.round} h old" : "#{(hours / 24).round} days old"
      rescue ArgumentError
        nil
      end

      # @param number [Numeric] seconds
      # @return [String] such as "40 ms", "0.4 s", "12 s", "3 min 20 s" or "2 h 5 min"
      def seconds(number)
        return "#{(number * 1000).round} ms" if number.positive? && number < 0.1
        return "#{number.to_f.round(1)} s" if number < 10

        whole = number.round
        return "#{whole} s" if whole < 60
        return "#{whole / 60} min #{whole % 60} s" if whole < 3600

        "#{whole / 3600} h #{whole % 3600 / 60} min"
      end
    end
  end
end
