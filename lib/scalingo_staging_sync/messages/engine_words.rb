# frozen_string_literal: true

module ScalingoStagingSync
  module Messages
    # The engine's results, events and errors, with what it suggests written as Ruby. The native library calls this with
    # whatever it hands over, so that everything above has only words.
    module EngineWords
      module_function

      # @param result [Object] what a call of the engine returns
      # @return [Object] it; in a Hash, what is suggested is Ruby
      def result(result)
        return result unless result.is_a?(Hash)

        worded = result.slice(*WORDED.keys).compact.to_h { |key, given| [key, WORDED.fetch(key).call(given)] }
        result.merge(worded)
      end

      # @param event [Hash{Symbol => Object}] an event of the engine's
      # @return [Hash{Symbol => Object}] it; in its message, what is suggested is Ruby
      def event(event) = event.key?(:message) ? event.merge(message: text(event[:message])) : event

      # @param facts [Hash{Symbol => Object}] :error, the name of its class, :what and :remedy
      # @return [Error] it, to be raised
      def error(facts)
        ScalingoStagingSync.const_get(facts[:error]).new(text(facts[:what]), text(facts[:remedy]))
      end

      # @param given [String, Array<String, Hash>] words, with suggestions between them
      # @return [String] it in words
      def text(given)
        Array(given).map { |part| part.is_a?(Hash) ? RubySource.of(part) : part }.join
      end

      # What of a result is put into words, and how.
      WORDED = {
        warnings: ->(found) { found.map { |warning| text(warning) } },
        rules: ->(suggested) { RubySource.of(suggested) },
        findings: ->(found) { found.map { |finding| finding.merge(rule: finding[:rule] && RubySource.entry(finding[:rule])) } },
        leaks: ->(found) { found.map { |leak| leak.merge(entry: RubySource.entry(leak[:entry])) } },
        channels: ->(found) { found.map { |channel| channel.merge(note: text(channel[:note])) } },
        problems: ->(found) { found.map { |problem| problem.merge(what: text(problem[:what]), remedy: text(problem[:remedy])) } }
      }.freeze
      private_constant :WORDED
    end
  end
end
