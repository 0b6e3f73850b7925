# frozen_string_literal: true

require "fileutils"

module ScalingoStagingSync
  module Audit
    # The audit's three files: `config.anonymization_audit_file` with .json, for machines, with .txt, and with .html, for
    # people.
    class Files
      include Support::Discreet

      # What follows the path's own name.
      ENDING = /\.(json|txt|html)\z/

      # @param document [Document] the audit
      # @param config [Configuration] the key of the seal
      def initialize(document, config: ScalingoStagingSync.configuration)
        @document = document
        @config = config
      end

      # @param path [String] where to, with or without .json, .txt or .html
      # @return [Array<String>] the three files' paths
      # @raise [ConfigurationError] when they cannot be written, or there is no key for the seal
      def write(path)
        base = path.sub(ENDING, "")
        FileUtils.mkdir_p(File.dirname(base))
        # One after the other: with thousands of tables each is megabytes.
        writers.map { |ending, writer| replace("#{base}.#{ending}", writer.to_s) }
      rescue SystemCallError => error
        raise ConfigurationError.new(
          "The database is restored and masked, but the audit file #{Support::Echo.of(path)} could not be written (#{error.class}).",
          "Make room there, or correct config.anonymization_audit_file, and run it again."
        )
      end

      private

      def writers
        { "json" => Json.new(@document, config: @config), "txt" => Text.new(@document), "html" => Page.new(@document) }
      end

      # A reader sees the old file or the new one, never a half-written one.
      def replace(file, content)
        draft = "#{file}.#{Process.pid}.tmp"
        File.write(draft, content)
        File.rename(draft, file)
        file
      ensure
        FileUtils.rm_f(draft)
      end
    end
  end
end
