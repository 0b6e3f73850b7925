# frozen_string_literal: true

require "fileutils"
require "rubygems/package"

# A precompiled gem: the Ruby files, and for each minor version of Ruby a library without debug information, which
# goes to pkg/debug in files of its own. It has no extension to compile and does not need rb_sys.
class NativeGem
  DEBUG = "pkg/debug"

  # specification:: of the gem that is compiled when it is installed
  # platform::      as RubyGems names it
  # libraries::     the compiled library by the minor version of Ruby it is for
  def initialize(specification, platform, libraries)
    @specification = specification
    @platform = platform
    @libraries = libraries.sort_by { |minor, _| Gem::Version.new(minor) }.to_h
    check_that_no_ruby_is_left_out
  end

  # Builds the gem and returns its path.
  def build
    FileUtils.rm_rf([stage, debug])
    FileUtils.mkdir_p([stage, debug, "pkg"])
    ruby_files.each { |file| install(file, File.join(stage, file)) }
    @libraries.each { |minor, library| add(library, minor) }
    package = Dir.chdir(stage) { Gem::Package.build(native_specification) }
    FileUtils.mv(File.join(stage, package), "pkg")
    File.join("pkg", package)
  end

  private

  def stage = File.join("tmp/native_gem", @platform)
  def debug = File.join(DEBUG, "#{@specification.name}-#{@specification.version}-#{@platform}")
  def ruby_files = @specification.files.grep_v(%r{\A(ext/|Cargo\.)})

  # RubyGems takes the gem for every Ruby between the oldest and the newest.
  def check_that_no_ruby_is_left_out
    known = Requirements::PRECOMPILED_RUBIES
    places = @libraries.keys.map { |minor| known.index(minor) or abort "Ruby #{minor} is not among #{known.join(", ")}." }
    left_out = known[places.min..places.max] - @libraries.keys
    abort "A gem for Ruby #{@libraries.keys.join(" and ")} must have a library for #{left_out.join(" and ")}, too." if left_out.any?
  end

  def install(from, to)
    FileUtils.mkdir_p(File.dirname(to))
    FileUtils.cp(from, to)
    FileUtils.chmod(0o644, to)
  end

  def place_of(minor) = "lib/scalingo_staging_sync/#{minor}/#{File.basename(@libraries.fetch(minor))}"

  def add(library, minor)
    target = File.join(stage, place_of(minor))
    install(library, target)
    FileUtils.mkdir_p(File.join(debug, minor))
    if target.end_with?(".bundle")
      split_mach_o(library, target, File.join(debug, minor, "#{File.basename(target)}.dSYM"))
    else
      split_elf(target, File.join(debug, minor, "#{File.basename(target)}.debug"))
    end
    FileUtils.chmod(0o755, target)
  end

  # A debugger finds the line tables by the name of their file, next to the library or on its search path.
  def split_elf(library, debug_file)
    objcopy("--only-keep-debug", library, debug_file)
    objcopy("--strip-all", library)
    objcopy("--add-gnu-debuglink=#{debug_file}", library)
  end

  # On macOS the line tables are in the compiler's object files, where only dsymutil collects them.
  def split_mach_o(compiled, library, debug_folder)
    dsymutil = %w[dsymutil llvm-dsymutil].find { |name| on_path?(name) }
    dsymutil ? run(dsymutil, compiled, "-o", debug_folder) : warn("No dsymutil: the line tables of #{library} are not kept.")
    objcopy("--strip-debug", "--discard-all", library)
  end

  # The one that comes with rustc, because it knows every platform that rustc does; its libraries are rustc's.
  def objcopy(*arguments)
    root = @sysroot ||= IO.popen(%w[rustc --print sysroot], &:read).chomp
    program = Dir["#{root}/lib/rustlib/*/bin/rust-objcopy"].first || %w[llvm-objcopy objcopy].find { |name| on_path?(name) } ||
              abort("There is no objcopy to take the debug information out of the library with: install binutils or llvm.")
    run({ "LD_LIBRARY_PATH" => "#{root}/lib", "DYLD_LIBRARY_PATH" => "#{root}/lib" }, program, *arguments)
  end

  def on_path?(name) = ENV.fetch("PATH", "").split(":").any? { |folder| File.executable?(File.join(folder, name)) }
  def run(*command) = system(*command) || abort("#{command.grep(String).join(" ")} failed.")

  def native_specification
    @specification.dup.tap do |specification|
      specification.platform = Gem::Platform.new(@platform)
      specification.files = ruby_files + @libraries.keys.map { |minor| place_of(minor) }
      specification.extensions = []
      specification.dependencies.reject! { |dependency| dependency.name == "rb_sys" }
      specification.metadata = specification.metadata.except("cargo_crate_name")
      specification.required_ruby_version = [">= #{@libraries.keys.first}", "< #{@libraries.keys.last.succ}.dev"]
    end
  end
end
