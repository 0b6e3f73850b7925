# frozen_string_literal: true

module ScalingoStagingSync
  class EngineSettings
    # The lists of values that a model admits: those of its enums, and of its inclusion validations.
    module AdmittedValues
      class << self
        # @param model [Class] a model
        # @return [Array<Hash{String => Object}>] table (without its schema), column, and the values as the database has them
        def of(model)
          table = model.table_name.to_s.split(".").last
          return [] unless table

          lists = enums(model).merge(inclusions(model)) { |_, stored, _| stored }
          lists.map { |column, values| { "table" => table, "column" => column, "values" => values } }
        rescue StandardError
          [] # A model without a table name has no columns either.
        end

        private

        def enums(model)
          return {} unless model.respond_to?(:defined_enums)

          model.defined_enums.to_h { |name, values| [column(model, name), values.values.map(&:to_s)] }
        end

        # A range says too little, and a value computed for each record says nothing.
        def inclusions(model)
          validators = model.validators.select { |validator| validator.kind == :inclusion }
          validators.each_with_object({}) do |validator, lists|
            values = validator.options[:in] || validator.options[:within]
            next unless values.is_a?(Array) && values.any? && values.all? { |value| plain?(value) }

            validator.attributes.each { |name| lists[column(model, name)] = values.compact.map(&:to_s) }
          end
        end

        def plain?(value)
          case value
          when String, Symbol, Integer, true, false, nil then true
          else false
          end
        end

        def column(model, name)
          (model.attribute_alias(name.to_s) || name).to_s
        end
      end
    end
  end
end
