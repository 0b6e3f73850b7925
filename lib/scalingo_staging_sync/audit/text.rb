# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # The audit as text, for people.
    class Text
      # @param document [Document] the audit
      def initialize(document)
        @document = document
        @run = document.run
      end

      # @return [String] the file's content
      def to_s
        lines = ["Pseudonymisation audit", "", *head,
                 *list("Phases", @run.phases.map { |phase| "#{phase.name.ljust(7)} #{Support::Figures.seconds(phase.seconds)}" }),
                 "", "Tables", *@run.tables.flat_map { |table| table_lines(table) },
                 *list("Tables of which a part came", @run.part),
                 *list("Stayed as staging had them", @run.kept),
                 *list("Created without their rows", @run.excluded),
                 *list("Left out", @run.left_out),
                 *personal_data,
                 *list("Original values of masked columns in other columns", @run.leaks.map { |leak| leak_line(leak) }),
                 *list("Warnings", @run.warnings)]
        "#{lines.join("\n")}\n"
      end

      private

      def head
        {
          "Started" => @document.started_at,
          "Finished" => "#{@document.finished_at} (#{Support::Figures.seconds(@document.duration)})",
          "From" => @document.origin,
          "To" => @document.target_app,
          "Backup" => [@run.backup&.id, @run.backup&.created_at].compact.join(", "),
          "SHA-256" => @run.backup&.sha256,
          "Rules" => @document.fingerprint,
          "Size" => size,
          "Archive" => archive,
          "Rows" => Support::Figures.count(@run.rows),
          "Values masked" => Support::Figures.count(@run.masked_values),
          "Objects" => objects,
          "Verification" => verification,
          "Personal data" => found,
          "Acts outside" => PersonalData::Outside.summary(@run.findings),
          "Known password" => known_passwords,
          "Leak check" => leak_check
        }.filter_map { |name, value| "  #{name.ljust(14)} #{value}" unless value.to_s.empty? }
      end

      def size
        return if @run.archive || !(@run.size_before && @run.size_after)

        "#{Support::Figures.bytes(@run.size_before)} before, #{Support::Figures.bytes(@run.size_after)} after"
      end

      def archive
        [Support::Figures.bytes(@run.archive.size), @run.archive.sha256].compact.join(", SHA-256 ") if @run.archive
      end

      def objects
        "complete, without #{Support::Figures.counted(@run.refused.size, "object")} that the target refused" if @run.refused.any?
      end

      def verification
        return "not asked for" unless @document.verification?
        return "passed" if @run.verified

        "FAILED, #{Support::Figures.counted(@run.violations, "violation")} while sending"
      end

      # How many columns hold personal data, and how many of them neither a rule nor a mask covers.
      def found
        findings = @run.findings.about_persons
        return if findings.empty?

        open = findings.count(&:open?)
        personal = findings.count { |finding| !finding.ignored? }
        "#{Support::Figures.counted(personal, "column")} found, #{open.zero? ? "all" : open} #{"not " unless open.zero?}covered"
      end

      def known_passwords
        known = @run.accounts_with_known_password
        Support::Figures.counted(known, "account") if known.positive?
      end

      def leak_check
        check = @run.leak_check
        return "not asked for" unless check

        certain = @run.certain_leaks.size
        found = certain.zero? ? "nothing survived elsewhere" : "FAILED, #{Support::Figures.counted(certain, "column")} with originals of others"
        "#{found}: #{Support::Figures.count(check.candidates)} candidates against #{Support::Figures.count(check.originals)} originals" \
          "#{", exactly" if check.exact}"
      end

      def personal_data
        uncovered = @run.findings.uncovered.map { |finding| "#{finding.table}.#{finding.column}: #{finding.kind}, #{finding.reason}" }
        known = @run.known_passwords.map { |one| "#{one.table}.#{one.column}: #{Support::Figures.count(one.accounts)}" }
        [*list("Personal data that no rule covers", uncovered),
         *list("Acts outside", @run.findings.outside.map { |finding| PersonalData::Outside.line(finding) }),
         *list("Accounts with a known password", known)]
      end

      def leak_line(leak)
        sure = leak.certain? ? "certain" : "possible, #{leak.by_chance} by chance"
        "#{leak.table}.#{leak.column}: #{Support::Figures.count(leak.count)} of the kind #{leak.kind}, #{sure}: #{leak.entry}"
      end

      def table_lines(table)
        ["  #{table.name}: #{table.rows_words}"] +
          table.columns.map do |column|
            kept = ", #{Support::Figures.count(column.kept)} kept" if column.kept.positive?
            "    #{column.name}: #{column.mask}, #{Support::Figures.count(column.masked)} masked#{kept}, " \
              "#{Support::Figures.count(column.nulls)} NULL, #{Support::Figures.count(column.violations)} wrong"
          end
      end

      def list(title, items)
        items.empty? ? [] : ["", title, *items.map { |item| "  #{item}" }]
      end
    end
  end
end
