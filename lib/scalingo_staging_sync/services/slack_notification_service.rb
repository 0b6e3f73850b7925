# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Posts to a Slack channel, in French or English, that a run began, how far it is, and that it succeeded or failed. It
    # works beside the run: nothing that goes wrong with Slack fails the run, and nothing waits for Slack longer than a
    # few seconds at the end. An incoming webhook can neither change a message nor answer in its thread, so each is a
    # message of its own.
    class SlackNotificationService
      include Support::Discreet

      # Tables named in one message; of the others only how many there are. Slack cuts long messages.
      NAMED = 20

      # Warnings quoted in one message, and characters of each.
      QUOTED = 5
      LONGEST = 300
      private_constant :QUOTED, :LONGEST

      # @param config [Configuration] whether, where to, and the tables' French names
      def initialize(config: ScalingoStagingSync.configuration)
        @config = config
        @webhook = Integrations::SlackWebhook.new(config) { |reason| log(reason) }
      end

      # A run begins.
      #
      # @return [void]
      def started
        post_lines(words.title(:started), place.link)
      end

      # A part of the run begins. Only those that matter to a channel are posted.
      #
      # @param phase [Symbol, String] the phase's name
      # @return [void]
      def step(phase)
        post_lines(words.title(phase.to_sym)) if SlackWords::STEPS.include?(phase.to_sym)
      end

      # A run succeeded.
      #
      # @param report [Hash{Symbol => Object}] what the engine returned
      # @return [void]
      def succeeded(report)
        run = Report::Run.of(report)
        post_lines(words.title(:succeeded, duration: words.duration(run.seconds.to_f)), *backup(run.backup), figures(run),
                   *masked(run.masked_tables), *cautions(run), *warnings(run.warnings.map(&:to_s)), place.link)
      end

      # A run was refused, failed or was stopped. Of errors that are not the gem's own only the class is named, because
      # their messages may hold values of rows.
      #
      # @param error [Exception] why
      # @param state [Symbol] what is left in the target, as {Remains.of} says it
      # @return [void]
      def failed(error, state = :unknown)
        title = error.is_a?(SignalException) ? :stopped : :failed
        title = :refused if state == :refused
        left = words.sentence(state) if %i[untouched unreached incomplete still other].include?(state)
        post_lines(words.title(title), *reason(error, left), left, place.link, (words.sentence(:log, command: place.log) if place.log))
      end

      # @return [String, nil] what is wrong with the webhook, never its URL; nil when a message would arrive
      def problem = @webhook.problem

      # Waits a few seconds for what is still being sent.
      #
      # @param patience [Numeric] how many seconds
      # @return [void]
      def flush(patience: Integrations::SlackWebhook::PATIENCE)
        @webhook.flush(patience:)
      end

      private

      def words
        SlackWords.new(@config)
      end

      def place
        Integrations::ScalingoPlace.new
      end

      # Its class in words, and its own sentences as a quotation, without what the message says of the target itself.
      def reason(error, left)
        name = error.class.name.split("::").last
        return [name] unless error.is_a?(Error)

        remedy = left ? error.remedy.delete_suffix("Nothing was touched.").rstrip : error.remedy
        ["#{words.reason(error).delete_suffix(".")} (#{name}).",
         "> #{Support::Echo.clean("#{error.what} #{remedy}".strip.gsub(/\s*\n\s*/, " "))}"]
      end

      def backup(backup)
        return [] unless backup&.created_at

        size = words.bytes(backup.size) if backup.size
        [words.sentence(:backup_of, id: backup.id, made: words.moment(backup.created_at), size:)]
      end

      def figures(run)
        figures = [words.counted(run.tables.size, :table), words.counted(run.rows, :row)]
        figures << words.bytes(run.size) if run.size.positive?
        "#{figures.join(", ")}."
      end

      def masked(tables)
        tables.empty? ? [] : [words.sentence(:masked, tables: named(tables))]
      end

      def cautions(run)
        open = run.findings.uncovered.size
        known = run.accounts_with_known_password
        [(words.sentence(:unverified) if @config.verify_anonymization && !run.verified),
         ("#{words.counted(open, :finding)}." if open.positive?),
         ("#{words.counted(known, :known_password)}." if known.positive?)]
      end

      def warnings(warnings)
        return [] if warnings.empty?

        shown = warnings.first(QUOTED).map { |warning| "• #{(warning.length > LONGEST) ? "#{warning[0, LONGEST - 1]}…" : warning}" }
        shown << "• #{words.sentence(:more, count: words.counted(warnings.size - QUOTED, :more))}" if warnings.size > QUOTED
        [words.sentence(:warnings, count: words.counted(warnings.size, :warning)), *shown]
      end

      def post_lines(*lines)
        @webhook.post(lines.compact.join("\n"))
      end

      def log(reason)
        @config.logger.warn("[#{Terminal::ProgressReporter::TAG}] No message reached Slack: #{reason}.")
      end

      # Tables with their rows, the largest first where they are too many to name.
      def named(tables)
        shown = (tables.size > NAMED) ? tables.max_by(NAMED, &:rows) : tables
        names = shown.map { |table| "#{words.table(table.name)} (#{words.number(table.rows)})" }
        names << words.sentence(:more, count: words.counted(tables.size - NAMED, :more)) if tables.size > NAMED
        names.join(", ")
      end
    end
  end
end
