# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # The page's part on personal data: what would be in staging without rules and what is with them, and what the leak
      # check found.
      class PersonalData
        include Html

        # What the statuses of findings mean, those first that need somebody.
        STATUSES = {
          "uncovered" => ["copied as it is", "open"], "withheld" => ["left empty, needs a rule", "open"],
          "masked" => ["masked by its kind", "ok"], "covered" => ["covered by a rule", "ok"],
          "ignored" => ["known not to be personal", "known"]
        }.freeze
        OUTSIDE = ScalingoStagingSync::PersonalData::Outside
        private_constant :STATUSES, :OUTSIDE

        # @param facts [Hash{Symbol => Object}] the audit, as {Document#to_h} makes it
        def initialize(facts)
          @outside, about_persons = OUTSIDE.split(facts[:findings])
          @passwords = facts[:known_passwords].to_a
          @found = about_persons.sort_by { |one| [STATUSES.keys.index(status(one)), one[:table].to_s, one[:column].to_s] }
          @leaks = facts[:leaks].to_a
          @check = facts[:leak_check]
          @channels = facts[:channels].to_a
        end

        # @return [Array<String>] the sections that there is something to say in
        def to_a
          [findings, outside, leaks].compact
        end

        # What needs nobody. Columns of one table that fared alike share a line, and it may still be long.
        #
        # @return [String, nil] the section; nil where there is nothing in it
        def settled
          alike = @found.reject { |one| open?(one) }.group_by { |one| [one[:table], status(one), one[:because]] }
          return if alike.empty?

          rows = alike.map do |(table, *), ones|
            [name(table), ones.map { |one| "#{name(one[:column])} <em>#{h(one[:kind])}</em>" }.join(", "), became(ones.first)]
          end
          section("Personal data that is taken care of", grid(["Table", "Without rules", "With the rules"], rows, stacked: true))
        end

        private

        def status(finding)
          STATUSES.key?(finding[:status].to_s) ? finding[:status].to_s : "uncovered"
        end

        def findings
          return if @found.empty?

          section("Personal data, without the rules and with them", sentence, share, table)
        end

        # A column that is known not to be personal would have been none without rules either.
        def sentence
          counts = @found.map { |one| STATUSES.fetch(status(one)).last }.tally
          open = counts["open"].to_i
          kind = open.zero? ? "good" : "bad"
          "<p>Without rules #{columns(counts["ok"].to_i + open)} with personal data would be in staging as in production. " \
            "<span class=\"#{kind}\">With the rules #{if open.zero?
                                                        "none is"
                                                      else
                                                        "#{columns(open)} #{(open == 1) ? "needs" : "need"} a rule"
                                                      end}.</span></p>"
        end

        def columns(number) = Support::Figures.counted(number, "column")

        def share
          parts = %w[ok open known].map { |kind| [kind, @found.count { |one| STATUSES.fetch(status(one)).last == kind }] }
          bars = parts.map { |kind, number| "<i class=\"#{kind}\" style=\"flex:#{number}\"></i>" if number.positive? }
          "<div class=\"before\" aria-hidden=\"true\">#{bars.join}</div>"
        end

        # Columns that need somebody.
        def table
          rows = @found.select do |one|
                   open?(one)
                 end.map do |one|
            ["#{name(one[:table])}.<wbr>#{name(one[:column])}", "#{h(one[:kind])}<small>#{h(one[:reason])}</small>",
             became(one)]
          end
          grid(["Column", "Without rules", "With the rules"], rows, stacked: true) unless rows.empty?
        end

        def open?(finding) = STATUSES.fetch(status(finding)).last == "open"

        def became(one)
          words, kind = STATUSES.fetch(status(one))
          detail = one[:rule] ? "<code>#{h(one[:rule])}</code>" : h(one[:because])
          "#{(kind == "open") ? "<span class=\"bad\">#{words}</span>" : words}#{"<small>#{detail}</small>" unless detail.empty?}"
        end

        # What staging could do in production's name, and who can log in.
        def outside
          return if @outside.empty? && @passwords.empty?

          rows = @outside.map { |one| [name(OUTSIDE.place(one)), h(one[:reason]), h(OUTSIDE.became(one))] }
          acting = grid(["What", "Why", "What was done"], rows, stacked: true) unless rows.empty?
          section("What acts outside", acting, passwords)
        end

        def passwords
          return if @passwords.empty?

          items = @passwords.map { |one| "<li>#{name(one[:table])}.<wbr>#{name(one[:column])}: #{count(one[:accounts])}</li>" }
          "<p>Accounts whose password is known:</p><ul>#{items.join}</ul>"
        end

        def leaks
          return unless @check || @leaks.any? || @channels.any?

          section("Leak check", looked, leak_table, others)
        end

        def looked
          return "<p class=\"soft\">Not asked for.</p>" unless @check

          certain = @leaks.count { |leak| leak[:certain] }
          verdict = if certain.zero? then '<span class="good">✓ No original value of a masked column was found in another.</span>'
                    else
                      "<span class=\"bad\">✗ Original values of masked columns are in #{columns(certain)}.</span>"
                    end
          "<p>#{verdict}</p><p class=\"soft\">#{count(@check[:candidates])} values of other columns and #{count(@check[:hashes])} digests " \
            "were held against #{count(@check[:originals])} originals#{", exactly" if @check[:exact]}#{error_rate}.</p>"
        end

        def error_rate
          "; wrong at most once in #{count(1 / @check[:error_rate])}" if @check[:error_rate].to_f.positive?
        end

        def leak_table
          return if @leaks.empty?

          rows = @leaks.map do |leak|
            sure = leak[:certain] ? '<span class="bad">certain</span>' : "possible, #{leak[:expected_by_chance].to_f.round(1)} by chance"
            ["#{name(leak[:table])}.<wbr>#{name(leak[:column])}", h(leak[:kind]), count(leak[:count]),
             "#{sure}<small><code>#{h(leak[:entry])}</code></small>"]
          end
          grid(["Column", "Holds", "#Values", "How sure"], rows)
        end

        def others
          "<ul>#{@channels.map { |channel| "<li>#{h(channel[:note])}</li>" }.join}</ul>" if @channels.any?
        end
      end
    end
  end
end
