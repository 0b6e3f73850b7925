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
    @bytes = Random.new(3).bytes(4000)
    File.binwrite(@archive, @bytes)
    MaskedArchive.seal(@archive)
  end

  def teardown = FileUtils.remove_entry(@directory)

  # Where it comes from, in pieces, as a server or a store hands it on.
  Place = Struct.new(:bytes, :manifest) do
    def name = "a place"
    def each(&) = bytes.scan(/.{1,700}/mn, &)
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

  def test_a_bit_that_is_flipped_anywhere_is_found_before_anything_is_loaded
    (0...@bytes.bytesize).step(7) do |at|
      assert_raises(ScalingoStagingSync::VerificationError, "byte #{at}") { fetched(flipped(at)) }
    end
    [0, 1, 5, 700, 2000, 3998, 3999].each do |at|
      File.binwrite(@archive, flipped(at))
      assert_raises(ScalingoStagingSync::VerificationError, "byte #{at}") { Archives::Local.new(@archive).open { flunk } }
    end
    assert_equal %w[staging.dump staging.dump.json], Dir.children(@directory).sort
  end

  def test_one_that_is_cut_off_or_has_more_is_found_too
    [@bytes[0...-1], @bytes[1..], "", "#{@bytes}x", @bytes[0, 2000] * 2].each do |bytes|
      assert_raises(ScalingoStagingSync::VerificationError, bytes.bytesize.to_s) { fetched(bytes) }
    end
  end
end
