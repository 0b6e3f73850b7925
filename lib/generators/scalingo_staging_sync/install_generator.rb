# frozen_string_literal: true

require "rails/generators/base"
require "stringio"
require "scalingo_staging_sync"

module ScalingoStagingSync
  # What `rails generate` offers.
  module Generators
    # `rails generate scalingo_staging_sync:install`: writes the initializer, with every option explained, schedules the
    # run if asked to, and prints what comes next. It asks nothing, so that it does the same with a terminal
    # and without: existing files stay, unless `--force` is given.
    class InstallGenerator < Rails::Generators::Base
      INITIALIZER = "config/initializers/scalingo_staging_sync.rb"
      CRON_FILE = Cron::Jobs::NAME
      # Rake's task takes no --force, and calls this one.
      IT_STAYS = <<-TEXT
        It is there already. To replace it by a new one, without what was added to it:
        bundle exec rails generate scalingo_staging_sync:install --force
      TEXT
      private_constant :INITIALIZER, :CRON_FILE, :IT_STAYS

      source_root File.expand_path("templates", __dir__)
      desc "Writes config/initializers/scalingo_staging_sync.rb, with every option explained; with --cron it schedules the run in cron.json, too. " \
           "An initializer that is there already stays, unless --force is given."

      class_option :detect, type: :boolean, default: false,
                            desc: "Look for personal data in the newest backup, or in DATABASE_URL, and write rules for it"
      class_option :cron, type: :string, banner: '"0 3 * * 0"',
                          desc: "Schedule the run in cron.json: minute, hour, day of the month, month, day of the week, in UTC"

      class_option :server, type: :boolean, default: false, desc: "Write nothing; print what this app needs to hand out masked archives"
      class_option :client, type: :boolean, default: false, desc: "Write no initializer; print what this app needs to pull masked archives"
      class_option :env_file, type: :string, banner: ".env",
                              desc: "With --client: add the variables to this file, from the environment; what is in it stays"

      # A misspelt --cron would schedule nothing, and look as if it had.
      check_unknown_options!

      # Whether a failure of the generator gives a failing exit status; Thor asks.
      #
      # @return [Boolean] always true
      def self.exit_on_failure? = true

      # Checks everything that can go wrong before anything is written.
      #
      # @return [void]
      def prepare
        refuse_dry_run
        return if behavior == :revoke

        refuse_roles
        return if role?

        [INITIALIZER, CRON_FILE].each { |path| refuse_clash(path) }
        refuse_detection if options[:detect] && kept?(INITIALIZER)
        @cron = scheduled if options[:cron]
        @detected = detected
      rescue ScalingoStagingSync::Error => error
        raise Thor::Error, "#{error.class}: #{error.message} Nothing was written."
      end

      # Writes the initializer.
      #
      # @return [void]
      def create_initializer
        return if role?
        return template("initializer.rb.tt", INITIALIZER) if behavior == :revoke || !kept?(INITIALIZER)

        say_status :skip, INITIALIZER, :yellow
        say IT_STAYS unless options[:skip]
      rescue SystemCallError => error
        raise Thor::Error, "#{INITIALIZER} cannot be written (#{error.class})."
      end

      # Schedules the run, if asked to. The other jobs stay.
      #
      # @return [void]
      def create_cron_file
        return unless @cron

        before = cron_text
        return say_status(:identical, CRON_FILE, :blue) if @cron == before
        return say_status(:skip, CRON_FILE, :yellow) if before && options[:skip]

        write_file(CRON_FILE, @cron) unless options[:pretend]
        say_status(before ? :update : :create, CRON_FILE, :green)
      end

      # Prints what an app needs to hand out masked archives, or to pull them, if asked to.
      #
      # @return [void]
      def set_up_sharing
        return if behavior == :revoke

        say Terminal::SharingText.server(production: production?) if options[:server]
        say Terminal::SharingText.client if options[:client]
        write_variables if options[:env_file]
      rescue ScalingoStagingSync::Error => error
        raise Thor::Error, "#{error.class}: #{error.message}"
      end

      # Prints what comes next.
      #
      # @return [void]
      def print_next_steps
        return if behavior == :revoke || role?

        say <<~TEXT

          Next:
            1. In config/initializers/scalingo_staging_sync.rb, name the production app. What looks personal is masked
               by itself (config.pii_policy = :mask); `rake scalingo_staging_sync:suggest` prints rules for it.
            2. Give the staging app a token for Scalingo's API, made in its dashboard:
                 scalingo --app my-app-staging env-set SCALINGO_API_TOKEN=tk-us-...
            3. Make sure that the staging app does not take itself for production: give it config/environments/staging.rb,
               and an entry in config/database.yml, as docs/scalingo.md shows, then
                 scalingo --app my-app-staging env-set RAILS_ENV=staging
            4. Deploy. Look, then run it, in the staging app:
                 scalingo --app my-app-staging run bundle exec rake scalingo_staging_sync:check
                 scalingo --app my-app-staging run bundle exec rake scalingo_staging_sync:run
            5. #{schedule_step}
          docs/scalingo.md in the gem has it all: #{documentation}
        TEXT
      end

      private

      def role? = options[:server] || options[:client]

      def refuse_roles
        raise Thor::Error, "--env-file goes with --client. Nothing was written." if options[:env_file] && !options[:client]
        return unless role? && (options[:cron] || options[:detect])

        raise Thor::Error, "--cron and --detect do not go with --server and --client: run the generator for each. Nothing was written."
      end

      def production?
        Guard::Production.new.validate!
        false
      rescue Support::EnvironmentValidator::ProductionEnvironmentError
        true
      end

      # Those that are not known stay commented out.
      def write_variables
        known = Terminal::SharingText::VARIABLES.to_h { |name, _| [name, ENV.fetch(name, nil).presence] }
        added = options[:pretend] ? [] : add_variables(known)
        say_status(added.any? ? :update : :identical, options[:env_file], added.any? ? :green : :blue)
        missing = known.reject { |_, value| value }.keys & added
        say "Fill in #{missing.join(", ")} there." if missing.any?
        left = options[:pretend] ? [] : known.keys - added
        say "Left as it stands there: #{left.join(", ")}." if left.any?
      end

      def add_variables(known)
        lines = known.to_h { |name, value| value ? [name, value] : ["# #{name}", ""] }
        file = Support::EnvFile.new(in_app(options[:env_file]))
        file.add(lines.reject { |name, _| file.names.include?(name.delete_prefix("# ")) }).map { |name| name.delete_prefix("# ") }
      end

      def schedule_step
        return "Commit cron.json and deploy: Scalingo reads it then." if @cron || scheduled_already?

        "For a run every Sunday at 3 (UTC): rails generate scalingo_staging_sync:install --cron \"0 3 * * 0\""
      end

      # A file that cannot be read does not matter if nothing is added to it.
      def scheduled_already?
        Cron::Jobs.new(cron_text).own.any?
      rescue ScalingoStagingSync::Error, Thor::Error
        false
      end

      # The page in the installed gem, or in the checkout.
      def documentation = File.expand_path("../../../docs/scalingo.md", __dir__)

      # The lines of one heading's options for the template: explained, and commented out.
      def explained(option)
        comment = wrap(option.doc)
        default = wrap("Default: #{option.shown}")
        assignment = "config.#{option.name} = #{option.example}"
        active = %i[clone_source_scalingo_app_name pii_policy].include?(option.name)
        lines = [*comment, *default].map { |line| "  # #{line}" } << "  #{"# " unless active}#{assignment}"
        (option.name == :anonymization_tables) ? lines + @detected : lines
      end

      # Whether a file is there and stays. A link counts, whatever it points to.
      def kept?(path)
        there?(path) && !options[:force]
      end

      def there?(path)
        full = in_app(path)
        File.exist?(full) || File.symlink?(full)
      end

      def in_app(path) = File.expand_path(path, destination_root)

      # A directory in a file's place, or a file in a directory's.
      def refuse_clash(path)
        clash = "#{path} is a directory, where a file of that name belongs" if File.directory?(in_app(path))
        folder = Pathname(path).descend.to_a[0...-1].find { |above| there?(above) && !File.directory?(in_app(above)) }
        clash ||= "#{folder} is no directory" if folder
        raise Thor::Error, "#{clash}. Move it away. Nothing was written." if clash
      end

      # Thor has another word for it.
      def refuse_dry_run
        Support::Variables.new.check!
        return if options[:pretend] || !Support::Variables.new.yes?("DRY_RUN")

        raise ConfigurationError.new("The variable DRY_RUN asks for a dry run, and the generator would write files.",
                                     "Give it --pretend, or remove DRY_RUN.")
      end

      # The search takes its time, and its result would be thrown away.
      def refuse_detection
        raise Thor::Error, "#{INITIALIZER} is there already, so the rules that --detect finds would be written nowhere. " \
                           "`rake scalingo_staging_sync:suggest` prints them; --force replaces the file. Nothing was written."
      end

      def cron_text
        File.binread(in_app(CRON_FILE)).force_encoding(Encoding::UTF_8) if there?(CRON_FILE)
      rescue SystemCallError => error
        raise Thor::Error, "#{CRON_FILE} cannot be read (#{error.class}). Nothing was written."
      end

      # What cron.json becomes.
      def scheduled
        Cron::Jobs.new(cron_text).schedule(options[:cron])
      end

      def write_file(path, text)
        File.binwrite(in_app(path), text)
      rescue SystemCallError => error
        raise Thor::Error, "#{path} cannot be written (#{error.class})."
      end

      # The rules for what looks personal, if asked for.
      def detected
        return [] unless options[:detect]

        rules = Services::PersonalDataScan.new(config: without_rules, output: StringIO.new).suggest
        return ["", "  # Nothing that looks personal was found."] unless rules

        ["", *rules.lines(chomp: true).map { |line| "  #{line}".rstrip }]
      end

      # The present configuration; if the file with its rules is about to be replaced, only what it says about the source.
      def without_rules
        current = ScalingoStagingSync.configuration
        return current unless there?(INITIALIZER)

        Configuration.new.tap do |config|
          Configuration.groups.fetch("Source").each do |option|
            config.public_send(:"#{option.name}=", current.public_send(option.name)) if current.set?(option.name)
          end
        end
      end

      def wrap(text)
        text.gsub(/(.{1,100})(?:\s+|\z)/, "\\1\n").lines(chomp: true)
      end
    end
  end
end
