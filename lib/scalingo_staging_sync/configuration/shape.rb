# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # Values that cannot even be looked at: one that contains itself has no end, and a bare BasicObject has no methods.
    module Shape
      # What everything that is given has to answer.
      METHODS = %i[class hash inspect is_a? to_s].freeze

      RESPONDS = Kernel.instance_method(:respond_to?)
      CLASS = Kernel.instance_method(:class)
      private_constant :METHODS, :RESPONDS, :CLASS

      # No value that an option takes has so many levels.
      DEEPEST = 100

      module_function

      # @param value [BasicObject] what was given
      # @return [String, nil] what is wrong with it, behind "a value"; nil if it can be looked at
      def problem(value) = look(value, {}.compare_by_identity, 0)

      # @param seen [Hash{Object => Boolean}] lists and hashes, each with whether it is looked at now
      def look(value, seen, depth)
        return "with an object of class #{CLASS.bind_call(value)} in it, which is a bare BasicObject" if bare?(value)

        parts = case value
                when Hash then value.flat_map { |key, inner| [key, inner] }
                when Array then value
                else return
                end
        return ("that contains itself" if seen[value]) if seen.key?(value)
        return "of more than #{DEEPEST} levels" if depth == DEEPEST

        seen[value] = true
        found = parts.lazy.filter_map { |part| look(part, seen, depth + 1) }.first
        seen[value] = false
        found
      end
      private_class_method :look

      def bare?(value) = METHODS.any? { |name| !RESPONDS.bind_call(value, name) }
      private_class_method :bare?
    end
  end
end
