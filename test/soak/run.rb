# frozen_string_literal: true

# See bin/soak.

require "optparse"
require_relative "rounds"

options = { rounds: 40, seed: 1, first: 0, only: Soak::KINDS }
OptionParser.new do |parser|
  parser.banner = "bin/soak [--rounds N] [--seed N] [--first N] [--only KIND,KIND]"
  parser.on("--rounds N", Integer) { |number| options[:rounds] = number }
  parser.on("--seed N", Integer) { |number| options[:seed] = number }
  parser.on("--first N", Integer) { |number| options[:first] = number }
  parser.on("--only KINDS", Array) { |kinds| options[:only] = kinds.map(&:to_sym) & Soak::KINDS }
end.parse!

$stdout.sync = true
if options[:only].include?(:fills) && SmallDisk.missing
  puts "soak: no fills: #{SmallDisk.missing}"
  options[:only] -= [:fills]
end
failed = []
rounds = Soak::Rounds.new(seed: options[:seed], only: options[:only])
begin
  puts "soak: seed #{options[:seed]}, #{rounds.measure}"
  (options[:first]...(options[:first] + options[:rounds])).each do |number|
    puts "#{number}: #{rounds.round(number)}"
  rescue Soak::Failure => error
    failed << number
    puts "#{number}: FAILED: #{error.message}"
  end
ensure
  rounds.clean
end
puts "soak: #{options[:rounds]} rounds, faults that happened: #{rounds.reached.map { |kind, count| "#{kind} #{count}" }.join(", ")}"
if failed.any?
  puts "soak: FAILED: #{failed.join(", ")}; repeat one with --seed #{options[:seed]} --first #{failed.first} --rounds 1 --only #{options[:only].join(",")}"
  exit 1
end
