# frozen_string_literal: true

require "test_helper"
require "active_record"
require "support/masked_archive"

# An archive that is pulled is the one that its sealed manifest describes, byte for byte.
class ArchivesTest < Minitest::Test
  Archives = ScalingoStagingSync::Archives

  def setup
    @directory = Dir.mktmpdir
    @archive = "#{@directory}/staging.dump"
    staging_config
    # A head, a table of contents, blocks and an end; any byte may be hit.
    @bytes = Random.new(3).bytes(300)
    File.binwrite(@archive, @bytes)
    MaskedArchive.seal(@archive)
  end

  def teardown = FileUtils.remove_entry(@directory)

  # Where it comes from, in pieces, as a server or a store hands it on.
  Place = Struct.new(:bytes, :manifest) do
    def name = "a place"
    def each(&) = bytes.scan(/.{1,70}/mn, &)
  end

  def manifest = Archives::Local.new(@archive).manifest

  def fetched(bytes)
    Archives::Fetched.new(Place.new(bytes, manifest), @directory).open { |path| return File.binread(path) }
  end

  def flipped(at) = @bytes.dup.tap { |bytes| bytes.setbyte(at, bytes.getbyte(at) ^ (1 << (at % 8))) }

  def test_an_archive_comes_as_it_was_sealed_and_leaves_no_file
    assert_equal @bytes, fetched(@bytes)
    assert_equal %w[staging.dump staging.dump.json], Dir.children(@directory).sort
  end

  # Each byte of the archive with one bit that is another, and each beginning of it.
  def damaged
    @bytes.bytesize.times do |at|
      yield flipped(at), "byte #{at}"
      yield @bytes[0, at], "cut off at #{at}"
    end
  end

  def test_damage_anywhere_is_found_before_anything_is_loaded_of_what_is_fetched
    damaged do |bytes, what|
      assert_raises(ScalingoStagingSync::VerificationError, what) { fetched(bytes) }
    end
    assert_equal %w[staging.dump staging.dump.json], Dir.children(@directory).sort
  end

  def test_damage_anywhere_is_found_before_anything_is_loaded_of_a_file
    damaged do |bytes, what|
      File.binwrite(@archive, bytes)
      assert_raises(ScalingoStagingSync::VerificationError, what) { Archives::Local.new(@archive).open { flunk } }
    end
  end

  def test_damage_anywhere_in_a_manifest_is_found
    text = File.binread("#{@archive}.json")
    text.bytesize.times do |at|
      changed = text.dup.tap { |bytes| bytes.setbyte(at, bytes.getbyte(at) ^ (1 << (at % 8))) }
      [changed, *(text[0, at] if (at % 16).zero?)].each do |bytes|
        File.binwrite("#{@archive}.json", bytes)
        assert_raises(ScalingoStagingSync::VerificationError, "byte #{at}") { manifest }
      end
    end
  end

  def test_one_that_has_more_or_other_bytes_is_found_too
    [@bytes[1..], "#{@bytes}x", @bytes[0, 150] * 2].each do |bytes|
      assert_raises(ScalingoStagingSync::VerificationError, bytes.bytesize.to_s) { fetched(bytes) }
    end
  end
end
