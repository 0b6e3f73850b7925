# frozen_string_literal: true

require "test_helper"

class ConfigurationMistakesTest < Minitest::Test
  Configuration = ScalingoStagingSync::Configuration

  def setup
    @config = Configuration.new
  end

  def test_in_an_initializer_nothing_raises_and_each_mistake_is_kept_with_its_line
    deliberately_mistyped
    config = configured do |c|
      c.anonymisation_tables = []
      c.pii_policy = "stop"
      c.target_app = "mine"
      c.postgis = true
    end
    line = __LINE__ - 5
    place = "test/unit/configuration/mistakes_test.rb"
    assert_equal "#{place}:#{line}: There is no option config.anonymisation_tables; did you mean config.anonymization_tables?", config.problems[0]
    assert_equal "#{place}:#{line + 1}: config.pii_policy was given \"stop\" (String); it takes :warn, :fail or :mask.", config.problems[1]
    assert_equal "#{place}:#{line + 2}: config.target_app cannot be set: it is the variable APP.", config.problems[2]
    assert config.postgis
    assert_equal 3, log.string.scan(/WARN.*mistakes_test/).size
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { config.check! }
    config.problems.each { |problem| assert_includes error.message, problem }
  end

  def test_an_option_that_is_read_and_is_not_there_ends_the_block_but_not_the_boot
    looks_at_the_line_that_called
    config = configured do |c|
      c.exclude_table << "sessions"
      c.postgis = true
    end
    assert_includes config.problems.first, "configuration/mistakes_test.rb:#{__LINE__ - 3}: There is no option config.exclude_table;"
    assert_includes config.problems.first, "did you mean config.exclude_tables?"
    assert_includes config.problems.first, "was not read"
    refute config.postgis
  end

  # Gestures that would end in a backtrace of Ruby's while the app boots.
  def test_whatever_else_is_done_to_an_option_is_a_problem_with_its_line
    looks_at_the_line_that_called
    { ->(c) { c.exclude_tables! "x" } => "There is no config.exclude_tables!; set the option by config.exclude_tables = ...",
      ->(c) { c.exclude_tables? } => "There is no config.exclude_tables?; set the option by config.exclude_tables = ...",
      ->(c) { c.exclude_tables "x" } => "config.exclude_tables was called with a value, which sets nothing; write config.exclude_tables = ... instead.",
      ->(c) { c.exclude_table "x" } => "There is no option config.exclude_table; did you mean config.exclude_tables?",
      ->(c) { c.exclude_table!("x") } => "There is no option config.exclude_table!; did you mean config.exclude_tables?",
      ->(c) { c.Exclude_tables = ["x"] } => "There is no option config.Exclude_tables; did you mean config.exclude_tables?",
      ->(c) { c[:exclude_tables] = ["x"] } => "Options are set by their names, such as config.exclude_tables = [], not by config[...].",
      ->(c) { c[:exclude_tables] } => "Options are set by their names, such as config.exclude_tables = [], not by config[...].",
      ->(c) { c.exclude_tables.add("x") } => "config.exclude_tables has no method add; add to it by <<, or set it by =.",
      ->(c) { c.pii_ignore.push("x") } => "config.pii_ignore has no method push; add to it by <<, or set it by =." }.each do |slip, sentence|
      config = configured(&slip)
      assert_equal 1, config.problems.size, sentence
      assert config.problems.first.start_with?("test/unit/configuration/mistakes_test.rb:#{slip.source_location.last}: #{sentence}"), config.problems.first
    end
    assert_raises(NoMethodError) { configured { |_| Object.new.exclude_tables } }
    assert_raises(ArgumentError) { @config.exclude_tables "x" }
  end

  LATIN = "caf\xE9"

  # As in an initializer that was saved as Latin-1.
  def test_text_that_is_not_utf8_is_a_problem_that_names_the_option_and_shows_no_raw_byte
    deliberately_mistyped
    { subset: [{ LATIN => :all }, { "u" => LATIN }, { "u" => { where: LATIN } }, { "u" => { first: 1, by: [LATIN] } }, { "u" => { on_missing: { LATIN => :nullify } } },
               { "u" => { on_missing: LATIN } }, { "u" => { LATIN => 1 } }],
      limits: [{ "u" => { max_rows: 1, order_by: LATIN } }, { "u" => { max_rows: 1, direction: LATIN } }],
      subset_references: [{ LATIN => "u" }, { "a.b" => LATIN }, { "a.b" => { LATIN => { "P" => "p" } } }], keep_tables: [[LATIN], LATIN], exclude_tables: [[LATIN]],
      include_tables: [["a", LATIN.b]], reset_counters: [LATIN], pii_policy: [LATIN], seeds_file_path: [LATIN], pii_ignore: [{ "a.b" => LATIN }] }.each do |name, values|
      values.each do |value|
        set = configured { |c| c.public_send(:"#{name}=", value) }
        added = (configured { |c| c.public_send(name).public_send(*(value.is_a?(Hash) ? [:merge!, value] : [:concat, value])) } if value.is_a?(Enumerable))
        [set, *added].each do |config|
          assert_equal 1, config.problems.size, [name, value]
          assert config.problems.first.end_with?(": config.#{name} was given text that cannot be read. \"caf\\xE9\" is not UTF-8 text; save the file that sets it as UTF-8.")
        end
      end
    end
  end

  def test_a_secret_that_is_not_utf8_is_not_shown
    deliberately_mistyped
    config = configured do |c|
      c.slack_webhook_url = "https://hush\xE9"
      c.anonymization_secret = "hush\xE9 and more of it"
      c.anonymization_tables = [{ table: "users", columns: { code: { mask: "password", password: "hush\xE9" } } }]
    end
    said = [*config.problems, *config.warnings]
    assert_equal 3, said.grep(/not UTF-8 text; save the file/).size
    assert_empty said.grep(/hush/)
  end

  def test_each_fault_of_one_option_is_listed_apart
    deliberately_mistyped
    config = configured do |c|
      c.subset = { "users" => { wher: 1, lst: 5 }, "orders" => :al }
      c.subset_references = { "users" => "a", "a.b" => [] }
      c.limits = { "visits" => { max_rows: 5 } }
      c.limits["logs"] = { direction: "up" }
      c.anonymization_tables << { tabel: "a", stratgy: :b }
    end
    said = config.problems.map { |problem| problem[/\A.+?: (.*)\z/m, 1] }
    assert_equal ["config.subset: users: there is no key :wher; did you mean :where?", "config.subset: users: there is no key :lst; did you mean :last?",
                  "config.subset: orders: it takes :all, :referenced or a Hash with :where, :first, :last, :by, :on_missing and :allow_empty, as needed.",
                  'config.subset_references: "users": it names no table and column; write table.column, or table.column,column for a key of several.',
                  'config.subset_references: "a.b": what it refers to cannot be read; write a table, { "table" => "column" }, ' \
                  '{ "type_column" => { "Type" => "table" } } or false.',
                  "config.limits: logs: it has no :max_rows; say how many rows may come.", 'config.limits: logs: :direction takes "asc" or "desc".',
                  "config.anonymization_tables: Entry 1: there is no key :tabel; did you mean :table?",
                  "config.anonymization_tables: Entry 1: there is no key :stratgy; did you mean :strategy?"], said
    error = assert_raises(ScalingoStagingSync::ConfigurationError) { config.check! }
    assert_equal ["The configuration is wrong in 9 places:", *config.problems.map { |problem| "- #{problem}" }], error.what.lines.map(&:chomp)
    direct = assert_raises(ArgumentError) { @config.subset = { "users" => { wher: 1, lst: 5 } } }
    assert_equal 2, direct.message.lines.grep(/\A- config\.subset: users: there is no key/).size
  end

  def test_text_in_another_encoding_is_converted
    @config.subset = { "caf\u00E9".encode("ISO-8859-1") => { where: "a = '\u00E9'".encode("UTF-16LE"), first: 1, by: "\u00E9".encode("ISO-8859-1").to_sym } }
    assert_equal({ "caf\u00E9" => { where: "a = '\u00E9'", first: 1, by: :é } }, @config.subset)
    @config.keep_tables = ["caf\u00E9".encode("UTF-16LE"), "plain".b]
    assert_equal %W[caf\u00E9 plain], @config.keep_tables
    config = configured { |c| c.subset = { "users" => { where: LATIN }, "caf\u00E9".encode("ISO-8859-1") => :all } }
    assert_equal({ "caf\u00E9" => :all }, config.sound_part.subset)
    key = Random.bytes(32)
    @config.anonymization_secret = key
    assert_equal key, @config.anonymization_secret
  end

  def test_a_wrong_value_of_a_cosmetic_option_is_a_warning
    deliberately_mistyped
    config = configured do |c|
      c.slack_channel = 7
      c.slack_locale = "de"
      c.slack_webhook_url = "hush"
      c.parallel_connections = "many"
      c.anonymization_retry_attempts = -1
    end
    assert_empty config.problems
    assert_equal 5, config.warnings.size
    refute_includes config.warnings.join, "hush"
    assert_equal [nil, :fr, nil, 3, 3], %i[slack_channel slack_locale slack_webhook_url parallel_connections anonymization_retry_attempts]
      .map { |name| config.public_send(name) }
    assert_nil config.check!
  end

  def test_a_right_value_that_comes_later_corrects_it
    deliberately_mistyped
    config = configured { |c| c.pii_policy = :stop }
    refute_empty config.problems
    config.pii_policy = :mask
    assert_empty config.problems
  end

  def test_outside_of_configure_an_option_that_is_not_there_raises_with_its_line_alone
    looks_at_the_line_that_called
    [-> { @config.anonymisation_tables = [] }, -> { @config.anonymisation_tables }].each do |slip|
      error = assert_raises(Configuration::UnknownOption, &slip)
      assert_kind_of NoMethodError, error
      assert_includes error.message, "did you mean config.anonymization_tables?"
      assert_equal 1, error.backtrace.size
      assert_includes error.backtrace.first, __FILE__
    end
    assert_includes assert_raises(Configuration::UnknownOption) { @config.zzz }.message, "docs/options.md"
  end

  def test_rubys_own_questions_are_answered_as_ever
    assert_equal [@config], [@config].flatten
    assert_equal [@config], Array(@config)
    refute_respond_to @config, :exclude_table
    error = assert_raises(NoMethodError) { @config.to_h }
    refute_kind_of Configuration::UnknownOption, error
  end

  def test_each_entry_that_is_wrong_is_reported_with_its_table
    deliberately_mistyped
    error = assert_raises(ArgumentError) do
      @config.anonymization_tables = [{ table: "users", strategy: :user_anonymization }, { table: "orders", querry: "UPDATE" },
                                      { table: "notes", query: "UPDATE", columns: { a: :b } }, { strategy: :x }, 7,
                                      { table: "people", columns: { a: :b }, keep: { a: "x" } }, { tabel: "a", stratgy: :b }]
    end
    ["Entry 2 (table orders): there is no key :querry; did you mean :query?", "Entry 7: there is no key :tabel; did you mean :table?",
     "Entry 3 (table notes): :columns and :query exclude one another", "Entry 4: it has no :table.", "Entry 5: it is no Hash.",
     "Entry 6 (table people): one of its values"].each { |expected| assert_includes error.message, expected }
    refute_includes error.message, "Entry 1"
    refute_match(/Entry 2[^:]*: it has|Entry 7: it has/, error.message, "what has a wrong name is said once")
  end
end
