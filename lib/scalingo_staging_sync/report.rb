# frozen_string_literal: true

module ScalingoStagingSync
  # A run, as the blocks given to {ScalingoStagingSync.on} see it.
  #
  # @example config/initializers/scalingo_staging_sync.rb
  #   ScalingoStagingSync.on(:after_sync) { |report| Rails.cache.clear if report.rows.positive? }
  class Report
    # @return [Symbol] :before_sync, :after_sync or :failed
    attr_reader :event

    # @return [Exception, nil] why it failed; nil unless it did
    attr_reader :error

    # @return [String, nil] the app that is copied; nil if the backup is a local file
    attr_reader :source_app

    # @return [String, nil] the app whose database is filled: the variable APP
    attr_reader :target_app

    # @return [Hash{Symbol => Object}] the engine's report, as {Services::Coordinator#execute!} returns it; empty
    #   before the run, and after one that failed
    attr_reader :to_h

    # @return [Array<String>] the paths of the audit's files, in :after_sync; empty where none is configured
    attr_reader :audit_files

    # @api private
    def initialize(event, engine: {}, error: nil, audit_files: [], config: ScalingoStagingSync.configuration)
      @event = event
      @to_h = engine
      @error = error
      @audit_files = audit_files
      @source_app = EngineSettings.new(config).source_app_name
      @target_app = config.target_app
    end

    # @return [String, nil] the run's name in the history
    def run_id = to_h[:run_id]

    # @return [Hash{Symbol => Object}, nil] the backup: :id, :created_at, :size, :origin, :sha256 and more
    def backup = to_h[:backup]

    # @return [Array<Hash{Symbol => Object}>] each table: :table, :rows, :bytes, :seconds, :columns
    def tables = to_h[:tables] || []

    # @return [Integer] rows loaded
    def rows = run.rows

    # @return [Integer] values replaced
    def masked_values = run.masked_values

    # @return [Array<Hash{Symbol => Object}>] every column that looks personal or acts outside (:heading is "outside"; a
    #   table of queued work has "*" for its column): :table, :column, :kind, :heading,
    #   :confidence, :found_by, :reason, :values, :count, :share, :status, :because, :mask, :rule, and
    #   :reason_data and :because_data, both as data
    def findings = to_h[:findings] || []

    # @return [Array<Hash{Symbol => Object}>] those of {#findings} that act outside
    def outside = findings.select { |facts| Finding.of(facts).outside? }

    # @return [Array<Hash{Symbol => Object}>] accounts that have a password that is known, by the mask `:password` or by
    #   `config.staging_password`: :table, :column and :accounts
    def known_passwords = to_h[:known_passwords] || []

    # @return [Array<Hash{Symbol => Object}>] those of {#findings} that nothing stands between and staging
    def uncovered = findings.select { |facts| Finding.of(facts).uncovered? }

    # @return [Array<Hash{Symbol => Object}>] original values of masked columns that survived in others: :table, :column,
    #   :kind, :count, :expected_by_chance, :certain (only those fail a run) and :entry, the rule to paste
    def leaks = to_h[:leaks] || []

    # @return [Hash{Symbol => Object}, nil] what the search for those looked at: :originals, :candidates, :hashes, :possible,
    #   :possible_by_chance, :exact and :error_rate; nil if it is off
    def leak_check = to_h[:leak_check]

    # @return [Array<Hash{Symbol => Object}>] what holds personal data beside columns: :channel ("search_vector",
    #   "large_objects", "bytea" or "schema_text"), :name, :kind, :count, :outcome, :note and :note_data
    def channels = to_h[:channels] || []

    # @return [Array<String>] what the person in charge should know
    def warnings = to_h[:warnings] || []

    # @return [Boolean] whether the target was checked and nothing was found
    def verified? = to_h[:verified] == true

    # @return [Float, nil] how long the engine worked, in seconds
    def seconds = to_h[:seconds]

    private

    # Not memoized: a block may change what it gets.
    def run = Run.of(to_h)
  end
end
