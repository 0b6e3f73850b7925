# frozen_string_literal: true

# The invented shop: its production database, and how its staging app is configured.
module Shop
  SQL = File.expand_path("production.sql", __dir__)

  CONFIGURATION = <<~RUBY
    config.clone_source_scalingo_app_name = "shop-production"
    config.anonymization_tables = [
      { table: "users", strategy: :user_anonymization, translation: "utilisateurs" },
      { table: "phone_numbers", strategy: :phone_anonymization, translation: "téléphones" },
      { table: "payment_methods", strategy: :payment_anonymization, translation: "moyens de paiement" },
      { table: "addresses", strategy: :address_anonymization },
      { table: "emails", strategy: :email_anonymization }
    ]
    config.exclude_tables = ["sessions", "audit_logs"]
    config.anonymization_audit_file = "tmp/audit.json"
  RUBY

  # The newest customers and what belongs to them.
  PART = <<~RUBY
    config.subset = { "users" => { last: 200, by: "id", on_missing: { referrer_id: :nullify } } }
  RUBY

  # What some import has left where nothing looks for it: a customer's address in the name of a product, behind the rows
  # that are looked at before anything is sent.
  LEAK = "UPDATE products SET name = 'Pull réservé pour ' || (SELECT email FROM users WHERE id = 100) WHERE id = 1999"

  EXCLUDED = %w[public.sessions public.audit_logs].freeze

  # The columns that the configuration masks, with the pattern that each value has afterwards; nil: always NULL.
  MASKED = {
    "public.users" => {
      "email" => /\A[0-9a-f]{20,}@demo\.example\.com\z/, "email_md5" => /\A[0-9a-f]{32}\z/, "first_name" => /\ADemo\z/,
      "last_name" => /\AUser\d+\z/, "full_name" => /\ADemo User\d+\z/, "credit_card_last_4" => /\A0000\z/, "iban_last4" => /\A0000\z/,
      "stripe_customer_id" => nil, "google_token" => nil, "facebook_token" => nil, "apple_id" => nil, "birth_date" => nil,
      "birth_place" => nil, "billing_extra" => nil, "zendesk_user_id" => nil, "address_line1" => /\A8 rue du sentier\z/,
      "address_line2" => nil, "postal_code" => /\A75002\z/, "city" => /\AParis\z/, "greeting" => /\ABonjour Demo\z/
    },
    "public.emails" => { "email" => /\A[0-9a-f]{20,}@demo\.example\.com\z/ },
    "public.phone_numbers" => { "phone_number" => /\A060\d{7}\z/ },
    "public.payment_methods" => { "card_last4" => /\A0000\z/ },
    "public.addresses" => { "address_line1" => /\A123 Demo Street\z/, "address_line2" => nil, "postal_code" => /\A00000\z/,
                            "city" => /\ADemo City\z/ }
  }.freeze

  # The rows that a fast demo shows, with few columns.
  FEW = [
    ["users", %w[id email first_name last_name birth_date city stripe_customer_id role], "id = 100"],
    ["phone_numbers", %w[id user_id phone_number kind], "user_id = 102"],
    ["comments", %w[id user_id rating body], "id = 100"]
  ].freeze

  # Table, columns, and the row to show.
  EXAMPLES = [
    ["users", %w[id email email_md5 first_name last_name full_name greeting credit_card_last_4 stripe_customer_id google_token
                 birth_date address_line1 postal_code city billing_extra role preferences tags created_at], "id = 100"],
    ["emails", %w[id user_id email confirmed_at], "user_id = 100"],
    ["phone_numbers", %w[id user_id phone_number kind], "user_id = 102"],
    ["payment_methods", %w[id user_id brand card_last4 expires_on], "user_id = 100"],
    ["addresses", %w[id user_id address_line1 postal_code city country], "user_id = 100"],
    ["orders", %w[id user_id status total_cents placed_at], "id = 100"],
    ["comments", %w[id user_id rating body], "id = 100"]
  ].freeze
end
