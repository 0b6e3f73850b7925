# frozen_string_literal: true

require "fileutils"
require "json"
require_relative "../rakelib/generated_docs"
require_relative "peer_contestants"

# What the ratios of seconds and of CPU seconds, the bytes over Rails, and the ratios to others' tools may be at most.
Goals = Struct.new(:ratios, :cpu_ratios, :memory, :masking_peer, :plain_peer, keyword_init: true) do
  def peer(masks) = masks ? masking_peer : plain_peer
end

# The benchmark's figures: a table for people, JSON for machines, and a history of ratios.
class Table
  HISTORY = File.join(__dir__, "results", "history.jsonl")

  # What stands beside a missed ratio, so that a reader sees whether its goal can be reached here: the floor's own.
  FLOORS = { "C/A" => "D/A", "C/B" => "D/B" }.freeze

  # costs::    contestant's name → Measure::Cost of each round
  # scene::    what starting Rails alone costs, which is taken off the gem's figures
  # goals::    Goals, which a line of a ratio names
  # peers::    the names of others' tools → whether they mask
  # failures:: the names of contestants that are left out → why
  def initialize(costs, scene, goals: nil, peers: {}, failures: {})
    @costs = costs
    @goals = goals
    @peers = peers
    @failures = failures
    @rails_start = scene.rails_start
    @rails_cpu = scene.rails_cpu
    @rails_memory = scene.rails_memory
  end

  def to_s
    lines = [format("%-44s %18s %8s %8s %8s %8s %8s %8s %8s", "", "seconds (spread)", "client", "server", "peak MB", "temp MB",
                    "spill MB", "WAL MB", "DB MB")]
    @costs.each do |name, costs|
      seconds = costs.map(&:seconds)
      lines << format("%-44s %7.1f (%4.1f-%4.1f) %8.1f %8.1f %8.0f %8.0f %8.0f %8.0f %8.0f", name, median(seconds), *seconds.minmax,
                      *%i[client_cpu server_cpu].map { |figure| of(name, figure) },
                      *%i[peak_memory temporary_bytes spilled_bytes wal_bytes database_bytes].map { |figure| of(name, figure) / 1e6 })
    end
    lines << format("Rails' own start: %.1f s, CPU %.1f s (taken off C in the ratios), %d MB", @rails_start, @rails_cpu,
                    @rails_memory / 1_000_000)
    lines.concat(ratios.map { |name, ratio| format("%-10s %.2f   CPU %.2f%s", name, ratio, cpu_ratios.fetch(name), verdict(name, ratio)) })
    lines << format("memory over Rails: %.1f MB", memory_over_rails / 1e6) if @costs.key?(gem_name)
    [*lines, *peer_lines, *@failures.map { |name, reason| "left out: #{name}: #{reason}" }].join("\n")
  end

  # C against the others, medians of the rounds, Rails' own start aside; of A and B the fastest.
  # "C work/D" leaves out what the floor does not do at all: looking for the backup, and planning.
  def ratios
    ratios = compare { |name| seconds(name) - (name.start_with?("C") ? @rails_start : 0) }
    floor = rival("D ")
    work = of(gem_name, :work_seconds) / seconds(floor) if floor && @costs.key?(gem_name)
    ratios.merge("C work/D" => work).compact
  end

  # The same of CPU seconds, the client's and the server's together, which a busy machine distorts less.
  def cpu_ratios
    ratios = compare { |name| of(name, :client_cpu) + of(name, :server_cpu) - (name.start_with?("C") ? @rails_cpu : 0) }
    ratios.merge("C work/D" => ratios["C/D"]).compact
  end

  # The gem's seconds to each peer's, Rails' own start aside.
  def peer_ratios = @costs.key?(gem_name) ? peers.to_h { |name| [name, gem_seconds / seconds(name)] } : {}

  # The same with the seconds of pg_dump added to the gem's, which starts from what that has made; empty without it.
  def peer_ratios_with_dump
    return {} unless @costs.key?(gem_name) && @costs.key?(Contestants::PgDump::NAME)

    peers.to_h { |name| [name, (gem_seconds + seconds(Contestants::PgDump::NAME)) / seconds(name)] }
  end

  # Prints what is missed; true when nothing is. A goal whose contestant was left out is missed.
  def goals_met?
    missed = missed_ratios
    return report(missed << "the gem could not be measured") unless @costs.key?(gem_name)

    missed << "memory over Rails is over #{@goals.memory / 1_000_000} MB" if memory_over_rails > @goals.memory
    missed << "temporary files were written" if of(gem_name, :temporary_bytes).positive?
    restored = best("B ", :database_bytes)
    missed << "the database is larger than pg_restore's" if restored && of(gem_name, :database_bytes) > 1.01 * restored
    report(missed)
  end

  # Writes the JSON if asked for, and appends the ratios to the history, unless some contestants were left out.
  def save(options)
    all = @costs.transform_values { |costs| costs.map(&:to_h) }
    figures = { scale: options[:scale], costs: all, ratios:, cpu_ratios:, peer_ratios:, peer_ratios_with_dump:, failures: @failures }
    File.write(options[:json], JSON.pretty_generate(figures)) if options[:json]
    return if options[:only] || !complete?

    FileUtils.mkdir_p(File.dirname(HISTORY))
    rounded = ->(ratios) { ratios.transform_values { |ratio| ratio.round(3) } }
    line = { at: Time.now.utc.strftime("%F"), scale: options[:scale], connections: options[:connections], rounds: options[:rounds],
             ratios: rounded.(ratios), cpu_ratios: rounded.(cpu_ratios), memory_over_rails_mb: (memory_over_rails / 1e6).round(1),
             peers: rounded.(peer_ratios).transform_keys { |name| name.delete_prefix("P  ") } }
    File.open(HISTORY, "a") { |file| file.puts(JSON.generate(line)) }
    GeneratedDocs.write(["ratios"])
  end

  # Whether all contestants but others' tools have been measured.
  def complete? = @failures.keys.all? { |name| name.start_with?("P ") }

  private

  def peers = @peers.keys.select { |name| @costs.key?(name) }

  def gem_seconds = seconds(gem_name) - @rails_start

  def peer_lines
    peer_ratios.map do |name, ratio|
      dump = peer_ratios_with_dump[name]
      short = name.delete_prefix("P  ")
      format("C/%s %.2f%s%s", short, ratio, dump ? format("   with pg_dump %.2f", dump) : "", goal_of(@goals&.peer(@peers.fetch(name)), ratio))
    end
  end

  # The goal and, where it is missed, what the floor allows.
  def verdict(name, ratio)
    goal = @goals&.ratios&.fetch(name, nil)
    text = goal_of(goal, ratio)
    floor = floors[FLOORS[name]]
    return text unless floor && goal && ratio > goal

    text + format("; loading masked files alone, %s, is %.2f: the goal asks for %.2f of that", FLOORS[name], floor, goal / floor)
  end

  def goal_of(goal, ratio)
    return "" unless goal

    format("   goal %.2f%s", goal, (ratio > goal) ? ", missed" : "")
  end

  # What PostgreSQL alone needs to load files that are masked already, as a multiple of A and B.
  def floors
    floor = rival("D ")
    return {} unless floor

    { "D/A" => rival("A "), "D/B" => rival("B ") }.compact.transform_values { |other| seconds(floor) / seconds(other) }
  end

  def missed_ratios
    seconds = @goals.ratios.map { |name, goal| missed(name, ratios[name], goal) }
    cpu = @goals.cpu_ratios.map { |name, goal| missed("#{name} of CPU seconds", cpu_ratios[name], goal) }
    others = peer_ratios.map { |name, ratio| missed("C/#{name.delete_prefix("P  ")}", ratio, @goals.peer(@peers.fetch(name))) }
    [*seconds, *cpu, *others].compact
  end

  def missed(name, ratio, goal)
    return "#{name} could not be measured" unless ratio

    format("%s is %.2f, over %.2f", name, ratio, goal) if ratio > goal
  end

  def report(missed)
    missed.each { |line| puts "missed: #{line}" }
    missed.empty?
  end

  def gem_name = "C  scalingo-staging-sync"

  def memory_over_rails = of(gem_name, :peak_memory) - @rails_memory

  # What each ratio is of: the gem, or the gem without its checks, to another contestant.
  def compare
    off = "#{gem_name}, checks off"
    pairs = { "C/C off" => [gem_name, off], "C/A" => [gem_name, "A "], "C/B" => [gem_name, "B "], "C/D" => [gem_name, "D "],
              "C mask/A" => ["#{gem_name}, findings masked", "A "], "C off/B" => [off, "B "], "C off/D" => [off, "D "] }
    pairs = pairs.transform_values { |gem, prefix| [gem, rival(prefix)] }
    pairs.select! { |_, (gem, other)| @costs.key?(gem) && other }
    pairs.transform_values { |gem, other| yield(gem) / yield(other) }
  end

  # The fastest contestant whose name begins so: pg_restore is best with another number of jobs on each machine.
  def rival(prefix) = @costs.keys.select { |name| name.start_with?(prefix) }.min_by { |name| seconds(name) }

  # The best median of the contestants whose name begins so.
  def best(prefix, figure) = @costs.keys.select { |name| name.start_with?(prefix) }.map { |name| of(name, figure) }.min

  def seconds(name) = of(name, :seconds)

  def of(name, figure) = median(@costs.fetch(name).map(&figure))

  def median(values)
    sorted = values.sort
    middle = sorted.size / 2
    sorted.size.odd? ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0
  end
end
