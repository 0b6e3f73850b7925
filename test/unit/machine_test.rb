# frozen_string_literal: true

require_relative "../test_helper"
require "open3"
require "fileutils"

# What the scripts say of a machine that lacks something: bin/setup before anything is compiled, bin/compile when
# that failed.
class MachineTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)

  def setup
    @folder = Dir.mktmpdir("staging-sync-machine")
  end

  def teardown
    FileUtils.remove_entry(@folder)
  end

  def test_the_runtime_library_of_llvm_is_not_libclang
    touch("libclang-cpp.so.14", "libclang-cpp.so.14.0.6", "libLLVM-14.so")
    assert_includes missing("libclang", "LIBCLANG_PATH" => @folder), "libclang"
  end

  def test_libclang_is_found_under_each_name_that_distributions_give_it
    touch("clang/14/include/stddef.h")
    %w[libclang.so libclang.so.1 libclang-14.so.14.0.6 libclang-14.so].each do |name|
      touch(name)
      refute_includes missing("libclang", "LIBCLANG_PATH" => @folder), "libclang", name
      FileUtils.rm(File.join(@folder, name))
    end
  end

  def test_libclang_may_be_named_as_a_file
    touch("libclang.so.1", "clang/14/include/stddef.h")
    refute_includes missing("libclang", "LIBCLANG_PATH" => File.join(@folder, "libclang.so.1")), "libclang"
  end

  # Debian: the folder of LLVM has the headers and links to the library, which lies elsewhere.
  def test_headers_beside_a_link_to_libclang_are_enough
    touch("elsewhere/libclang-14.so.1", "llvm-14/lib/clang/14/include/stddef.h")
    File.symlink("../../elsewhere/libclang-14.so.1", File.join(@folder, "llvm-14/lib/libclang.so"))
    environment = { "LIBCLANG_PATH" => File.join(@folder, "llvm-14/lib"), "CLANG_PATH" => File.join(@folder, "no-clang") }
    assert_empty missing("libclang", environment)
  end

  def test_libclang_without_its_headers_is_not_enough
    touch("libclang.so.1")
    program("clang", "exit 0")
    { "clang" => [], "no-clang" => ["libclang"] }.each do |clang, lacking|
      environment = { "LIBCLANG_PATH" => @folder, "CLANG_PATH" => File.join(@folder, clang), "BINDGEN_EXTRA_CLANG_ARGS" => nil }
      assert_equal lacking, missing("libclang", environment)
    end
  end

  def test_a_rustup_without_a_toolchain_and_an_old_rust_are_no_rust
    program("cargo", "exit 1")
    program("rustc", "exit 1")
    assert_includes advice("rust", in_front), "rustup default stable"
    program("rustc", "echo 'rustc 1.70.0 (90c541806 2023-05-31)'")
    assert_includes advice("rust", in_front), "it is 1.70.0): rustup update stable"
  end

  def test_a_place_without_libclang_that_its_variable_names_is_said
    assert_includes advice("libclang", "LIBCLANG_PATH" => @folder), "there is none at LIBCLANG_PATH=#{@folder}"
  end

  def test_certificate_authorities_are_found_where_distributions_keep_them_or_a_variable_says
    bare = { "SETUP_ROOT" => @folder, "SSL_CERT_FILE" => nil, "CARGO_HTTP_CAINFO" => nil }
    assert_includes advice("certificates", bare), "the package ca-certificates"
    file = File.join(@folder, "etc/pki/tls/certs/ca-bundle.crt")
    FileUtils.mkdir_p(File.dirname(file))
    File.write(file, "-----BEGIN CERTIFICATE-----")
    assert_includes advice("certificates", bare), "nothing is missing"
    assert_includes advice("certificates", bare.merge("SETUP_ROOT" => "/nowhere", "SSL_CERT_FILE" => file)), "nothing is missing"
  end

  def test_a_compiler_that_cannot_compile_is_no_compiler
    program("cc", "echo 'fatal error: stdio.h: No such file or directory' >&2; exit 1")
    assert_includes missing("compiler", in_front), "a C compiler and make"
  end

  def test_programs_that_tests_call_are_looked_for_by_running_them
    { "openssl" => "openssl", "curl" => "curl", "python" => "python3" }.each do |part, name|
      assert_includes advice(part, {}), "nothing is missing"
      program(name, "exit 1")
      assert_includes advice(part, in_front), "apt-get install #{name}"
    end
  end

  def test_rake_finds_cargo_where_rustup_puts_it_and_says_so_where_there_is_none
    rake = [RbConfig.ruby, Gem.bin_path("rake", "rake"), "-T", "lint:rubocop"]
    environment = { "PATH" => @folder, "HOME" => @folder, "CARGO_HOME" => nil, "CARGO" => nil }
    output, status = Open3.capture2e(environment, *rake, chdir: ROOT)
    assert_equal [false, "There is no cargo on the PATH. `bin/setup --check` says what this machine lacks, and how to get it.\n"],
                 [status.success?, output]
    FileUtils.mkdir_p(File.join(@folder, ".cargo/bin"))
    program(".cargo/bin/cargo", "exit 1")
    output, = Open3.capture2e(environment, *rake, chdir: ROOT)
    refute_includes output, "no cargo on the PATH"
  end

  def test_a_ruby_that_is_too_old_is_no_ruby
    program("ruby", "exit 1")
    assert_includes missing("ruby", in_front), "Ruby"
  end

  def test_a_compile_that_fails_says_why_and_what_to_do_before_its_log
    {
      "thread 'main' panicked: Unable to find libclang: \"couldn't find any valid shared libraries\"" => /\Alibclang is missing.*libclang-dev/,
      "error: package `x` cannot be built because it requires rustc 1.99 or newer" => /\AThe Rust toolchain is too old\./,
      "error: could not write output: No space left on device (os error 28)" => /\AThe disk is full/,
      "process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)" => /\AThe compiler was killed/,
      "error: failed to download from `https://example.com/`" => /\AThe Rust crates could not be downloaded/,
      "error: failed to download from `https://example.com/`\n  [60] SSL peer certificate or SSH remote key was not OK" =>
        /\AThe Rust crates could not be downloaded, because a certificate/,
      "fatal error: 'stddef.h' file not found" => /\Alibclang does not find the C library's headers/,
      "Could not find rb_sys-0.9.130 in locally installed gems" => %r{\AA gem of the Gemfile is missing\. Run bin/setup},
      "error[E0308]: mismatched types" => /\AThe code does not compile \(error\[E0308\]: mismatched types\)/
    }.each do |log, sentence|
      _, errors, status = Open3.capture3("bin/compile", "sh", "-c", "echo \"$1\" >&2; exit 101", "sh", log, chdir: ROOT)
      assert_equal 101, status.exitstatus
      assert_match sentence, errors
      assert_includes errors.lines.drop(1).join, log.lines.first
    end
  end

  def test_a_compile_that_succeeds_passes_only_what_is_wanted
    output, errors, status = Open3.capture3("bin/compile", "--stdout", "sh", "-c", "echo wanted; echo '  Compiling x' >&2", chdir: ROOT)
    assert_predicate status, :success?
    assert_equal ["wanted\n", ""], [output, errors]
  end

  def test_each_script_explains_itself_whole_when_asked
    { "setup" => "what is missing is named, with\nhow to get it", "test" => "bin/test --quick", "demo" => "DEMO_USERS=500000",
      "fresh" => "--own-ruby", "with-postgres" => "TEST_PG_CA" }.each do |script, words|
      %w[-h --help].each do |option|
        output, errors, status = Open3.capture3("bin/#{script}", option, chdir: ROOT)
        assert_equal [true, ""], [status.success?, errors], script
        assert_includes output, words
        refute_match(/^set -/, output)
      end
    end
  end

  # What is set up, tested or shown must not be other than what was asked for.
  def test_no_script_passes_over_an_argument_that_it_does_not_know
    {
      %w[setup --chekc] => "bin/setup --check", %w[setup --yes --check] => "bin/setup --check",
      %w[setup --check libclnag] => "unknown: \"libclnag\"; --check takes: rust ruby",
      %w[test --quick --workers] => "bin/test --quick", %w[demo --keep 3] => "bin/demo --keep",
      %w[with-postgres --version] => "--version needs a value", %w[with-postgres --versoin 16] => "unknown option --versoin",
      %w[loads pkg/none.gem] => "usage: bin/loads GEM"
    }.each do |(script, *arguments), words|
      output, errors, status = Open3.capture3(in_front, "bin/#{script}", *arguments, chdir: ROOT)
      refute_predicate status, :success?, "#{script} #{arguments.join(" ")}"
      assert_empty output
      assert_includes errors, words
    end
  end

  def test_quick_takes_the_unit_tests_of_every_crate_and_names_each_program_by_its_crate
    artifact = ->(crate) { "{\"executable\":\"/t\",\"profile\":{\"test\":true},\"target\":{\"name\":\"a\"},\"manifest_path\":\"/x/#{crate}/Cargo.toml\"}" }
    program("cargo", "echo \"$*\" >'#{@folder}/asked'; echo '#{artifact["one"]}'; echo '#{artifact["two"]}'")
    output, status = Open3.capture2e(in_front, RbConfig.ruby, "-r./test/runner", "-e",
                                     "puts Runner.new(quick: true).send(:quick_parts).map(&:name)", chdir: ROOT)
    assert_predicate status, :success?, output
    names = output.lines(chomp: true)
    assert_equal ["cargo one/a", "cargo two/a", "ruby unit tests", "ruby one run from end to end"], names.first(3) + names.last(1)
    assert_includes names, "ruby unit machine"
    assert_match(/\Atest --workspace --exclude scalingo_staging_sync --lib /, File.read("#{@folder}/asked"))
  end

  def test_fresh_refuses_what_it_does_not_know_before_it_makes_anything
    {
      %w[debian:11] => "unknown: \"debian:11\"", %w[--old-rubby] => "unknown: \"--old-rubby\"",
      %w[--only compile] => "--only takes setup, demo or test", %w[--keep] => "--keep needs a value"
    }.each do |arguments, sentence|
      output, status = Open3.capture2e({ "TMPDIR" => @folder }, "bin/fresh", *arguments, chdir: ROOT)
      refute_predicate status, :success?, arguments.inspect
      assert_includes output, sentence
      assert_empty Dir.children(@folder)
    end
  end

  def test_fresh_names_what_it_needs_where_it_cannot_work
    program("id", "echo 1000")
    output, status = Open3.capture2e(in_front.merge("TMPDIR" => @folder), "bin/fresh", chdir: ROOT)
    refute_predicate status, :success?
    assert_match(/\Afresh: needs (root|Linux)/, output)
  end

  private

  def touch(*names)
    names.map { |name| File.join(@folder, name) }.each do |path|
      FileUtils.mkdir_p(File.dirname(path))
      FileUtils.touch(path)
    end
  end

  # A program of this name that comes before the machine's own.
  def program(name, script)
    File.write(File.join(@folder, name), "#!/bin/sh\n#{script}\n", perm: 0o755)
  end

  def in_front = { "PATH" => "#{@folder}:#{ENV.fetch("PATH")}" }

  def advice(what, environment) = Open3.capture2e(environment, "bin/setup", "--check", what, chdir: ROOT).first

  # What `bin/setup --check` of one thing names, up to its colon.
  def missing(what, environment)
    advice(what, environment).lines.filter_map { |line| line[/\A  - (.+?)( >=.*)?: /, 1] }
  end
end
