# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # A mask, as the report names it, in words that a layman reads: what it does, and an invented example.
    #
    # @!attribute [r] name
    #   @return [String] its name among {Words}
    # @!attribute [r] conditional
    #   @return [Boolean] whether it is only for rows that meet a condition
    MaskWords = Data.define(:name, :conditional) do
      # @param description [String] the mask as the report names it
      # @return [MaskWords] it
      def self.of(description)
        plain = description.to_s.delete_suffix(MaskWords::CONDITION)
        form = MaskWords::FORMS.find { |pattern, _| pattern.match?(plain) }
        new(name: form ? form.last : plain, conditional: plain != description.to_s)
      end

      # @return [Boolean] whether it is a rule in SQL
      def sql? = Messages::RuleNames.name?(name)

      # @param words [Words] the language
      # @return [Array(String, String)] its title and what it does
      def said(words) = words.mask(name) || words.mask("other")

      # @param words [Words] the language
      # @return [Array(String, String), nil] an invented value, and its pseudonym
      def example(words)
        words.example(name) || MaskWords.catalogue[name]
      end
    end

    # How the report names masks.
    class MaskWords
      # What the report appends where only some rows are masked.
      CONDITION = ", under a condition"

      # Masks that the report does not call by their name.
      FORMS = {
        /\Ae-mail pseudonym\z/ => "email", /\AMD5 of the new/ => "email_md5", /\ANULL\z/ => "null", /\Adistinct keyed/ => "distinct",
        /\Aphone number 060/ => "numbered_phone", /\Aconstant "/ => "constant", /\Aneutral value "/ => "neutral", /<id>\z/ => "numbered_name",
        /\Aone of the column's own values/ => "category"
      }.freeze

      # @return [Hash{String => Array(String, String)}] the catalogue's examples
      def self.catalogue = @catalogue ||= Native.masks.to_h { |mask| [mask[:name], mask.values_at(:from, :to)] }
    end
  end
end
