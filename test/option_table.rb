# frozen_string_literal: true

# The README's table of options, made from the options themselves; a test compares the two.
module OptionTable
  BEGINNING = "<!-- options: written by `rake readme` -->\n"
  ENDING = "<!-- end of options -->\n"

  module_function

  # @return [String] the table in Markdown
  def markdown
    rows = ScalingoStagingSync::Configuration.groups.flat_map do |title, options|
      ["| **#{title}** | | | |"] + options.map do |option|
        "| `#{option.name}` | #{cell(option.kind.label)} | `#{option.shown}` | #{cell(option.doc)} |"
      end
    end
    (["| Option | Type | Default | What it does |", "|---|---|---|---|"] + rows).join("\n") << "\n"
  end

  # @param readme [String] the README
  # @return [String] it with the table made anew
  def replace(readme)
    head, rest = readme.split(BEGINNING, 2)
    tail = rest.split(ENDING, 2).last
    [head, BEGINNING, markdown, ENDING, tail].join
  end

  def cell(text)
    text.gsub("<", "\\<").gsub("|", "\\|")
  end
end
