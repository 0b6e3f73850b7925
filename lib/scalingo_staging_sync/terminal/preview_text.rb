# frozen_string_literal: true

module ScalingoStagingSync
  module Terminal
    # A dry run's outcome as a table for people.
    class PreviewText
      ACTIONS = { "mask" => "masked", "copy" => "copied as it is", "without_rows" => "without its rows", "keep" => "stays as it is" }.freeze
      private_constant :ACTIONS

      # What needs an extension, as the engine has it and in words.
      NEEDS = { "backup" => "the backup", "configuration" => "config.postgis" }.freeze

      # So many tables that would be lost are named.
      NAMED = 20
      private_constant :NAMED

      # @param preview [Preview::Plan] what a run would do
      # @param width [Integer, nil] the terminal's columns; nil: lines are as long as they are
      def initialize(preview, width: nil)
        @preview = preview
        @lines = Lines.new(width)
      end

      # @return [String] the text
      def to_s
        further = [findings, outside, channels, list("Foreign keys that become NOT VALID", @preview.not_valid), left_out, target,
                   list("Warnings", @preview.warnings), verdict]
        blocks = [@lines.wrap_all(backup), tables, *further.map { |lines| @lines.wrap_all(lines) }]
        "#{blocks.reject(&:empty?).map { |lines| lines.join("\n") }.join("\n\n")}\n"
      end

      private

      def backup
        backup = @preview.backup
        return ["Backup: none could be read."] unless backup

        made = backup.created_at && "of #{made_at(backup.created_at)}"
        ["Backup #{[backup.id, made, (Support::Figures.bytes(backup.size) if backup.size)].compact.join(", ")}",
         "  of the database #{backup.database}, PostgreSQL #{backup.server_version}, " \
         "by pg_dump #{backup.dump_version}; from #{backup.origin}"]
      end

      def made_at(time)
        age = Support::Figures.age(time)
        "#{Support::Figures.moment(time)}#{" (#{age})" if age}"
      end

      def tables
        return [] if @preview.tables.empty?

        rows = @preview.tables.map { |table| [table.name, amount(table), ACTIONS.fetch(table.action)] }
        head = ["Table", "Rows", "What happens to its rows"]
        widths = widths_of([head, *rows])
        [*row(head, widths), *row(widths.map { |width| "-" * width }, widths),
         *rows.zip(@preview.tables).flat_map { |cells, table| [*row(cells, widths), *part(table), *masks(table), *sql(table)] }]
      end

      # The names' column gives way where the lines would not fit.
      def widths_of(rows)
        name, *others = rows.transpose.map { |cells| cells.map(&:length).max }
        name = [name, [@lines.width - others.sum - 4, Lines::LEAST / 2].max].min if @lines.width
        [name, *others]
      end

      # A name that is longer than its column has a line of its own.
      def row(cells, widths)
        name, amount, action = cells
        long = name.length > widths[0]
        rest = "#{(long ? "" : name).ljust(widths[0])}  #{amount.rjust(widths[1])}  #{action}"
        long ? [name, rest] : [rest]
      end

      # Which of its rows.
      def part(table)
        table.part ? @lines.wrap_all(table.part.lines.map { |line| "    #{line}" }) : []
      end

      # The statements of rules, as they are: white space may matter in them.
      def sql(table)
        table.rules.flat_map { |rule| ["    #{rule.rule}", *rule.sql.strip.lines.map { |line| "      #{line.chomp}" }] }
      end

      # Rows as of the last run, else the compressed size where the archive has it, else nothing.
      def amount(table)
        return Support::Figures.count(table.last_rows) if table.last_rows

        table.compressed_bytes ? "#{Support::Figures.bytes(table.compressed_bytes)} packed" : "?"
      end

      def masks(table)
        width = table.columns.map { |column| column.name.length }.max
        table.columns.flat_map do |column|
          line = "    #{column.name.ljust(width)}  #{column.mask}"
          @lines.fits?(line) ? [line] : @lines.wrap("    #{column.name}  #{column.mask}")
        end
      end

      def findings
        found = @preview.findings.about_persons
        list("Columns that look personal and that no rule covers", found.select(&:uncovered?).map { |finding| finding(finding) }) +
          list("Columns that look personal and would be masked automatically", found.select(&:masked?).map { |finding| finding(finding) })
      end

      def finding(finding)
        words = [finding.kind, finding.mask && "mask #{finding.mask}", finding.reason, finding.because].compact
        line = words.empty? ? finding.place : "#{finding.place}: #{words.join(", ")}"
        (finding.rule && finding.uncovered?) ? "#{line}\n    #{finding.rule}" : line
      end

      def outside
        list("Acts outside", @preview.findings.outside.map { |finding| PersonalData::Outside.line(finding) })
      end

      def channels
        list("Personal data beside columns", @preview.channels.map { |channel| channel.note.to_s })
      end

      def left_out
        list("Left out", @preview.left_out)
      end

      def target
        target = @preview.target
        return ["Target: it could not be inspected."] unless target

        drops = target.drops.map { |kind, count| Support::Figures.counted(count, kind.to_s) }
        drops << Support::Figures.counted(target.large_objects, "large object") if target.large_objects.positive?
        lines = ["Target #{target.database}, PostgreSQL #{target.server_version}, #{Support::Figures.bytes(target.size)}, role #{target.role}",
                 "  would be dropped: #{drops.empty? ? "nothing" : drops.join(", ")}", *lost(target),
                 "  sessions that would be ended: #{sessions(target)}"]
        lines.concat(target.missing_extensions.map { |extension| "  #{missing(extension)}" })
      end

      # What nothing brings back is named, so that a table of the team's own is not lost by surprise.
      def lost(target)
        names = target.lost_tables
        return [] if names.empty?

        more = names.size - NAMED
        ["  only in staging, and gone after a run: #{names.first(NAMED).join(", ")}#{" and #{more} more" if more.positive?}"]
      end

      def sessions(target)
        names = target.sessions.map { |name| name.empty? ? "unnamed" : name }
        return "none" if names.empty?

        "#{names.size} (#{names.tally.map { |name, count| (count > 1) ? "#{name} × #{count}" : name }.join(", ")})"
      end

      def missing(extension)
        fate = if !extension.available then "the server does not have it"
               elsif extension.lacks.any? then "it requires #{extension.lacks.join(", ")}, also missing"
               elsif extension.allowed then "it would be created"
               else
                 "the role may not create it"
               end
        need = NEEDS[extension.needed_by]
        "extension #{extension.name} is missing: #{fate}#{" (needed by #{need})" if need}"
      end

      def verdict
        problems = @preview.problems
        if problems.empty?
          return ["A run would go through, as far as this can be known without it. #{server_check} Nothing was touched.".squeeze(" ")]
        end

        ["A run would fail (#{Support::Figures.counted(problems.size, "problem")}). Nothing was touched.",
         *problems.map { |problem| "  #{problem.error.split("::").last}: #{Error.joined(Support::Echo.clean(problem.what), problem.remedy)}" }]
      end

      # Whether the server has been asked about rules in SQL.
      def server_check
        answer = @preview.server_check
        if answer.nil?
          return "" unless @preview.sql?

          return "The server was not asked about the SQL of rules, which only the parser has read: `rake scalingo_staging_sync:check` asks."
        end
        return "The server could not be asked about all SQL of rules." if answer.unanswered.any?

        answer.accepted.positive? ? "The server accepts the SQL of rules." : ""
      end

      def list(title, items)
        items.empty? ? [] : [title, *items.map { |item| "  #{item}" }]
      end
    end
  end
end
