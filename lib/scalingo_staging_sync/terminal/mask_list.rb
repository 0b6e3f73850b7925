# frozen_string_literal: true

require "json"

module ScalingoStagingSync
  module Terminal
    # The catalogue of masks: what `rake scalingo_staging_sync:masks` prints and docs/masks.md shows.
    # Both are made from what the engine itself knows of its masks.
    class MaskList
      # Increased when a reader of the JSON would have to change.
      SCHEMA_VERSION = 1

      # @param masks [Array<Hash>] the engine's catalogue
      def initialize(masks = ScalingoStagingSync::Native.masks)
        @masks = Messages::EngineWords.masks(masks)
      end

      # @return [String] each mask with its options and an example, as JSON
      def json
        masks = @masks.map { |mask| mask.merge(options: mask[:options].to_h) }
        JSON.pretty_generate({ schema_version: SCHEMA_VERSION, masks: })
      end

      # @return [String] a few lines for each mask
      def text
        @masks.map { |mask| paragraph(mask) }.join("\n")
      end

      # @return [String] a table in Markdown
      def markdown
        rows = @masks.map do |mask|
          options = mask[:options].map { |name, doc| "`#{name}`: #{doc}" }.join("; ")
          "| `:#{mask[:name]}` | #{cell(mask[:doc])} | #{cell(options)} | `#{cell(mask[:from])}` → `#{cell(mask[:to])}` |"
        end
        ["| Mask | What a value becomes | Options | Example |", "|---|---|---|---|", *rows].join("\n") << "\n"
      end

      private

      def paragraph(mask)
        lines = [":#{mask[:name]}  #{mask[:doc]}"]
        lines += mask[:options].map { |name, doc| "    #{name}: #{doc}" }
        lines << "    #{mask[:from]} -> #{mask[:to]}" << ""
        lines.join("\n")
      end

      def cell(text)
        text.gsub("|", "\\|")
      end
    end
  end
end
