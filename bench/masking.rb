# frozen_string_literal: true

require "open3"

# What the contestants of bench/run mask, and whether a database that one of them has filled is what it should be: every
# row and index of production is there, and no original is left in a masked column.
module Masking
  # The masked columns of bench/dataset.sql, by table.
  COLUMNS = {
    "users" => %w[email email_md5 first_name last_name full_name credit_card_last_4 iban_last4 stripe_customer_id address_line1
                  address_line2 city postal_code birth_date birth_place google_token facebook_token apple_id billing_extra
                  zendesk_user_id],
    "phone_numbers" => %w[number],
    "payment_methods" => %w[card_last4]
  }.freeze

  # What the UPDATEs write into every row.
  CONSTANTS = {
    "users" => { "first_name" => "Demo", "credit_card_last_4" => "0000", "iban_last4" => "0000", "address_line1" => "8 rue du sentier",
                 "city" => "Paris", "postal_code" => "75002" },
    "payment_methods" => { "card_last4" => "0000" }
  }.freeze

  # What they set to NULL, and a value of the type for a tool that cannot write NULL.
  EMPTIED = {
    "users" => { "stripe_customer_id" => "", "address_line2" => "", "birth_date" => "1970-01-01", "birth_place" => "", "google_token" => "",
                 "facebook_token" => "", "apple_id" => "", "billing_extra" => "", "zendesk_user_id" => "0" }
  }.freeze

  # The names of what a schema has beside rows.
  PARTS = {
    "index" => "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
    "constraint" => "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
  }.freeze

  # A database is not what a contestant should leave.
  class Wrong < StandardError; end

  module_function

  # Raises Wrong unless the database has what production has and, when asked for, its masked columns no original.
  #
  # production, database:: Postgres::Database
  # masked::               whether the columns of COLUMNS should be masked
  def check!(production, database, masked:)
    COLUMNS.each_key { |table| check_originals!(production, database, table) } if masked
    production.counts.each do |table, rows|
      there = database.value("SELECT count(*) FROM #{table}").to_i
      raise Wrong, "incomplete: #{table} has #{there} rows instead of #{rows}" unless there == rows
    end
    # Rails may have added tables of its own.
    PARTS.each do |what, sql|
      missing = production.values(sql) - database.values(sql)
      raise Wrong, "incomplete: without the #{what} #{missing.first}" unless missing.empty?
    end
  end

  # How many rows have the value that they have in production, by column. Values that the masks write everywhere do not
  # count: a row in ten thousand had "0000" before.
  def originals(production, database, table)
    columns = COLUMNS.fetch(table)
    list = columns.join(", ")
    counts = columns.map do |column|
      written = CONSTANTS.dig(table, column)
      "count(*) FILTER (WHERE o.#{column} = m.#{column}#{" AND o.#{column} <> '#{written}'" if written})"
    end
    statements = ["CREATE TEMP TABLE originals AS SELECT id, #{list} FROM #{table} LIMIT 0", "COPY originals FROM STDIN",
                  "SELECT #{counts.join(", ")} FROM originals o JOIN #{table} m USING (id)"]
    columns.zip(psql_from(production, "COPY (SELECT id, #{list} FROM #{table}) TO STDOUT", database, statements).split("|").map(&:to_i)).to_h
  end

  def check_originals!(production, database, table)
    left = originals(production, database, table).select { |_, count| count.positive? }
    return if left.empty?

    raise Wrong, "not masked: #{left.map { |column, count| "#{table}.#{column} holds #{count} originals" }.join(", ")}"
  end

  # What psql prints for the statements, whose COPY reads what the query sends.
  def psql_from(source, query, database, statements)
    psql = [Postgres.program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    output, threads = Open3.pipeline_r([*psql, "-c", query, source.url], [*psql, *statements.flat_map { |sql| ["-c", sql] }, database.url])
    text = output.read
    raise Wrong, "its masked columns could not be read" unless threads.map(&:value).all?(&:success?)

    text
  ensure
    output&.close
  end
end
