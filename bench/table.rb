# frozen_string_literal: true

require "fileutils"
require "json"

# The benchmark's figures: a table for people, JSON for machines, and a history of ratios.
class Table
  HISTORY = File.join(__dir__, "results", "history.jsonl")

  # costs::        contestant's name → Measure::Cost of each round
  # rails_start::  seconds that starting Rails takes
  # rails_memory:: bytes that a Rails process has at its peak when it does nothing else
  def initialize(costs, rails_start, rails_memory)
    @costs = costs
    @rails_start = rails_start
    @rails_memory = rails_memory
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
    lines << "Rails' own start: #{@rails_start.round(1)} s (taken off C in the ratios), #{@rails_memory / 1_000_000} MB"
    lines.concat(ratios.map { |name, ratio| format("%-5s %.2f", name, ratio) })
    lines << format("memory over Rails: %.1f MB", memory_over_rails / 1e6)
    lines.join("\n")
  end

  # C against the others, medians of the rounds, Rails' own start aside.
  def ratios
    gem = seconds("C  scalingo-staging-sync") - @rails_start
    { "C/A" => gem / seconds("A "), "C/B" => gem / seconds("B "), "C/D" => gem / seconds("D "),
      "C off/B" => (seconds("C  scalingo-staging-sync, checks off") - @rails_start) / seconds("B ") }
  end

  def goals_met?(goals, memory_goal)
    missed = goals.select { |name, goal| ratios.fetch(name) > goal }.map { |name, goal| "#{name} is over #{goal}" }
    missed << "memory over Rails is over #{memory_goal / 1_048_576} MiB" if memory_over_rails > memory_goal
    missed << "temporary files were written" if of(gem_name, :temporary_bytes).positive?
    missed << "the database is larger than pg_restore's" if of(gem_name, :database_bytes) > 1.01 * best("B ", :database_bytes)
    missed.each { |line| puts "missed: #{line}" }
    missed.empty?
  end

  # Writes the JSON if asked for, and appends the ratios to the history.
  def save(options)
    all = @costs.transform_values { |costs| costs.map(&:to_h) }
    File.write(options[:json], JSON.pretty_generate(scale: options[:scale], costs: all, ratios:)) if options[:json]
    FileUtils.mkdir_p(File.dirname(HISTORY))
    line = { at: Time.now.utc.strftime("%F"), scale: options[:scale], connections: options[:connections], rounds: options[:rounds],
             ratios: ratios.transform_values { |ratio| ratio.round(3) }, memory_over_rails_mb: (memory_over_rails / 1e6).round(1) }
    File.open(HISTORY, "a") { |file| file.puts(JSON.generate(line)) }
  end

  private

  def gem_name = "C  scalingo-staging-sync"

  def memory_over_rails = of(gem_name, :peak_memory) - @rails_memory

  # The best median of the contestants whose name begins so.
  def best(prefix, figure) = @costs.keys.select { |name| name.start_with?(prefix) }.map { |name| of(name, figure) }.min

  def seconds(prefix) = @costs.key?(prefix) ? of(prefix, :seconds) : best(prefix, :seconds)

  def of(name, figure) = median(@costs.fetch(name).map(&figure))

  def median(values)
    sorted = values.sort
    middle = sorted.size / 2
    sorted.size.odd? ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0
  end
end
