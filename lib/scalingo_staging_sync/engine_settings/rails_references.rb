# frozen_string_literal: true

module ScalingoStagingSync
  class EngineSettings
    # How rows refer to one another according to the app's models, with a foreign key or without: `belongs_to`, polymorphic too
    # (Active Storage's records, Action Text's, PaperTrail's items), the join tables of `has_and_belongs_to_many`, and a
    # tenant's column in tables whose models do not mention it. What the backup does not have is passed over by the engine.
    module RailsReferences
      # This many models with a column of the same name for the same table make it a tenant's column.
      EVERYWHERE = 3
      private_constant :EVERYWHERE

      class << self
        # @return [Array<Hash{String => Object}>] each reference, as the engine takes it
        def all
          models = Models.all
          belonging = models.flat_map { |model| belonging_to(model) }
          plain = belonging.reject { |_, reflection| reflection.polymorphic? }
                           .filter_map { |model, reflection| plain(models, model, reflection) }
          [*plain, *polymorphic(models, belonging), *models.flat_map { |model| join_tables(model) }, *everywhere(plain)].uniq
        end

        private

        # Each model, and what it belongs to. What a subclass declares is of its base's table.
        def belonging_to(model)
          model.reflect_on_all_associations(:belongs_to).map { |reflection| [model, reflection] }
        rescue StandardError
          []
        end

        # Both sides of a join table that has no model.
        def join_tables(model)
          model.reflect_on_all_associations(:has_and_belongs_to_many).flat_map do |reflection|
            [[reflection.foreign_key, model], [reflection.association_foreign_key, reflection.klass]].map do |column, owner|
              { "table" => reflection.join_table.to_s, "columns" => [column.to_s], "references" => owner.table_name.to_s,
                "referenced_columns" => [], "reflected" => true }
            end
          rescue StandardError
            []
          end
        rescue StandardError
          []
        end

        def plain(models, model, reflection)
          owner = reflection.klass
          return unless models.include?(owner)

          reference(model, columns(reflection), owner.table_name, [*reflection.options[:primary_key]].map(&:to_s))
        rescue StandardError
          nil # A class that is not there any more.
        end

        def polymorphic(models, belonging)
          belonging.select { |_, reflection| reflection.polymorphic? }.flat_map do |model, reflection|
            types(models).map do |table, names|
              reference(model, columns(reflection), table, [*reflection.options[:primary_key]].map(&:to_s))
                .merge("type_column" => reflection.foreign_type.to_s, "types" => names)
            end
          rescue StandardError
            []
          end
        end

        # The tables, each with the names that mean one of its rows: Rails writes that of the base class, and code that writes
        # by itself often that of the class.
        def types(models)
          named = models.select(&:name)
          by_table = named.group_by { |model| model.table_name.to_s }
          by_table.transform_values { |same| same.flat_map { |model| [model.polymorphic_name, model.name] }.uniq.sort }
        end

        # A column that several models use for the same table means that table everywhere.
        def everywhere(plain)
          by_columns = plain.reject { |reference| reference["referenced_columns"].any? }.group_by { |reference| reference["columns"] }
          by_columns.filter_map do |columns, same|
            tables = same.map { |reference| reference["references"] }.uniq
            next if tables.size > 1 || same.map { |reference| reference["table"] }.uniq.size < EVERYWHERE

            { "table" => "*", "columns" => columns, "references" => tables.first, "referenced_columns" => [], "reflected" => true }
          end
        end

        def reference(model, columns, table, referenced)
          { "table" => model.table_name.to_s, "columns" => columns, "references" => table.to_s, "referenced_columns" => referenced,
            "reflected" => true }
        end

        def columns(reflection) = [*reflection.foreign_key].map(&:to_s)
      end
    end
  end
end
