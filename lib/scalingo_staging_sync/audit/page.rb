# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # The audit as one HTML page that asks nothing of any other server: for a screen, a phone and paper.
    class Page
      include Html

      # @param facts [Hash{Symbol => Object}] the audit, as {Document#to_h} makes it
      def initialize(facts)
        @facts = facts
      end

      # @return [String] the page
      def to_s
        <<~HTML
          <!doctype html>
          <html lang="en">
          <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
          <title>Anonymization audit #{h(@facts[:run_id])}</title>
          <style>
          #{Style::CSS}</style>
          </head>
          <body>
          #{[head, figures, *personal.to_a, facts, Timeline.new(@facts).to_s, *Tables.new(@facts).to_a, personal.settled, *lists].compact.join("\n")}
          </body>
          </html>
        HTML
      end

      private

      def personal
        @personal ||= PersonalData.new(@facts)
      end

      def head
        names = [@facts[:source_app] || @facts.dig(:backup, :origin), @facts[:target_app]].compact
        "<h1>Anonymization audit</h1>\n<p>#{names.map do |name|
                                              h(name)
                                            end.join(" → ")}, #{h(Support::Figures.moment(@facts[:finished_at]))}</p>\n<p>#{verdict}</p>"
      end

      def verdict
        verification = @facts[:verification]
        return '<span class="soft">Verification was not asked for.</span>' unless verification[:enabled]
        return '<span class="good">✓ Verified: every masked value has its mask’s form, and every row arrived.</span>' if verification[:passed]

        wrong = verification[:violations].to_i
        found = wrong.positive? ? "#{count(wrong)} values were not of their mask’s form." : "the warnings and the leak check say why."
        "<span class=\"bad\">✗ Verification FAILED: #{found}</span>"
      end

      def figures
        totals = @facts[:totals]
        pairs = { "tables" => count(totals[:tables]), "rows" => count(totals[:rows]), "values masked" => count(totals[:masked_values]),
                  "tables without rows" => count(@facts[:excluded].size), "duration" => Support::Figures.seconds(@facts[:duration_seconds]) }
        "<div class=\"figures\">#{pairs.map { |name, value| "<div><b>#{h(value)}</b><span>#{name}</span></div>" }.join}</div>"
      end

      def facts
        backup = @facts[:backup] || {}
        pairs = {
          "Run" => @facts[:run_id], "Started" => @facts[:started_at], "Finished" => @facts[:finished_at],
          "Backup" => [backup[:id], (Support::Figures.moment(backup[:created_at]) if backup[:created_at]),
                       (Support::Figures.bytes(backup[:size]) if backup[:size])].compact.join(", "),
          "Archive, SHA-256" => backup[:sha256],
          "Of the database" => backup[:database] && "#{backup[:database]}, PostgreSQL #{backup[:server_version]}, " \
                                                    "by pg_dump #{backup[:dump_version]}",
          "Large objects" => (count(@facts[:totals][:large_objects]) if @facts[:totals][:large_objects].to_i.positive?),
          "Rules, fingerprint" => @facts[:rules_fingerprint], "Database size" => sizes, "Gem" => @facts[:gem_version]
        }.reject { |_, value| value.to_s.empty? }
        section("What ran", "<dl>#{pairs.map { |name, value| "<dt>#{name}</dt><dd>#{h(value)}</dd>" }.join}</dl>")
      end

      def sizes
        before, after = @facts[:size_bytes].values_at(:before, :after)
        "#{Support::Figures.bytes(before)} before, #{Support::Figures.bytes(after)} after" if before && after
      end

      def lists
        [list("Created without their rows", @facts[:excluded]),
         list("Left out", @facts[:left_out].map { |entry| "#{entry[:kind]} #{entry[:name]}: #{entry[:why]}" }),
         list("Warnings", @facts[:warnings])]
      end
    end
  end
end
