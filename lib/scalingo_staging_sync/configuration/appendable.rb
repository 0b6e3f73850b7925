# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # A list or a hash of the configuration as the app gets it: it can be added to (`config.exclude_tables << "sessions"`),
    # and its new content is checked as if it had been set. It remembers the line that added what is refused.
    class Appendable
      # @return [Option] whose value it is
      attr_reader :option

      # @return [Array, Hash] what the app gets, always the same object
      attr_reader :list

      # @return [Array<Array(String, Thread::Backtrace::Location)>] what {#settle} has refused: a sentence for each part, and
      #   the app's line that added it; nil for a line that is not known
      attr_reader :faults

      # @return [Array, Hash, nil] what is not wrong in the list that {#settle} has refused
      attr_reader :sound

      # @param option [Option] whose value it is
      # @param value [Array, Hash] the value, checked
      def initialize(option, value)
        @option = option
        @lines = []
        @list = Watched.over(value.class.new) { |parts| note(parts) }
        keep(value)
      end

      # @return [Boolean] whether the app has changed it since it was checked
      def changed?
        # What cannot be looked at has no hash.
        !Shape.problem(@list).nil? || @list.hash != @known
      end

      # Checks it. Refused parts are removed again, and listed in {#faults}.
      #
      # @return [Array, Hash] the value to keep
      # @raise [Refused] when the option does not take it
      def settle
        keep(@option.cast(@list))
      rescue Refused => error
        @faults = faults_of(error)
        @sound = (@option.kind.sound(@list) unless Shape.problem(@list))
        keep(@kept)
        raise
      end

      private

      def note(parts)
        place = Place.here
        parts.each { |part| @lines << [part, place] }
      end

      def faults_of(error)
        parts = Shape.problem(@list) ? [] : @option.wrong_parts(@list)
        return error.sentences.map { |sentence| [sentence, @lines.last&.last] } if parts.empty?

        parts.flat_map do |part, index|
          name = part.is_a?(Hash) ? part.keys.first : part.first
          place = @lines.reverse_each.find { |added, _| added == name }&.last
          @option.refusal_of(part, index).map { |sentence| [sentence, place] }
        end
      end

      def keep(value)
        @lines.clear
        @list.replace(value.is_a?(Hash) ? value.to_h { |key, inner| [key, thaw(inner, key)] } : value.map { |inner| thaw(inner) })
        @known = @list.hash
        @kept = value
      end

      # A copy that can be added to; what is added within counts as added to the part of the whole that it belongs to.
      def thaw(value, part = nil)
        return value unless value.is_a?(Array) || value.is_a?(Hash)

        copy = value.class.new
        part ||= copy
        copy.replace(value.is_a?(Hash) ? value.transform_values { |inner| thaw(inner, part) } : value.map { |inner| thaw(inner, part) })
        Watched.over(copy) { note([part]) }
      end
    end
  end
end
