# frozen_string_literal: true

require "test_helper"
require "logger"
require "rake"

# What the variables mean in any spelling, and what happens to an empty one or one with a nearly right name.
class VariablesTest < Minitest::Test
  Variables = ScalingoStagingSync::Support::Variables
  ConfigurationError = ScalingoStagingSync::ConfigurationError

  def wrong(environment)
    assert_raises(ConfigurationError, environment.inspect) { Variables.new(environment).check! }.message
  end

  def test_yes_and_no_are_understood_in_every_usual_spelling
    %w[true TRUE True 1 yes Yes y Y on ON t T].push(" true ").each { |word| assert Variables.new("DRY_RUN" => word).yes?("DRY_RUN"), word }
    ["false", "FALSE", "0", "no", "N", "off", "f", "", " "].each { |word| refute Variables.new("DRY_RUN" => word).yes?("DRY_RUN"), word }
    refute Variables.new({}).yes?("DRY_RUN")
  end

  def test_another_word_is_an_error_that_names_the_variable
    error = assert_raises(ConfigurationError) { Variables.new("DRY_RUN" => "perhaps").yes?("DRY_RUN") }
    assert_equal "The variable DRY_RUN is \"perhaps\", which says neither yes nor no.", error.what
    Variables::SWITCHES.each { |name| assert_includes wrong(name => "2"), "The variable #{name} is \"2\"" }
    assert_includes wrong("FORMAT" => "yaml"), "Set FORMAT to text or json"
    assert_includes wrong("SCAN" => "everything"), "Set SCAN to backup or database"
  end

  def test_everything_that_is_wrong_is_named_at_once
    message = wrong("DRY_RUN" => "perhaps", "VERBOSE" => "much", "FORMAT" => "yaml", "DRYRUN" => "1")
    %w[DRY_RUN VERBOSE FORMAT DRYRUN].each { |name| assert_includes message, "The variable #{name} " }
    assert_equal 1, message.scan("Nothing was touched.").size
  end

  def test_tables_without_a_name_are_an_error_and_not_all_tables
    [" ", ",", ",,", " , "].each { |value| assert_includes wrong("TABLES" => value), "The variable TABLES names no table. Set TABLES to" }
    assert_includes wrong("TABLES" => "us\xE9rs"), "The variable TABLES has text that is not UTF-8."
    [{}, { "TABLES" => "" }, { "TABLES" => "users," }, { "TABLES" => "users, orders" }].each { |given| assert_nil Variables.new(given).check! }
    assert_equal %w[users orders], Variables.new("TABLES" => " users,, orders,").tables
    assert_equal %w[clés], Variables.new("TABLES" => "clés".dup.force_encoding("US-ASCII")).tables
  end

  def test_a_value_that_could_be_a_secret_is_not_shown
    refute_includes wrong("DRY_RUN" => "postgres://u:hush@h/d"), "hush"
  end

  def test_a_name_that_is_nearly_right_is_an_error_with_the_right_one
    { "DRYRUN" => "DRY_RUN", "DRY-RUN" => "DRY_RUN", "DRY_RUNS" => "DRY_RUN", "dry_run" => "DRY_RUN", "Dry_Run" => "DRY_RUN",
      "DRY_RNU" => "DRY_RUN", "STAGING_SYNC_DRY_RUN" => "DRY_RUN", "SCALINGO_STAGING_SYNC_DRY_RUN" => "DRY_RUN",
      "TABLE" => "TABLES", "TABLS" => "TABLES", "BACKUPFILE" => "BACKUP_FILE", "BACKUP_FLE" => "BACKUP_FILE", "backup_file" => "BACKUP_FILE",
      "FORCE_BACKUP_DOWLOAD" => "FORCE_BACKUP_DOWNLOAD", "format" => "FORMAT", "verbose" => "VERBOSE", "force" => "FORCE",
      "DRY_RUN_MODE" => "DRY_RUN", "IS_DRY_RUN" => "DRY_RUN", "DRYRUN_ONLY" => "DRY_RUN", "SSS_DRY_RUN" => "DRY_RUN", "isDryRun" => "DRY_RUN",
      "STAGING_SYNC_DRY_RUN_ENABLED" => "DRY_RUN", "USE_DRY_RUN_FLAG" => "DRY_RUN", "SSS_BACKUP_FILE" => "BACKUP_FILE",
      "ENABLE_FORCE_BACKUP_DOWNLOAD" => "FORCE_BACKUP_DOWNLOAD", "scan" => "SCAN", "database_url" => "DATABASE_URL", "DATABASE-URL" => "DATABASE_URL" }.each do |name, meant|
      assert_includes wrong(name => "1"), "The variable #{name} has no effect; there is one named #{meant}."
    end
  end

  def refused_by(task, environment, **)
    assert_raises(ConfigurationError, "#{task} #{environment}") { Variables.new(environment).check_task!(task, **) }.message
  end

  def test_a_variable_that_a_task_does_not_read_is_an_error_that_names_those_that_do
    assert_equal "The variable SCAN has no effect on the task status: scan and suggest read it. Remove SCAN. Nothing was touched.",
                 refused_by("status", { "SCAN" => "database" })
    assert_includes refused_by("run", { "CRON" => "0 3 * * 0" }, given: %w[CRON]), "no effect on the task run: install reads it."
    %w[cleanup preview install audit:verify].each { |task| assert_includes refused_by(task, { "FORMAT" => "json" }), "no effect on the task #{task}: " }
    assert_includes refused_by("status", { "VERBOSE" => "1" }, given: ["VERBOSE"]), "run, dump and pull read it"
    %w[publish scan cleanup].each { |task| assert_includes refused_by(task, { "TABLES" => "users" }), "run, dump, pull, check, preview and why read it" }
    assert_includes refused_by("masks", { "BACKUP_FILE" => "a" }, given: ["BACKUP_FILE"]), "The variable BACKUP_FILE has no effect"
  end

  def test_what_stands_in_an_apps_environment_for_good_breaks_no_task
    lasting = { "VERBOSE" => "1", "FORCE" => "1", "DRY_RUN" => "1", "BACKUP_FILE" => "a", "FORCE_BACKUP_DOWNLOAD" => "1", "CI" => "true" }
    idle = { "FORMAT" => "TEXT", "SCAN" => "" }
    rake_tasks.each { |task| assert_nil Variables.new(lasting.merge(idle)).check_task!(task), task }
    assert_nil Variables.new("VERBOSE" => "no").check_task!("status", given: ["VERBOSE"])
  end

  # As they say themselves where there is no terminal.
  def test_every_task_that_asks_for_confirmation_takes_force_on_its_own_line
    %w[run pull expire].each { |task| assert_nil Variables.new("FORCE" => "true").check_task!(task, given: ["FORCE"]), task }
    assert_includes refused_by("dump", { "FORCE" => "true" }, given: ["FORCE"]), "run, pull and expire read it."
  end

  def test_the_tasks_that_are_said_to_read_a_variable_are_there
    assert_empty Variables::READERS.values.flatten - rake_tasks
  end

  # The names of the gem's tasks.
  def rake_tasks
    rake = Rake::Application.new
    Rake.with_application(rake) { load File.expand_path("../../../lib/tasks/scalingo_staging_sync.rake", __dir__) }
    rake.tasks.map { |task| task.name.delete_prefix("scalingo_staging_sync:") }
  end

  def test_other_programs_variables_are_left_alone
    others = %w[BACKUP_TIME BACKUP_DIR BACKUP_FILES_DIR FORCE_COLOR FORCE_SSL FORMATS RUN DRY TRY_RUNNER DATABASE_URI DATABASE_URLS
                REDIS_URL SCALINGO_API_KEY SCANNER APPS APP CI NO_COLOR PATH HOME KUBE_DRY_RUN_MODE VERBOSITY
                npm_config_dry_run RENOVATE_DRY_RUN NO_DRY_RUN MIGRATIONS_DRY_RUN LAUNDRY_RUN DRY_RUNNER FORCE_RUN RUN_SYNC]
    assert_nil Variables.new(others.to_h { |name| [name, "something"] }).check!
  end

  def test_a_slip_that_says_no_means_what_happens_anyway
    assert_nil Variables.new("DRYRUN" => "false", "BACKUPFILE" => "").check!
  end

  def test_an_odd_value_of_ci_breaks_nothing_that_does_not_ask
    %w[woodpecker drone].each { |ci| assert_nil Variables.new("CI" => ci).check! }
  end

  def test_bytes_that_are_no_text_end_in_the_same_sentence
    assert_nil Variables.new("DRY\xFFRUNNER" => "1", "OTHER" => "\xFF").check!
    assert_includes wrong("DRY_RUN" => "\xFF"), "The variable DRY_RUN has a value, which says neither yes nor no."
  end

  def test_no_other_place_compares_a_variable_with_a_word
    files = Dir["#{__dir__}/../../../lib/**/*.{rb,rake}"].reject { |file| file.end_with?("support/variables.rb") }
    comparison = /(ENV|environment)\[[^\]]*\](\.to_s)?\s*(==|\.casecmp|\.match)/
    assert_empty(files.flat_map { |file| File.readlines(file).grep(comparison) })
  end
end

# What was typed on rake's line.
class CommandLineTest < Minitest::Test
  Variables = ScalingoStagingSync::Support::Variables

  def check(*line, names: [], values: [], task: "run")
    rake = Rake::Application.new
    task = rake.define_task(Rake::Task, task)
    Rake.with_application(rake) { rake.init("rake", line.dup) }
    arguments = Rake::TaskArguments.new(names, values)
    ScalingoStagingSync::Terminal::CommandLine.new(task, arguments, rake:, line:, variables: Variables.new(ENV)).check!
  end

  def refused(...)
    assert_raises(ScalingoStagingSync::ConfigurationError) { check(...) }.message
  end

  def test_a_line_that_all_of_which_counts_passes
    assert_nil check("run")
    assert_nil check("run", "FORMAT=json")
    assert_nil check("run[users]", names: [:table], values: ["users"])
  ensure
    ENV.delete("FORMAT")
  end

  def test_an_argument_that_nothing_takes_is_an_error
    assert_includes refused("run[60]", values: ["60"]), 'The task run takes no argument; "60" would have no effect.'
    assert_includes refused("run[a,b]", names: [:table], values: %w[a b]), "takes one argument, table"
    refute_includes refused("run", values: ["postgres://u:hush@h/d"]), "hush"
  end

  # Rake sets a variable for NAME=value and takes every other word for a task, which it would look for after this one.
  def test_a_word_that_rake_would_stumble_over_afterwards_is_an_error_before
    assert_includes refused("run", "DRY-RUN=1"), "There is no task \"DRY-RUN=1\". For the variable, write DRY_RUN=true."
    assert_includes refused("run", "--", "--dry-run"), "There is no task \"--dry-run\". For the variable, write DRY_RUN=true."
    assert_includes refused("run", "dry_run"), "DRY_RUN=true"
    assert_includes refused("run", "DRY_RUN"), "There is no task \"DRY_RUN\". For the variable, write DRY_RUN=true."
    assert_includes refused("run", "FORCE"), "write FORCE=true."
    assert_includes refused("run", "BACKUP_FILE"), "write BACKUP_FILE=..."
    assert_includes refused("run", "BACKUP-FILE=a"), "BACKUP_FILE=..."
    assert_includes refused("run", "rnu"), "There is no task \"rnu\". Remove it"
  end

  def test_a_variable_on_the_line_that_the_task_does_not_read_is_an_error
    assert_includes refused("status", "BACKUP_FILE=a", task: "status"), "The variable BACKUP_FILE has no effect on the task status: " \
                                                                        "run, dump, check, scan, suggest, preview and why read it. Remove BACKUP_FILE."
    ENV["VERBOSE"] = "1"
    assert_nil check("status", task: "status")
  ensure
    %w[BACKUP_FILE VERBOSE].each { |name| ENV.delete(name) }
  end

  # What is wrong in the initializer, logged as the app boots.
  def logged_at_boot(*tasks)
    log = StringIO.new
    ScalingoStagingSync.reset_configuration!.logger = Logger.new(log)
    rake = Rake::Application.new
    Rake.with_application(rake) do
      rake.init("rake", tasks)
      ScalingoStagingSync.configure { |config| config.pii_policy = "stop" }
    end
    log.string
  end

  def test_a_mistake_in_the_initializer_is_not_logged_at_boot_where_the_task_says_it
    assert_empty logged_at_boot("scalingo_staging_sync:run")
    assert_empty logged_at_boot("db:prepare", "scalingo_staging_sync:preview[users]")
    ["scalingo_staging_sync:masks", "scalingo_staging_sync:status", "assets:precompile"].each { |task| assert_includes logged_at_boot(task), "pii_policy" }
    assert_includes logged_at_boot, "pii_policy"
  ensure
    ScalingoStagingSync.reset_configuration!
  end

  def test_a_variable_in_small_letters_is_an_error_that_names_it
    assert_includes refused("run", "dry_run=1"), "The variable dry_run has no effect; there is one named DRY_RUN."
  ensure
    ENV.delete("dry_run")
  end
end
