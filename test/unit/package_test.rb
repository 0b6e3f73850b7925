# frozen_string_literal: true

require "test_helper"
require "open3"
require_relative "../../ext/scalingo_staging_sync/requirements"
require_relative "../../rakelib/native_gem"

# The gem as a package: what is in it, and what it says where it cannot be compiled.
class PackageTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  SPECIFICATION = Gem::Specification.load("#{ROOT}/scalingo-staging-sync.gemspec")

  def test_the_gem_holds_what_it_runs_with_and_is_compiled_from
    %w[
      LICENSE.txt CHANGELOG.md README.md Cargo.toml Cargo.lock lib/scalingo-staging-sync.rb
      lib/tasks/scalingo_staging_sync.rake sig/scalingo_staging_sync.rbs ext/engine/src/lib.rs
      ext/scalingo_staging_sync/extconf.rb ext/scalingo_staging_sync/requirements.rb
    ].each { |file| assert_includes SPECIFICATION.files, file }
    on_disk = Dir.chdir(ROOT) { Dir["{lib,sig}/**/*"] }.select { |path| File.file?("#{ROOT}/#{path}") }
    assert_empty on_disk.grep_v(/\.(so|bundle)\z/) - SPECIFICATION.files
  end

  def test_the_gem_holds_every_crate_of_the_workspace
    members.each { |member| assert_includes SPECIFICATION.files, "#{member}/Cargo.toml" }
  end

  def members = File.read("#{ROOT}/Cargo.toml")[/^members = \[(.*?)\]/m, 1].scan(/"(.+?)"/).flatten

  def test_the_gem_holds_nothing_that_only_its_developers_need
    developers = %r{(\A|/)(bench|benches|bin|demo|examples|fuzz|pkg|spec|target|test|tests|tmp)/}
    rooms = SPECIFICATION.files.grep(%r{\A(ext/.+?/src|lib|sig)/})
    assert_empty (SPECIFICATION.files - rooms).grep(developers)
    assert_empty rooms.grep(%r{/(bench|benches|examples|fuzz|target|tests)/})
    assert_empty SPECIFICATION.files.grep(%r{(/|_)(tests?|testing)\.rs\z|\.(so|bundle|gem|dump)\z})
    assert_equal [], SPECIFICATION.files.map { |file| file[%r{\A[^/]+}] }.uniq.sort -
                     %w[CHANGELOG.md Cargo.lock Cargo.toml LICENSE.txt README.md docs ext lib sig]
  end

  def test_what_the_readme_links_to_is_in_the_gem
    links = File.read("#{ROOT}/README.md").scan(/\]\((?!https?:|#)([^)#\s]+)/).flatten
    assert_empty links - SPECIFICATION.files
  end

  def test_the_gem_and_its_native_part_have_one_version
    assert_equal ScalingoStagingSync::VERSION, SPECIFICATION.version.to_s
    assert_equal ScalingoStagingSync::VERSION, File.read("#{ROOT}/Cargo.toml")[/^version = "(.+)"/, 1]
    locked = File.read("#{ROOT}/Cargo.lock").scan(/^name = "(.+)"\nversion = "(.+)"/)
    members.each do |member|
      crate = File.read("#{ROOT}/#{member}/Cargo.toml")[/^name = "(.+)"/, 1]
      assert_includes locked, [crate, ScalingoStagingSync::VERSION]
    end
  end

  def test_reading_the_gems_specification_does_not_define_its_module
    code = 'Gem::Specification.load(ARGV.first) or abort "not loaded"; exit !Object.const_defined?(:ScalingoStagingSync)'
    output, status = Open3.capture2e(RbConfig.ruby, "-e", code, "#{ROOT}/scalingo-staging-sync.gemspec")
    assert_predicate status, :success?, output
  end

  def test_a_release_has_the_platforms_and_rubies_that_extconf_promises
    release = File.read("#{ROOT}/.github/workflows/release.yml")
    assert_equal Requirements::PRECOMPILED.sort, release[/precompiled:.*?platform: \[(.*?)\]/m, 1].split(", ").sort
    assert_equal Requirements::PRECOMPILED_RUBIES, release[/RUBIES: "(.*)"/, 1].split(",")
    tried = release.scan(/ platform: \[(.*?)\]\n +ruby: \[(.*?)\]/)
    assert_equal Requirements::PRECOMPILED.sort, tried.flat_map { |platforms, _| platforms.split(", ") }.last(6).sort
    tried.each { |_, rubies| assert_equal Requirements::PRECOMPILED_RUBIES, rubies.delete('"').split(", ") }
  end

  # What Ruby 3.4 and 4.0 have made gems of their own; without Bundler knowing of them, an app cannot require them.
  NO_LONGER_RUBYS = %w[
    abbrev base64 benchmark bigdecimal cgi csv drb fiddle getoptlong irb logger mutex_m nkf observer ostruct pstore racc rdoc readline
    reline resolv-replace rinda syslog tsort win32ole
  ].freeze

  def test_what_newer_rubies_have_given_away_is_required_only_where_rails_brings_it
    required = Dir["#{ROOT}/{lib,ext/scalingo_staging_sync}/**/*.{rb,rake}"].flat_map { |file| File.read(file).scan(/^\s*require "([^"]+)"/).flatten }
    rails = %w[activesupport railties].flat_map { |name| Gem::Specification.find_by_name(name).runtime_dependencies.map(&:name) }
    assert_includes required, "net/http"
    assert_empty (required & NO_LONGER_RUBYS) - rails
  end

  # --- precompiled ---------------------------------------------------------------------------------

  # A folder with a gem's files and a library with debug information.
  def in_a_small_gem
    Dir.mktmpdir do |directory|
      Dir.chdir(directory) do
        FileUtils.mkdir_p(%w[lib ext/native])
        %w[lib/small.rb Cargo.toml ext/native/extconf.rb].each { |file| File.write(file, "# #{file}\n") }
        File.write("small.c", "int answer(int x) { return x + 41; }\n")
        assert system("cc", "-g", "-shared", "-fPIC", "-o", "scalingo_staging_sync.so", "small.c")
        yield(Gem::Specification.new do |spec|
          spec.name = "small"
          spec.version = "1.0"
          spec.summary = "A gem with a native part"
          spec.authors = ["The tests"]
          spec.files = %w[lib/small.rb Cargo.toml ext/native/extconf.rb]
          spec.extensions = ["ext/native/extconf.rb"]
          spec.add_dependency "railties"
          spec.add_dependency "rb_sys"
        end)
      end
    end
  end

  def test_a_precompiled_gem_has_a_library_for_each_ruby_and_nothing_to_compile
    in_a_small_gem do |specification|
      gem = quietly { NativeGem.new(specification, "x86_64-linux", %w[3.4 3.3].to_h { |minor| [minor, "scalingo_staging_sync.so"] }).build }
      packed = Gem::Package.new(gem).spec
      assert_equal "small-1.0-x86_64-linux", packed.full_name
      assert_equal %w[lib/scalingo_staging_sync/3.3/scalingo_staging_sync.so
                      lib/scalingo_staging_sync/3.4/scalingo_staging_sync.so lib/small.rb], packed.files.sort
      assert_equal [[], %w[railties]], [packed.extensions, packed.dependencies.map(&:name)]
      assert_equal [false, true, true, false],
                   %w[3.2.9 3.3.0 3.4.7 4.0.0].map { |ruby| packed.required_ruby_version.satisfied_by?(Gem::Version.new(ruby)) }
      assert_equal %w[ext/native/extconf.rb], specification.extensions
    end
  end

  def test_a_precompiled_gems_debug_information_lies_apart
    in_a_small_gem do |specification|
      quietly { NativeGem.new(specification, "x86_64-linux", { "3.3" => "scalingo_staging_sync.so" }).build }
      library = File.binread("tmp/native_gem/x86_64-linux/lib/scalingo_staging_sync/3.3/scalingo_staging_sync.so")
      refute_includes library, ".debug_line"
      assert_includes library, "scalingo_staging_sync.so.debug"
      assert_includes File.binread("pkg/debug/small-1.0-x86_64-linux/3.3/scalingo_staging_sync.so.debug"), ".debug_line"
    end
  end

  def test_the_precompiled_library_is_taken_before_one_that_was_compiled_here
    Dir.mktmpdir do |directory|
      minor = RUBY_VERSION[/\A\d+\.\d+/]
      FileUtils.mkdir_p("#{directory}/scalingo_staging_sync/#{minor}")
      ["", "#{minor}/"].each { |folder| FileUtils.touch("#{directory}/scalingo_staging_sync/#{folder}scalingo_staging_sync.rb") }
      code = 'require "scalingo_staging_sync"; puts ScalingoStagingSync::NativeLoader.load'
      output, = Open3.capture2e(RbConfig.ruby, "-I#{ROOT}/lib", "-I#{directory}", "-e", code)
      assert_equal "scalingo_staging_sync/#{minor}/scalingo_staging_sync", output.chomp
    end
  end

  def test_a_precompiled_gem_leaves_out_no_ruby_between_two_that_it_serves
    in_a_small_gem do |specification|
      libraries = %w[3.3 4.0].to_h { |minor| [minor, "scalingo_staging_sync.so"] }
      _, complaint = capture_io do
        assert_raises(SystemExit) { NativeGem.new(specification, "x86_64-linux", libraries) }
      end
      assert_match(/for Ruby 3\.3 and 4\.0 must have a library for 3\.4/, complaint)
    end
  end

  def quietly
    result = nil
    capture_io { Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) { result = yield } }
    result
  end

  # --- where it cannot be compiled -----------------------------------------------------------------

  # extconf.rb with programs of those names on the PATH and nothing else; cargo says that it is of this version.
  def configure(programs:, cargo: nil, clang: [], headers: "clang/clang/14/include/stddef.h", prelude: "", environment: {})
    Dir.mktmpdir do |directory|
      FileUtils.mkdir_p(["#{directory}/bin", "#{directory}/clang", "#{directory}/build"])
      FileUtils.mkdir_p(File.dirname("#{directory}/#{headers}")) && FileUtils.touch("#{directory}/#{headers}") if headers
      programs.each { |name| program("#{directory}/bin/#{name}", "exit 0") }
      program("#{directory}/bin/cargo", "echo 'cargo #{cargo} (0123abc 2026-01-01)'") if cargo
      # What would fetch something from elsewhere leaves a trace.
      %w[curl wget rustup].each { |name| program("#{directory}/bin/#{name}", "echo #{name} >> '#{directory}/fetched'") }
      clang.each { |name| FileUtils.touch("#{directory}/clang/#{name}") }
      File.write("#{directory}/prelude.rb", prelude)
      variables = { "PATH" => "#{directory}/bin", "LIBCLANG_PATH" => "#{directory}/clang", "CC" => "cc", "MAKE" => nil,
                    "CARGO" => nil, "CLANG_PATH" => nil, "BINDGEN_EXTRA_CLANG_ARGS" => nil, "RUBY_TARGET" => nil,
                    "SOURCE_DATE_EPOCH" => "0" }
      output, status = Open3.capture2e(variables.merge(environment), RbConfig.ruby, "-r#{directory}/prelude.rb",
                                       "#{ROOT}/ext/scalingo_staging_sync/extconf.rb", chdir: "#{directory}/build")
      refute_path_exists "#{directory}/fetched"
      makefile = "#{directory}/build/Makefile"
      yield output, status, (File.read(makefile) if File.exist?(makefile))
    end
  end

  def program(path, body)
    File.write(path, "#!/bin/sh\n#{body}\n")
    File.chmod(0o755, path)
  end

  LIBCLANG = ["libclang-14.so.1"].freeze

  def test_without_cargo_it_names_the_precompiled_gem_and_cargo_in_two_sentences
    configure(programs: %w[cc make], clang: LIBCLANG) do |output, status, makefile|
      refute_predicate status, :success?
      assert_nil makefile
      assert_equal 1, output.lines.size, output
      assert_match(/there is no cargo >= 1\.\d+ on the PATH\. Take the precompiled gem.*`gem install .*or install what is missing: Rust/,
                   output)
    end
  end

  def test_a_cargo_that_is_too_old_or_that_fails_is_none
    configure(programs: %w[cc make], cargo: "1.63.0", clang: LIBCLANG) { |output,| assert_match(/no cargo >= 1/, output) }
    configure(programs: %w[cc make cargo], clang: LIBCLANG) { |output,| assert_match(/no cargo >= 1/, output) }
  end

  def test_libclang_is_what_bindgen_would_load_and_not_the_cpp_library
    [[], ["libclang-cpp.so.14"], ["libclang-cpp.so"], ["libclang.a"], ["libclangBasic.so"]].each do |clang|
      configure(programs: %w[cc make], cargo: "1.99.0", clang:) { |output,| assert_match(/no libclang\. Take/, output) }
    end
    %w[libclang.so libclang.so.1 libclang-14.so libclang-14.so.1].each do |name|
      configure(programs: %w[cc make], cargo: "1.99.0", clang: [name]) do |output, status, makefile|
        assert_predicate status, :success?, output
        refute_nil makefile
      end
    end
  end

  def test_the_library_alone_without_the_headers_that_come_with_it_is_not_enough
    configure(programs: %w[cc make], cargo: "1.99.0", clang: LIBCLANG, headers: nil) do |output,|
      assert_match(/no libclang header stddef\.h\. Take/, output)
    end
    [[%w[cc make clang], {}], [%w[cc make], { "BINDGEN_EXTRA_CLANG_ARGS" => "-I/elsewhere" }]].each do |programs, environment|
      configure(programs:, environment:, cargo: "1.99.0", clang: LIBCLANG, headers: nil) do |output, status,|
        assert_predicate status, :success?, output
      end
    end
  end

  def test_without_a_compiler_or_rubys_headers_it_says_so
    configure(programs: %w[make], cargo: "1.99.0", clang: LIBCLANG) { |output,| assert_match(/no C compiler/, output) }
    configure(programs: %w[cc], cargo: "1.99.0", clang: LIBCLANG) { |output,| assert_match(/no C compiler with make/, output) }
    configure(programs: %w[cc make], cargo: "1.99.0", clang: LIBCLANG,
              prelude: 'RbConfig::CONFIG["rubyhdrdir"] = "/no/such/folder"') do |output,|
      assert_match(/no header file of Ruby's\. Take/, output)
    end
  end

  def test_the_compiler_and_make_may_have_arguments_and_a_variable_without_a_value_names_none
    [{ "MAKE" => "make -j4" }, { "CC" => "cc -pipe" }].each do |environment|
      configure(programs: %w[cc make], cargo: "1.99.0", clang: LIBCLANG, environment:) do |output, status,|
        assert_predicate status, :success?, output
      end
    end
    [{ "MAKE" => "" }, { "CC" => "" }].each do |environment|
      configure(programs: %w[cc make], cargo: "1.99.0", clang: LIBCLANG, environment:) do |output,|
        assert_match(/\Ascalingo-staging-sync cannot be compiled here, because there is no C compiler with make\. Take/, output)
      end
    end
  end

  def test_everything_that_is_missing_is_named_at_once
    configure(programs: []) do |output,|
      assert_match(/no cargo >= [\d.]+ on the PATH, no libclang and no C compiler with make\. Take/, output)
    end
  end

  def test_on_a_platform_without_a_precompiled_gem_none_is_promised
    prelude = 'def (Gem::Platform).local = Gem::Platform.new("riscv64-linux")'
    configure(programs: %w[cc make], clang: LIBCLANG, prelude:) do |output,|
      refute_match(/precompiled/, output)
      assert_match(/on the PATH\. Install what is missing: Rust/, output)
    end
  end

  def test_the_makefile_never_fetches_a_toolchain_unless_a_person_has_asked_for_it
    configure(programs: %w[cc make], cargo: "1.99.0", clang: LIBCLANG) do |output, status, makefile|
      assert_predicate status, :success?, output
      assert_match(/^RB_SYS_FORCE_INSTALL_RUST_TOOLCHAIN \?= false$/, makefile)
    end
    configure(programs: %w[cc make], clang: LIBCLANG, environment: { "RB_SYS_FORCE_INSTALL_RUST_TOOLCHAIN" => "true" }) do |output, status,|
      assert_predicate status, :success?, output
    end
  end
end
