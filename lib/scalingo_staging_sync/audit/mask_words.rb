# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # A mask in words that a layman reads: what it does, and an invented example.
    #
    # @!attribute [r] name
    #   @return [String] its name among {Words}
    # @!attribute [r] conditional
    #   @return [Boolean] whether it is only for rows that meet a condition
    # @!attribute [r] sql
    #   @return [Boolean] whether it is a rule in SQL
    MaskWords = Data.define(:name, :conditional, :sql) do
      alias_method :sql?, :sql

      # @param mask [Messages::Sentence, nil] what a mask makes of a column
      # @return [MaskWords] it
      def self.of(mask)
        data = mask&.data || {}
        conditional = data[:kind] == "mask_conditional"
        data = data[:mask] while MaskWords::AROUND.include?(data[:kind])
        name = data[:mask] || MaskWords::NAMES[data[:kind]] || data[:rule] || mask.to_s
        new(name:, conditional:, sql: data[:kind] == "mask_by_sql")
      end

      # @param words [Words] the language
      # @return [Array(String, String)] its title and what it does
      def said(words) = words.mask(name) || words.mask("other")

      # @param words [Words] the language
      # @return [Array(String, String), nil] an invented value, and its pseudonym
      def example(words)
        words.example(name) || MaskWords.catalogue[name]
      end
    end

    # How the engine names masks.
    class MaskWords
      # Kinds of phrases around that of a mask.
      AROUND = %w[mask_conditional mask_encrypted].freeze

      # Names among {Words}, by the kinds of phrases that do not say the mask's own.
      NAMES = {
        "mask_email" => "email", "mask_email_md5" => "email_md5", "mask_null" => "null", "mask_distinct" => "distinct",
        "mask_numbered_phone" => "numbered_phone", "mask_constant" => "constant", "mask_neutral" => "neutral",
        "mask_numbered" => "numbered_name", "mask_own_value" => "category"
      }.freeze

      # @return [Hash{String => Array(String, String)}] the catalogue's examples
      def self.catalogue = @catalogue ||= Native.masks.to_h { |mask| [mask[:name], mask.values_at(:from, :to)] }
    end
  end
end
