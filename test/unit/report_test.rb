# frozen_string_literal: true

require "test_helper"

# The engine's Hashes as data, and the sums that are formed of them.
class ReportDataTest < Minitest::Test
  Run = ScalingoStagingSync::Report::Run
  Finding = ScalingoStagingSync::Report::Finding

  def column(**facts) = { name: "email", mask: "a pseudonym", masked: 0, kept: 0, nulls: 0, violations: 0, **facts }

  def run_of(**facts) = Run.of(FakeNative::REPORT.merge(facts))

  def test_rows_values_and_violations_are_summed_over_all_tables
    tables = [{ table: "a", rows: 5, bytes: 10, columns: [column(masked: 3, violations: 1), column(masked: 2)] },
              { table: "b", rows: 7, bytes: 1, columns: [column(masked: 1, violations: 2)] }, { table: "c", rows: 1, bytes: 0, columns: [] }]
    run = run_of(tables:)
    assert_equal [13, 6, 3], [run.rows, run.masked_values, run.violations]
    assert_equal [%w[a b], %w[c]], [run.masked_tables, run.copied_tables].map { |some| some.map(&:name) }
  end

  def test_the_size_is_the_databases_and_else_that_of_the_rows
    assert_equal 23_000, run_of(size_after: 23_000).size
    assert_equal [9_000_060] * 2, [run_of(size_after: 0), run_of].map(&:size)
  end

  def test_only_a_leak_that_is_certain_fails_a_run
    leaks = [true, false, nil].map { |certain| { table: "a", column: "b", certain:, expected_by_chance: 1.26 } }
    assert_equal [leaks.first[:certain]], run_of(leaks:).certain_leaks.map(&:certain)
    assert_in_delta 1.3, run_of(leaks:).leaks.last.by_chance
  end

  def test_accounts_with_a_known_password_are_summed_over_columns
    assert_equal 7, run_of(known_passwords: [{ accounts: 3 }, { accounts: 4 }]).accounts_with_known_password
    assert_equal 0, run_of.accounts_with_known_password
  end

  def test_a_phase_begins_where_those_before_it_end
    phases = run_of(phases: [{ name: :plan, seconds: 0.25 }, { name: "rows", seconds: 2.0 }, { name: "verify", seconds: 1.0 }]).phases
    assert_equal [["plan", 0.0], ["rows", 0.25], ["verify", 2.25]], phases.map { |phase| [phase.name, phase.started] }
  end

  def test_a_finding_is_open_until_a_rule_a_mask_or_its_owner_has_settled_it
    open = %w[uncovered withheld masked covered ignored].select { |status| Finding.of({ table: "t", column: "c", status: }).open? }
    assert_equal %w[uncovered withheld], open
    assert_predicate Finding.of({ table: "t", column: "c", status: :uncovered }), :uncovered?
  end

  def test_a_finding_about_a_whole_table_is_named_by_it
    assert_equal %w[public.jobs public.users.email],
                 [["public.jobs", "*"], ["public.users", "email"]].map { |table, column| Finding.of({ table:, column: }).place }
  end

  def test_what_the_engine_leaves_out_is_empty_and_no_error
    run = Run.of({ seconds: 0.5 })
    assert_equal [0, 0, 0, 0], [run.rows, run.size, run.findings.size, run.masked_values]
    assert_empty [*run.tables, *run.warnings, *run.excluded, *run.left_out, *run.leaks, *run.channels, *run.phases]
    assert_nil run.backup
  end

  def test_a_blocks_report_stays_the_engines_hash_with_the_same_sums
    report = ScalingoStagingSync::Report.new(:after_sync, engine: FakeNative::REPORT, config: staging_config)
    assert_same FakeNative::REPORT, report.to_h
    assert_same FakeNative::REPORT[:tables], report.tables
    assert_equal [50_002, 49_000], [report.rows, report.masked_values]
  end

  def test_how_its_verification_ended_is_said_also_where_none_was_asked_for
    run = ->(verified) { ScalingoStagingSync::Report::Run.of({ verified: }) }
    assert_equal "verified", run.call(true).verification(asked: true)
    assert_includes run.call(false).verification(asked: true), "FAILED"
    assert_equal "not verified, as configured", run.call(false).verification(asked: false)
  end
end
