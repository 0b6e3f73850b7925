# frozen_string_literal: true

require "test_helper"

class FiguresTest < Minitest::Test
  Figures = ScalingoStagingSync::Support::Figures

  def test_numbers_read_as_people_read_them
    assert_equal %w[0 999 1,000 1,234,567], [0, 999, 1000, 1_234_567].map { |number| Figures.count(number) }
    assert_equal ["0 B", "999 B", "1.0 kB", "1.2 GB", "340 GB", "5000 TB"],
                 [0, 999, 1000, 1_200_000_000, 340_000_000_000, 5 * (10**15)].map { |number| Figures.bytes(number) }
    assert_equal ["0.0 s", "40 ms", "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"], [0, 0.04, 0.42, 12, 200, 7500].map { |number|
                                                                                   Figures.seconds(number)
                                                                                 }
    assert_equal ["1 row", "2 rows", "0 rows"], [1, 2, 0].map { |number| Figures.counted(number, "row") }
  end

  def test_moments_read_as_people_read_them_and_what_is_no_moment_stays
    assert_equal ["2026-11-21 01:21 UTC", "last night"], ["2026-11-21T02:21:30.193+01:00", "last night"].map { |time| Figures.moment(time) }
    now = Time.utc(2026, 11, 21, 8)
    assert_equal ["6 h old", "4 days old", nil], ["2026-11-21T02:00:00Z", "2026-11-17T02:00:00Z", "?"].map { |time| Figures.age(time, now:) }
  end
end
