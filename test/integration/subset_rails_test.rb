# frozen_string_literal: true

require_relative "integration_helper"

# A subset follows what the models of the app that runs the task say, where production has no foreign keys.
class SubsetRailsTest < IntegrationTest
  # Two organisations with the same of everything: what belongs to the first has odd ids, to the second even ones.
  PRODUCTION = <<~SQL
    CREATE TABLE organisations (id bigint PRIMARY KEY, name text, users_count integer NOT NULL DEFAULT 99);
    CREATE TABLE users (id bigint PRIMARY KEY, type text, organisation_id bigint, ref text UNIQUE);
    CREATE TABLE stores (id bigint PRIMARY KEY, organisation_id bigint);
    CREATE TABLE invoices (id bigint PRIMARY KEY, organisation_id bigint);
    CREATE TABLE notes (id bigint PRIMARY KEY, organisation_id bigint);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer_ref text, remarks_count integer NOT NULL DEFAULT 99);
    CREATE TABLE tags (id bigint PRIMARY KEY, name text);
    CREATE TABLE orders_tags (order_id bigint, tag_id bigint);
    CREATE TABLE comments (id bigint PRIMARY KEY, subject_type text, subject_id bigint);
    CREATE TABLE versions (id bigint PRIMARY KEY, item_type text NOT NULL, item_id bigint NOT NULL, event text);
    CREATE TABLE active_storage_blobs (id bigint PRIMARY KEY, key text, filename text);
    CREATE TABLE active_storage_attachments (id bigint PRIMARY KEY, name text, record_type text, record_id bigint, blob_id bigint);
    CREATE TABLE action_text_rich_texts (id bigint PRIMARY KEY, name text, body text, record_type text, record_id bigint);
    CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint);
    INSERT INTO organisations VALUES (1, 'one'), (2, 'two');
    INSERT INTO users SELECT n, CASE WHEN n > 10 THEN 'Admin' END, 2 - n % 2, 'ref' || n FROM generate_series(1, 20) n;
    INSERT INTO stores SELECT n, 2 - n % 2 FROM generate_series(1, 20) n;
    INSERT INTO invoices SELECT n, 2 - n % 2 FROM generate_series(1, 20) n;
    INSERT INTO notes SELECT n, 2 - n % 2 FROM generate_series(1, 20) n;
    INSERT INTO orders SELECT n, 'ref' || n FROM generate_series(1, 20) n;
    INSERT INTO tags VALUES (1, 'a'), (2, 'b');
    INSERT INTO orders_tags SELECT n, 1 + n % 2 FROM generate_series(1, 20) n;
    INSERT INTO comments SELECT n, (ARRAY['User', 'Admin', 'Shop', 'Order', 'Gone'])[1 + n % 5], n FROM generate_series(1, 20) n;
    INSERT INTO versions SELECT n, (ARRAY['User', 'Order'])[1 + n % 3 % 2], n, 'update' FROM generate_series(1, 20) n;
    INSERT INTO active_storage_blobs SELECT n, 'key' || n, 'file' FROM generate_series(1, 20) n;
    INSERT INTO active_storage_attachments SELECT n, 'avatar', 'User', n, n FROM generate_series(1, 20) n;
    INSERT INTO action_text_rich_texts SELECT n, 'body', 'text', 'Order', n FROM generate_series(1, 20) n;
    INSERT INTO visits SELECT n, n FROM generate_series(1, 20) n;
  SQL

  MODELS = {
    "application_record" => "class ApplicationRecord < ActiveRecord::Base\n  primary_abstract_class\nend\n",
    "organisation" => "class Organisation < ApplicationRecord\n  has_many :users\nend\n",
    "user" => "class User < ApplicationRecord\n  belongs_to :organisation, counter_cache: true\n  has_one_attached :avatar\nend\n",
    "admin" => "class Admin < User\nend\n",
    "invoice" => "class Invoice < ApplicationRecord\n  belongs_to :organisation\nend\n",
    "shop_front" => "class ShopFront < ApplicationRecord\n  self.table_name = \"stores\"\n  belongs_to :organisation\n\n" \
                    "  def self.polymorphic_name = \"Shop\"\nend\n",
    "order" => "class Order < ApplicationRecord\n  belongs_to :buyer, class_name: \"User\", foreign_key: :buyer_ref, primary_key: :ref\n" \
               "  has_and_belongs_to_many :tags\n  has_rich_text :body\n  has_many :comments, as: :subject\nend\n",
    "tag" => "class Tag < ApplicationRecord\nend\n",
    "comment" => "class Comment < ApplicationRecord\n  belongs_to :subject, polymorphic: true, counter_cache: :remarks_count\n  belongs_to :nobody, class_name: \"GoneForGood\"\nend\n",
    "paper_trail/version" => "module PaperTrail\n  class Version < ApplicationRecord\n    self.table_name = \"versions\"\n" \
                             "    belongs_to :item, polymorphic: true, optional: true, inverse_of: false\n  end\nend\n",
    "visit" => "class Visit < ApplicationRecord\n  belongs_to :user\nend\n"
  }.freeze

  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.allow_unmasked_copy = true
    config.run_pii_scan = false
    config.subset = { "organisations" => { where: "id = 1" } }
    config.reset_counters = true
    config.subset_references = { "visits.user_id" => false }
  RUBY

  def production = Shared.made(:subset_rails) { Postgres.create_database("subset_rails").tap { |database| database.exec(PRODUCTION) } }

  def app_with_models(configuration = CONFIGURATION)
    archive = production.dump(path("production.dump"))
    fake = fake_scalingo(archive: Postgres.pack(archive, directory: @directory, name: "production"))
    staging = new_staging
    app = RailsApp.new(path("app"), database_url: staging.url, environment: RailsApp.variables_for(fake),
                                    gem: "gem \"activestorage\"\ngem \"actiontext\"\n#{RailsApp::IN_GROUP}")
    engines = "require \"active_record/railtie\"\nrequire \"active_storage/engine\"\nrequire \"action_text/engine\"\n"
    app.write("config/application.rb", RailsApp::FILES["config/application.rb"].sub("require \"active_record/railtie\"\n", engines))
    app.write("config/storage.yml", "local:\n  service: Disk\n  root: tmp/storage\n")
    app.write("config/environments/staging.rb", "Rails.application.configure { config.active_storage.service = :local }\n")
    MODELS.each { |name, code| app.write("app/models/#{name}.rb", code) }
    app.generate
    app.configure(configuration)
    [app, staging.database]
  end

  def ids(database, table) = database.values("SELECT id FROM #{table} ORDER BY id").map(&:to_i)

  def test_what_models_belong_to_is_followed_without_a_foreign_key
    app, staging = app_with_models
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    odd = (1..20).select(&:odd?)
    %w[users stores invoices orders].each { |table| assert_equal odd, ids(staging, table), table }
    assert_equal odd, ids(staging, "notes"), "a tenant's column counts where no model has it, too"
    assert_equal odd, staging.values("SELECT order_id FROM orders_tags ORDER BY 1").map(&:to_i)
    assert_equal [1, 2], ids(staging, "tags")
    assert_equal (1..20).to_a, ids(staging, "visits"), "the configuration says that this means nothing"
  end

  def test_counter_caches_say_what_is_there
    app, staging = app_with_models
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    assert_match(/Set 2 counter caches/, result.output)
    assert_equal "10", staging.value("SELECT users_count FROM organisations")
    counts = staging.exec("SELECT id, remarks_count FROM orders ORDER BY id").to_h { |row| row.values_at("id", "remarks_count").map(&:to_i) }
    assert_equal({ 3 => 1, 13 => 1 }, counts.reject { |_, count| count.zero? })
  end

  def test_polymorphic_references_are_followed_by_the_names_that_rails_writes
    app, staging = app_with_models
    result = app.rake("scalingo_staging_sync:run")
    assert result.success?, result.output
    odd = (1..20).select(&:odd?)
    gone = (1..20).select { |n| n % 5 == 4 }
    assert_equal (odd + gone).uniq.sort, ids(staging, "comments"), "users, their subclass, another polymorphic_name; what means no model stays"
    assert_equal odd, ids(staging, "versions"), "PaperTrail's items"
    assert_equal odd, ids(staging, "active_storage_attachments")
    assert_equal odd, ids(staging, "action_text_rich_texts")
  end
end
