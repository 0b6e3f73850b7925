# frozen_string_literal: true

module ScalingoStagingSync
  class EngineSettings
    # What a Rails app itself says: the parameters that it keeps out of its logs, the attributes that it encrypts, and
    # where its files lie.
    module RailsHints
      class << self
        # @return [Array<String>] the Strings and Symbols of `config.filter_parameters`; its Regexps and Procs are for
        #   Rails alone
        def filter_parameters
          filters = rails_config&.filter_parameters || []
          filters.grep(String).concat(filters.grep(Symbol).map(&:to_s)).uniq
        end

        # @return [Array<Array(String, String)>] table (without its schema) and column of every attribute declared with
        #   `encrypts`
        def encrypted_columns
          Models.all.flat_map { |model| columns_of(model) }.uniq
        end

        # @return [Array<Hash{String => Object}>] the values that the app's models admit of a column, as the database has
        #   them: `enum`, and what `validates inclusion` lists
        def admitted_values
          lists = Models.all.flat_map { |model| AdmittedValues.of(model) }
          lists.group_by { |list| list.values_at("table", "column") }.map do |(table, column), same|
            { "table" => table, "column" => column, "values" => same.flat_map { |list| list["values"] }.uniq }
          end
        end

        # @return [String, nil] the service of this environment that Active Storage's files lie in
        #   (`config.active_storage.service`); nil if none is configured
        def storage_service
          config = rails_config
          config.active_storage.service&.to_s if config.respond_to?(:active_storage)
        end

        private

        def rails_config
          Rails.application&.config if defined?(Rails.application)
        end

        def columns_of(model)
          table = model.table_name.to_s.split(".").last
          return [] unless table && model.respond_to?(:encrypted_attributes)

          Array(model.encrypted_attributes).map { |name| [table, (model.attribute_alias(name.to_s) || name).to_s] }
        rescue StandardError
          [] # A model without a table name has no columns either.
        end
      end
    end
  end
end
