# frozen_string_literal: true

require "rbconfig"
require "rubygems"

# What compiling the native part takes, looked for before anything is built: a compiler that stops half-way says less,
# and later. Loaded by extconf.rb, without mkmf, which ends the process itself where Ruby's headers are missing.
class Requirements
  ROOT = File.expand_path("../..", __dir__)

  # The platforms and Rubies that each release has a precompiled gem for. RubyGems takes linux for linux-musl, too, so
  # that the latter comes first.
  PRECOMPILED = %w[x86_64-linux-musl x86_64-linux aarch64-linux-musl aarch64-linux x86_64-darwin arm64-darwin].freeze
  PRECOMPILED_RUBIES = %w[3.3 3.4 4.0].freeze

  # Where libclang lies, as bindgen's loader looks for it.
  CLANG_FOLDERS = %w[
    /usr/local/llvm*/lib* /usr/local/lib*/*/* /usr/local/lib*/* /usr/local/lib* /usr/lib*/*/* /usr/lib*/* /usr/lib*
    /usr/local/opt/llvm*/lib /usr/local/opt/llvm*/lib/llvm*/lib /opt/homebrew/opt/llvm*/lib
    /Library/Developer/CommandLineTools/usr/lib
    /Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib
  ].freeze
  CLANG_LIBRARIES = %w[libclang.so libclang-*.so libclang.so.* libclang-*.so.* libclang.dylib].freeze

  # Where the compiler's own headers lie, seen from the folder of libclang: there libclang itself looks for them.
  CLANG_HEADERS = "{clang,../lib*/clang}/*/include/stddef.h"
  LIBCLANG_PACKAGES = "libclang-dev (Debian, Ubuntu), clang-devel (Fedora), clang-dev (Alpine) or llvm (Homebrew)"

  # Two sentences: what is missing and what to do. Nil when nothing is.
  def complaint
    absent = missing
    return if absent.empty?

    "scalingo-staging-sync cannot be compiled here, because there is no #{list(absent.keys, "and no")}. " \
      "#{precompiled ? "#{precompiled}, or install" : "Install"} what is missing: #{absent.values.join("; ")}."
  end

  # What is missing, with how to get it.
  def missing
    {
      "cargo >= #{rust_version} on the PATH" => ["Rust from https://rustup.rs", cargo?],
      "libclang" => ["#{LIBCLANG_PACKAGES}, and LIBCLANG_PATH where it lies in a folder of its own", libclang?],
      "libclang header stddef.h" => [LIBCLANG_PACKAGES, clang_headers?],
      "C compiler with make" => ["build-essential (Debian, Ubuntu), gcc and make (Fedora), build-base (Alpine) or " \
                                 "`xcode-select --install`", compiler?],
      "header file of Ruby's" => ["ruby-dev (Debian, Ubuntu, Alpine), ruby-devel (Fedora) or a Ruby built from source",
                                  headers?]
    }.reject { |_, (_, there)| there }.transform_values(&:first)
  end

  private

  # The oldest cargo that the workspace admits.
  def rust_version = File.read(File.join(ROOT, "Cargo.toml"), encoding: "UTF-8")[/^rust-version = "(.+)"/, 1]

  # rb_sys gets a toolchain of its own only where a person has asked for that by this variable.
  def cargo?
    return true unless ["", "false"].include?(ENV.fetch("RB_SYS_FORCE_INSTALL_RUST_TOOLCHAIN", ""))

    # What rustup puts in cargo's place would otherwise download a toolchain to answer this.
    version = output_of({ "RUSTUP_AUTO_INSTALL" => "0" }, ENV.fetch("CARGO", "cargo"), "--version")
    found = version[/\Acargo (\d+(\.\d+)+)/, 1]
    !found.nil? && Gem::Version.new(found) >= Gem::Version.new(rust_version)
  end

  def libclang? = libclang_gem? || !libclang.nil?

  def libclang_gem? = Gem::Specification.find_all_by_name("libclang").any?

  # The library that bindgen would load; nil where there is none.
  def libclang
    asked_for = ENV.fetch("LIBCLANG_PATH", nil)
    return clang_in(asked_for) || (asked_for if clang_file?(asked_for)) if asked_for

    (clang_folders_of_variables + Dir[*CLANG_FOLDERS]).lazy.filter_map { |folder| clang_in(folder) }.first
  end

  # Debian's libclang1 brings the library alone. Beside it bindgen asks a `clang` for its folders, and takes arguments
  # from a variable.
  def clang_headers?
    return true if libclang_gem? || (library = libclang).nil?
    return true if ENV.key?("BINDGEN_EXTRA_CLANG_ARGS") || program?(ENV.fetch("CLANG_PATH", "clang"))

    # Debian's headers lie by the link in LLVM's own folder, other systems' by what a link leads to. A libclang of the
    # system may know of the system's folders besides.
    folders = [library, File.realpath(library)].map { |path| File.dirname(path) }
    folders.concat(Dir["/usr/lib*", "/usr/lib*/llvm*/lib*"]) if library.start_with?("/usr/lib")
    folders.any? { |folder| Dir.glob(CLANG_HEADERS, base: folder).any? }
  end

  def clang_folders_of_variables
    prefix = output_of({}, ENV.fetch("LLVM_CONFIG_PATH", "llvm-config"), "--prefix").lines.first.to_s.chomp
    paths = ENV.values_at("LD_LIBRARY_PATH", "LIBRARY_PATH").compact.flat_map { |path| path.split(":") }
    (prefix.empty? ? [] : %w[lib lib64].map { |folder| File.join(prefix, folder) }) + paths
  end

  def clang_in(folder)
    Dir.glob(CLANG_LIBRARIES, base: folder).map { |name| File.join(folder, name) }.find { |path| clang_file?(path) }
  end

  # libclang-cpp is another library, which many machines have without libclang.
  def clang_file?(path)
    name = File.basename(path)
    !name.include?("-cpp.") && CLANG_LIBRARIES.any? { |pattern| File.fnmatch?(pattern, name) } && File.file?(path)
  end

  def compiler?
    # Both may have arguments behind them, as in MAKE="make -j4".
    [ENV["CC"] || RbConfig::CONFIG["CC"] || "cc", ENV["MAKE"] || "make"].all? { |command| program?(command.split.first.to_s) }
  end

  def headers?
    headers = RbConfig::CONFIG["rubyhdrdir"]
    !headers.nil? && File.exist?(File.join(headers, "ruby.h"))
  end

  def program?(name)
    folders = name.include?("/") ? ["."] : ENV.fetch("PATH", "").split(File::PATH_SEPARATOR)
    folders.any? { |folder| (path = File.expand_path(name, folder)) && File.file?(path) && File.executable?(path) }
  end

  # What a program prints; nothing where it is missing or fails.
  def output_of(variables, *command)
    text = IO.popen(variables, command, err: File::NULL, &:read)
    $?.success? ? text : ""
  rescue SystemCallError
    ""
  end

  # How to have the precompiled gem, on a platform and a Ruby that there is one for.
  def precompiled
    platform = PRECOMPILED.find { |name| Gem::Platform.new(name) === Gem::Platform.local }
    return unless platform && PRECOMPILED_RUBIES.include?(RUBY_VERSION[/\A\d+\.\d+/])

    "Take the precompiled gem, which needs none of that (`bundle lock --add-platform #{platform}` and " \
      "`bundle install`, or `gem install scalingo-staging-sync --platform #{platform}`)"
  end

  def list(names, conjunction)
    *others, last = names
    others.empty? ? last : "#{others.join(", no ")} #{conjunction} #{last}"
  end
end
