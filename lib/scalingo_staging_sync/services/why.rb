# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Says why a row of a subset comes, or by which rule or missing row it does not. It names keys of production's rows, so it
    # says so in a terminal only: what a detached container prints is kept in a log.
    class Why < Base
      # @param config [Configuration] the rules and the source
      # @param output [IO] a terminal
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration, output: $stdout, native: nil)
        super(config:, native:)
        @output = output
      end

      # @param table [String, nil] `table` or `schema.table`
      # @param id [String, nil] the row's primary key
      # @return [void]
      # @raise [ConfigurationError] when there is no terminal, or no table and no row is named
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [PlanError] when the backup has no such table
      def say(table, id)
        require_terminal
        require_names(table.to_s, id.to_s)

        check!
        reasons = native.why(Secret.reveal(settings.to_h), table, id)
        @output.puts(reasons.each_with_index.map { |reason, at| line(reason, (id if at.zero?), reasons[at - 1]) })
      end

      private

      def require_terminal
        return if @output.tty?

        raise ConfigurationError.new(
          "The answer names keys of production's rows, and the output is not a terminal.",
          "Run it in a terminal (`scalingo run`, without --detached), and do not redirect it."
        )
      end

      def require_names(table, id)
        remedy = "Name both: `rake 'scalingo_staging_sync:why[orders,42]'`."
        raise ConfigurationError.new("No table and row are named.", remedy) if table.empty? || id.empty?

        Support::Echo.refuse_secret(table, "a table's name", remedy)
      end

      # The row in question by its key, the rows it leads to by the values that lead there.
      def line(reason, id, before)
        return "#{reason[:table]} #{shown(id)} #{words(reason, "does not come")}" if id

        # Of a table whose rows all stay out it matters whether the rules choose one.
        "That row of #{before[:other]} #{words(reason, (before[:what].to_s == "unchosen") ? "is not chosen" : "does not come")}"
      end

      def words(reason, stays)
        other = "#{reason[:other]} (#{reason[:reference]}: #{shown(reason[:key])})" if reason[:other]
        case reason[:what].to_s
        when "unknown" then "is not in the backup."
        when "whole" then "comes: every row of its table does."
        when "without_rows" then "does not come, whether or not the backup has it: its table comes without rows."
        when "stays" then "does not come, whether or not the backup has it: its table keeps staging's own rows (config.keep_tables)."
        when "kept" then "comes: the rule of its table keeps it, and every row that it needs comes."
        when "follows" then "comes: its table has no condition and no cap, and every row that it needs comes."
        when "needed" then "comes because a row of #{other} comes and needs it, although its own rule or references do not keep it."
        when "referred" then "comes because a row of #{other} refers to it."
        when "not_kept" then "#{stays}: the rule of its table does not keep it."
        when "missing" then "#{stays}, because it refers to a row of #{other} that does not."
        when "unchosen"
          "#{stays}, because it refers to a row of #{other} that is not among those that the rules choose. " \
          "All rows of #{reason[:other]} stay out, and still decide."
        when "brought_back"
          "does not come, because it refers to a row of #{other} that comes only because another needs it: " \
          "such a row brings none of those that refer to it."
        else "does not come: no row that comes refers to it."
        end
      end

      # A value must not send control characters to the terminal.
      def shown(value) = value.to_s.scrub("?").gsub(/[[:cntrl:]]/, " ")[0, 60]
    end
  end
end
