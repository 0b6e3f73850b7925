# frozen_string_literal: true

require_relative "integration_helper"

# One field of 100 MB: memory grows by that field, and by as much again for the masked form of its row.
class LargeFieldTest < IntegrationTest
  MIB = 1024 * 1024

  # Says how far this process's peak memory (VmHWM, proc(5)) is above what it was before the run.
  MEASURE = <<~RUBY
    require "json"
    require "scalingo_staging_sync"
    peak = -> { File.read("/proc/self/status")[/^VmHWM:\\s+(\\d+)/, 1].to_i * 1024 }
    before = peak.call
    ScalingoStagingSync::Native.run(JSON.parse($stdin.read)) { |_| nil }
    puts peak.call - before
  RUBY

  def setup
    super
    skip "needs Linux' /proc" unless File.exist?("/proc/self/status")
  end

  def test_a_field_of_a_hundred_megabytes_passes_within_the_bound_and_that_field
    source = new_database("large")
    source.exec(<<~SQL)
      CREATE TABLE papers (id bigint PRIMARY KEY, email text, body text);
      INSERT INTO papers SELECT 1, 'a@b.example', string_agg(md5(i::text), '') FROM generate_series(1, 3276800) AS i;
      INSERT INTO papers SELECT i, 'c@d.example', 'short' FROM generate_series(2, 1000) AS i;
    SQL
    field = source.value("SELECT octet_length(body) FROM papers WHERE id = 1").to_i
    assert_operator field, :>=, 100 * MIB
    archive = source.dump(path("large.dump"))
    { {} => 1, { "papers" => :email_anonymization } => 2 }.each do |rules, times|
      staging = new_staging
      grown = peak_memory(Engine.settings(source: archive, target: staging.url, rules:))
      assert_operator grown, :<, (64 * MIB) + (times * field), "with #{rules.empty? ? "no rule" : "a mask in its row"}"
      assert_equal source.value("SELECT md5(body) FROM papers WHERE id = 1"),
                   staging.database.value("SELECT md5(body) FROM papers WHERE id = 1")
    end
  end

  private

  def peak_memory(settings)
    output, status = Open3.capture2e(RbConfig.ruby, "-I#{Engine::ROOT}/lib", "-e", MEASURE, stdin_data: JSON.generate(settings))
    assert_predicate status, :success?, output
    Integer(output)
  end
end
