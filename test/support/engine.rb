# frozen_string_literal: true

require "json"
require "rbconfig"
require "tempfile"
require_relative "processes"

# The native engine as tests call it: settings with defaults that suit a test, a run in this process, and a run in
# a process of its own that can be stopped at a chosen event.
module Engine
  ROOT = File.expand_path("../..", __dir__)

  # What a run in this process came to: its report or its error, and the events on the way.
  Outcome = Struct.new(:report, :error, :events) do
    def events_of(name) = events.select { |event| event[:event].to_s == name }

    def warnings = events_of("warning").map { |event| event[:message] }
  end

  module_function

  # A settings hash of the engine's shape.
  #
  # source::    a path, or FakeScalingo#source
  # target::    a URL
  # rules::     { "users" => :user_anonymization }; none means an unmasked copy that is meant
  # exclude::   patterns
  # target_options, masking_options:: further keys of those two parts
  # options:: further keys beside them
  def settings(source:, target:, rules: {}, exclude: [], target_options: {}, masking_options: {}, options: {})
    masking = masking_options.transform_keys(&:to_s)
    masking["rules"] ||= rules.map { |table, strategy| { "table" => table.to_s, "strategy" => strategy.to_s } }
    masking.update(masking.slice("rules", "sql_rules").transform_values { |entries| entries.map { |entry| named(entry) } })
    settings = {
      "source" => source.is_a?(Hash) ? source : { "file" => source },
      "target" => { "url" => target, "parallel_connections" => 2, "lock_timeout" => 5.0, "retry_delay" => 0.05 }
               .merge(target_options.transform_keys(&:to_s)),
      "masking" => { "secret" => "a secret that only the tests know", "allow_unmasked_copy" => rules.empty? }.merge(masking),
      "exclude_tables" => exclude
    }.merge(options.transform_keys(&:to_s))
    # Some tests take parts of them from a configuration.
    ScalingoStagingSync::Secret.reveal(settings)
  end

  # A rule with the name that the gem would give it.
  def named(rule)
    rule = rule.transform_keys(&:to_s)
    names = ScalingoStagingSync::Messages::RuleNames
    return { "name" => names.expressions(rule["table"]) }.merge(rule) if rule["columns"].is_a?(Array)

    entry = rule.slice("table", "strategy", "columns", "condition").transform_keys(&:to_sym)
    entry[:query] = rule["query"] unless rule["strategy"]
    entry[:columns] = entry[:columns].transform_values { |mask| mask.is_a?(Hash) ? mask.transform_keys(&:to_sym) : mask } if entry[:columns]
    { "name" => names.entry(entry.compact) }.merge(rule["query"] ? rule.except("strategy") : rule)
  end

  # Runs the engine here. Errors of the gem are in the outcome, others are raised.
  def run(settings, &on_event)
    events = []
    report = ScalingoStagingSync::Native.run(settings) do |event|
      event = event.transform_keys(&:to_sym)
      events << event
      on_event&.call(event)
    end
    Outcome.new(report, nil, events)
  rescue ScalingoStagingSync::Error => error
    Outcome.new(nil, error, events)
  end

  # Starts the engine in a process of its own; each event is a line of JSON in its output, and so is the end:
  # {"done":true} or {"error":"Class","message":"…"}.
  def start(settings, environment: {})
    file = Tempfile.new("settings")
    file.write(JSON.generate(settings))
    file.close
    WatchedProcess.new(RbConfig.ruby, "-I#{ROOT}/lib", File.join(__dir__, "engine_process.rb"), file.path,
                       environment:, directory: ROOT)
                  .tap { |process| process.keep(file) }
  end
end
