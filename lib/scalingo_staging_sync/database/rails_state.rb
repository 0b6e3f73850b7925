# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # What Rails keeps in, and knows of, the target database: connections, migrations, the environment's name and
    # the schema cache. Everything here concerns ActiveRecord's primary database, and what other databases of the app are
    # in the same one ({SiblingDatabases}): those that are apart keep their data, and so what they have of migrations.
    module RailsState
      module_function

      # @return [Boolean] whether ActiveRecord is there and has a primary database
      def active_record?
        return false unless defined?(ActiveRecord::Base)

        ActiveRecord::Base.connection_db_config
        true
      rescue ActiveRecord::ActiveRecordError, LoadError, URI::InvalidURIError
        false
      end

      # Naming ActiveRecord::Base for the first time connects, so that is where a missing adapter shows.
      #
      # @return [String, nil] the adapter that ActiveRecord is configured for and does not have; nil if it has it
      # @raise [URI::InvalidURIError] when ActiveRecord cannot read the URL, which is in the error with its password
      def missing_adapter
        return unless defined?(ActiveRecord::Base)

        ActiveRecord::Base.connection_db_config.adapter_class
        nil
      rescue ActiveRecord::AdapterNotFound, LoadError => error
        error.message[/'(\w+)'/, 1] || "that it names"
      rescue ActiveRecord::ActiveRecordError
        nil # nothing is configured for this environment
      end

      # Closes every connection of this process. ActiveRecord opens new ones when they are needed.
      #
      # @return [void]
      def release_connections
        return unless active_record?

        ActiveRecord::Base.connection_handler.clear_all_connections!(:all)
      end

      # The app's migrations, and which of them have not run in the target yet. Only reads.
      #
      # @return [Array<Array<String>>] the labels (version and name) of all, and of those that are pending
      def migrations
        applied = applied_migrations
        all = migration_contexts.flat_map(&:migrations)
        [all, all.reject { |migration| applied.include?(migration.version) }].map { |list| list.map { |one| label(one) } }
      end

      # @return [Array<Integer>] the versions of the migrations that have run in the target; none where it has no such table
      def applied_migrations
        migration_contexts.first.get_all_versions.sort
      end

      # Runs the migrations that the app has and the backup had not, one by one.
      #
      # @yieldparam label [String] the migration that begins: version and name
      # @return [Integer] how many ran
      # @raise [MigrationError] naming the one that failed; its cause says why
      def migrate(&)
        ran = migration_contexts.sum { |context| migrate_in(context, &) }
        forget_schema if ran.positive?
        ran
      end

      # Says in `ar_internal_metadata` that this is the current environment's database. The backup brought
      # "production" along, which would make Rails protect it as such.
      #
      # @return [void]
      def record_environment
        pool = ActiveRecord::Base.connection_pool
        pool.internal_metadata.create_table_and_set_flags(pool.migration_context.current_environment)
      end

      # Clears ActiveRecord's cached tables and columns.
      #
      # @return [void]
      def forget_schema
        return unless active_record?

        ActiveRecord::Base.connection_handler.connection_pool_list(:all).each { |pool| pool.schema_reflection.clear! }
        ActiveRecord::Base.descendants.each { |model| model.reset_column_information unless model.abstract_class? }
      end

      # The app's migrations with those of its engines, then those of each database that is in the same one. What has run
      # is in one table for all of them. ActiveRecord itself learns the app's paths only from the rake tasks under `db:`;
      # before that it looks beside the current directory.
      #
      # @api private
      def migration_contexts
        pool = ActiveRecord::Base.connection_pool
        paths = pool.db_config.migrations_paths
        paths ||= ActiveRecord::Tasks::DatabaseTasks.migrations_paths if defined?(Rails.application) && Rails.application
        others = SiblingDatabases.new.shared.filter_map(&:migrations_paths).uniq - [paths]
        [(pool.migration_context unless paths), *[paths, *others].compact.map { |folders| migrations_in(folders, pool) }].compact
      end

      # @api private
      def migrations_in(folders, pool)
        ActiveRecord::MigrationContext.new(Array(folders), pool.schema_migration, pool.internal_metadata)
      end

      # @api private
      def migrate_in(context)
        pending = context.open.pending_migrations
        pending.each do |migration|
          yield label(migration) if block_given?
          run(context, migration)
        end
        pending.size
      end

      # @api private
      def label(migration) = "#{migration.version} #{migration.name}"

      # @api private
      def run(context, migration)
        context.run(:up, migration.version)
      rescue StandardError, ScriptError => error
        raise MigrationError.new(
          "The database is restored and masked, but the migration #{label(migration)} failed on it: " \
          "#{Support::FailureText.of(error, within: migration.filename)}.",
          "Correct the migration and run the task again."
        )
      end
    end
  end
end
