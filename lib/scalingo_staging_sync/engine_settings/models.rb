# frozen_string_literal: true

module ScalingoStagingSync
  class EngineSettings
    # The app's models, and those of the engines that it mounts.
    module Models
      class << self
        # @return [Array<Class>] those with a table of their own in the primary database, and those that inherit from them; none
        #   where there is no ActiveRecord
        def all
          return [] unless active_record?

          load
          ActiveRecord::Base.descendants.select { |model| primary?(model) }
        end

        private

        # Without a database configured, as in a CI, it is there all the same; without its adapter it is not.
        def active_record?
          defined?(ActiveRecord::Base) && ActiveRecord::Base.respond_to?(:descendants)
        rescue ActiveRecord::ActiveRecordError, LoadError
          false
        end

        # Models are loaded when they are first named; a rake task has named none.
        def load
          return unless defined?(Rails.autoloaders) && Rails.application

          folders.each { |path| load_folder(path) }
        end

        # A model that cannot be loaded does not keep the others from loading.
        def load_folder(path)
          loaders = [Rails.autoloaders.main, Rails.autoloaders.once]
          loader = loaders.find { |one| one.dirs.include?(path) }
          loader&.eager_load_dir(path)
        rescue StandardError, LoadError => error
          ScalingoStagingSync.configuration.logger.warn(
            "Models could not be loaded (#{error.class}), so what only they declare is not known: encrypted attributes, " \
            "and references without a foreign key."
          )
        end

        def folders
          engines = defined?(Rails::Engine) ? Rails.application.railties.grep(Rails::Engine) : []
          [*engines, Rails.application].flat_map { |engine| engine.paths["app/models"].existent_directories }
        end

        def primary?(model)
          !model.abstract_class? && !model.table_name.to_s.empty? &&
            model.connection_specification_name == ActiveRecord::Base.connection_specification_name
        rescue StandardError
          false # A model that cannot say where its rows are has none.
        end
      end
    end
  end
end
