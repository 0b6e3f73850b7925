# frozen_string_literal: true

# The README's tables of options and masks, made from what they describe; tests compare the two.
module OptionTable
  BEGINNING = "<!-- options: written by `rake readme` -->\n"
  ENDING = "<!-- end of options -->\n"
  MASKS_BEGINNING = "<!-- masks: written by `rake readme` -->\n"
  MASKS_ENDING = "<!-- end of masks -->\n"

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
  # @return [String] the text with the table regenerated
  def replace(readme)
    between(readme, BEGINNING, markdown, ENDING)
  end

  # @param readme [String] the README
  # @return [String] the text with the table of masks regenerated from what the native library knows
  def replace_masks(readme)
    between(readme, MASKS_BEGINNING, ScalingoStagingSync::Terminal::MaskList.new.markdown, MASKS_ENDING)
  end

  def between(readme, beginning, table, ending)
    head, rest = readme.split(beginning, 2)
    tail = rest.split(ending, 2).last
    [head, beginning, table, ending, tail].join
  end

  def cell(text)
    text.gsub("<", "\\<").gsub("|", "\\|")
  end
end
