# frozen_string_literal: true

require "cgi/escape"

module ScalingoStagingSync
  module Database
    # The audit as one HTML page that asks nothing of any other server: for a screen, a phone and paper.
    class AuditPage
      # Tables drawn in the chart; more would be too thin to read. The list holds them all.
      DRAWN = 40

      STYLE = <<~CSS
        :root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee5;--paper:#fff;--card:#f5f7fa;--bar:#2f6fde;--phase:#8a94a3;--good:#14713d;--bad:#b3261e}
        @media(prefers-color-scheme:dark){:root{--ink:#e8ebef;--soft:#a3adba;--line:#343b45;--paper:#14171c;--card:#1d2229;--bar:#6ea3ff;--phase:#6f7a89;--good:#6fd39a;--bad:#ff8a80}}
        *{box-sizing:border-box}body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:62rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
        h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{margin:.3rem 0}
        .soft{color:var(--soft)}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
        .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;margin:1.2rem 0}
        .figures div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
        .figures b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}.figures span{color:var(--soft);font-size:.85rem}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
        .chart{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.15rem .7rem;align-items:center;font-size:.85rem}
        .chart .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;max-width:16rem}.track{position:relative;height:1.05rem;background:var(--card);border-radius:.2rem}
        .track i{position:absolute;top:0;bottom:0;min-width:2px;border-radius:.2rem;background:var(--bar);print-color-adjust:exact;-webkit-print-color-adjust:exact}.phase i{background:var(--phase)}
        .track small{position:absolute;top:0;line-height:1.05rem;padding:0 .3rem;color:var(--ink);white-space:nowrap;font-size:.72rem}
        details{border-bottom:1px solid var(--line)}summary{display:flex;gap:1rem;justify-content:space-between;padding:.4rem .2rem;cursor:pointer;overflow-wrap:anywhere}
        summary.plain{cursor:default;list-style:none}summary.plain::-webkit-details-marker{display:none}
        summary span:last-child{color:var(--soft);text-align:right;flex-shrink:0;font-variant-numeric:tabular-nums}
        .wide{overflow-x:auto;margin:0 0 .8rem}table{border-collapse:collapse;width:100%;font-size:.88rem}th,td{text-align:left;padding:.25rem .6rem .25rem .2rem;border-bottom:1px solid var(--line);vertical-align:top}
        td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}th{color:var(--soft);font-weight:500}ul{margin:.3rem 0;padding-left:1.2rem}li{overflow-wrap:anywhere}
        code{font:.85em ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
        @media(max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}.chart{grid-template-columns:6.5rem 1fr}summary{gap:.6rem}}
        @media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--card:#fff;--bar:#345;--phase:#999;--good:#000;--bad:#000}body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}details,.chart>*,tr{break-inside:avoid}}
      CSS
      private_constant :STYLE

      # @param facts [Hash{Symbol => Object}] the audit, as {AnonymizationAudit#to_h} makes it
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
          #{STYLE}</style>
          </head>
          <body>
          #{[head, figures, facts, timeline, tables, findings, *lists].compact.join("\n")}
          </body>
          </html>
        HTML
      end

      private

      def h(text) = CGI.escapeHTML(text.to_s)

      def count(number) = Support::Figures.count(number.to_i)

      def head
        names = [@facts[:source_app] || @facts.dig(:backup, :origin), @facts[:target_app]].compact
        "<h1>Anonymization audit</h1>\n<p>#{names.map { |name| h(name) }.join(" → ")}, #{h(@facts[:finished_at])}</p>\n<p>#{verdict}</p>"
      end

      def verdict
        verification = @facts[:verification]
        return '<span class="soft">Verification was not asked for.</span>' unless verification[:enabled]
        return '<span class="good">✓ Verified: every masked value has its mask’s form, and every row arrived.</span>' if verification[:passed]

        "<span class=\"bad\">✗ Verification FAILED: #{count(verification[:violations])} values were not of their mask’s form.</span>"
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
          "Backup" => [backup[:id], backup[:created_at]].compact.join(", "), "Archive, SHA-256" => backup[:sha256],
          "Of the database" => backup[:database] && "#{backup[:database]}, PostgreSQL #{backup[:server_version]}",
          "Rules, fingerprint" => @facts[:rules_fingerprint], "Database size" => sizes, "Gem" => @facts[:gem_version]
        }.reject { |_, value| value.to_s.empty? }
        "<h2>What ran</h2>\n<dl>#{pairs.map { |name, value| "<dt>#{name}</dt><dd>#{h(value)}</dd>" }.join}</dl>"
      end

      def sizes
        before, after = @facts[:size_bytes].values_at(:before, :after)
        "#{Support::Figures.bytes(before)} before, #{Support::Figures.bytes(after)} after" if before && after
      end

      # Phases and the longest tables, drawn against the run's time.
      def timeline
        return if @facts[:phases].empty?

        all = [*@facts[:phases], *@facts[:tables]].map { |bar| bar[:started].to_f + bar[:seconds].to_f }.max
        return unless all.positive?

        longest = @facts[:tables].max_by(DRAWN) { |table| table[:seconds].to_f }.sort_by { |table| table[:started].to_f }
        bars = @facts[:phases].map { |phase| bar(phase[:name], phase, all, "phase") } +
               longest.map { |table| bar(table[:table], table, all, "table") }
        rest = @facts[:tables].size - longest.size
        note = "<p class=\"soft\">Grey: phases. Blue: tables#{", the #{DRAWN} that took longest of #{count(@facts[:tables].size)}" if rest.positive?}.</p>"
        "<h2>Timeline</h2>\n#{note}\n<div class=\"chart\">#{bars.join}</div>"
      end

      def bar(name, bar, all, kind)
        left = (bar[:started].to_f / all * 100).round(2)
        width = (bar[:seconds].to_f / all * 100).round(2)
        place = left + width > 75 ? "right:#{(100 - left).round(2)}%" : "left:#{(left + width).round(2)}%"
        place = "left:0" if left < 20 && left + width > 75
        "<div class=\"name\" title=\"#{h(name)}\">#{h(name)}</div><div class=\"track #{kind}\">" \
          "<i style=\"left:#{left}%;width:#{width}%\"></i><small style=\"#{place}\">#{h(Support::Figures.seconds(bar[:seconds].to_f))}</small></div>"
      end

      def tables
        return if @facts[:tables].empty?

        masked, copied = @facts[:tables].partition { |table| table[:columns].to_a.any? }
        "<h2>Tables with masked columns</h2>\n#{masked.map { |table| table(table) }.join("\n")}" \
          "#{"\n<h2>Tables copied as they are</h2>\n" + copied.map { |table| table(table) }.join("\n") if copied.any?}"
      end

      def table(table)
        amount = "#{Support::Figures.counted(table[:rows], "row")}, #{Support::Figures.bytes(table[:bytes].to_i)}"
        summary = "<span>#{h(table[:table])}</span><span>#{amount}</span>"
        return "<details><summary class=\"plain\">#{summary}</summary></details>" if table[:columns].to_a.empty?

        rows = table[:columns].map do |column|
          "<tr><td>#{h(column[:name])}</td><td>#{h(column[:mask])}</td><td class=\"n\">#{count(column[:masked])}</td>" \
            "<td class=\"n\">#{count(column[:nulls])}</td><td class=\"n#{" bad" if column[:violations].to_i.positive?}\">#{count(column[:violations])}</td></tr>"
        end
        "<details open><summary>#{summary}</summary><div class=\"wide\"><table><thead><tr><th>Column</th><th>Became</th>" \
          "<th class=\"n\">Masked</th><th class=\"n\">NULL</th><th class=\"n\">Wrong</th></tr></thead><tbody>#{rows.join}</tbody></table></div></details>"
      end

      # Findings hold names, kinds and counts, whatever their keys are called.
      def findings
        found = @facts[:findings]
        return if found.empty?

        keys = found.flat_map(&:keys).uniq
        rows = found.map { |finding| "<tr>#{keys.map { |key| "<td>#{h(Array(finding[key]).join(", "))}</td>" }.join}</tr>" }
        "<h2>Personal data that no rule covers</h2>\n<div class=\"wide\"><table><thead><tr>" \
          "#{keys.map { |key| "<th>#{h(key.to_s.tr("_", " "))}</th>" }.join}</tr></thead><tbody>#{rows.join}</tbody></table></div>"
      end

      def lists
        [list("Created without their rows", @facts[:excluded]),
         list("Left out", @facts[:left_out].map { |entry| "#{entry[:kind]} #{entry[:name]}: #{entry[:why]}" }),
         list("Warnings", @facts[:warnings])]
      end

      def list(title, items)
        return if items.empty?

        "<h2>#{title}</h2>\n<ul>#{items.map { |item| "<li>#{h(item)}</li>" }.join}</ul>"
      end
    end
  end
end
