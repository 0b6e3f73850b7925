# frozen_string_literal: true

# What the same rules do beyond one run: an original that hides is caught, a part of production comes, and an archive is
# masked for pg_restore. Each leaves claims in the proof.
class Further
  def initialize(app:, staging:, production:, work:, screen:, proof:)
    @app = app
    @staging = staging
    @production = production
    @work = work
    @screen = screen
    @proof = proof
  end

  # A run over a backup in which an address hides in a product's name.
  def leak
    @screen.chapter("A customer's address hides in a product's name, behind the rows that are looked at first")
    @production.exec(Shop::LEAK)
    dump = File.join(@work, "leak.dump")
    @screen.step("pg_dump -Fc of that") { @production.dump(dump) }
    task = measured("rake scalingo_staging_sync:run", "run", "BACKUP_FILE" => dump)
    @screen.quote(Screen.wrapped(task.output[/\S*Error: .+/m].to_s.strip))
    @proof.claim("the run failed, names the column, and prints the rule that covers it",
                 !task.success? && task.output.include?("products.name") && task.output.include?("scrub"))
  end

  # The same backup, but only some customers come.
  def part
    @screen.chapter("A part of production")
    @screen.quote(Shop::PART)
    @app.configure(Shop::CONFIGURATION + Shop::PART)
    task = measured("rake scalingo_staging_sync:run", "run")
    counts = @staging.database.counts
    %w[public.users public.orders public.comments public.products].each do |table|
      @screen.say("#{table.delete_prefix("public.").ljust(9)} #{Screen.number(counts[table])} of #{Screen.number(@production.counts[table])} rows")
    end
    broken = @staging.database.values("SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT convalidated") - ["fk_impersonations_session"]
    @proof.claim("200 customers came, with everything that belongs to them, and every foreign key holds",
                 task.success? && counts["public.users"] == 200 && counts["public.orders"].positive? && broken.empty?)
  end

  # The archive for laptops and review apps.
  def archive
    @screen.chapter("A masked archive, for laptops")
    @app.configure(Shop::CONFIGURATION)
    task = measured("rake scalingo_staging_sync:dump[tmp/shop.dump]", "dump[tmp/shop.dump]")
    file = File.join(@app.directory, "tmp/shop.dump")
    laptop = Postgres.create_database("laptop")
    @screen.step("pg_restore of its #{Screen.megabytes(File.size(file))}, by PostgreSQL's own tool") { laptop.restore(file) { false } }
    address = laptop.value("SELECT email FROM users WHERE id = 100")
    @screen.say("customer 100 there: #{address}")
    @proof.claim("pg_restore read it, with every customer and no customer's own address",
                 task.success? && laptop.value("SELECT count(*) FROM users") == @production.value("SELECT count(*) FROM users") &&
                 address.end_with?("@demo.example.com"))
  ensure
    laptop&.drop
  end

  private

  def measured(name, task, environment = {})
    finished = nil
    @screen.step(name) { finished = @app.rake("scalingo_staging_sync:#{task}", environment:) }
    finished
  end
end
