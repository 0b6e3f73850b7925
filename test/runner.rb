# frozen_string_literal: true

require "etc"
require "fileutils"
require "json"
require "open3"
require "rbconfig"
require "tmpdir"

# Runs the test suites side by side, since most of their time is waiting: each Rust test program, each file of Ruby
# integration tests, the Ruby unit tests, and those again with the signatures checked, but for files that start other
# programs, in which no signature is checked. Each worker has a PostgreSQL
# cluster of its own, so that what changes a whole server disturbs no other part.
#
#   ruby test/runner.rb            everything
#   ruby test/runner.rb --quick    the unit tests, and one run from end to end
#
# A part that passes shows its closing line; one that fails shows everything it printed. The others go on, and the
# exit status is 1. TEST_WORKERS says how many run at once, by default three per core; what TEST_PG_URL names, where it
# is set, serves for all of them.
class Runner
  ROOT = File.expand_path("..", __dir__)

  # One program to run: its command, its directory and its variables.
  Part = Struct.new(:name, :command, :directory, :variables) do
    def initialize(name, command, directory: ROOT, variables: {}) = super(name, command, directory, variables)
  end

  # How a part ended.
  Ending = Data.define(:part, :success, :output, :seconds) do
    # The closing lines that Minitest and Rust's test harness print.
    def closing = output.lines(chomp: true).grep(/\A(\d+ runs, |test result: )/)
  end

  # Those that damage each byte in turn would check the same few signatures some ten thousand times.
  WITH_SIGNATURES = 'files = ARGV.slice!(0..); ARGV.push("--exclude", "/damage_anywhere/"); files.each { |file| require file }'

  # Room for what a Ruby with Rails in it makes at its start, and for what a test leaves behind: without, a fifth of all
  # processor time of Ruby's goes into looking for what could be thrown away. See `ruby --help` and gc.c.
  ROOM = {
    "RUBY_GC_HEAP_0_INIT_SLOTS" => "400000", "RUBY_GC_HEAP_1_INIT_SLOTS" => "200000", "RUBY_GC_HEAP_2_INIT_SLOTS" => "100000",
    "RUBY_GC_HEAP_FREE_SLOTS" => "400000", "RUBY_GC_MALLOC_LIMIT" => "268435456", "RUBY_GC_MALLOC_LIMIT_MAX" => "536870912",
    "RUBY_GC_OLDMALLOC_LIMIT" => "536870912", "RUBY_GC_OLDMALLOC_LIMIT_MAX" => "1073741824"
  }.freeze

  # How long each part took the last time: the longest begin first. Only the order depends on it.
  SECONDS = File.join(ROOT, "tmp/test_seconds.json")

  # The Rust test programs' closing line and Minitest's.
  COUNTS = [
    /\Atest result: \w+\. (?<passed>\d+) passed; (?<failed>\d+) failed; (?<skipped>\d+) ignored/,
    /\A(?<runs>\d+) runs, \d+ assertions, (?<failed>\d+) failures, (?<errors>\d+) errors, (?<skipped>\d+) skips/
  ].freeze

  # Unit tests that start programs and look at what they do. They take the longest, so each is a part.
  OF_PROGRAMS = %w[corpus_facts generator machine package rails upgrade].map { |name| "test/unit/#{name}_test.rb" }.freeze

  # What is known to take longest, for a checkout in which no run has measured it.
  LONG = [
    "ruby locks", "cargo engine/part_choice", "ruby unit tests", "ruby trust", "ruby subset_interruption", "ruby progress",
    "ruby interruption", "ruby rails_app", "ruby pull", "ruby restore_equality", "ruby operations", "ruby publish",
    "ruby unit tests with signatures", "ruby dump_workspace", "ruby server", "ruby documented_run", "ruby dump_task", "ruby dump",
    "ruby remedies", "ruby scalingo", "ruby retention", "ruby personal_data_tasks"
  ].freeze

  # Where clusters lie if it is there with so many bytes free: in memory, since making and dropping thousands of databases of
  # three hundred files each is slow on a disk.
  MEMORY = "/dev/shm"
  ENOUGH = 6 * 1024 * 1024 * 1024
  private_constant :MEMORY, :ENOUGH

  # @param quick [Boolean] whether only what takes little time is run
  def initialize(quick: false, workers: Integer(ENV.fetch("TEST_WORKERS", Etc.nprocessors * 3)))
    @quick = quick
    @workers = workers
    @lock = Mutex.new
    @endings = []
  end

  # @return [Boolean] whether everything passed
  def run
    ENV["LANG"] ||= "C.UTF-8"
    parts = longest_first(@quick ? quick_parts : all_parts)
    queue = Queue.new(parts).close
    Dir.mktmpdir("staging-sync-made") do |made|
      ENV["TEST_MADE"] = made # where apps keep what is the same in all of them; see RailsApp
      Array.new([@workers, parts.size].min) { Thread.new { work(queue) } }.each(&:join)
    end
    save_seconds unless @quick
    summarize
  end

  private

  def all_parts
    [*rust_parts("--workspace"), doctests, *integration_parts, *unit_parts, signatures_part]
  end

  def quick_parts
    end_to_end = Part.new("ruby one run from end to end",
                          [*ruby, "test/integration/masking_test.rb", "-n", "/every_row_is_there|raw_value/"])
    # Named outright, the binding's library would be linked as a program, which it cannot be without a Ruby process.
    [*rust_parts("--workspace", "--exclude", "scalingo_staging_sync", "--lib"), *unit_parts, end_to_end]
  end

  # Cargo compiles all test programs and says where they lie.
  def rust_parts(*selection)
    messages, status = Open3.capture2("bin/compile", "--stdout", "cargo", "test", *selection, "--no-run",
                                      "--message-format=json-render-diagnostics", chdir: ROOT)
    abort unless status.success?

    artifacts = messages.lines.map { |line| JSON.parse(line) }.select { |message| message["executable"] && message.dig("profile", "test") }
    artifacts.map do |artifact|
      crate = File.dirname(artifact["manifest_path"])
      Part.new("cargo #{File.basename(crate)}/#{artifact.dig("target", "name")}", [artifact["executable"], "--quiet"], directory: crate)
    end
  end

  def doctests = Part.new("cargo doctests", %w[cargo test --doc --workspace --quiet])

  def ruby = [RbConfig.ruby, "-w", "-Ilib", "-Itest"]

  def integration_parts
    Dir.glob("test/integration/**/*_test.rb", base: ROOT).map { |file| Part.new("ruby #{File.basename(file, "_test.rb")}", [*ruby, file]) }
  end

  # Those in one process, without the files that start other programs.
  def unit_files = (Dir.glob("test/unit/**/*_test.rb", base: ROOT) - OF_PROGRAMS).map { |file| "./#{file}" }

  def unit_parts
    together = Part.new("ruby unit tests", [*ruby, "-e", "ARGV.each { |file| require file }", *unit_files])
    [together, *OF_PROGRAMS.map { |file| Part.new("ruby unit #{File.basename(file, "_test.rb")}", [*ruby, file]) }]
  end

  def signatures_part
    variables = { "RBS_TEST_TARGET" => "ScalingoStagingSync,ScalingoStagingSync::*",
                  "RBS_TEST_OPT" => "-I sig -r logger -r pathname", "RBS_TEST_LOGLEVEL" => "error" }
    Part.new("ruby unit tests with signatures",
             [RbConfig.ruby, "-Ilib", "-Itest", "-rrbs/test/setup", "-e", WITH_SIGNATURES, *unit_files], variables:)
  end

  def longest_first(parts)
    seconds = File.exist?(SECONDS) ? JSON.parse(File.read(SECONDS)) : {}
    parts.sort_by { |part| -seconds.fetch(part.name) { 2000 - (LONG.index(part.name) || 1000) } }
  end

  def save_seconds
    FileUtils.mkdir_p(File.dirname(SECONDS))
    File.write(SECONDS, JSON.generate(@endings.to_h { |ending| [ending.part.name, ending.seconds.round(1)] }))
  end

  def work(queue)
    with_cluster do |variables|
      while (part = queue.pop)
        ending = take(part, variables)
        @lock.synchronize do
          @endings << ending
          show(ending)
        end
      end
    end
  end

  # The variables by which tests find a cluster, which lives as long as the block.
  def with_cluster
    return yield({}) if ENV["TEST_PG_URL"]

    IO.popen([place_of_clusters, "bin/with-postgres", "sh", "-c", "env; echo; exec cat"], "r+", chdir: ROOT) do |cluster|
      lines = cluster.each_line(chomp: true).take_while { |line| !line.empty? }
      variables = lines.filter_map { |line| line.split("=", 2) if line.start_with?("TEST_PG_") }.to_h
      abort "There is no PostgreSQL to test with." if variables.empty?
      yield variables
      cluster.close_write
    end
  end

  def place_of_clusters = (memory_free >= ENOUGH) ? { "TMPDIR" => MEMORY } : {}

  # Bytes, as df says in kibibytes (POSIX: -P, -k); 0 where there is no such folder.
  def memory_free
    return 0 unless File.writable?(MEMORY)

    Open3.capture2("df", "-Pk", MEMORY).first.lines.last.to_s.split[3].to_i * 1024
  end

  def take(part, variables)
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    output, status = Open3.capture2e({ **ROOM, **variables, **part.variables }, *part.command, chdir: part.directory, stdin_data: "")
    Ending.new(part, status.success?, output.force_encoding(Encoding::UTF_8).scrub,
               Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
  end

  def show(ending)
    time = format("%6.1f s", ending.seconds)
    unless ending.success
      puts "FAILED #{time}  #{ending.part.name}:", ending.output.gsub(/^/, "  | ")
      return
    end
    puts "passed #{time}  #{ending.part.name}", ending.closing
  ensure
    $stdout.flush
  end

  def summarize
    failed = @endings.reject(&:success).map { |ending| ending.part.name }
    puts "FAILED: #{failed.sort.join(", ")}" if failed.any?
    puts format("tests: %<passed>d passed, %<failed>d failed, %<skipped>d skipped", counts(failed.size))
    failed.empty?
  end

  # What the closing lines add up to. A part that failed without one counts as one failure.
  def counts(failed_parts)
    sums = @endings.flat_map(&:closing).map { |line| count(line) }.reduce do |one, other|
      one.merge(other) { |_, left, right| left + right }
    end
    sums ||= { passed: 0, failed: 0, skipped: 0 }
    sums.merge(failed: [sums[:failed], failed_parts].max)
  end

  def count(line)
    found = COUNTS.filter_map { |pattern| line.match(pattern) }.first.named_captures.transform_values(&:to_i)
    failed = found["failed"] + found.fetch("errors", 0)
    passed = found.fetch("passed") { found["runs"] - failed - found["skipped"] }
    { passed:, failed:, skipped: found["skipped"] }
  end
end

exit Runner.new(quick: ARGV.include?("--quick")).run if $PROGRAM_NAME == __FILE__
