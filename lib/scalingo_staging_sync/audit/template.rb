# frozen_string_literal: true

require "active_support/inflector"
require "cgi/escape"
require "erb"

module ScalingoStagingSync
  module Audit
    # The page, or a part of it: a template in ERB, which lies beside the class under its name, and the values for it. Every
    # text goes into a template through {#h} or {#name}.
    class Template
      # @param document [Document] the audit
      def initialize(document)
        @document = document
      end

      # @return [Boolean] whether there is something to say
      def any? = true

      # @return [String] the HTML
      def to_s
        ERB.new(File.read("#{path}.html.erb", encoding: "UTF-8"), trim_mode: "-").result(binding)
      end

      private

      attr_reader :document

      def run = document.run

      def path = "#{__dir__}/#{ActiveSupport::Inflector.underscore(self.class.name.delete_prefix("ScalingoStagingSync::Audit::"))}"

      # Text for HTML.
      def h(text) = CGI.escapeHTML(text.to_s)

      # The name of a table or a column, with the places where a narrow page may break it.
      def name(text) = h(text).gsub(/[._]/, '\0<wbr>')

      def count(number) = Support::Figures.count(number.to_i)

      def counted(number, noun) = Support::Figures.counted(number, noun)

      def bytes(number) = Support::Figures.bytes(number)

      def seconds(number) = Support::Figures.seconds(number)

      def moment(time) = Support::Figures.moment(time)
    end
  end
end
