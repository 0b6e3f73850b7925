# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Counter caches, set to what the target holds: a part of production has fewer comments than its posts say, and what a rule
    # deletes is counted, too. One statement for each, by the models of the app.
    class Counters
      include Support::Discreet

      # @param reporter [Terminal::ProgressReporter] what says how many there are
      # @param models [Array<Class>] the app's models
      def initialize(reporter:, models: EngineSettings::Models.all)
        @reporter = reporter
        @models = models
      end

      # Sets them all. What cannot be set is said, and ends nothing.
      #
      # @return [Integer] how many columns were set
      def reset
        # What was known of the tables may be of those that the run has replaced.
        ActiveRecord::Base.connection.schema_cache.clear!
        @models.each(&:reset_column_information)
        caches = @models.flat_map { |model| caches_of(model) }.uniq
        done = caches.count { |cache| set(*cache) }
        @reporter.say("Set #{Support::Figures.counted(done, "counter cache")} to what is there.") if done.positive?
        done
      end

      private

      # The statements by the columns that they set: of a polymorphic association one for each class that it may belong to.
      def caches_of(model)
        model.reflect_on_all_associations(:belongs_to).select(&:counter_cache_column).flat_map do |reflection|
          owners(reflection).map { |owner| [owner, reflection.counter_cache_column.to_s, reflection] }
        end
      rescue StandardError
        []
      end

      def owners(reflection)
        return [reflection.klass] unless reflection.polymorphic?

        counting = @models.select { |model| model.reflect_on_all_associations.any? { |one| one.options[:as] == reflection.name } }
        counting.map(&:base_class).uniq
      end

      def set(owner, column, reflection)
        return false unless [owner, reflection.active_record].all?(&:table_exists?) && owner.column_names.include?(column)

        owner.connection.execute(statement(owner, column, reflection))
        true
      rescue ActiveRecord::ActiveRecordError => error
        @reporter.warn("The counter cache #{column} of #{owner.table_name} could not be set: #{error.class}.")
        false
      end

      # Only rows that say another number are written.
      def statement(owner, column, reflection)
        counted = "(SELECT count(*) FROM #{quoted(reflection.active_record)} c WHERE #{conditions(owner, reflection).join(" AND ")})"
        name = owner.connection.quote_column_name(column)
        "UPDATE #{quoted(owner)} o SET #{name} = #{counted} WHERE #{name} IS DISTINCT FROM #{counted}"
      end

      def conditions(owner, reflection)
        connection = owner.connection
        keys = [*reflection.foreign_key].zip([*(reflection.options[:primary_key] || owner.primary_key)])
        equal = keys.map { |from, to| "c.#{connection.quote_column_name(from.to_s)} = o.#{connection.quote_column_name(to.to_s)}" }
        equal.concat(of_class(reflection.active_record, connection))
        return equal unless reflection.polymorphic?

        equal << "c.#{connection.quote_column_name(reflection.foreign_type.to_s)} = #{connection.quote(owner.polymorphic_name)}"
      end

      # A class among others of one table counts its own rows.
      def of_class(model, connection)
        return [] unless model.finder_needs_type_condition?

        names = [model, *model.descendants].map { |one| connection.quote(one.sti_name) }
        ["c.#{connection.quote_column_name(model.inheritance_column)} IN (#{names.join(", ")})"]
      end

      def quoted(model) = model.quoted_table_name
    end
  end
end
