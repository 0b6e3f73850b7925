# frozen_string_literal: true

require "zlib"
require_relative "integration_helper"

# Files that are not what they should be. What shows in the table of contents costs nothing.
class ArchiveErrorsTest < IntegrationTest
  # Where the length of the database's name stands in a header of version 1.15 or later: behind the magic, six bytes,
  # the compression and seven integers of five bytes.
  NAME_LENGTH = 11 + 1 + (7 * 5)

  def test_a_file_that_is_nothing_of_the_kind
    refused ScalingoStagingSync::ArchiveError, file("backup.tar.gz", Random.new(1).bytes(5000))
  end

  def test_an_empty_file
    refused ScalingoStagingSync::ArchiveError, file("backup.tar.gz", "")
  end

  def test_a_gzip_that_holds_no_tar
    refused ScalingoStagingSync::ArchiveError, file("backup.tar.gz", Zlib.gzip("not a tar\n" * 500))
  end

  def test_a_tar_that_holds_no_archive
    refused ScalingoStagingSync::ArchiveError, Postgres.pack(file("notes.txt", "notes"), directory: @directory)
  end

  def test_a_plain_sql_dump_is_recognised
    Postgres.run("pg_dump", "-f", path("plain.sql"), shop.url)
    error = refused ScalingoStagingSync::UnsupportedArchiveError, path("plain.sql")
    assert_match(/pg_dump -Fc/, error.message)
    error = refused ScalingoStagingSync::UnsupportedArchiveError, Postgres.pack(path("plain.sql"), directory: @directory)
    assert_match(/pg_dump -Fc/, error.message)
  end

  def test_a_version_that_is_not_read_yet
    refused ScalingoStagingSync::UnsupportedArchiveError, changed { |bytes| bytes.setbyte(6, 99) }
  end

  def test_a_version_that_is_too_old
    refused ScalingoStagingSync::UnsupportedArchiveError, changed { |bytes| bytes.setbyte(6, 7) }
  end

  def test_a_length_beyond_the_file
    skip "the header of this pg_dump is laid out otherwise" if Postgres.version < 16
    refused ScalingoStagingSync::ArchiveError, (changed { |bytes| bytes[NAME_LENGTH, 5] = "\x00\xff\xff\xff\x7f".b })
  end

  def test_a_negative_length
    skip "the header of this pg_dump is laid out otherwise" if Postgres.version < 16
    refused ScalingoStagingSync::ArchiveError, (changed { |bytes| bytes[NAME_LENGTH, 5] = "\x01\xff\xff\x00\x00".b })
  end

  def test_an_archive_that_ends_in_its_table_of_contents
    refused ScalingoStagingSync::ArchiveError, file("short.dump", File.binread(shop_dump, 3000))
  end

  def test_a_gzip_that_ends_in_the_table_of_contents
    refused ScalingoStagingSync::ArchiveError, file("short.tar.gz", File.binread(shop_archive, 1000))
  end

  def test_an_archive_that_ends_in_a_block_of_rows
    damaged file("short.dump", File.binread(shop_dump, File.size(shop_dump) * 8 / 10))
  end

  def test_a_gzip_that_ends_among_the_rows
    damaged file("short.tar.gz", File.binread(shop_archive, File.size(shop_archive) * 8 / 10))
  end

  def test_rows_whose_compression_is_damaged
    damaged(changed { |bytes| bytes[bytes.bytesize * 8 / 10, 200] = "\x55".b * 200 })
  end

  def test_a_file_that_is_not_there
    target = new_database
    outcome = assert_untouched(target) { Engine.run(Engine.settings(source: path("nothing"), target: target.url, rules: SHOP_RULES)) }
    refute_nil outcome.error
    assert_match(/nothing/, outcome.error.message)
  end

  private

  # The shop's archive with some bytes changed.
  def changed
    bytes = File.binread(shop_dump)
    yield bytes
    file("changed.dump", bytes)
  end

  def refused(error_class, archive)
    target = new_database
    assert_untouched(target) { assert_run_fails error_class, source: archive, target: target.url, rules: SHOP_RULES }
  end

  # Damage that only shows among the rows: the target is emptied by then, but nothing raw is in it.
  def damaged(archive)
    target = new_database
    assert_run_fails ScalingoStagingSync::ArchiveError, source: archive, target: target.url, rules: SHOP_RULES
    assert_nothing_raw target
    assert_equal "incomplete", target.value("SELECT status FROM scalingo_staging_sync.state")
    run!(source: shop_archive, target: target.url, rules: SHOP_RULES)
  end
end
