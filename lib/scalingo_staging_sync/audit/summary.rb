# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # What comes first, on the page and in the text: what happened in three sentences, and four figures.
    module Summary
      # One of the four: its number, what it counts, and details in small print.
      Figure = Data.define(:number, :noun, :notes, :level)

      private

      def sentences = [loaded, started, ended]

      def loaded
        key = run.archive ? "head.archived" : "head.loaded"
        words.say(key, backup:, target:, finished: moment(document.finished_at), seconds: seconds(document.duration))
      end

      def backup
        backup = run.backup
        id = backup&.id.to_s
        origin = document.origin
        return words.say("head.backup_file", id:) if backup&.file
        return words.say("head.backup", id:).strip unless document.origin
        return words.say("head.backup_from", id:, origin:) unless backup&.created_at

        words.say("head.backup_of", id:, made: moment(backup.created_at), origin:)
      end

      def target = document.target_app ? words.say("head.app", name: document.target_app) : words.say("head.here")

      def started
        by = document.operator
        return words.say("head.not_noted") unless by.place

        login = by.login || words.say("head.unknown_user")
        return words.say("head.started_by_code", login:, place: by.place) unless by.task

        words.say("head.started", login:, place: by.place, command: "rake\u00a0#{by.task}")
      end

      def ended
        tables = words.counted(:table, run.tables.size)
        rows = words.counted(:row, run.rows)
        return words.say("head.complete", tables:, rows:, less:) if run.refused.empty?

        words.say("head.complete_without", objects: words.counted(:object, run.refused.size), tables:, rows:, less:)
      end

      # Which rows did not come.
      def less
        lists = { "part" => run.part.reject(&:stays_out?), "empty" => run.excluded, "kept" => run.kept }.reject { |_, list| list.empty? }
        lists.map { |key, list| "#{words.say("head.and")}#{words.say("head.#{key}", tables: words.counted(:table, list.size))}" }.join
      end

      def figures = [personal, masked, left, originals]

      def personal
        tables = view.personal.by_table.size
        Figure.new(view.personal.columns.size, "personal",
                   [words.say("figures.personal_in", count: tables, tables: words.counted(:table, all_tables))], nil)
      end

      def all_tables = (run.tables.map(&:name) | run.excluded | view.personal.by_table.keys).size

      def masked
        absent = view.personal.with(:absent, :withheld).size
        notes = [words.say("figures.values", count: run.masked_values), (words.say("figures.absent", count: absent) if absent.positive?)]
        Figure.new(view.personal.with(:masked).size, "masked", notes.compact, nil)
      end

      def left
        open = view.personal.with(:open).size
        declared = view.personal.with(:declared).size
        notes = { "left_open" => open, "left_declared" => declared, "left_kept" => view.personal.kept_values }.select { |_, number| number.positive? }
        Figure.new(open + declared, "left", notes.map { |key, number| words.say("figures.#{key}", count: number) }, (:attention if open.positive?))
      end

      def originals
        check = run.leak_check
        return Figure.new(nil, "originals", [words.say("figures.originals_off")], nil) unless check

        certain = run.certain_leaks.sum { |leak| leak.count.to_i }
        chance = run.leaks.reject(&:certain?).sum { |leak| leak.count.to_i }
        Figure.new(certain, "originals",
                   [words.say("figures.originals_in", count: check.candidates.to_i),
                    (words.say("figures.originals_possible", count: chance) if chance.positive?)].compact, (:bad if certain.positive?))
      end

      # How sure the comparison with originals is.
      def exactness
        check = run.leak_check
        return words.say("findings.exact") if check.exact

        rate = check.error_rate.to_f
        rate.positive? ? words.say("findings.error_rate", count: (1 / rate).round) : ""
      end
    end
  end
end
