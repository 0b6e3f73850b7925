# frozen_string_literal: true

require_relative "integration_helper"

# Without rules, the gem's restore and pg_restore's make the same database, for every way to write an archive; and so do both of the
# archive that the gem writes of it.
class RestoreEqualityTest < IntegrationTest
  # What a staging restore leaves out of an archive, as pg_restore -l names it.
  LEFT_OUT = /\A\S+ \d+ \d+ (?:SCHEMA - pghero |\S.* pghero |FOREIGN DATA WRAPPER |SERVER |USER MAPPING |FOREIGN TABLE )/

  EVERY_KIND = File.expand_path("every_kind.sql", __dir__)

  def self.every_kind
    @every_kind ||= Postgres.create_database("every_kind").tap do |database|
      database.load_sql(EVERY_KIND)
      Minitest.after_run { database.drop }
    end
  end

  def test_the_demo_shop_as_scalingo_packs_it
    assert_restored_alike shop_archive, shop_dump
  end

  def test_an_archive_as_pg_dump_writes_it
    assert_restored_alike shop_dump
  end

  def test_a_tar_that_is_not_compressed
    FileUtils.cp(shop_dump, path("shop.pgsql"))
    system("tar", "-cf", path("shop.tar"), "-C", @directory, "./shop.pgsql", exception: true)
    assert_restored_alike path("shop.tar"), shop_dump
  end

  def test_a_database_with_every_kind_of_object
    assert_restored_alike every_kind.dump(path("dump"))
  end

  def test_an_archive_without_compression
    assert_restored_alike every_kind.dump(path("dump"), "-Z0")
  end

  def test_an_archive_at_the_highest_gzip_level
    assert_restored_alike every_kind.dump(path("dump"), "-Z9")
  end

  def test_an_lz4_archive
    needs_version 16
    assert_restored_alike every_kind.dump(path("dump"), "--compress=lz4")
  end

  def test_a_zstd_archive
    needs_version 16
    assert_restored_alike every_kind.dump(path("dump"), "--compress=zstd")
  end

  def test_a_zstd_archive_with_a_long_window
    needs_version 16
    assert_restored_alike every_kind.dump(path("dump"), "--compress=zstd:level=3,long")
  end

  def test_an_archive_written_to_a_pipe_has_no_offsets
    assert_restored_alike every_kind.dump_to_pipe(path("dump"))
  end

  def test_insert_statements
    assert_restored_alike every_kind.dump(path("dump"), "--inserts")
  end

  def test_insert_statements_with_column_names
    assert_restored_alike every_kind.dump(path("dump"), "--column-inserts")
  end

  def test_insert_statements_of_many_rows
    assert_restored_alike every_kind.dump(path("dump"), "--rows-per-insert=7")
  end

  def test_partitions_loaded_by_way_of_their_root
    assert_restored_alike every_kind.dump(path("dump"), "--load-via-partition-root")
  end

  def test_an_archive_in_another_encoding
    assert_restored_alike shop.dump(path("dump"), "--encoding=UTF8", "--exclude-table-data=comments")
    latin = new_database("latin")
    latin.exec("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'déjà vu'), (2, E'tab\\t')")
    assert_restored_alike latin.dump(path("latin"), "--encoding=LATIN1")
  end

  def test_an_archive_without_large_objects
    assert_restored_alike every_kind.dump(path("dump"), without_large_objects)
  end

  def test_a_dump_of_some_tables_only
    assert_restored_alike shop.dump(path("dump"), "-t", "sessions", "-t", "schema_migrations")
  end

  def test_a_dump_of_the_schema_only
    assert_restored_alike shop.dump(path("dump"), "--schema-only")
  end

  def test_many_large_objects
    large = new_database("large_objects")
    large.exec("SELECT lo_from_bytea(0, convert_to('object ' || n, 'UTF8')) FROM generate_series(1, 3000) AS n")
    assert_restored_alike large.dump(path("dump"))
  end

  def test_a_target_that_is_full_of_other_things_ends_up_the_same
    target = new_database
    target.load_sql(without_global_objects(EVERY_KIND))
    target.exec("CREATE TABLE public.users (something_else int); CREATE SCHEMA leftovers; CREATE TABLE leftovers.t ()")
    expected = new_database("expected").restore(shop_dump)
    run!(source: shop_archive, target: target.url)
    # Extensions stay in a target, so those that the archive has not are taken out here.
    target.exec("DROP EXTENSION hstore; DROP EXTENSION btree_gist")
    assert_same_text expected.canonical_dump, target.canonical_dump, "the target is not the archive's alone"
  end

  def test_the_same_target_twice
    target = new_database
    2.times { run!(source: shop_archive, target: target.url) }
    assert_same_text new_database("expected").restore(shop_dump).canonical_dump, target.canonical_dump,
                     "the second run left something else"
  end

  private

  def without_large_objects = (Postgres.version >= 16) ? "--no-large-objects" : "--no-blobs"

  def every_kind = self.class.every_kind

  def needs_version(version)
    skip "pg_dump #{Postgres.version} does not write this compression" if Postgres.version < version
  end

  # Also the second time, into what the first has made. `dump` is the archive as pg_restore can read it.
  def assert_restored_alike(archive, dump = archive)
    expected = new_database("expected").restore(dump) { |line| line.match?(LEFT_OUT) }
    target = new_database
    expected = expected.canonical_dump
    %w[first second].each do |time|
      run!(source: archive, target: target.url)
      assert_same_text expected, target.canonical_dump, "pg_restore made another database than the #{time} run"
    end
    assert_dumped_alike archive, expected
  end

  # The gem's own archive of that database, restored by pg_restore and by the gem.
  def assert_dumped_alike(archive, expected)
    dumped = path("dumped")
    ScalingoStagingSync::Native.dump(Engine.settings(source: archive, target: "postgres://none"),
                                     { "to" => { "file" => dumped }, "compression" => "gzip" })
    refute_empty Postgres.run("pg_restore", "-l", dumped)
    restored = Postgres.restore_in_parallel(dumped) { new_database }
    assert_same_text expected, restored.canonical_dump, "pg_restore made another database of the gem's archive"
    again = new_database
    run!(source: dumped, target: again.url)
    assert_same_text expected, again.canonical_dump, "the gem made another database of its own archive"
  end

  # Event triggers, and what the platform alone may make, belong to the whole database and not to a schema.
  def without_global_objects(sql)
    file("every_kind.sql", File.read(sql).lines.grep_v(/EVENT TRIGGER|PUBLICATION|SERVER|FOREIGN DATA|FOREIGN TABLE|USER MAPPING/).join)
  end
end
