# frozen_string_literal: true

require "cgi/escape"

module ScalingoStagingSync
  module Audit
    class Page
      # The few forms that the page's parts are made of. Text is escaped where it goes in, numbers are written for people.
      module Html
        private

        # @param text [Object] any text
        # @return [String] it for HTML
        def h(text) = CGI.escapeHTML(text.to_s)

        # @param text [String] a table's or a column's name
        # @return [String] it for HTML, with the places where a narrow page may break it
        def name(text) = h(text).gsub(/[._]/, '\0<wbr>')

        def count(number) = Support::Figures.count(number.to_i)

        def section(title, *parts)
          "<h2>#{title}</h2>\n#{parts.flatten.compact.join("\n")}"
        end

        # @param items [Array<String>] texts
        # @return [String, nil] a list under a heading; nil where there is nothing in it
        def list(title, items)
          section(title, "<ul>#{items.map { |item| "<li>#{h(item)}</li>" }.join}</ul>") unless items.empty?
        end

        # @param head [Array<String>] headings; those that begin with # are of numbers
        # @param rows [Array<Array<String>>] cells, which are HTML already
        # @param stacked [Boolean] whether a phone shows the cells of a row below one another
        # @return [String] a table
        def grid(head, rows, stacked: false)
          kinds = head.map.with_index { |title, index| title.start_with?("#") ? ' class="n"' : (' class="name"' if index.zero?) }
          cells = head.zip(kinds).map { |title, kind| "<th#{kind}>#{title.delete_prefix("#")}</th>" }
          body = rows.map { |row| "<tr>#{row.zip(kinds).map { |cell, kind| "<td#{kind}>#{cell}</td>" }.join}</tr>" }
          "<div class=\"wide\"><table#{' class="stacked"' if stacked}><thead><tr>#{cells.join}</tr></thead><tbody>#{body.join}</tbody></table></div>"
        end
      end
    end
  end
end
