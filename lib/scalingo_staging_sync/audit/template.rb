# frozen_string_literal: true

require "active_support/inflector"
require "cgi/escape"
require "erb"

module ScalingoStagingSync
  module Audit
    # A part of the page: a template in ERB, which lies beside the class under its name, and the values for it. Every text goes
    # into a template through {#h}, {#t} or {#name}.
    class Template
      include Wording

      # @param view [View] what all parts share
      def initialize(view)
        @view = view
      end

      # @return [Boolean] whether there is something to say
      def any? = true

      # @return [String] the HTML
      def to_s
        ERB.new(File.read("#{path}.html.erb", encoding: "UTF-8"), trim_mode: "-").result(binding)
      end

      private

      attr_reader :view

      def path = "#{__dir__}/#{ActiveSupport::Inflector.underscore(self.class.name.delete_prefix("ScalingoStagingSync::Audit::"))}"

      # Text for HTML.
      def h(text) = CGI.escapeHTML(text.to_s)

      # A sentence of the language, for HTML.
      def t(key, **values) = h(words.say(key, **values))

      # What the tool says; what there are no words for in the page's language is quoted in English. A rule is the app's code, and the
      # team's own reasons are in the team's language.
      def quoted(said)
        text = said.to_s
        return h(text) if text.empty? || (said.is_a?(Messages::Sentence) && said.own?)

        known = words.quote(said)
        "<span#{' lang="en"' unless known}>#{h(known || text)}</span>"
      end

      # The name of a table or a column, with the places where a narrow page may break it.
      def name(text) = h(text.to_s.delete_prefix("public.")).gsub(/[._]/, '\0<wbr>')

      # A column with its table.
      def place(table, column) = "#{name(table)}.<wbr>#{name(column)}"

      def count(number) = h(words.language.number(number.to_i))

      # A noun without its number, where the number stands apart.
      def unit(noun, number) = h(words.counted(noun, number.to_i).sub(/\A\S+ /, ""))

      def rows_of(table)
        return count(table.rows) unless table.backup_rows

        t("tables.of_rows", rows: table.rows, all: table.backup_rows)
      end
    end
  end
end
