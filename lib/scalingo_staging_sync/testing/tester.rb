# frozen_string_literal: true

require "active_support/core_ext/object/blank"
require "json"

module ScalingoStagingSync
  module Testing
    # What `rake scalingo_staging_sync:check` does: looks at everything that a run needs, prints a line for each with
    # what to do about it, and ends with the plan. Privileges and the backup's whole schema are tried in transactions that
    # are rolled back; the beginning of the real backup is read. Nothing is changed, and no new backup is asked for.
    class Tester < Services::Base
      # Increased when a reader of the JSON would have to change.
      SCHEMA_VERSION = 1

      # A check that did not hold.
      Failed = Class.new(StandardError)

      # A check that holds, with something to think about.
      Warned = Class.new(StandardError)
      private_constant :Failed, :Warned

      # If one of these fails there is nothing to ask, or nothing may be asked.
      FIRST = ["Production guard", "Configuration", "Source", "Key for pseudonyms", "Native library"].freeze
      WORDS = { passed: "passed ", warned: "warning", failed: "FAILED " }.freeze
      private_constant :FIRST, :WORDS

      # What the engine may take over the Rails process, as the design promises.
      ENGINE_MEMORY = 64 * 1024 * 1024

      # @param config [Configuration] what to look at
      # @param output [IO] where the lines go
      # @param native [Module, nil] what stands for the native library; nil: the library itself
      # @param environment [#[]] the environment variables
      # @param format [String, nil] "json" for machines, else lines for people; default: the variable FORMAT
      def initialize(config: ScalingoStagingSync.configuration, output: $stdout, native: nil, environment: ENV,
                     format: Support::Variables.new(environment).word("FORMAT"))
        super(config:, native:)
        @output = output
        @environment = environment
        @json = format.to_s.casecmp?("json")
        @results = []
        @lines = Terminal::Lines.new(Terminal::Lines.width_of(output))
      end

      # @return [Boolean] whether everything holds; warnings do not count
      def run
        look_at(local_checks)
        skipped = (@results.any? { |result| FIRST.include?(result[:name]) && result[:status] == :failed }) ? remote_checks.keys : []
        look_at(remote_checks.except(*skipped))
        @json ? print_json(passed?, skipped) : print_end(skipped)
        passed?
      end

      private

      def passed? = @results.none? { |result| result[:status] == :failed }

      def look_at(checks)
        checks.each { |name, check| look(name, check) }
      end

      def print_end(skipped)
        @output.puts(@lines.wrap("        Not looked at because of that: #{skipped.join(", ")}.", hang: 0)) if skipped.any?
        @output.puts("", Terminal::PreviewText.new(planned, width: @lines.width).to_s, "") if @preview
        print_summary(@results.map { |result| result[:status] }.tally)
      end

      def print_json(passed, skipped)
        @output.puts(JSON.pretty_generate({ schema_version: SCHEMA_VERSION, passed:, checks: @results, not_looked_at: skipped, plan: @preview }))
      end

      def local_checks
        {
          "Production guard" => -> { guard },
          "Configuration" => -> { preflight },
          "Source" => -> { source },
          "Key for pseudonyms" => -> { secret },
          "Native library" => -> { library },
          "Slack" => -> { slack },
          "Seeds" => -> { seeds },
          "Memory" => -> { memory },
          "cron.json" => -> { cron }
        }
      end

      def remote_checks
        {
          "Target database" => -> { database },
          "TLS" => -> { tls },
          "Privileges" => -> { privileges },
          "Other databases" => -> { siblings },
          "Migrations" => -> { migrations },
          "Backup" => -> { backup },
          "Extensions" => -> { extensions },
          "SQL of rules" => -> { sql_of_rules },
          "Plan" => -> { plan }
        }
      end

      def print_summary(counts)
        parts = { failed: "failed", warned: "with a warning" }.filter_map do |key, words|
          "#{Support::Figures.counted(counts[key], "check")} #{words}" if counts[key]
        end
        @output.puts(parts.empty? ? "Everything holds." : "#{parts.join(", ")}: see the lines above.")
      end

      def look(name, check)
        keep(name, :passed, check.call)
      rescue Warned => error
        keep(name, :warned, error.message)
      rescue Error, Failed, ArgumentError => error
        keep(name, :failed, error.message)
      rescue StandardError => error
        # Its message may hold anything.
        keep(name, :failed, "it could not be checked (#{error.class}). Look for the cause where its name points, or report it.")
      end

      def keep(name, status, message)
        @results << { name:, status:, message: }
        @output.puts(@lines.wrap("#{WORDS.fetch(status)} #{name}: #{message}", hang: 8)) unless @json
      end

      def guard
        refuse_production!
        app = config.target_app
        ["nothing says that #{app || "this"} is production#{" (APP is not set)" unless app}.", *question].join(" ")
      end

      # A run asks, a check does not.
      def question
        allowed = Guard::AllowedEnvironments.new(config:)
        "#{allowed.reason} So a run asks for the database's name first." if allowed.ask?
      end

      def preflight
        preflight = Guard::Preflight.new(config:)
        preflight.check!(source: false) { (Services::Foreseen.new(config:, native: @native).error if passed?) }
        raise Warned, [rules, *preflight.notices].join(" ") if preflight.notices.any?

        rules
      end

      # What masks, or why a run goes without.
      def rules
        count = config.anonymization_tables.size + config.anonymization_rules.size
        return "#{Support::Figures.counted(count, "rule")}." if count.positive?

        case (config.pii_policy if config.run_pii_scan)
        when :mask then "no rule; what looks personal is masked (config.pii_policy)."
        when :fail then "no rule; what looks personal ends the run (config.pii_policy)."
        else "no rule, as config.allow_unmasked_copy permits."
        end
      end

      def source
        file = settings.backup_file
        if file
          wrong = Guard::BackupFile.problem(file)
          raise Failed, wrong.join(" ") if wrong

          return "the file #{Support::Echo.of(file)}."
        end
        return "the link in config.backup_url (not shown: it is a secret)." if config.backup_url

        source = settings.scalingo
        "the app #{source["app"]} in #{source["region"]}; a token is set."
      end

      def secret
        settings.masking
        config.set?(:anonymization_secret) ? "config.anonymization_secret is set." : "derived from secret_key_base."
      end

      def library
        "version #{native.engine_version}."
      end

      # A file that is missing is a problem of the configuration, and said there.
      def seeds
        path = config.seeds_file_path
        return "none configured." unless path
        raise Warned, "the file is not there, see Configuration." unless File.file?(settings.in_app(path))

        "the file #{Support::Echo.of(path)} is there."
      end

      def memory
        limit = @environment["CONTAINER_MEMORY"].to_i
        return "no limit is known (CONTAINER_MEMORY is not set)." unless limit.positive?

        limit *= 1024 * 1024 if limit < 1024 * 1024 # in MiB
        used = resident + ENGINE_MEMORY
        sentence = "this process and the engine take up to #{Support::Figures.bytes(used)} of #{Support::Figures.bytes(limit)}."
        raise Failed, "#{sentence} Run it in a larger container (`scalingo run --size L`)." if used > limit
        raise Warned, "#{sentence} A larger container would leave more room." if used > limit * 0.8

        sentence
      end

      # Bytes of this process, as the kernel counts them.
      def resident
        File.read("/proc/self/status")[/^VmRSS:\s+(\d+) kB/, 1].to_i * 1024
      rescue SystemCallError
        0
      end

      def cron
        file = settings.in_app(Cron::Jobs::NAME)
        return "there is none: the run is not scheduled by Scalingo." unless File.file?(file)

        cron = Cron::Jobs.new(File.binread(file))
        raise Failed, "it has more than #{Cron::Jobs::MOST_JOBS} jobs, and Scalingo schedules no more of an app." if cron.too_many?
        return "no job of it runs scalingo_staging_sync:run." if cron.own.empty?

        "#{Support::Figures.counted(cron.own.size, "job")}, in UTC: #{cron.own.map { |command| schedule(command) }.join("; ")}."
      end

      def schedule(command)
        Cron::Schedule.new(Cron::Schedule.split(command).first).text
      rescue Cron::Schedule::Invalid => error
        raise Failed, "the job that runs scalingo_staging_sync:run must begin with the five fields of a cron schedule: #{error.message}."
      end

      def examined
        raise Failed, "not looked at, see Target database." if @silent

        @examined ||= Examination.of(native.examine(Secret.reveal(settings.target)))
      rescue Error
        @silent = true
        raise
      end

      def database
        "#{examined.database}, PostgreSQL #{examined.server_version}, as the role #{examined.role}."
      end

      def tls
        return "#{examined.tls}." if examined.tls

        raise Warned, "the connection is not encrypted. Add ?sslmode=require to #{Support::Variables.target_from} if the server can."
      end

      def privileges
        missing = examined.missing
        sentences = missing.map { |privilege| "the role may not #{privilege.name}. #{privilege.remedy}" }
        raise Failed, sentences.join(" ") unless missing.all?(&:optional)
        raise Warned, sentences.join(" ") if missing.any?

        "#{Support::Figures.counted(examined.privileges.size, "trial")}, each rolled back: the role may " \
          "#{examined.privileges.map(&:name).join("; ")}."
      end

      # Solid Queue, Solid Cache and Solid Cable each have a database of their own in a new Rails app, which on Scalingo is
      # often the primary one again.
      def siblings
        databases = Database::SiblingDatabases.new
        apart, shared = [databases.apart, databases.shared].map { |list| list.map(&:name).join(", ") }
        facts = []
        facts << "a run does not touch #{apart}" unless apart.empty?
        facts << "what #{shared} keeps in the target itself is replaced by the backup's" unless shared.empty?
        return "config/database.yml has none." if facts.empty?

        sentence = "#{facts.join("; ")}."
        return sentence if shared.empty?

        raise Warned, "#{sentence} Where staging's own is to stay, give it a database of its own in config/database.yml."
      end

      def migrations
        return "not run, as config.run_migrations says." unless config.run_migrations
        return "there is no ActiveRecord here." unless Database::RailsState.active_record?
        raise Failed, "not looked at, see Target database." if @silent

        migrations_of_app
      end

      def migrations_of_app
        known, pending = Database::RailsState.migrations
        state = pending.empty? ? "none is pending here now" : "pending here now: #{pending.join(", ")}"
        "the app has #{Support::Figures.counted(known.size, "migration")}; #{state}. Those that the backup lacks are run after the load."
      rescue ActiveRecord::ActiveRecordError => error
        raise Failed, "ActiveRecord cannot ask the database (#{error.class}). Check #{Support::Variables.target_from}."
      rescue StandardError => error
        raise Failed, "the app's migrations cannot be read (#{error.class}). Correct the files in db/migrate."
      end

      def preview
        @preview ||= Services::DryRun.new(config:, native:, ask_server: true, try_schema: true).preview
      end

      def planned
        @planned ||= Preview::Plan.of(preview)
      end

      def backup
        backup = planned.backup
        raise Failed, "none could be read, see the plan." unless backup

        made = backup.created_at && " of #{Support::Figures.moment(backup.created_at)}"
        "#{backup.id}#{made}, from #{backup.origin}."
      end

      def extensions
        missing = planned.target ? planned.target.missing_extensions : []
        needed, others = missing.reject(&:obtainable?).partition(&:needed_by)
        raise Failed, "#{needed.map { |extension| needed_in_vain(extension) }.join("; ")}." if needed.any?
        raise Warned, "they were not looked for, see the plan." unless planned.target && planned.backup

        names = (others.any? ? others : missing).map(&:name).join(", ")
        raise Warned, "#{names} cannot be created and would be left out; nothing in the backup needs it." if others.any?

        missing.empty? ? "none is missing." : "#{names} would be created."
      end

      def needed_in_vain(extension)
        "#{extension.name} cannot be created, and #{Terminal::PreviewText::NEEDS[extension.needed_by]} needs it"
      end

      def sql_of_rules
        answer = planned.server_check
        return "no rule is in SQL." if answer.nil? && !planned.sql?
        raise Warned, "the server was not asked, see the plan." unless answer
        raise Failed, "PostgreSQL refuses #{Support::Figures.counted(answer.refused, "statement")}, see the plan." if answer.refused.positive?
        raise Warned, "the server could not be asked about all of it. #{answer.unanswered.join(" ")} The run itself asks." if answer.unanswered.any?
        return "no rule is in SQL." if answer.accepted.zero?

        "PostgreSQL accepts #{Support::Figures.counted(answer.accepted, "statement")}, asked in a transaction that was rolled back."
      end

      def plan
        raise Failed, "a run would fail, see the plan." unless planned.would_succeed
        raise Warned, "a run would go through, with warnings; see the plan." if planned.warnings.any?

        "a run would go through."
      end

      # Slack fails no run, so it fails no check either.
      def slack
        return "not enabled." unless config.slack_enabled
        raise Warned, "no webhook is set, see Configuration." unless config.slack_webhook_url

        problem = Services::SlackNotificationService.new(config:).problem
        return "enabled, in #{config.slack_locale}; Slack knows the webhook." unless problem

        raise Warned, "the webhook would not take a message: #{problem}. Make a new one in Slack and set config.slack_webhook_url."
      end
    end
  end
end
