# frozen_string_literal: true

require "json"

# The parts of the documentation that are made from the code: options, masks, errors, and the README's ratios. `rake docs`
# writes them, and a test compares them with what is there.
module GeneratedDocs
  ROOT = File.expand_path("..", __dir__)

  # Where the classes of errors are explained.
  ERROR_FILES = %w[errors support/environment_validator integrations/scalingo_api_client].freeze

  # The README's lines on speed: a ratio of bench/run's, and what it is a ratio of.
  RATIOS = {
    "C/A" => "`tar`, `pg_restore` and `UPDATE`s, which leave the same data",
    "C/B" => "`pg_restore` alone, which masks nothing",
    "C/D" => "`COPY` of files that are masked already, the least that PostgreSQL needs"
  }.freeze

  module_function

  # The page of each part.
  #
  # @return [Hash{Array(String, String) => Proc}] from a page and the part's name to what makes it
  def parts
    {
      ["docs/options.md", "options"] => -> { options },
      ["docs/masks.md", "masks"] => -> { ScalingoStagingSync::Terminal::MaskList.new.markdown },
      ["docs/errors.md", "errors"] => -> { errors },
      ["README.md", "ratios"] => -> { ratios }
    }
  end

  # @param name [String] a part's name
  # @return [Boolean] whether its page has it as it would be written now
  def current?(name)
    (page,), make = parts.find { |(_, other), _| other == name }
    text = read(page)
    text == replaced(text, name, make.call)
  end

  # @param names [Array<String>] the parts to write, by default all
  # @return [void]
  def write(names = parts.keys.map(&:last))
    parts.each do |(page, name), make|
      File.write("#{ROOT}/#{page}", replaced(read(page), name, make.call)) if names.include?(name)
    end
  end

  def read(page) = File.read("#{ROOT}/#{page}", encoding: "UTF-8")

  def replaced(text, name, part)
    beginning = "<!-- #{name}: written by `rake docs` -->\n"
    ending = "<!-- end of #{name} -->\n"
    head, rest = text.split(beginning, 2)
    [head, beginning, "\n", part, "\n", ending, rest.split(ending, 2).last].join
  end

  def options
    ScalingoStagingSync::Configuration.groups.map do |title, options|
      rows = options.map do |option|
        "| `#{option.name}`<br>#{cell(option.kind.label)} | `#{option.shown.gsub("|", "\\|")}` | #{cell(option.doc)} |"
      end
      ["### #{title}\n", "| Option | Default | What it does |", "|---|---|---|", *rows].join("\n") << "\n"
    end.join("\n")
  end

  def errors
    rows = error_classes.map do |error|
      note = error.tag(:note)&.text or raise "#{error.path} has no @note that says what to do."
      "| `#{error.name}` | #{cell(line(error.docstring))} | #{cell(line(note))} |"
    end
    ["| Class | What it means | What to do |", "|---|---|---|", *rows].join("\n") << "\n"
  end

  # In the order in which they stand in the files.
  def error_classes
    require "yard"
    YARD::Registry.clear
    YARD::Logger.instance.enter_level(YARD::Logger::ERROR) do
      YARD.parse(ERROR_FILES.map { |file| "#{ROOT}/lib/scalingo_staging_sync/#{file}.rb" })
    end
    YARD::Registry.all(:class).select { |found| found.name.end_with?("Error") }
                  .sort_by { |error| [ERROR_FILES.index { |file| error.file.end_with?("#{file}.rb") }, error.line] }
  end

  def ratios
    runs = File.readlines("#{ROOT}/bench/results/history.jsonl").map { |line| JSON.parse(line) }
    newest = runs.reverse.find { |run| run["scale"] >= 1 }
    rows = RATIOS.map { |key, what| format("| %s | **%.2f** | %.2f |", what, newest["ratios"].fetch(key), newest["cpu_ratios"].fetch(key)) }
    ["| Against | Time | CPU time |", "|---|---|---|", *rows].join("\n") << "\n"
  end

  def line(text) = text.gsub(/\s+/, " ").strip

  def cell(text) = text.gsub("<", "\\<").gsub("|", "\\|")
end
