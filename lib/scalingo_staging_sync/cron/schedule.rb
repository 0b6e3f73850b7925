# frozen_string_literal: true

module ScalingoStagingSync
  module Cron
    # The five fields of a schedule in cron.json, and whether Scalingo's scheduler takes them: times in UTC, at least ten
    # minutes apart, nothing like `@weekly`. What only some programs understand (`?`, `L`, `#`, 7 for Sunday) is refused,
    # since a schedule that the platform does not accept makes the app's next deployment fail.
    class Schedule
      # The schedule is not one; the message says why, as the end of a sentence.
      class Invalid < StandardError; end

      FIELDS = { "minute" => 0..59, "hour" => 0..23, "day of the month" => 1..31, "month" => 1..12, "day of the week" => 0..6 }.freeze
      NAMES = {
        "month" => %w[jan feb mar apr may jun jul aug sep oct nov dec].each.with_index(1).to_h,
        "day of the week" => %w[sun mon tue wed thu fri sat].each_with_index.to_h
      }.freeze
      DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].freeze

      # Minutes that the scheduler wants between two starts.
      SHORTEST = 10
      private_constant :FIELDS, :NAMES, :DAYS

      # @return [String] the fields, with one blank between them
      attr_reader :text

      # @param command [String] a job's command in cron.json
      # @return [Array(String, String)] its schedule and its command
      def self.split(command)
        fields = command.strip.split(/\s+/, FIELDS.size + 1)
        [fields.first(FIELDS.size).join(" "), fields.fetch(FIELDS.size, "")]
      end

      # @param text [String] five fields
      # @raise [Invalid] when they are not valid, or Scalingo would not accept them
      def initialize(text)
        words = text.strip.split
        raise Invalid, "Scalingo takes no @ words; write the five fields, such as 0 3 * * 0 for Sundays at 3" if words.first&.start_with?("@")
        unless words.size == FIELDS.size
          raise Invalid, "it has #{Support::Figures.counted(words.size, "field")}, not five: minute, hour, day of the month, month, day of the week"
        end

        @text = words.join(" ")
        @values = FIELDS.keys.zip(words).to_h { |name, word| [name, values(name, word)] }
        check_days
        check_distance
      end

      private

      def values(name, word)
        word.split(",", -1).flat_map { |part| part_of(name, part) }.uniq.sort
      end

      # One of a field's parts: `*`, a number, a range, each also with a step.
      def part_of(name, part)
        match = part.match(%r{\A(?:(\*)|([^-/]+)(?:-([^-/]+))?)(?:/(\d+))?\z})
        raise Invalid, "the #{name} cannot be read" unless match

        all, first, last, step = match.captures
        raise Invalid, "a step in the #{name} needs a range or * before it, and must be above 0" if step && (step.to_i.zero? || !(all || last))

        range = all ? FIELDS.fetch(name) : (number(name, first)..number(name, last || first))
        raise Invalid, "the range in the #{name} ends before it begins" if range.none?

        range.step((step || 1).to_i).to_a
      end

      def number(name, word)
        number = NAMES[name]&.fetch(word.downcase, nil) || (word.to_i if word.match?(/\A\d+\z/))
        return number if number && FIELDS.fetch(name).cover?(number)

        bounds = FIELDS.fetch(name)
        raise Invalid, "the #{name} is from #{bounds.min} to #{bounds.max}#{" (0 is Sunday)" if name == "day of the week"}"
      end

      # A day of the week makes up for a day of the month that never comes.
      def check_days
        return if @values["day of the week"].size < 7
        return if @values["month"].any? { |month| @values["day of the month"].first <= DAYS[month - 1] }

        raise Invalid, "there is no such day in that month"
      end

      def check_distance
        starts = @values["hour"].product(@values["minute"]).map { |hour, minute| (hour * 60) + minute }
        distances = starts.each_cons(2).map { |one, next_one| next_one - one } << (starts.first + (24 * 60) - starts.last)
        return if distances.min >= SHORTEST

        raise Invalid, "its starts are #{distances.min} min apart, and Scalingo takes at least #{SHORTEST}"
      end
    end
  end
end
