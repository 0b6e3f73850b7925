# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # How the page looks: in light and dark, on a phone, and on paper.
      module Style
        CSS = <<~CSS
          :root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6470;--line:#d9dee5;--paper:#fff;--card:#f5f7fa;--bar:#2f6fde;--phase:#8a94a3;--good:#14713d;--bad:#b3261e}
          @media(prefers-color-scheme:dark){:root{--ink:#e8ebef;--soft:#a3adba;--line:#343b45;--paper:#14171c;--card:#1d2229;--bar:#6ea3ff;--phase:#6f7a89;--good:#6fd39a;--bad:#ff8a80}}
          *{box-sizing:border-box}body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:62rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
          h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{margin:.3rem 0}
          .soft{color:var(--soft)}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
          .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:1.2rem 0}
          .figures div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
          .figures b{display:block;font-size:1.15rem;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}.figures span{color:var(--soft);font-size:.85rem}
          dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
          .chart{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.15rem .7rem;align-items:center;font-size:.85rem}
          .chart .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;max-width:16rem}.track{position:relative;height:1.05rem;background:var(--card);border-radius:.2rem}
          .track i{position:absolute;top:0;bottom:0;min-width:2px;border-radius:.2rem;background:var(--bar);print-color-adjust:exact;-webkit-print-color-adjust:exact}.phase i{background:var(--phase)}
          .track small{position:absolute;top:0;line-height:1.05rem;padding:0 .3rem;color:var(--ink);white-space:nowrap;font-size:.72rem}
          details{border-bottom:1px solid var(--line)}summary{display:flex;gap:1rem;justify-content:space-between;padding:.4rem .2rem;cursor:pointer;overflow-wrap:anywhere}
          summary.plain{cursor:default;list-style:none}summary.plain::-webkit-details-marker{display:none}
          summary span:last-child{color:var(--soft);text-align:right;flex-shrink:0;font-variant-numeric:tabular-nums}
          .wide{overflow-x:auto;margin:0 0 .8rem}table{border-collapse:collapse;width:100%;font-size:.88rem}th,td{text-align:left;padding:.25rem .6rem .25rem .2rem;border-bottom:1px solid var(--line);vertical-align:top}
          td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}th{color:var(--soft);font-weight:500}ul{margin:.3rem 0;padding-left:1.2rem}li{overflow-wrap:anywhere;white-space:pre-wrap}
          td.n{white-space:nowrap}.dense{columns:22rem;column-gap:2rem;font-size:.88rem}.dense p{display:flex;gap:.8rem;justify-content:space-between;margin:0;padding:.15rem 0;border-bottom:1px solid var(--line);break-inside:avoid}
          .dense span:first-child{overflow-wrap:anywhere;min-width:0}.dense span:last-child{color:var(--soft);flex-shrink:0;font-variant-numeric:tabular-nums}td.name{overflow-wrap:break-word;min-width:7rem;width:30%}td.name+td+td:last-child{width:34%}td em{color:var(--soft);font-style:normal}td small{display:block;color:var(--soft)}
          .before{display:flex;height:1.1rem;border-radius:.2rem;overflow:hidden;background:var(--card);margin:.5rem 0}.before i{print-color-adjust:exact;-webkit-print-color-adjust:exact}.before .ok{background:var(--good)}.before .open{background:var(--bad)}.before .known{background:var(--phase)}
          code{font:.85em ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
          @media(max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}.chart{grid-template-columns:6.5rem 1fr}summary{gap:.6rem}table{font-size:.8rem}th,td{padding-right:.35rem}td.name+td+td:last-child{width:auto}td.name{min-width:5rem}.stacked thead{display:none}.stacked tr{display:block;border-bottom:1px solid var(--line);padding:.3rem 0}.stacked td{display:block;border:0;width:auto;padding:0}.stacked td.name{font-weight:600}}
          @media print{.before .ok{background:#ccc!important}.before .known{background:#eee!important}:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--card:#fff;--bar:#345;--phase:#999;--good:#000;--bad:#000}body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}details,.chart>*,tr{break-inside:avoid}}
        CSS
      end
    end
  end
end
