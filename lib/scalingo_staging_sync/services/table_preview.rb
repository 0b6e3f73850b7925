# frozen_string_literal: true

module ScalingoStagingSync
  module Services
    # Shows ten rows of a table before and after masking. They are production's, so they are shown in a terminal only:
    # what a detached container prints is kept in a log.
    class TablePreview < Base
      # Longer values are cut.
      SHOWN = 40
      private_constant :SHOWN

      # @param config [Configuration] the rules and the source
      # @param output [IO] a terminal
      # @param native [Module, nil] what does the work; nil: the native library
      def initialize(config: ScalingoStagingSync.configuration, output: $stdout, native: nil)
        super(config:, native:)
        @output = output
      end

      # @param table [String, nil] `table` or `schema.table`
      # @return [void]
      # @raise [ConfigurationError] when there is no terminal, or no table is named
      # @raise [Support::EnvironmentValidator::ProductionEnvironmentError] when this may be production
      # @raise [PlanError] when the backup has no such table, or its rows are excluded
      def show(table)
        require_terminal
        require_name(table.to_s)

        check!
        @output.puts(lines(Preview::Sample.of(native.sample(Secret.reveal(settings.to_h), table))))
      end

      private

      def require_terminal
        return if @output.tty?

        raise ConfigurationError.new(
          "A preview shows production's own values, and the output is not a terminal.",
          "Run it in a terminal (`scalingo run`, without --detached), and do not redirect it."
        )
      end

      def require_name(table)
        remedy = "Name one: `rake 'scalingo_staging_sync:preview[users]'`."
        raise ConfigurationError.new("No table is named.", remedy) if table.empty?

        Support::Echo.refuse_secret(table, "a table's name", remedy)
      end

      def lines(sample)
        head = "#{sample.table}: #{Support::Figures.counted(sample.rows.size, "row")}, " \
               "#{Support::Figures.counted(sample.masked.size, "column")} masked"
        [head, *sample.rows.flat_map.with_index(1) { |(before, after), row| record(sample, before, after, row) }]
      end

      # One row, a column a line: those that are masked with both values, the others once.
      def record(sample, before, after, row)
        width = sample.columns.map(&:length).max.to_i
        ["", "row #{row}", *sample.columns.zip(before, after).map do |name, raw, masked|
          mark = sample.masked.include?(name) ? " → #{cell(masked)}" : ""
          "  #{name.ljust(width)}  #{cell(raw)}#{mark}"
        end]
      end

      # A value must not send control characters to the terminal.
      def cell(value)
        return "NULL" unless value

        text = value.scrub("?").gsub(/[[:cntrl:]]/, " ")
        (text.length > SHOWN) ? "#{text[0, SHOWN - 1]}…" : text
      end
    end
  end
end
