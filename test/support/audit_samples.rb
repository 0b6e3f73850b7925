# frozen_string_literal: true

# Audits of invented runs with any number of tables, for the page as a browser shows it and as tests read it.
module AuditSamples
  NOUNS = %w[users orders invoices addresses payments messages sessions products reviews visits contracts tickets employees patients
             subscriptions devices notes documents shipments refunds].freeze

  # Columns of tables with personal data, in turn: name, mask as the report names it, kind.
  PERSONAL = [
    [["email", "e-mail pseudonym", "email"], %w[first_name first_name first_name], %w[last_name last_name last_name],
     %w[phone phone phone], %w[birth_date birth_date birth_date], %w[encrypted_password unknown_password password_hash]],
    [%w[street street street_address], %w[postal_code postal_code postal_code], %w[city city city]],
    [%w[iban iban iban], %w[card_last4 last4 card_part]],
    [%w[body scrub free_text], %w[ip_address ip ip_address], %w[token token token]],
    [%w[metadata json payload], ["company", "constant \"Demo\"", "name"], ["updated_by", "username, under a condition", "username"]]
  ].freeze

  # The data of those that are not a name.
  MASKS = {
    "e-mail pseudonym" => { kind: "mask_email" }, "constant \"Demo\"" => { kind: "mask_constant", value: "Demo" },
    "username, under a condition" => { kind: "mask_conditional", mask: { kind: "mask_named", mask: "username" } }
  }.freeze

  module_function

  def page(...) = ScalingoStagingSync::Audit::Page.new(document(...)).to_s

  def document(number, locale: :en, sound: false, bad: false)
    started_at = Time.utc(2026, 11, 21, 3, 0, 4)
    config = ScalingoStagingSync::Configuration.new
    config.locale = locale
    config.clone_source_scalingo_app_name = "my-shop-production"
    config.anonymization_secret = "0123456789abcdef0123456789abcdef-sample"
    def config.target_app = "my-shop-staging"
    operator = ScalingoStagingSync::Support::Operator.new(login: "appsdeck", host: "h", container: "one-off-4711", task: "scalingo_staging_sync:run")
    ScalingoStagingSync::Audit::Document.new(report(number, sound:, bad:), started_at:, finished_at: started_at + 252, config:, operator:)
  end

  def report(number, sound:, bad:)
    tables = Array.new(number) { |index| table(index) }
    { run_id: "20261121T030004-5f3a9c01", verified: !bad, large_objects: sound ? 0 : 212, size_before: 8_100_000_000, size_after: 8_240_000_000, seconds: 248.2,
      backup: { id: "6560f1c2e4b0a1", created_at: "2026-11-21T01:12:40Z", size: 943_000_000, origin: "my-shop-production", sha256: "3f" * 32,
                database: "my_shop_4711", server_version: "16.4", dump_version: "16.4" },
      tables:, phases: [{ name: "schema", seconds: 2.1 }, { name: "rows", seconds: 190.0 }, { name: "keys", seconds: 44.0 }, { name: "verify", seconds: 12.1 }],
      part: [], excluded: %w[public.audit_logs public.sessions_old], kept: [], left_out: [{ kind: "EXTENSION", name: "pg_stat_statements", why: "The role may not create it." }],
      findings: findings(tables, sound:), warnings: sound ? [] : ["3 objects are marked NOT VALID, as production has them."],
      leak_check: { originals: 1_240_000, candidates: 8_412_907, hashes: 1200, possible: 0, exact: true, error_rate: nil },
      leaks: bad ? [{ table: "public.notes", column: "body_copy", kind: "email", count: 37, expected_by_chance: 0.0, certain: true, entry: "{ table: \"notes\", columns: { body_copy: :scrub } }" }] : [],
      channels: sound ? [] : channels, known_passwords: [] }
  end

  def table(index)
    columns = (index.even? || index < 3) ? PERSONAL[index % PERSONAL.size] : []
    rows = (987_654 / (index + 1)) + 12
    name = (index < NOUNS.size) ? NOUNS[index] : "#{NOUNS[index % NOUNS.size]}_#{index / NOUNS.size}"
    { table: "public.#{name}", rows:, bytes: rows * 210, started: 2.0 + (index % 150), seconds: 0.2 + (30.0 / (index + 1)),
      columns: columns.map { |column, mask, _| { name: column, mask:, mask_data: MASKS[mask] || { kind: "mask_named", mask: }, masked: rows - 10, kept: mask.include?("condition") ? 4 : 0, nulls: 10, violations: 0 } } }
  end

  def findings(tables, sound:)
    masked = tables.flat_map do |table|
      table[:columns].map do |column|
        kind = PERSONAL.flatten(1).find { |name, *| name == column[:name] }.last
        found(table[:table], column[:name], kind, "covered", because: { kind: "rule", rule: "a rule" })
      end
    end
    outside = [found("public.webhooks", "url", "endpoint", "masked", heading: "outside"), found("public.good_jobs", "*", "queued_work", "covered", heading: "outside", because: { kind: "quiesced" })]
    return masked + outside if sound

    masked + outside + [found("public.products", "name", "name", "ignored", because: { kind: "let_be", reason: "names of goods" }), found("public.audit_logs", "ip", "ip_address", "covered", because: { kind: "excluded" }),
                        found("public.orders", "comment", "free_text", "uncovered", rule: "{ table: \"orders\", columns: { comment: :scrub } }")]
  end

  def found(table, column, kind, status, heading: "personal", because: nil, rule: nil)
    ScalingoStagingSync::Messages::EngineWords.finding({ table:, column:, kind:, heading:, confidence: 0.9, found_by: "both", reason: [{ kind: "named", name: column }], values: 10, count: 9, share: 0.9, status:, because:, mask: nil, rule: nil }).merge(rule:)
  end

  def channels
    [{ channel: "large_objects", name: "large objects", kind: nil, count: 212, outcome: "unscanned", note: "212 large objects stay." },
     { channel: "search_vector", name: "public.users.search", kind: nil, count: 0, outcome: "rebuilt", note: "It is built again." }]
  end
end
