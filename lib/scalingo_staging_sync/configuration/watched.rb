# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    # Makes a list or a hash report what is added to it. What would raise one of Ruby's exceptions while the app boots, a
    # single value where a list or a hash belongs, is added all the same, for the option to refuse with a sentence.
    module Watched
      # The methods a list gets.
      module List
        %i[<< push append unshift prepend insert []=].each do |name|
          define_method(name) do |*given|
            # What it returns may be what was added, which may have no methods.
            result = super(*given)
            @note.call(given)
            result
          end
        end

        def concat(*lists)
          lists = lists.map { |list| (list in Array) ? list : [list] }
          super(*lists).tap { @note.call(lists.flatten(1)) }
        end

        def +(other) = super((other in Array) ? other : [other])
      end

      # The methods a hash gets; 0.1's initializers also add to it by `<<`.
      module Table
        %i[[]= store].each do |name|
          define_method(name) do |key, value|
            super(key, value)
            @note.call([key])
            value
          end
        end

        %i[merge! update].each do |name|
          define_method(name) do |*given, &choose|
            hashes = given.map { |more| (more in Hash) ? more : { more => nil } }
            super(*hashes, &choose).tap { @note.call(hashes.flat_map(&:keys)) }
          end
        end

        def <<(more) = merge!(more)
      end

      # What is notified; nothing in a copy made by Marshal.
      class Listener
        def initialize(&listen) = @listen = listen
        def call(parts) = @listen&.call(parts)
        def marshal_dump = nil
        def marshal_load(_nothing) = nil
      end
      private_constant :List, :Table, :Listener

      # @param list [Array, Hash] what is watched
      # @yieldparam parts [Array] elements or keys that were added
      # @return [Array, Hash] the same
      def self.over(list, &)
        list.extend(list.is_a?(Hash) ? Table : List)
        list.instance_variable_set(:@note, Listener.new(&))
        list
      end
    end
  end
end
