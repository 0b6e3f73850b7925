# frozen_string_literal: true

# Contestants measured in turn. One that fails is left out of the rest and of the figures, with the reason.
class Rounds
  # The costs of each contestant that has not failed, and why the others did, by name.
  attr_reader :costs, :failures

  # contestants:: with a name each
  # rounds::      how often each is measured
  # say::         is called with a line for people
  def initialize(contestants, rounds, say: ->(_) {})
    @contestants = contestants
    @rounds = rounds
    @say = say
    @costs = {}
    @failures = {}
  end

  # Yields each contestant once a round, with the round's number from 0; the block returns the cost. Returns self.
  def run(&)
    @rounds.times { |round| (@contestants.reject { |contestant| @failures.key?(contestant.name) }).each { |contestant| measure(contestant, round, &) } }
    self
  end

  private

  def measure(contestant, round)
    name = contestant.name
    @say.call("round #{round + 1}: #{name}")
    (@costs[name] ||= []) << yield(contestant, round)
  rescue StandardError => error
    @costs.delete(name)
    @failures[name] = error.message
    @say.call("left out: #{name}: #{error.message}")
  end
end
