# frozen_string_literal: true

module ScalingoStagingSync
  module Guard
    # The archive on this machine that a run is to read, looked at before anything else is.
    module BackupFile
      # A directory of this name holds what `pg_dump -Fd` writes, if it has a table of contents.
      CONTENTS = "toc.dat"
      private_constant :CONTENTS

      WHERE = "config.backup_file or the variable BACKUP_FILE"
      private_constant :WHERE

      module_function

      # @param path [String] the file, absolute
      # @return [Array(String, String), nil] what is wrong with it and what to do, each a sentence; nil when it can be read
      def problem(path)
        return url if Support::Echo.secret?(path)
        return directory(path) if File.directory?(path)
        return missing(path) unless File.exist?(path)
        return if File.readable?(path)

        ["The backup file #{Support::Echo.of(path)} may not be read by this user.", "Change its owner or its mode (chmod u+r)."]
      end

      # @param path [String] the file, absolute
      # @return [String] the path
      # @raise [ConfigurationError] when it is a URL
      def refuse_url(path)
        Support::Echo.secret?(path) ? raise(ConfigurationError.new(*url)) : path
      end

      def url
        ["The backup file is given as a URL, which is not shown here: credentials may be in it.",
         "Set config.backup_url or the variable BACKUP_URL to a pre-signed link, and #{WHERE} to the path of an archive on this machine."]
      end
      private_class_method :url

      def directory(path)
        if File.exist?(File.join(path, CONTENTS))
          return ["The backup file #{Support::Echo.of(path)} is a directory, as `pg_dump -Fd` writes it, and that format is not read.",
                  "Dump with `pg_dump -Fc`, or turn it into one file by restoring it and dumping that."]
        end
        ["The backup file #{Support::Echo.of(path)} is a directory.", "Name the archive in it in #{WHERE}."]
      end
      private_class_method :directory

      def missing(path)
        ["The backup file #{Support::Echo.of(path)} is not there.", "Correct #{WHERE}."]
      end
      private_class_method :missing
    end
  end
end
