# frozen_string_literal: true

require "test_helper"

# cron.json: schedules that Scalingo takes, and the run scheduled beside what is there.
class CronFileTest < Minitest::Test
  CronFile = ScalingoStagingSync::Cron::Jobs
  CronSchedule = ScalingoStagingSync::Cron::Schedule
  SUNDAYS = "0 3 * * 0"
  JOB = { "command" => "0 3 * * 0 bundle exec rake scalingo_staging_sync:run", "size" => "M" }.freeze

  def scheduled(text, schedule = SUNDAYS) = CronFile.new(text).schedule(schedule)

  def refused(text, schedule = SUNDAYS)
    assert_raises(ScalingoStagingSync::ConfigurationError) { scheduled(text, schedule) }
  end

  # --- schedules -----------------------------------------------------------------------------------

  def test_a_schedule_has_numbers_names_ranges_lists_and_steps
    ["0 3 * * 0", "30 2 * * 1-5", "0 */6 * * *", "0,20,40 * * * *", "5-55/10 3 1,15 jan-mar *", "0 3 * * SUN,Wed", "0 0 29 2 *",
     "0 3 31 2,3 *", "0 3 31 2 1", "*/10 * * * *"].each { |text| assert_equal text, CronSchedule.new(text).text }
    assert_equal SUNDAYS, CronSchedule.new("  0  3 * *\t0 ").text
  end

  def test_what_is_no_schedule_is_refused_with_the_reason
    { "" => "0 fields", "0 3 * *" => "4 fields", "0 3 * * 0 2026" => "6 fields", "@weekly" => "@ words", "60 3 * * 0" => "minute is from 0 to 59",
      "0 24 * * 0" => "hour is from 0 to 23", "0 3 0 * *" => "day of the month is from 1 to 31", "0 3 * 13 *" => "month is from 1 to 12",
      "0 3 * * 7" => "0 is Sunday", "0 3 * * sunday" => "day of the week is from", "0 3 * foo *" => "month is from", "-5 3 * * 0" => "minute",
      "+5 3 * * 0" => "minute is from", "1_0 3 * * 0" => "minute is from", "0 3 * * 0x1" => "day of the week is from",
      "0 3 * * 5-1" => "ends before it begins", "0 3 * * ?" => "day of the week is from", "0 3 L * *" => "day of the month",
      "0 3 * * 1#2" => "day of the week", "0/5 3 * * *" => "step in the minute", "*/0 3 * * *" => "above 0", "1, 3 * * 0" => "minute",
      ", 3 * * 0" => "minute", "0 3 31 2 *" => "no such day", "0 3 31 4,6 *" => "no such day" }.each do |text, reason|
      error = assert_raises(CronSchedule::Invalid, text) { CronSchedule.new(text) }
      assert_includes error.message, reason, text
    end
  end

  def test_starts_closer_together_than_scalingo_takes_are_refused
    ["* * * * *", "*/5 * * * *", "0,55 * * * *", "0,9 3 * * 0", "0,55 0,23 * * *"].each do |text|
      error = assert_raises(CronSchedule::Invalid, text) { CronSchedule.new(text) }
      assert_match(/starts are \d+ min apart/, error.message)
    end
  end

  # --- the file ------------------------------------------------------------------------------------

  def test_a_new_file_has_the_one_job
    [nil, "", " \n", "{}", '{"jobs": []}'].each do |text|
      assert_equal({ "jobs" => [JOB] }, JSON.parse(scheduled(text)))
    end
    assert_equal "#{JSON.pretty_generate("jobs" => [JOB])}\n", scheduled(nil)
  end

  def test_other_jobs_and_keys_stay_as_they_are_written
    before = <<~JSON
      {
        "note" : "jobs: [ {} ]",
        "jobs": [
          { "command": "0 7 * * * bin/newsletter \\"all\\" [x] {y}",   "size": "S" },
          {
            "command": "*/10 * * * * rails orders:check"
          }
        ],
        "other": {"jobs": [{"command": "not a job"}]}
      }
    JSON
    after = scheduled(before)
    assert_equal JSON.parse(before)["jobs"] + [JOB], JSON.parse(after)["jobs"]
    assert_equal JSON.parse(before).except("jobs"), JSON.parse(after).except("jobs")
    assert_includes after, <<-JSON
    {
      "command": "*/10 * * * * rails orders:check"
    },
    {
      "command": "0 3 * * 0 bundle exec rake scalingo_staging_sync:run",
      "size": "M"
    }
  ],
    JSON
    assert_includes after, before.lines[3]
    assert_includes after, before.lines.last(2).join
  end

  def test_the_new_job_is_laid_out_as_the_last_one_is
    before = %({ "jobs": [ { "command": "0 7 * * * bin/newsletter" } ] }\r\n)
    assert_equal %({ "jobs": [ { "command": "0 7 * * * bin/newsletter" }, { "command": "#{JOB["command"]}", "size": "M" } ] }\r\n), scheduled(before)
  end

  def test_scheduling_it_twice_adds_it_once
    once = scheduled('{"jobs":[{"command":"0 7 * * * bin/newsletter"}]}')
    assert_equal once, scheduled(once)
    assert_equal once, scheduled(once, " 0  3 * * 0 ")
  end

  def test_another_time_moves_the_job_that_runs_it
    before = <<~JSON
      {"jobs": [
        {"command": "0  3 * * 0 VERBOSE=true bundle exec rails scalingo_staging_sync:run", "size": "L"},
        {"command": "0 7 * * * bin/newsletter"}
      ]}
    JSON
    assert_equal before.sub("0  3 * * 0", "0 4 * * 6"), scheduled(before, "0 4 * * 6")
    assert_equal before, scheduled(before, "0 3 * * 0")
  end

  def test_a_job_that_runs_another_task_is_not_taken_for_it
    ["scalingo_staging_sync:run_all", "my:scalingo_staging_sync:run", "scalingo_staging_sync:run:x", "scalingo_staging_sync:status"].each do |task|
      text = JSON.generate("jobs" => [{ "command" => "0 5 * * * rake #{task}" }])
      assert_equal 2, JSON.parse(scheduled(text))["jobs"].size, task
      assert_empty CronFile.new(text).own
    end
  end

  def test_of_several_jobs_that_run_it_none_is_changed
    text = JSON.generate("jobs" => ["0 3 * * 0", "0 3 * * 3"].map { |time| { "command" => "#{time} rake scalingo_staging_sync:run" } })
    assert_includes refused(text, "0 4 * * 0").message, "2 jobs"
    assert_equal text, scheduled(text, "0 3 * * 3")
  end

  def test_a_job_of_ours_without_a_schedule_is_not_guessed_at
    assert_includes refused('{"jobs":[{"command":"bundle exec rake scalingo_staging_sync:run"}]}').message, "does not begin with a schedule"
  end

  def test_scalingo_schedules_five_jobs_and_no_sixth_is_written
    jobs = Array.new(5) { |hour| { "command" => "0 #{hour} * * * bin/work" } }
    assert_includes refused(JSON.generate("jobs" => jobs)).message, "has 5 jobs already"
    assert_equal 5, JSON.parse(scheduled(JSON.generate("jobs" => jobs.drop(1))))["jobs"].size
    refute_predicate CronFile.new(JSON.generate("jobs" => jobs)), :too_many?
    assert_predicate CronFile.new(JSON.generate("jobs" => jobs + [JOB])), :too_many?
  end

  def test_what_is_not_such_a_file_is_refused
    ["[", "{", "[]", "1", '"jobs"', "null", '{"jobs":{}}', '{"jobs":[1]}', '{"jobs":[{}]}', '{"jobs":[{"command":1}]}', "{\"jobs\":null}",
     "{\"jobs\":[],}", "\xEF\xBB\xBF{}", "\xFF", "// jobs\n{\"jobs\":[]}", "{\"jobs\":[] /* none */}"].each do |text|
      error = refused(text)
      assert_match(/\Acron\.json (is not|has a comment).*Correct cron\.json/m, error.message, text.inspect)
    end
  end

  def test_a_bad_schedule_is_named_with_what_to_give
    error = refused("{}", "every sunday")
    assert_equal 'The schedule "every sunday" cannot be used: it has 2 fields, not five: minute, hour, day of the month, month, ' \
                 'day of the week. Give five fields in UTC, such as "0 3 * * 0" for Sundays at 3.', error.message
  end

  def test_keys_that_stand_twice_count_as_json_has_it
    text = '{"jobs":[{"command":"0 1 * * * a"}],"jobs":[{"command":"0 2 * * * b"}]}'
    assert_equal [{ "command" => "0 2 * * * b" }, JOB], JSON.parse(scheduled(text))["jobs"]
  end
end
