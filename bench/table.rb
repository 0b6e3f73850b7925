# frozen_string_literal: true

require "fileutils"
require "json"
require_relative "../rakelib/generated_docs"

# The benchmark's figures: a table for people, JSON for machines, and a history of ratios.
class Table
  HISTORY = File.join(__dir__, "results", "history.jsonl")

  # costs::        contestant's name → Measure::Cost of each round
  # scene:: what starting Rails alone costs, which is taken off the gem's figures
  def initialize(costs, scene)
    @costs = costs
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
    lines.concat(ratios.map { |name, ratio| format("%-10s %.2f   CPU %.2f", name, ratio, cpu_ratios.fetch(name)) })
    lines << format("memory over Rails: %.1f MB", memory_over_rails / 1e6) if @costs.key?(gem_name)
    lines.join("\n")
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

  def goals_met?(goals, memory_goal)
    missed = goals.select { |name, goal| ratios.fetch(name) > goal }.map { |name, goal| "#{name} is over #{goal}" }
    missed << "memory over Rails is over #{memory_goal / 1_048_576} MiB" if memory_over_rails > memory_goal
    missed << "temporary files were written" if of(gem_name, :temporary_bytes).positive?
    missed << "the database is larger than pg_restore's" if of(gem_name, :database_bytes) > 1.01 * best("B ", :database_bytes)
    missed.each { |line| puts "missed: #{line}" }
    missed.empty?
  end

  # Writes the JSON if asked for, and appends the ratios to the history, unless some contestants were left out.
  def save(options)
    all = @costs.transform_values { |costs| costs.map(&:to_h) }
    File.write(options[:json], JSON.pretty_generate(scale: options[:scale], costs: all, ratios:, cpu_ratios:)) if options[:json]
    return if options[:only]

    FileUtils.mkdir_p(File.dirname(HISTORY))
    rounded = ->(figures) { figures.transform_values { |ratio| ratio.round(3) } }
    line = { at: Time.now.utc.strftime("%F"), scale: options[:scale], connections: options[:connections], rounds: options[:rounds],
             ratios: rounded.(ratios), cpu_ratios: rounded.(cpu_ratios), memory_over_rails_mb: (memory_over_rails / 1e6).round(1) }
    File.open(HISTORY, "a") { |file| file.puts(JSON.generate(line)) }
    GeneratedDocs.write(["ratios"])
  end

  private

  def gem_name = "C  scalingo-staging-sync"

  def memory_over_rails = of(gem_name, :peak_memory) - @rails_memory

  # What each ratio is of: the gem, or the gem without its checks, to another contestant.
  def compare
    pairs = { "C/A" => [gem_name, "A "], "C/B" => [gem_name, "B "], "C/D" => [gem_name, "D "],
              "C mask/A" => ["#{gem_name}, findings masked", "A "], "C off/B" => ["#{gem_name}, checks off", "B "], "C off/D" => ["#{gem_name}, checks off", "D "] }
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
