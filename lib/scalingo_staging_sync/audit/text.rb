# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # The audit as plain text, in `config.locale`: what the page says, for a mail, a terminal or a file that is kept.
    class Text
      include Support::Discreet
      include Wording
      include Summary
      include Facts

      # @param document [Document] the audit
      def initialize(document)
        @view = View.new(document)
      end

      # @return [String] the file's content
      def to_s
        blocks = [head, verdict, figures_block, [say("verdict.law")], *tables, masks, unseen, outside, passwords, *findings, *technical]
        "#{blocks.reject(&:empty?).map { |lines| lines.join("\n") }.join("\n\n")}\n"
      end

      private

      attr_reader :view

      def say(...) = words.say(...)

      def count(number) = words.language.number(number.to_i)

      # What the tool says; in English where there are no words for it in this language.
      def quoted(said) = (words.quote(said) || said).to_s

      def head = ["#{say("title")} #{run.run_id}".strip, "", *sentences]

      def verdict
        sentences = view.verdict.sentences.map { |key, values| say("verdict.#{key}", **values) }
        ["#{say("verdict.#{view.verdict.level}")}#{colon}", *items([*sentences, say("verdict.scope", count: view.unseen.items.size)])]
      end

      def figures_block
        figures.map do |figure|
          notes = " (#{figure.notes.join(joint)})" if figure.notes.any?
          "  #{say("figures.#{figure.noun}")}#{colon} #{figure.number ? count(figure.number) : "–"}#{notes}"
        end
      end

      # Those with personal columns, one by one; then the names of the others.
      def tables
        personal, clean = run.tables.partition { |table| view.personal.by_table.key?(table.name) }
        [[title("tables.title"), *personal.flat_map { |table| table_lines(table) }],
         clean.empty? ? [] : [title("tables.clean", count: clean.size), *items(clean.map { |table| "#{table.name}#{colon} #{rows_of(table)}" })]]
      end

      def rows_of(table)
        return words.counted(:row, table.rows) unless table.backup_rows

        "#{say("tables.of_rows", rows: table.rows, all: table.backup_rows)} (#{say("tables.rows").downcase})"
      end

      def table_lines(table)
        counted = table.columns.to_h { |column| [column.name, column] }
        columns = view.personal.by_table.fetch(table.name)
        ["  #{table.name}#{colon} #{rows_of(table)}", *columns.map { |column| "    #{column.name}#{colon} #{fate(column, counted[column.name])}" }]
      end

      def fate(column, counted)
        return say("findings.ignored", reason: quoted(column.because)) if column.fate == :declared
        return say("findings.#{Page::Findings::FATES.fetch(column.fate)}") if column.undecided?
        return say("tables.covered") unless counted

        numbers = { "masked" => counted.masked, "kept" => counted.kept, "nulls" => counted.nulls, "wrong" => counted.violations }
        numbers = numbers.map { |key, number| "#{count(number)} #{label(key)}" }
        "#{words.title(counted.mask)}#{joint}#{numbers.join(", ")}"
      end

      # NULL stays in capitals.
      def label(key) = say("technical.#{key}").then { |word| (key == "nulls") ? word : word.downcase }

      def masks
        used = run.tables.flat_map(&:columns).map { |column| MaskWords.of(column.mask) }.group_by { |mask| mask.said(words) }
        return [] if used.empty?

        [title("masks.title"), *items(used.sort.map { |(name, sentence), found| "#{name}#{colon} #{sentence}#{conditional(found)}" })]
      end

      def conditional(masks) = (" #{say("masks.conditional")}" if masks.any?(&:conditional))

      def unseen = [title("unseen.title"), *items(view.unseen.items.map { |key, values| say("unseen.#{key}", **values) })]

      def outside
        acting = run.findings.outside
        quiet = document.config.quiesce
        lines = acting.map { |found| "#{found.place}#{colon} #{words.kind(found.kind)}#{joint}#{became(found)}" }
        lines.unshift(say("outside.loud")) unless quiet
        lines.unshift(say("outside.none")) if acting.empty? && quiet
        [title("outside.title"), *items(lines)]
      end

      def became(found)
        "#{say("outside.#{%w[masked covered].include?(found.status) ? found.status : "left"}")}#{" (#{quoted(found.because)})" if found.because}"
      end

      def passwords
        known = run.known_passwords
        return [] if known.empty?

        [say("outside.passwords", count: run.accounts_with_known_password.to_i),
         *items(known.map { |one| "#{one.table}.#{one.column}#{colon} #{count(one.accounts)}" })]
      end

      # What needs a decision, and what the search looked at.
      def findings
        open = view.personal.with(:open, :withheld)
        nothing = run.leaks.empty? && open.empty?
        [[title("findings.title"), *items([(say("findings.none") if nothing), searched].compact)],
         block("findings.leaks", run.leaks.map { |leak| leak_line(leak) }), block("findings.undecided", open.map { |column| open_line(column) }),
         block("findings.channels", run.channels.reject { |channel| channel.outcome.to_s == "unscanned" }.map { |channel| channel_line(channel) })]
      end

      def searched
        check = run.leak_check
        return unless check

        say("findings.searched", candidates: check.candidates.to_i, hashes: check.hashes.to_i, originals: check.originals.to_i, exactness:)
      end

      def leak_line(leak)
        sure = leak.certain? ? say("findings.certain") : say("findings.possible", count: leak.by_chance.to_s)
        "#{leak.table}.#{leak.column}#{colon} #{count(leak.count)} (#{words.kind(leak.kind)}), #{sure}. #{say("findings.cover")} #{leak.entry}"
      end

      def open_line(column)
        rule = column.rule && " #{say("findings.cover")} #{column.rule}"
        became = say("findings.#{Page::Findings::FATES.fetch(column.fate)}")
        "#{column.table}.#{column.name}#{colon} #{words.kind(column.kind)} (#{quoted(column.reason)})#{joint}#{became}.#{rule}"
      end

      def channel_line(channel)
        say("findings.#{channel.channel}_#{channel.outcome}", name: channel.name, count: channel.count.to_i, kind: words.kind(channel.kind))
      rescue KeyError
        quoted(channel.note) # an engine of another version
      end

      def technical
        ran = facts.map { |key, value| "#{say("ran.#{key}")}#{colon} #{value}" }
        phases = run.phases.map { |phase| "#{words.phase(phase.name)}#{colon} #{seconds(phase.seconds)}" }
        listed = lists.map { |key, entries| block("technical.#{key}", entries.map { |entry| listed(entry) }) }
        [[title("technical.title"), *(say("technical.language") if untold?), *items(ran), "", say("ran.seal")],
         block("technical.timeline", phases), *listed, [say("head.no_names")]]
      end

      def listed(item)
        about, said = parts(item)
        said.empty? ? quoted(about) : "#{about}#{colon} #{said.map { |part| quoted(part) }.join(joint)}"
      end

      def block(key, entries) = entries.empty? ? [] : [title(key), *items(entries)]

      def title(key, **values) = "#{say(key, **values)}#{colon}"

      def items(texts) = texts.map { |text| "  - #{text}" }
    end
  end
end
