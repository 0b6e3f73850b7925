# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:dump[path]` does: the backup into a masked archive that pg_restore and `pull` read, with
    # a sealed manifest beside it. The same rules and checks as a run's; no database is touched, but for temporary tables where
    # something can be said in SQL only.
    #
    # @example
    #   ScalingoStagingSync::Services::Dump.new.write("tmp/staging.dump")
    class Dump < Base
      # The path that stands for standard output.
      STANDARD_OUTPUT = "-"

      # What a dump does in the phases in which a run does something else.
      PHASES = { rows: "Writing rows, masked", verify: "Reading the archive again" }.freeze
      private_constant :PHASES

      # @param config [Configuration] the rules, the source and the compression
      # @param output [IO] standard output
      # @param errors [IO] where it says how far it is when the archive goes to standard output
      # @param journal [Database::Journal] where it is noted
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration, output: $stdout, errors: $stderr, journal: Database::Journal.new, native: nil)
        super(config:, native:)
        @output = output
        @errors = errors
        @journal = journal
      end

      # @param path [String, nil] the file, "-" for standard output; nil: `config.archive_file`
      # @return [Hash{Symbol => Object}] the engine's report, as {Coordinator#execute!} returns it, with :archive
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [ConfigurationError] when a setting or the path is missing or wrong, or a dry run is asked for
      # @raise [PersonalDataError, VerificationError] when what was written must not be handed out; then nothing of it is kept
      # @raise [Error] one of its other subclasses, when it failed
      def write(path = nil)
        path = named(path)
        return begin_dump(path) { to_file(settings.in_app(path)) } unless path == STANDARD_OUTPUT

        refuse_terminal
        with_output_reserved { |descriptor| begin_dump(STANDARD_OUTPUT) { to_standard_output(descriptor) } }
      end

      private

      # What is checked and logged for an archive in a file and one on standard output alike.
      def begin_dump(where)
        @journal.noting("dump", where, begin_schema: false) do
          refuse_dry_run!("would write an archive")
          preflight = check!(target: false)
          native # loaded now, so that nothing is begun for which it is missing
          @reporter = reporter_of(where)
          reporter.say(NO_APP) unless config.target_app
          preflight.notices.each { |notice| reporter.warn(notice) }
          yield
        end
      end

      def reporter_of(where)
        bars = where != STANDARD_OUTPUT && Terminal::ProgressBars.possible?(@output)
        Terminal::ProgressReporter.new(logger: config.logger, terminal: @output, phases: PHASES, bars:)
      end

      def named(path)
        path = path.to_s.strip
        path = config.archive_file.to_s if path.empty?
        remedy = "Name one: `rake 'scalingo_staging_sync:dump[tmp/staging.dump]'`, or set config.archive_file; `-` is standard output."
        raise ConfigurationError.new("No file is named for the archive.", remedy) if path.empty?

        Support::Echo.refuse_secret(path, "the archive's path", remedy)
        path
      end

      def to_file(path)
        refuse_other_files(path)
        started_at = Time.now
        report = call("file" => path)
        manifest = Archives::ManifestFile.new(report, path, made_at: Time.now, config:).write
        audit(report, started_at, "#{path}.audit")
        announce(report, "#{path} and #{File.basename(manifest)}")
        report
      end

      def to_standard_output(descriptor)
        reporter.warn("What has gone to standard output cannot be taken back: what the checks find at the end fails the task, " \
                      "and its reader has the rows.")
        started_at = Time.now
        report = call("stream" => "/dev/fd/#{descriptor}")
        audit(report, started_at, config.anonymization_audit_file)
        announce(report, "standard output")
        report
      end

      def call(to)
        engine.dump(settings.dump, { "to" => to, "compression" => config.dump_compression.to_s, "workspace" => settings.workspace })
      rescue TargetConnectionError => error
        raise config.workspace_url ? of_workspace(error) : error
      end

      # A dump connects to nothing else, and the engine calls what it connects to the target.
      def of_workspace(error)
        error.class.new(error.what.sub("The target", "The workspace"),
                        error.remedy.gsub(Support::Variables.target_from, "config.workspace_url"), sqlstate: error.sqlstate)
      end

      # Everything else that the process prints on standard output, its log included, goes to standard error meanwhile.
      def with_output_reserved
        @output.flush
        kept = @output.dup
        @output.reopen(@errors)
        yield kept.fileno
      ensure
        @output.reopen(kept) if kept
        kept&.close
      end

      def refuse_terminal
        return unless @output.tty?

        raise ConfigurationError.new("Standard output is a terminal, and an archive is no text.",
                                     "Lead it into a file or into pg_restore, such as " \
                                     "`rake 'scalingo_staging_sync:dump[-]' | pg_restore -d my_app_development`, or name a file.")
      end

      # What is there is replaced only where it is an archive of this task's.
      def refuse_other_files(path)
        if File.directory?(path)
          raise ConfigurationError.new("#{Support::Echo.of(path)} is a directory.",
                                       "Name a file in it, such as #{Support::Echo.of(File.join(path, "staging.dump"))}.")
        end
        return if !File.exist?(path) || Archives::ManifestFile.beside?(path)

        raise ConfigurationError.new("There is a file #{Support::Echo.of(path)} already, and no manifest beside it says that it is a masked archive.",
                                     "Remove it, or name another file.")
      end

      def audit(report, started_at, path)
        return unless path && config.anonymization_audit_file

        document = Audit::Document.new(report, started_at:, finished_at: Time.now, config:)
        files = Audit::Files.new(document, config:).write(settings.in_app(path))
        reporter.say("Audit: #{files.join(", ")}.")
      end

      def announce(report, where)
        run = Report::Run.of(report)
        run.left_out.each { |entry| reporter.detail("Left out: #{entry}") }
        reporter.say(
          "Done in #{Support::Figures.seconds(run.seconds)}: #{Support::Figures.counted(run.tables.size, "table")}, " \
          "#{Support::Figures.counted(run.rows, "row")}, #{Support::Figures.counted(run.masked_values, "value")} masked, " \
          "#{Support::Figures.bytes(run.archive.size)} in #{where}; #{run.verification(asked: config.verify_anonymization)}."
        )
      end
    end
  end
end
