# frozen_string_literal: true

require "digest"
require "json"
require "time"

# A masked archive as a dump leaves it: pg_dump's file of a database that holds nothing personal, and the sealed manifest
# beside it, made with the gem's own seal under the configured key.
module MaskedArchive
  module_function

  # path::     the archive, which is there
  # tables::   { "public.users" => rows }
  # made_at::  when it is to have been made
  # Returns the manifest's path.
  def seal(path, tables: {}, made_at: Time.now, config: ScalingoStagingSync.configuration, **more)
    facts = {
      manifest_version: 1, kind: "masked archive", gem_version: ScalingoStagingSync::VERSION, run_id: "20261128T145500Z-4f3a9c",
      made_at: made_at.utc.iso8601, source_app: "shop-production", target_app: "shop-staging",
      backup: { id: "bk-1", created_at: "2026-11-28T02:00:00Z", origin: "shop-production" }, rules_fingerprint: "ab" * 32,
      archive: { name: File.basename(path), size: File.size(path), sha256: Digest::SHA256.file(path).hexdigest,
                 format_version: "1.14", compression: "gzip" },
      verification: { enabled: true, passed: true, violations: 0 }, leak_check: nil,
      totals: { tables: tables.size, rows: tables.values.sum, masked_values: 0, large_objects: 0 },
      order: tables.keys,
      tables: tables.map { |table, rows| { table:, rows:, bytes: 0, columns: [], primary_key: [], offset: 0, length: 0, masks: [] } },
      without_rows: [], left_out: [], findings: 0, warnings: [], **more
    }
    seal = ScalingoStagingSync::Audit::Seal.new(config:)
    "#{path}.json".tap { |file| File.write(file, ScalingoStagingSync::Audit::Seal.form(facts.merge(seal: seal.seal(facts)))) }
  end
end
