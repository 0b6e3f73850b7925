# frozen_string_literal: true

module ScalingoStagingSync
  module Messages
    # The engine's results, events and errors in words, with the options that they name and the rules that they suggest as
    # Ruby. The native library passes everything through here, so the code above it sees only words.
    module EngineWords
      module_function

      # @param result [Object] what a call of the engine returns
      # @return [Object] it; in a Hash, what is suggested is Ruby
      def result(result)
        return result unless result.is_a?(Hash)

        worded = result.slice(*WORDED.keys).compact.to_h { |key, given| [key, WORDED.fetch(key).call(given)] }
        worded[:warnings_data] = result[:warnings].map { |warning| Phrases.head(warning) } if worded[:warnings]
        result.merge(worded)
      end

      # @param event [Hash{Symbol => Object}] an event of the engine's
      # @return [Hash{Symbol => Object}] it; in its message, what is suggested is Ruby
      def event(event) = event.key?(:message) ? event.merge(message: text(event[:message])) : event

      # @param facts [Hash{Symbol => Object}] :kind, :what, :remedy, and :about with :table, :column, :rows and :sqlstate
      # @return [Error] it, to be raised
      def error(facts)
        ErrorClasses.of(facts[:kind]).new(text(facts[:what]), text(facts[:remedy]), **facts[:about])
      end

      # @param facts [Hash{Symbol => Object}] what would end a run, as {error} takes it, and :faults
      # @return [Hash{Symbol => Object}] :error, the name of its class, :what and :remedy in words, :table, :column, :rows
      #   and :sqlstate, and :faults, each in words
      def problem(facts)
        { error: ErrorClasses::NAMES.fetch(facts[:kind]), what: text(facts[:what]), remedy: text(facts[:remedy]), **facts[:about],
          faults: facts[:faults].map { |fault| text(fault) } }
      end

      # @param given [String, Array<String, Hash>] words, with phrases, findings and suggestions between them
      # @return [String] it in words
      def text(given)
        Array(given).map { |part| part.is_a?(Hash) ? snippet(part) : part }.join
      end

      # @param finding [Hash{Symbol => Object}] a column that looks personal or acts outside
      # @return [Hash{Symbol => Object}] it; why is in words, with the data beside it, and the rule for it is Ruby
      def finding(finding)
        finding.merge(rule: finding[:rule] && RubySource.entry(finding[:rule]), **said(finding, :reason), **said(finding, :because))
      end

      # @param table [Hash{Symbol => Object}] a table of a run or a dry run
      # @return [Hash{Symbol => Object}] it; what masks make of its columns is in words, with the data beside it
      def table(table) = table.merge(columns: table[:columns].map { |column| column.merge(said(column, :mask)) })
      private_class_method :table

      # @param facts [Hash{Symbol => Object}] a part of a result
      # @param field [Symbol] what in it the engine says as data
      # @return [Hash{Symbol => Object}] it in English under its name, and as data under the same with `_data`
      def said(facts, field) = { field => Phrases.in(:en).say(facts[field]), "#{field}_data": facts[field] }
      private_class_method :said

      def snippet(part)
        form, facts = part.first
        case form.to_sym
        when :phrase then Phrases.in(:en).say(facts)
        when :finding then RubySource.line(facts)
        else RubySource.of(part)
        end
      end
      private_class_method :snippet

      # @param masks [Array<Hash{Symbol => Object}>] the engine's catalogue of masks
      # @return [Array<Hash{Symbol => Object}>] it; options of the configuration and other masks that it names are Ruby
      def masks(masks)
        masks.map do |mask|
          mask.merge(doc: RubySource.doc(mask[:doc]), options: mask[:options].map { |name, doc| [name, RubySource.doc(doc)] })
        end
      end

      # What of a result is put into words, and how.
      WORDED = {
        warnings: ->(found) { found.map { |warning| text(warning) } },
        rules: ->(suggested) { RubySource.of(suggested) },
        tables: ->(tables) { tables.is_a?(Array) ? tables.map { |table| table(table) } : tables },
        findings: ->(found) { found.map { |finding| finding(finding) } },
        left_out: ->(found) { found.map { |object| object.merge(said(object, :why)) } },
        leaks: ->(found) { found.map { |leak| leak.merge(entry: RubySource.entry(leak[:entry])) } },
        server_check: ->(check) { check.merge(unanswered: check[:unanswered].map { |why| Phrases.in(:en).say(why) }) },
        channels: ->(found) { found.map { |channel| channel.merge(said(channel, :note)) } },
        privileges: ->(tried) { tried.map { |right| right.merge(name: text(right[:name]), remedy: text(right[:remedy])) } },
        problems: ->(found) { found.map { |facts| problem(facts) } }
      }.freeze
      private_constant :WORDED
    end
  end
end
