# frozen_string_literal: true

require "json"
require "time"

module ScalingoStagingSync
  module Services
    # What `rake scalingo_staging_sync:status` prints: whether the data in staging is complete, how old it is, from
    # which backup, the last ten runs that changed it, how many were refused, who has fetched masked archives, and what else
    # was done. Its lines fit the terminal; elsewhere they fit the narrowest that people use.
    class Status
      include Support::Discreet

      SENTENCES = {
        complete: "The data is complete.",
        unfilled: "No run has filled this database.",
        syncing: "A run is replacing the data now.",
        expired: "The data was taken out, because it was older than config.data_max_age. Run it again to have new data.",
        incomplete: "The data is INCOMPLETE: a run failed after it had begun to replace it. Run it again."
      }.freeze

      # Columns of a line where there is no terminal.
      WIDTH = 60
      private_constant :SENTENCES, :WIDTH

      # @param output [IO] where it is printed
      # @param format [String, nil] "json" for machines; default: the variable FORMAT
      # @param history [Database::History] where it is read
      # @param accesses [Database::Accesses] who has fetched masked archives
      # @param journal [Database::Journal] what else was done
      def initialize(output: $stdout, format: Support::Variables.new.word("FORMAT"), history: Database::History.new,
                     accesses: Database::Accesses.new, journal: Database::Journal.new)
        @output = output
        @json = format.to_s.casecmp?("json")
        @history = history
        @accesses = accesses
        @journal = journal
        @lines = Terminal::Lines.new(Terminal::Lines.width_of(output) || WIDTH)
      end

      # @param max_age [String, nil] "36h", "2d" and the like, or seconds
      # @return [Boolean] whether the data is at most so old, by the backup that it comes from; what no run has filled is not,
      #   and neither is what has expired
      # @raise [ConfigurationError] when it is no age
      def fresh?(max_age)
        return true if max_age.to_s.strip.empty?

        limit = seconds_of(max_age)
        run = @history.current
        !run.nil? && @history.state == :complete && run.age <= limit
      end

      # @param max_age [String, nil] as for {#fresh?}
      # @return [String, nil] what to say of data that is whole and older; of other data, what is printed says enough
      # @raise [ConfigurationError] when it is no age
      def too_old(max_age)
        return if fresh?(max_age) || @history.current.nil? || @history.state != :complete

        "The data is older than MAX_AGE=#{max_age.strip}."
      end

      # @return [Symbol] the state, as {ScalingoStagingSync.state} returns it
      # @raise [TargetConnectionError] when the database cannot be asked
      # @raise [ConfigurationError] when none is configured that could be
      def print
        elsewhere = Guard::TargetProblem.of_two
        raise ConfigurationError.new(*elsewhere) if elsewhere

        Guard::TargetProblem.asking("The target database") { print_facts }
      end

      private

      def print_facts
        facts = { state: @history.state, data: @history.current, runs: @history.runs(refused: @json), refused: @history.refused,
                  accesses: @accesses.lines, wrong_tokens: @accesses.wrong_tokens, actions: @journal.lines(runs: @json) }
        @output.puts(@json ? json(**facts) : text(facts))
        facts[:state]
      end

      def seconds_of(age)
        number, unit = age.strip.match(/\A(\d{1,9})([smhd]?)\z/i)&.captures
        unless number
          raise ConfigurationError.new("The variable MAX_AGE is #{Support::Echo.inspect(age)}, which is no age.",
                                       "Write it as 90m, 36h, 2d, or in seconds.")
        end

        Integer(number, 10) * { "m" => 60, "h" => 3600, "d" => 86_400 }.fetch(unit.downcase, 1)
      end

      def json(state:, data:, **more)
        lists = more.transform_values { |value| value.is_a?(Array) ? value.map(&:to_h) : value }
        JSON.pretty_generate(plain({ state:, data: data&.to_h&.except(:changed), **lists }))
      end

      # Times in ISO 8601.
      def plain(value)
        case value
        when Hash then value.transform_values { |inner| plain(inner) }
        when Array then value.map { |inner| plain(inner) }
        when Time then value.utc.iso8601
        else value
        end
      end

      def text(facts)
        state = (facts[:data] || facts[:state] != :complete) ? facts[:state] : :unfilled
        lines = [sentence(state, facts[:data]), *(origin(facts[:data], state) if facts[:data])].flat_map { |sentence| wrapped(sentence) }
        lines.push("", "Runs that changed the data (UTC):") if facts[:runs].any?
        lines.concat(facts[:runs].flat_map { |run| of(run) })
        lines.push("", *wrapped(refused(facts[:refused]))) if facts[:refused][:count].positive?
        [*lines, *others(facts)].join("\n")
      end

      def others(facts)
        lines = Terminal::LogText.accesses(facts[:accesses], facts[:wrong_tokens]) + Terminal::LogText.actions(facts[:actions])
        lines.flat_map { |line, indent| line.empty? ? [line] : wrapped(line, indent:) }
      end

      def sentence(state, run)
        missing = run&.left_out.to_i
        return SENTENCES.fetch(state) unless state == :complete && missing.positive?

        "The data is complete, without #{Support::Figures.counted(missing, "object")} that the target refused."
      end

      def origin(run, state)
        from = (state == :expired) ? "It came from" : "It comes from"
        return "#{from} #{run.source}." if run.from_file?

        made = run.backup_created_at
        backup = [run.backup_id, (Support::Figures.moment(made) if made)].compact.join(" of ")
        age = made && Support::Figures.age(made)
        "#{from} the backup #{backup}#{" (#{age})" if age}, of #{run.source || "an unknown source"}."
      end

      # A run in two lines: when, how it ended and how much it was; then from what, what it found and what went wrong.
      def of(run)
        figures = [(Support::Figures.counted(run.rows, "row") if run.rows), (Support::Figures.seconds(run.seconds) if run.seconds)]
        facts = [("masked in place" if run.in_place?), run.backup_id,
                 ("without #{Support::Figures.counted(run.left_out, "object")}" if run.left_out.to_i.positive?),
                 (Support::Figures.counted(run.findings, "finding") if run.findings.to_i.positive?), short(run.error_class)]
        head = "#{moment(run.started_at)}  #{run.status.ljust(8)}  #{figures.compact.join(", ")}".rstrip
        [head, *wrapped(facts.compact.join(", "), indent: 4)]
      end

      def refused(runs)
        count = Support::Figures.counted(runs[:count], "run")
        last = "#{moment(runs[:started_at])}#{": #{short(runs[:error_class])}" if runs[:error_class]}"
        return "#{count} was refused, or failed before it changed anything, on #{last}." if runs[:count] == 1

        "#{count} were refused, or failed before they changed anything, the last on #{last}."
      end

      def moment(time) = time.utc.strftime("%Y-%m-%d %H:%M")

      def short(error_class) = error_class&.split("::")&.last

      def wrapped(sentence, indent: 0)
        sentence.empty? ? [] : @lines.wrap("#{" " * indent}#{sentence}", hang: 0)
      end
    end
  end
end
