# frozen_string_literal: true

require_relative "integration_helper"

# What the leak check prints closes the leak: once it is pasted, the next run passes, with any rules already in force.
class RemediesTest < IntegrationTest
  # A telephone number of each country as people there write it, and what it is in the column that is masked.
  PHONES = {
    "FR" => ["06 12 34 56 78", "+33612345678"], "BE" => ["0470 12 34 56", "+32470123456"], "CH" => ["044 668 18 00", "+41446681800"],
    "DE" => ["0151 23456789", "+4915123456789"], "ES" => ["612 34 56 78", "+34612345678"], "IT" => ["312 345 6789", "+393123456789"],
    "NL" => ["06 12345678", "+31612345678"], "PT" => ["912 345 678", "+351912345678"], "PL" => ["512 345 678", "+48512345678"],
    "GB" => ["07911 123456", "+447911123456"], "IE" => ["085 012 3456", "+353850123456"], "US" => ["(212) 555-0123", "+12125550123"],
    "CA" => ["416-555-0123", "+14165550123"]
  }.freeze
  OTHERS = {
    "email" => ["ada@people.example"] * 2, "iban" => ["FR76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890189"],
    "card" => ["4111 1111 1111 1111", "4111111111111111"], "nir" => ["2 69 05 49 588 157 80", "269054958815780"]
  }.freeze

  def test_telephone_numbers_in_text_are_scrubbed_in_every_country_that_the_app_names
    PHONES.each do |country, (written, stored)|
      sync(written, stored, "phone" => "phone", country:)
      assert_equal "0", @target.value("SELECT count(*) FROM notes WHERE body LIKE '%#{written}%'"), country
    end
  end

  def test_every_entry_that_is_printed_closes_the_leak
    (PHONES.values + OTHERS.values).each do |written, stored|
      %w[body doc words].each { |column| assert_closed(column, written, stored) }
    end
  end

  private

  # Runs with what masks the column already, and pastes what is printed, until nothing is.
  def assert_closed(column, written, stored)
    inside = { "body" => "scrub", "doc" => { "mask" => "json", "scrub" => true }, "words" => { "mask" => "array", "of" => "scrub" } }
    rules = [{ "table" => "people", "columns" => { "value" => kind_of(stored) } }, { "table" => "notes", "columns" => inside }]
    4.times do
      outcome = attempt(written, stored, rules, "JP")
      return if outcome.error.nil?

      leak = outcome.error.message[/\{ table: "notes", .*\} \}/] || flunk("nothing to paste for #{column}: #{outcome.error.message}")
      entry = eval(leak) # -- what a person does who pastes it
      refute_equal inside, pasted = inside.merge(plain(entry[:columns])), "the remedy is what is there already"
      inside = pasted
      rules = [rules.first, { "table" => "notes", "columns" => inside }]
    end
    flunk "what was printed for #{written} did not close the leak"
  end

  def plain(columns) = JSON.parse(JSON.generate(columns))

  def kind_of(stored)
    case stored
    when /@/ then "email"
    when /\AFR/ then "iban"
    when /\A4111/ then "credit_card"
    when /\A2690/ then "nir"
    else "phone"
    end
  end

  def sync(written, stored, country:, **)
    rules = [{ "table" => "people", "columns" => { "value" => "phone" } }, { "table" => "notes", "columns" => { "body" => "scrub" } }]
    outcome = attempt(written, stored, rules, country, tables: ["notes.body"])
    raise outcome.error if outcome.error
  end

  def attempt(written, stored, rules, country, tables: nil)
    settings = Engine.settings(source: dump_of(written, stored, tables), target: (@target = new_database).url, masking_options: { rules: })
    settings["masking"].merge!("allow_unmasked_copy" => true, "countries" => [country])
    settings["leak_check"] = { "enabled" => true, "names" => false }
    Engine.run(settings)
  end

  def dump_of(written, stored, only)
    @dumps ||= {}
    @dumps[[written, only]] ||= begin
      source = new_database("remedies")
      text = "call #{written} or write"
      others = only ? [nil, nil] : [JSON.generate({ text: }), "{\"#{text}\"}"]
      source.exec(<<~SQL)
        CREATE TABLE public.people (id bigint PRIMARY KEY, value text);
        INSERT INTO public.people VALUES (1, '#{stored}');
        CREATE TABLE public.notes (id bigint PRIMARY KEY, body text NOT NULL, doc jsonb, words text[]);
        INSERT INTO public.notes VALUES (1, '#{text}', #{others[0] ? "'#{others[0]}'" : "NULL"}, #{others[1] ? "'#{others[1]}'" : "NULL"});
      SQL
      source.dump(path("remedies_#{@dumps.size}.dump"))
    end
  end
end
