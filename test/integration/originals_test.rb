# frozen_string_literal: true

require "json"
require "open3"
require_relative "integration_helper"

# A program of another language, which shares nothing with the gem, takes a masked archive apart and searches it for what
# production holds.
class OriginalsTest < IntegrationTest
  PROGRAM = File.expand_path("../support/originals.py", __dir__)
  COMPRESSIONS = %w[gzip none zstd lz4].select do |name|
    %w[gzip none].include?(name) || (Postgres.version >= 16 && system("command -v #{name} >/dev/null"))
  end

  # Every value of a masked column that is no common word, as COPY writes it. A generated column is in no archive.
  def originals
    @originals ||= SHOP_MASKED.flat_map do |table, columns|
      (columns - ["greeting"]).flat_map { |column| shop.values("SELECT DISTINCT #{column}::text FROM #{table} WHERE length(#{column}::text) > 8") }
    end.uniq.map { |value| value.gsub("\\") { "\\\\" }.gsub("\n", "\\n").gsub("\t", "\\t") }
  end

  def searched(archive, first)
    output, status = Open3.capture2e("python3", PROGRAM, archive, first.to_s, file("originals.json", JSON.generate(originals)))
    assert status.success?, output
    JSON.parse(output)
  end

  def dump!(compression, rules)
    settings = Engine.settings(source: shop_dump, target: "postgres://none", rules:)
    report = ScalingoStagingSync::Native.dump(settings, { "to" => { "file" => path("masked.dump") }, "compression" => compression })
    [report[:archive][:tables].map { |table| table[:offset] }.min, report]
  end

  def test_no_original_is_in_the_archive_in_any_compression
    COMPRESSIONS.each do |compression|
      first, report = dump!(compression, SHOP_RULES)
      result = searched(path("masked.dump"), first)
      assert_empty result["found"], compression
      assert_equal report[:tables].size, result["blocks"] - report[:large_objects], compression
      assert_operator result["bytes"], :>, report[:tables].sum { |table| table[:bytes] }, compression
    end
  end

  # So that it is known to find them.
  def test_the_same_search_finds_every_original_in_an_archive_that_is_not_masked
    first, = dump!("gzip", {})
    assert_equal originals.sort, searched(path("masked.dump"), first)["found"].sort
  end
end
