# frozen_string_literal: true

# The Rubies on this machine that a precompiled gem for it can be built with: the newest of each minor version.
module Rubies
  PLACES = %w[
    ~/.rbenv/versions/* ~/.rubies/* /opt/rubies/* ~/.local/share/mise/installs/ruby/* ~/.asdf/installs/ruby/*
    ~/.rvm/rubies/* /usr/local/opt/ruby* /opt/homebrew/opt/ruby*
  ].freeze

  QUESTION = "print [RUBY_ENGINE, RUBY_VERSION, RUBY_PLATFORM].join(' ')"

  class << self
    # @return [Hash{String => String}] the program by its minor version, such as "3.4"
    def found
      programs.filter_map { |program| (version = version_of(program)) && [version, program] }
              .select { |version, _| Requirements::PRECOMPILED_RUBIES.include?(version[/\A\d+\.\d+/]) }
              .sort_by { |version, program| [(program == RbConfig.ruby) ? 1 : 0, Gem::Version.new(version)] }
              .to_h.transform_keys { |version| version[/\A\d+\.\d+/] }
    end

    private

    def programs
      folders = ENV.fetch("PATH", "").split(":") + Dir[*PLACES.map { |place| File.expand_path(place) }].map { |path| "#{path}/bin" }
      installed = Dir[*folders.map { |folder| "#{folder}/ruby{,[0-9]*}" }].select { |path| File.executable?(path) }
      [RbConfig.ruby, *installed.map { |path| File.realpath(path) }].uniq
    end

    # Nil for what is no Ruby, another implementation or for another platform.
    def version_of(program)
      engine, version, platform = IO.popen([program, "-e", QUESTION], err: File::NULL, &:read).split
      version if $?.success? && engine == "ruby" && platform == RUBY_PLATFORM
    rescue SystemCallError
      nil
    end
  end
end
