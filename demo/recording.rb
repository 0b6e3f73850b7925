# frozen_string_literal: true

# Records a run in a terminal, and draws it as the two pictures of the README: `rake docs:recording`. The library that
# `rake compile` has built does the work, so compile for release first.

require "cgi/escape"
require "pty"
require_relative "../test/support/fake_scalingo"
require_relative "../test/support/postgres"
require_relative "../test/support/rails_app"
require_relative "../test/support/terminal"
require_relative "shop"

# What a terminal showed at which second of a run.
class Recording
  COLUMNS = 100
  LINES = 22
  COMMAND = "bundle exec rake scalingo_staging_sync:run"

  # @return [Array<Array(Float, Array<String>)>] seconds, and the lines that stood there
  attr_reader :states

  def initialize(app)
    @app = app
    @screen = Terminal::Screen.new(COLUMNS)
    @screen.write("$ #{COMMAND}\r\n")
    @read = 0
    @states = [[0.0, shown]]
  end

  def record
    started = now
    result = Terminal.run(*COMMAND.split, environment: @app.environment, directory: @app.directory, columns: COLUMNS) do |raw, *|
      @screen.write(unread(raw).gsub(@app.directory, "/app")) # a temporary folder
      @states << [now - started, shown] unless @states.last.last == shown
    end
    abort result.screen.join("\n") unless result.status.success?

    self
  end

  # At most so many of them, from the moment when the app has booted.
  def film(most)
    booted = @states.drop(1)
    pause = (booted.last.first - booted.first.first) / most
    kept = booted.each_with_object([]) { |state, all| all << state if all.empty? || state.first >= all.last.first + pause }
    kept << booted.last unless kept.last.equal?(booted.last)
    [@states.first, *kept.map { |seconds, lines| [seconds - booted.first.first + 0.8, lines] }]
  end

  private

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  # What has come since, without the first bytes of a character whose last ones have not.
  def unread(raw)
    rest = raw.byteslice(@read..)
    rest = rest.byteslice(0...-1) until rest.valid_encoding?
    @read += rest.bytesize
    rest
  end

  def shown = @screen.lines.last(LINES)
end

# The film as an SVG: all states side by side in one strip, which moves behind a window.
class Film
  PALETTES = {
    "light" => { paper: "#f6f8fa", ink: "#1f2328", edge: "#d1d9e0", bar: "#1b7c83" },
    "dark" => { paper: "#0d1117", ink: "#e6edf3", edge: "#3d444d", bar: "#39c5cf" }
  }.freeze
  ADVANCE = 8.43
  LEADING = 19
  MARGIN = 16
  TOP = 44
  WIDTH = ((Recording::COLUMNS * ADVANCE) + (2 * MARGIN)).round
  HEIGHT = TOP + (Recording::LINES * LEADING) + MARGIN

  def initialize(states, description)
    @states = states
    @description = description
    @length = states.last.first + 4
  end

  def svg(palette)
    <<~SVG
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 #{WIDTH} #{HEIGHT}" width="#{WIDTH}" height="#{HEIGHT}" role="img" aria-labelledby="title desc">
      <title id="title">A run in a terminal</title>
      <desc id="desc">#{@description}</desc>
      <style>
      #{style(**PALETTES.fetch(palette))}
      </style>
      <rect class="window" x="0.5" y="0.5" width="#{WIDTH - 1}" height="#{HEIGHT - 1}" rx="8"/>
      #{Array.new(3) { |index| %(<circle class="edge" cx="#{22 + (index * 20)}" cy="20" r="6"/>) }.join("\n")}
      <defs>
      #{lines.map { |line, id| %(<text id="#{id}">#{spans(line)}</text>) }.join("\n")}
      </defs>
      <g class="film">
      #{uses.join("\n")}
      </g>
      </svg>
    SVG
  end

  private

  # Where motion is not wanted, or not known, the last state stands.
  def style(paper:, ink:, edge:, bar:)
    keys = @states.each_with_index.map { |(second, _), index| format("%.2f%% { transform: translateX(%dpx) }", 100 * second / @length, -index * WIDTH) }
    <<~CSS.chomp
      text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; fill: #{ink}; white-space: pre; }
      .window { fill: #{paper}; stroke: #{edge}; }
      .edge { fill: #{edge}; }
      .bar { fill: #{bar}; }
      .film { transform: translateX(#{-(@states.size - 1) * WIDTH}px); animation: film #{@length.round(1)}s step-end infinite; }
      @keyframes film { #{keys.join(" ")} }
      @media (prefers-reduced-motion: reduce) { .film { animation: none; } }
    CSS
  end

  # Each line once, however many states show it.
  def lines = @lines ||= @states.flat_map(&:last).uniq.grep(/\S/).each_with_index.to_h { |line, index| [line, "l#{index}"] }

  def uses
    @states.each_with_index.flat_map do |(_, shown), index|
      shown.each_with_index.filter_map do |line, row|
        format('<use href="#%s" x="%d" y="%.1f"/>', lines.fetch(line), index * WIDTH, TOP + ((row + 0.8) * LEADING)) if line.match?(/\S/)
      end
    end
  end

  # A bar has a colour of its own. Each part says how wide it is, so that any monospaced font will do.
  def spans(line)
    column = 0
    line.scan(/[━╸╺─]+|[^━╸╺─]+/).map do |part|
      inside = part.strip
      at = MARGIN + ((column + part.index(/\S|\z/)) * ADVANCE)
      column += part.length
      next if inside.empty?

      kind = ' class="bar"' if inside.match?(/\A[━╸╺─]/)
      format('<tspan x="%.1f"%s textLength="%.1f">%s</tspan>', at, kind, inside.length * ADVANCE, CGI.escapeHTML(inside))
    end.join
  end
end

users = Integer(ENV.fetch("DEMO_USERS", "120000"))
Dir.mktmpdir("staging-sync-recording") do |work|
  production = Postgres.create_database("production")
  production.load_sql(Shop::SQL, users:)
  fake = FakeScalingo.new(archive: Postgres.pack(production.dump(File.join(work, "shop.dump"))), app: "shop-production")
  staging = Postgres.create_staging
  app = RailsApp.new(File.join(work, "app"), database_url: staging.url, environment: RailsApp.variables_for(fake))
  app.generate
  app.configure(Shop::CONFIGURATION)
  film = Recording.new(app).record.film(28)
  counted = users.to_s.gsub(/(\d)(?=(\d{3})+\z)/, '\1,')
  description = "A recording of #{Recording::COMMAND} in a terminal of #{Recording::COLUMNS} columns, with the shop of bin/demo and " \
                "#{counted} customers. Bars show the download, the rows and the indexes; the last line says what was done."
  Film::PALETTES.each_key { |palette| File.write("docs/images/run-#{palette}.svg", Film.new(film, description).svg(palette)) }
ensure
  fake&.stop
  [staging, production].compact.each(&:drop)
end
