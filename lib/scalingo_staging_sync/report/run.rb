# frozen_string_literal: true

module ScalingoStagingSync
  class Report
    # What the engine says of a finished run, as data. All its sums are formed here.
    Run = Data.define(:run_id, :backup, :tables, :part, :excluded, :kept, :left_out, :warnings, :findings, :leaks, :leak_check, :channels,
                      :known_passwords, :phases, :large_objects, :archive, :size_before, :size_after, :verified, :seconds) do
      extend FromHash

      # @param facts [Hash{Symbol => Object}] what the engine returned
      # @return [Run] the run as data
      def self.of(facts)
        lists = { tables: Table, part: Part, left_out: LeftOut, leaks: Leak, channels: Channel, known_passwords: KnownPassword, phases: Phase }
        super(facts.merge(lists.to_h { |name, part| [name, part.all_of(facts[name])] },
                          backup: facts[:backup] && Backup.of(facts[:backup]), findings: Findings.of(facts[:findings]),
                          archive: facts[:archive] && Archive.of(facts[:archive]),
                          leak_check: facts[:leak_check] && LeakCheck.of(facts[:leak_check]),
                          excluded: facts[:excluded].to_a, kept: facts[:kept].to_a, warnings: Messages::Sentence.all_of(facts, :warnings)))
      end

      # @return [Integer] rows loaded
      def rows = tables.sum(&:rows)

      # @return [Integer] values replaced
      def masked_values = tables.sum(&:masked_values)

      # @return [Integer] values that were not of their mask's form
      def violations = tables.sum(&:violations)

      # @return [Integer] bytes of the target afterwards; where that is not known, of the rows that came
      def size = size_after.to_i.positive? ? size_after : tables.sum(&:bytes)

      # @return [Array<Table>] those with masked columns
      def masked_tables = tables.select(&:masked?)

      # @return [Array<Table>] those that came as they are
      def copied_tables = tables.reject(&:masked?)

      # @return [Array<Leak>] those that fail the run
      def certain_leaks = leaks.select(&:certain?)

      # @return [Array<LeftOut>] objects that the target refused, with what depends on them
      def refused = left_out.select(&:refused?)

      # @param asked [Boolean] whether the run was to be verified
      # @return [String] how its verification ended, in a few words
      def verification(asked:)
        return "not verified, as configured" unless asked

        verified ? "verified" : "VERIFICATION FAILED, see the warnings"
      end

      # @return [Integer] accounts whose password is known
      def accounts_with_known_password = known_passwords.sum(&:accounts)
    end
  end
end
