# frozen_string_literal: true

require "fileutils"

module ScalingoStagingSync
  module Support
    # A file of variables such as `.env`: what is in it stays, byte by byte, and what is missing is added at its end.
    class EnvFile
      include Discreet

      # @param path [String] the file, which need not be there
      def initialize(path)
        @path = path
      end

      # @return [Array<String>] the names that are set in it, commented out or not
      def names = bytes.dup.force_encoding(Encoding::UTF_8).scrub.scan(/^\s*(?:#\s*)?(?:export\s+)?([A-Za-z_]\w*)\s*=/).flatten

      # @param variables [Hash{String => String}] names and values
      # @return [Array<String>] the names that were added; those that were there already stay as they are
      # @raise [ConfigurationError] when it cannot be read or written
      def add(variables)
        missing = variables.except(*names)
        before = bytes
        before += "\n" unless before.empty? || before.end_with?("\n")
        write(before + lines(missing).b) if missing.any?
        missing.keys
      rescue SystemCallError => error
        raise ConfigurationError.new("The file #{Echo.of(@path)} cannot be read and written (#{error.class}).", "Correct its path, or its mode.")
      end

      private

      def bytes = File.file?(@path) ? File.binread(@path) : "".b

      def lines(variables) = variables.map { |name, value| "#{name}=#{value}\n" }.join

      # Whole or not at all, and readable by no more than it was: there are secrets in it.
      def write(content)
        draft = "#{@path}.#{Process.pid}.tmp"
        mode = File.file?(@path) ? File.stat(@path).mode & 0o777 : 0o600
        File.open(draft, File::WRONLY | File::CREAT | File::EXCL | File::BINARY, mode) { |file| file.binmode.write(content) }
        File.rename(draft, File.realdirpath(@path))
      ensure
        FileUtils.rm_f(draft)
      end
    end
  end
end
