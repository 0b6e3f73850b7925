# frozen_string_literal: true

module ScalingoStagingSync
  # Loads the compiled library: the one packed with a precompiled gem for this Ruby, else the one built here.
  module NativeLoader
    BASE = "scalingo_staging_sync"
    private_constant :BASE

    class << self
      # @return [Array<String>] the names under which the library is looked for, in this order
      def candidates
        minor = RUBY_VERSION[/\A\d+\.\d+/]
        ["#{BASE}/#{minor}/#{BASE}", "#{BASE}/#{BASE}"]
      end

      # @param names [Array<String>] what to try, in order
      # @return [String] the name that was found
      # @raise [NativeLibraryError] when it is missing, or this Ruby cannot load it
      def load(names = candidates)
        failures = []
        names.each do |name|
          require name
          return name
        rescue LoadError => error
          failures << error
        end
        raise missing(failures)
      end

      private

      def missing(failures)
        broken = failures.find { |failure| !failure.message.start_with?("cannot load such file") }
        return not_built unless broken

        NativeLibraryError.new(
          "The native library of scalingo-staging-sync could not be loaded by Ruby #{RUBY_VERSION} on " \
          "#{RUBY_PLATFORM}: #{broken.message.lines.first.strip}.",
          "Install the gem again for this Ruby (`bundle pristine scalingo-staging-sync`), or have it compiled on this " \
          "machine (`force_ruby_platform: true` behind its name in the Gemfile); in a checkout, run " \
          "`bundle exec rake compile`."
        )
      end

      def not_built
        NativeLibraryError.new(
          "The native library of scalingo-staging-sync is missing for Ruby #{RUBY_VERSION} on #{RUBY_PLATFORM}.",
          "Take the precompiled gem (`bundle lock --add-platform x86_64-linux`, then `bundle install`); where it is to " \
          "be compiled on Scalingo, put the Rust buildpack ahead of the Ruby one in the file .buildpacks. In a " \
          "checkout, run `bundle exec rake compile`."
        )
      end
    end
  end
end
