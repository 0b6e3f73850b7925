# frozen_string_literal: true

require_relative "integration_helper"

# What staging would do in production's name: queued work, webhooks, other services' secrets, passwords; quiet under every
# policy on personal data, unless a rule or an entry in `pii_ignore` says otherwise.
class OutsideTest < IntegrationTest
  # A bcrypt hash of "hunter2".
  HUNTER2 = "hunter2".crypt("$2a$04$3euPcmQFCiblsZeEu5s7p.")

  APP = <<~SQL.freeze
    CREATE TABLE public.users (
      id bigint PRIMARY KEY, email text NOT NULL UNIQUE, encrypted_password varchar NOT NULL DEFAULT '', stripe_customer_id varchar UNIQUE);
    INSERT INTO public.users SELECT n, 'user' || n || CASE WHEN n <= 3 THEN '@ourcompany.example' ELSE '@people.example' END,
      CASE n WHEN 4 THEN '' ELSE '#{HUNTER2}' END, 'cus_live' || n FROM generate_series(1, 20) AS n;
    CREATE TABLE public.solid_queue_jobs (id bigint PRIMARY KEY, queue_name varchar NOT NULL, class_name varchar NOT NULL, arguments text);
    CREATE TABLE public.solid_queue_ready_executions (
      id bigint PRIMARY KEY, job_id bigint NOT NULL REFERENCES public.solid_queue_jobs ON DELETE CASCADE, priority integer NOT NULL);
    CREATE TABLE public.good_jobs (id uuid PRIMARY KEY, serialized_params jsonb, scheduled_at timestamp);
    CREATE TABLE public.delayed_jobs (id bigint PRIMARY KEY, handler text NOT NULL, run_at timestamp);
    CREATE TABLE public.que_jobs (id bigint PRIMARY KEY, job_class text NOT NULL);
    CREATE TABLE public.sms_outbox (id bigint PRIMARY KEY, phone text NOT NULL, body text NOT NULL);
    INSERT INTO public.solid_queue_jobs SELECT n, 'default', 'ChargeJob', '[' || n || ']' FROM generate_series(1, 5) AS n;
    INSERT INTO public.solid_queue_ready_executions SELECT n, n, 0 FROM generate_series(1, 5) AS n;
    INSERT INTO public.good_jobs VALUES ('3f333df6-90a4-4fda-8dd3-9485d27cee36', '{"job_class": "ChargeJob"}', now());
    INSERT INTO public.delayed_jobs VALUES (1, '--- !ruby/object:ChargeJob', now());
    INSERT INTO public.que_jobs VALUES (1, 'ChargeJob');
    INSERT INTO public.sms_outbox VALUES (1, '+33612345678', 'Your code is 1234');
    CREATE TABLE public.imports (id bigint PRIMARY KEY, file_path text, job_id bigint REFERENCES public.solid_queue_jobs);
    CREATE TABLE public.exports (id bigint PRIMARY KEY, job_id bigint NOT NULL REFERENCES public.solid_queue_jobs);
    INSERT INTO public.imports VALUES (1, '/tmp/1', 1), (2, '/tmp/2', NULL);
    INSERT INTO public.exports VALUES (1, 2);
    CREATE TABLE public.webhook_endpoints (
      id bigint PRIMARY KEY, url varchar NOT NULL UNIQUE CHECK (url LIKE 'https://%'), secret varchar NOT NULL, headers jsonb NOT NULL DEFAULT '{}',
      active boolean NOT NULL DEFAULT true);
    INSERT INTO public.webhook_endpoints
      SELECT n, 'https://partner' || n || '.live/hook', 'whsec_' || md5(n::text), '{"Authorization": "Bearer live"}' FROM generate_series(1, 4) AS n;
    CREATE TABLE public.oauth_applications (id bigint PRIMARY KEY, name varchar NOT NULL, uid varchar NOT NULL UNIQUE, secret varchar NOT NULL, redirect_uri text NOT NULL);
    INSERT INTO public.oauth_applications VALUES (1, 'Partner', 'partner', 'livesecret0123456789', 'https://partner.live/callback');
    CREATE TABLE public.oauth_access_tokens (id bigint PRIMARY KEY, application_id bigint REFERENCES public.oauth_applications, token varchar NOT NULL UNIQUE, refresh_token varchar UNIQUE);
    INSERT INTO public.oauth_access_tokens VALUES (1, 1, 'livetoken0123456789', 'liverefresh0123456789');
    CREATE TABLE public.push_subscriptions (id bigint PRIMARY KEY, endpoint text NOT NULL UNIQUE, p256dh text NOT NULL, auth text NOT NULL);
    INSERT INTO public.push_subscriptions VALUES (1, 'https://fcm.googleapis.com/fcm/send/live', 'BLive0123456789', 'live0123');
    CREATE TABLE public.shops (id bigint PRIMARY KEY, homepage text, callback_url varchar(60) NOT NULL);
    INSERT INTO public.shops VALUES (1, 'https://shop.live', 'https://shop.live/callback');
    CREATE TABLE public.partner_hooks (id bigint PRIMARY KEY, goes_to text NOT NULL UNIQUE, about text);
    CREATE TABLE public.bookmarks (id bigint PRIMARY KEY, goes_to text NOT NULL);
    INSERT INTO public.partner_hooks SELECT n, 'https://partner' || n || '.live/in', 'orders' FROM generate_series(1, 30) AS n;
    INSERT INTO public.bookmarks SELECT id, goes_to FROM public.partner_hooks;
    CREATE TABLE public.calendars (id bigint PRIMARY KEY, refresh_token_ciphertext text, api_key text);
    INSERT INTO public.calendars VALUES (1, 'k7live0123456789==', '{"p":"live","h":{"iv":"live"}}');
    CREATE TABLE public.active_storage_blobs (id bigint PRIMARY KEY, key varchar NOT NULL UNIQUE, filename varchar NOT NULL, service_name varchar NOT NULL);
    INSERT INTO public.active_storage_blobs VALUES (1, 'abcdefghijkl', 'passport_ada_lovelace.pdf', 'amazon'), (2, 'mnopqrstuvwx', 'ada.tar.gz', 'amazon');
  SQL

  # The team's own accounts stay as they are.
  TEAM_STAYS = [{ "table" => "users", "columns" => { "email" => "email" }, "keep" => { "email" => ["*@ourcompany.example"] } }].freeze

  QUEUES = %w[solid_queue_jobs solid_queue_ready_executions good_jobs delayed_jobs que_jobs sms_outbox].freeze
  DUMPS = {} # rubocop:disable Style/MutableConstant
  LIVE = /live|partner\d|cus_/

  %w[warn mask].each do |policy|
    define_method(:"test_what_is_queued_comes_without_rows_under_#{policy}") do
      outcome = sync(policy:)
      assert_equal(QUEUES.to_h { |table| [table, "0"] }, QUEUES.to_h { |table| [table, count(table)] })
      assert_empty QUEUES.map { |table| "public.#{table}" } - outcome.report[:excluded]
      QUEUES.each do |table|
        assert_equal %w[queued_work outside covered], finding(outcome, table, "*").values_at(:kind, :heading, :status).map(&:to_s)
      end
    end

    define_method(:"test_endpoints_and_secrets_are_masked_under_#{policy}") do
      outcome = sync(policy:)
      refute_match LIVE, @target.values(<<~SQL).join(" ")
        SELECT url || secret || headers FROM webhook_endpoints UNION ALL SELECT secret || redirect_uri FROM oauth_applications
        UNION ALL SELECT token || refresh_token FROM oauth_access_tokens UNION ALL SELECT endpoint || p256dh || auth FROM push_subscriptions
        UNION ALL SELECT callback_url FROM shops UNION ALL SELECT stripe_customer_id FROM users
      SQL
      assert_equal "4", @target.value("SELECT count(DISTINCT url) FROM webhook_endpoints WHERE url LIKE 'https://h%.example.com/%' AND active")
      assert_equal "masked", finding(outcome, "webhook_endpoints", "url")[:status].to_s
      assert_equal true, outcome.report[:verified]
    end
  end

  def test_an_address_in_a_table_of_webhooks_is_found_by_its_values
    outcome = sync(policy: "warn")
    assert_equal "0", @target.value("SELECT count(*) FROM partner_hooks WHERE goes_to LIKE '%live%' OR about <> 'orders'")
    assert_equal "30", @target.value("SELECT count(DISTINCT goes_to) FROM partner_hooks")
    assert_equal "30", @target.value("SELECT count(*) FROM bookmarks WHERE goes_to LIKE '%live%'")
    assert_equal %w[endpoint content masked], finding(outcome, "partner_hooks", "goes_to").values_at(:kind, :found_by, :status).map(&:to_s)
    assert_equal true, outcome.report[:verified]
  end

  def test_what_the_app_encrypts_becomes_null_since_no_other_ciphertext_could_be_read
    sync(policy: "warn", encrypted: [%w[calendars api_key]])
    assert_equal "1", @target.value("SELECT count(*) FROM calendars WHERE refresh_token_ciphertext IS NULL AND api_key IS NULL")
  end

  def test_it_works_without_a_search_for_personal_data
    outcome = sync(policy: "warn", scan: false)
    assert_equal %w[0 0], [count("solid_queue_jobs"), @target.value("SELECT count(*) FROM webhook_endpoints WHERE url LIKE '%live%'")]
    assert_equal ["outside"], outcome.report[:findings].map { |one| one[:heading].to_s }.uniq
    assert_equal "20", @target.value("SELECT count(*) FROM users WHERE email LIKE '%.example' AND email NOT LIKE '%demo%'")
  end

  def test_what_refers_to_queued_work_refers_to_nothing_where_it_may
    outcome = sync(policy: "warn")
    assert_equal ["1,/tmp/1,", "2,/tmp/2,"],
                 @target.values("SELECT concat_ws(',', id, file_path, coalesce(job_id::text, '')) FROM imports ORDER BY id")
    assert_equal "2", @target.value("SELECT job_id FROM exports")
    valid = @target.exec("SELECT conrelid::regclass::text AS here, convalidated FROM pg_constraint WHERE contype = 'f' AND confrelid = 'solid_queue_jobs'::regclass")
    assert_equal({ "imports" => "t", "exports" => "f", "solid_queue_ready_executions" => "t" }, valid.to_h do |row|
                                                                                                  [row["here"], row["convalidated"]]
                                                                                                end)
    assert_equal 1, outcome.warnings.count { |warning| warning.include?("NOT VALID") }
  end

  def test_a_rule_or_an_ignored_column_comes_first
    rules = [{ "table" => "delayed_jobs", "columns" => { "handler" => "redact" } },
             { "table" => "shops", "columns" => { "callback_url" => { "mask" => "static", "value" => "https://ours.example" } } }]
    sql = [{ "table" => "que_jobs", "query" => "DELETE FROM que_jobs WHERE id > 100" }]
    ignore = [{ "column" => "good_jobs.*", "reason" => "harmless" }, { "column" => "webhook_endpoints.url", "reason" => "a sandbox" }]
    outcome = sync(policy: "warn", rules:, ignore:, masking: { "sql_rules" => sql })
    assert_equal %w[1 1 1 0], [count("delayed_jobs"), count("que_jobs"), count("good_jobs"), count("solid_queue_jobs")]
    assert_equal "https://ours.example", @target.value("SELECT callback_url FROM shops")
    assert_equal "4", @target.value("SELECT count(*) FROM webhook_endpoints WHERE url LIKE '%.live/hook'")
    assert_equal [%w[ignored harmless], ["ignored", "a sandbox"]], [["good_jobs", "*"], %w[webhook_endpoints url]].map { |place|
                                                                     finding(outcome, *place).values_at(:status, :because).map(&:to_s)
                                                                   }
  end

  def test_false_leaves_all_of_it_and_says_so
    outcome = sync(policy: "warn", quiesce: false)
    assert_equal %w[5 4], [count("solid_queue_jobs"), @target.value("SELECT count(*) FROM webhook_endpoints WHERE url LIKE '%.live/hook'")]
    assert_equal ["ignored", "quiesce is false"], finding(outcome, "solid_queue_jobs", "*").values_at(:status, :because).map(&:to_s)
    assert_equal ["ignored", "quiesce is false"], finding(outcome, "webhook_endpoints", "url").values_at(:status, :because).map(&:to_s)
  end

  def test_files_lie_in_stagings_own_service_or_the_run_warns
    outcome = sync(policy: "warn")
    assert_equal ["amazon"], @target.values("SELECT DISTINCT service_name FROM active_storage_blobs")
    assert(outcome.warnings.any? { |warning| warning.include?("active_storage_blobs.service_name") })
    outcome = sync(policy: "warn", storage_service: "local")
    assert_equal ["local"], @target.values("SELECT DISTINCT service_name FROM active_storage_blobs")
    assert(outcome.warnings.none? { |warning| warning.include?("service_name") })
  end

  def test_names_of_files_are_personal_and_keep_their_extension
    outcome = sync(policy: "mask")
    names = @target.values("SELECT filename FROM active_storage_blobs ORDER BY id")
    assert_match(/\Afile-\h{14}\.pdf\z/, names.first)
    assert_match(/\Afile-\h{14}\.tar\.gz\z/, names.last)
    assert_equal %w[file_name masked], finding(outcome, "active_storage_blobs", "filename").values_at(:kind, :status).map(&:to_s)
  end

  def test_an_account_that_is_masked_by_itself_has_a_password_that_no_one_knows
    outcome = sync(policy: "mask", rules: TEAM_STAYS)
    hashes = @target.values("SELECT DISTINCT encrypted_password FROM users WHERE id <> 4")
    assert(hashes.all? { |hash| hash.match?(%r{\A\$2a\$04\$[./A-Za-z0-9]{53}\z}) })
    refute_includes hashes, HUNTER2
    assert_equal "", @target.value("SELECT encrypted_password FROM users WHERE id = 4")
    assert_empty outcome.report[:known_passwords]
    assert_empty hashes.select { |hash| password?(hash, "password") || password?(hash, "hunter2") }
  end

  def test_the_password_of_staging_is_for_all_but_those_whom_keep_keeps
    %w[warn mask].each do |policy|
      outcome = sync(policy:, rules: TEAM_STAYS, masking: { "staging_password" => "our staging" })
      rows = @target.exec("SELECT id, encrypted_password AS hash FROM users WHERE id <> 4")
      kept, others = rows.partition { |row| row["id"].to_i <= 3 }
      assert_equal [16], [others.count { |row| password?(row["hash"], "our staging") }]
      assert(kept.none? { |row| password?(row["hash"], "our staging") || row["hash"] == HUNTER2 })
      assert_equal [["public.users", "encrypted_password", 16]], outcome.report[:known_passwords].map(&:values)
    end
  end

  def test_a_condition_leaves_no_account_with_a_known_password
    rules = [{ "table" => "users", "columns" => { "email" => "email" }, "condition" => "email NOT LIKE '%@ourcompany.example'" }]
    outcome = sync(policy: "mask", rules:, masking: { "staging_password" => "our staging" })
    assert_empty outcome.report[:known_passwords]
    assert_equal "3", @target.value("SELECT count(*) FROM users WHERE email LIKE '%@ourcompany.example'")
  end

  def test_a_rule_gives_a_known_password_and_the_report_counts_it
    password = { "mask" => "password", "password" => "hello", "cost" => 4 }
    outcome = sync(policy: "mask", rules: [{ "table" => "users", "columns" => { "encrypted_password" => password } }])
    assert_equal 19, outcome.report[:known_passwords].sum { |one| one[:accounts] }
    assert password?(@target.value("SELECT encrypted_password FROM users WHERE id = 5"), "hello")
  end

  def test_what_acts_and_cannot_be_masked_ends_the_run_untouched
    sql = <<~SQL
      CREATE TABLE public.webhooks (url text PRIMARY KEY);
      CREATE TABLE public.calls (id bigint PRIMARY KEY, url text REFERENCES public.webhooks);
      INSERT INTO public.webhooks VALUES ('https://partner1.live/hook');
      INSERT INTO public.calls VALUES (1, 'https://partner1.live/hook');
    SQL
    error = assert_untouched(target = new_database) do
      outcome = Engine.run(settings(sql, target, policy: "warn"))
      outcome.error
    end
    assert_instance_of ScalingoStagingSync::PlanError, error
    assert_includes error.message, "public.webhooks.url acts outside"
    refute_match LIVE, error.message
  end

  # CHECKs, as apps have them, on columns that are masked automatically.
  CHECKED = <<~SQL
    CREATE TABLE public.good_jobs (id bigint PRIMARY KEY);
    CREATE TABLE public.webhook_endpoints (
      id bigint PRIMARY KEY, secret text CHECK (secret LIKE 'whsec_%'), signing_secret text NOT NULL UNIQUE CHECK (left(signing_secret, 6) = 'whsec_'),
      url text NOT NULL CHECK (url LIKE 'https://hooks.zapier.com/%'), callback_url text CHECK (callback_url IN ('https://a.live', 'https://b.live')),
      host text NOT NULL, fallback_url text, CHECK (position(host in fallback_url) > 0));
    CREATE TABLE public.customers (
      id bigint PRIMARY KEY, stripe_customer_id varchar(18) NOT NULL UNIQUE CHECK (stripe_customer_id ~ '^cus_[A-Za-z0-9]{14}$'),
      refresh_token text CHECK (starts_with(refresh_token, '1//')));
    CREATE TABLE public.exports (
      id bigint PRIMARY KEY, job_id bigint REFERENCES public.good_jobs, status text, CHECK (status <> 'running' OR job_id IS NOT NULL));
    CREATE TABLE public.reports (
      id bigint PRIMARY KEY, job_id bigint REFERENCES public.good_jobs, user_id bigint, CHECK (num_nonnulls(job_id, user_id) = 1));
    CREATE TABLE public.imports (id bigint PRIMARY KEY, job_id bigint REFERENCES public.good_jobs CHECK (job_id > 0));
    INSERT INTO public.good_jobs VALUES (1), (2);
    INSERT INTO public.webhook_endpoints SELECT n, 'whsec_live' || md5(n::text), 'whsec_live' || n, 'https://hooks.zapier.com/live/' || md5(n::text),
      'https://a.live', 'partner1.live', 'https://partner1.live/in' FROM generate_series(1, 40) AS n;
    INSERT INTO public.customers SELECT n, 'cus_' || rpad('live' || n, 14, 'x'), '1//live' || md5(n::text) FROM generate_series(1, 40) AS n;
    INSERT INTO public.exports VALUES (1, 1, 'running');
    INSERT INTO public.reports VALUES (1, 2, NULL);
    INSERT INTO public.imports VALUES (1, 1);
  SQL

  %w[warn mask].each do |policy|
    define_method(:"test_no_check_ends_a_run_that_masks_by_itself_under_#{policy}") do
      outcome = sync(CHECKED, policy:)
      assert_equal true, outcome.report[:verified]
      refute_match(/live/, @target.values(<<~SQL).join(" "))
        SELECT concat_ws(' ', secret, signing_secret, url, callback_url, fallback_url) FROM webhook_endpoints
        UNION ALL SELECT concat_ws(' ', stripe_customer_id, refresh_token) FROM customers
      SQL
      assert_equal "40,40,40", @target.value(<<~SQL)
        SELECT concat_ws(',', count(DISTINCT signing_secret), count(DISTINCT url), (SELECT count(DISTINCT stripe_customer_id) FROM customers))
        FROM webhook_endpoints WHERE callback_url IS NULL AND fallback_url IS NULL
      SQL
    end
  end

  def test_a_reference_to_queued_work_that_a_check_asks_for_stays
    sync(CHECKED, policy: "warn")
    assert_equal ["1", "2", nil], %w[exports reports imports].map { |table| @target.value("SELECT job_id FROM #{table}") }
    valid = @target.values("SELECT conrelid::regclass || ' ' || convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
    assert_equal ["exports false", "imports true", "reports false"], valid
  end

  def test_documents_become_empty_ones_of_the_kind_that_a_check_asks_for
    sync(<<~SQL, policy: "warn")
      CREATE TABLE public.webhooks (
        id bigint PRIMARY KEY, headers jsonb NOT NULL CHECK (jsonb_typeof(headers) = 'object'),
        custom_headers jsonb NOT NULL CHECK (jsonb_typeof(custom_headers) = 'array'));
      INSERT INTO public.webhooks VALUES (1, '{"Authorization": "live"}', '["live"]');
    SQL
    assert_equal "{}[]", @target.value("SELECT concat(headers, custom_headers) FROM webhooks")
  end

  def test_of_a_reference_with_several_columns_the_jobs_becomes_null
    sync(<<~SQL, policy: "warn")
      CREATE TABLE public.good_jobs (tenant integer, id bigint, PRIMARY KEY (tenant, id));
      CREATE TABLE public.exports (id bigint PRIMARY KEY, tenant integer, job_id bigint, FOREIGN KEY (tenant, job_id) REFERENCES public.good_jobs);
      CREATE TABLE public.imports (
        id bigint PRIMARY KEY, tenant integer, job_id bigint, FOREIGN KEY (tenant, job_id) REFERENCES public.good_jobs MATCH FULL);
      INSERT INTO public.good_jobs VALUES (7, 1);
      INSERT INTO public.exports VALUES (1, 7, 1);
      INSERT INTO public.imports VALUES (1, 7, 1);
    SQL
    assert_equal ["7,", "7,1"], %w[exports imports].map { |table| @target.value("SELECT concat(tenant, ',', job_id) FROM #{table}") }
    assert_equal ["exports true", "imports false"],
                 @target.values("SELECT conrelid::regclass || ' ' || convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
  end

  def test_what_opens_other_services_is_found_in_tables_that_say_whose_it_is
    sync(<<~SQL, policy: "warn")
      CREATE TABLE public.identities (id bigint PRIMARY KEY, provider text, uid text, token text, secret text);
      CREATE TABLE public.refresh_tokens (id bigint PRIMARY KEY, token text NOT NULL UNIQUE);
      CREATE TABLE public.devices (id bigint PRIMARY KEY, token text NOT NULL, registration_id text);
      CREATE TABLE public.mandates (id text PRIMARY KEY, name text);
      CREATE TABLE public.debits (id bigint PRIMARY KEY, mandate_id text REFERENCES public.mandates);
      CREATE TABLE public.organizations (id bigint PRIMARY KEY, webhooks jsonb NOT NULL DEFAULT '{}', zapier_hook text);
      CREATE TABLE public.sms_messages (id bigint PRIMARY KEY, body text, status text, send_at timestamp);
      CREATE TABLE public.jobs (id bigint PRIMARY KEY, title text, params jsonb, priority integer, scheduled_at timestamp);
      INSERT INTO public.identities VALUES (1, 'twitter', '1', 'livetoken01', 'livesecret01');
      INSERT INTO public.refresh_tokens VALUES (1, 'livetoken01');
      INSERT INTO public.devices VALUES (1, 'livetoken01', 'liveregistration');
      INSERT INTO public.mandates VALUES ('own1', 'ours');
      INSERT INTO public.debits VALUES (1, 'own1');
      INSERT INTO public.organizations VALUES (1, '{"url": "https://partner1.live"}', 'https://partner1.live/hook');
      INSERT INTO public.sms_messages VALUES (1, 'hello', 'queued', now());
      INSERT INTO public.jobs VALUES (1, 'Plumber', '{}', 1, now());
    SQL
    refute_match(/live/, @target.values(<<~SQL).join(" "))
      SELECT token || secret FROM identities UNION ALL SELECT token FROM refresh_tokens UNION ALL SELECT token || registration_id FROM devices
      UNION ALL SELECT webhooks || zapier_hook FROM organizations
    SQL
    assert_equal "own1", @target.value("SELECT mandate_id FROM debits"), "an id of the app's own"
    assert_equal %w[0 1], [count("sms_messages"), count("jobs")]
  end

  [{ quiesce: false }, { ignore: [{ "column" => "webhook_endpoints.*", "reason" => "sandbox" }, { "column" => "users.*", "reason" => "sandbox" }] }]
    .each do |settings|
      define_method(:"test_what_is_let_be_is_counted_with_what_acts_outside_by_#{settings.keys.first}") do
        outcome = sync(policy: "warn", **settings)
        [%w[webhook_endpoints secret], %w[users stripe_customer_id]].each do |table, column|
          assert_equal %w[outside ignored], finding(outcome, table, column).values_at(:heading, :status).map(&:to_s), "#{table}.#{column}"
        end
      end
    end

  def test_a_check_that_asks_more_than_is_understood_ends_the_run_untouched_with_an_entry_that_lets_it_through
    sql = <<~SQL
      CREATE TABLE public.webhooks (id bigint PRIMARY KEY, url text NOT NULL, host text NOT NULL, CONSTRAINT within CHECK (position(host in url) > 0));
      INSERT INTO public.webhooks VALUES (1, 'https://partner1.live/a', 'partner1.live');
    SQL
    error = assert_untouched(target = new_database) { Engine.run(settings(sql, target, policy: "warn")).error }
    assert_includes error.message, %(its CHECK "within" asks more)
    entry = error.message[/the entry "([^"]+)"/, 1]
    sync(sql, policy: "warn", ignore: [{ "column" => entry, "reason" => "ours" }])
    assert_equal "https://partner1.live/a", @target.value("SELECT url FROM webhooks")
  end

  def test_the_dry_run_names_each
    planned = ScalingoStagingSync::Native.plan(settings(APP, new_database, policy: "warn", storage_service: "local"))
    text = ScalingoStagingSync::Terminal::PreviewText.new(ScalingoStagingSync::Preview::Plan.of(planned)).to_s
    assert_includes text, "public.solid_queue_jobs: queued work, Solid Queue's; its rows stay out (quiesce)"
    assert_includes text, "public.webhook_endpoints.url: where requests are sent; masked by :url"
    assert_includes text, "public.active_storage_blobs.service_name: the service that stores files; masked by :static"
    assert_includes text, "public.imports.job_id: refers to queued work whose rows stay out; masked by :null"
    assert_equal "without_rows", planned[:tables].find { |table| table[:table] == "public.good_jobs" }[:action].to_s
  end

  [true, false].each do |together|
    define_method(:"test_a_database_that_is_there_becomes_quiet_#{together ? "in one transaction" : "table by table"}") do
      database = new_database
      database.exec(APP)
      asked = settings(nil, database, policy: "warn", masking: { "rollback_on_error" => together })
      report = ScalingoStagingSync::Native.anonymize(asked)
      QUEUES.each { |table| assert_equal "0", database.value("SELECT count(*) FROM #{table}") }
      assert_equal "0", database.value("SELECT count(*) FROM webhook_endpoints WHERE url LIKE '%live%'")
      assert_equal "2", database.value("SELECT count(*) FROM imports WHERE job_id IS NULL")
      assert_equal ["f"], database.values("SELECT convalidated FROM pg_constraint WHERE conname = 'exports_job_id_fkey'")
      assert_equal ["t"], database.values("SELECT convalidated FROM pg_constraint WHERE conname = 'imports_job_id_fkey'")
      assert_empty QUEUES.map { |table| "public.#{table}" } - report[:excluded]
    end
  end

  private

  def settings(sql, target, policy:, rules: [], masking: {}, quiesce: true, storage_service: nil, scan: true, ignore: [], encrypted: [])
    asked = Engine.settings(source: sql ? dump_of(sql) : File::NULL, target: target.url, masking_options: { rules: }.merge(masking))
    asked["masking"]["allow_unmasked_copy"] = true
    asked.merge("pii" => { "scan" => scan, "policy" => policy, "sample_rows" => 1000, "ignore" => ignore, "encrypted" => encrypted },
                "quiesce" => quiesce, "storage_service" => storage_service)
  end

  # The same archive for all tests.
  def dump_of(sql)
    DUMPS[sql] ||= new_database("source").then do |source|
      source.exec(sql)
      source.dump("#{Shared.directory}/outside_#{DUMPS.size}.dump")
    end
  end

  def sync(sql = APP, **)
    @target = new_database
    outcome = Engine.run(settings(sql, @target, **))
    raise outcome.error if outcome.error

    outcome
  end

  def count(table) = @target.value("SELECT count(*) FROM #{table}")

  def password?(hash, password) = password.crypt(hash[0, 29]) == hash

  def finding(outcome, table, column)
    found = outcome.report[:findings].find { |one| one.values_at(:table, :column) == ["public.#{table}", column] }
    found || flunk("nothing was found of #{table}.#{column}")
  end
end
