/** Light and dark by the reader's setting; prints on white. No font, image or script is fetched. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --line: #dedcd7; --text: #1d1f23; --soft: #5c6068;
  --baseline: #6b7078; --candidate: #2563c9; --control: #b06a00; --confirmed: #0b7a53; --faint: #b9bcc2;
  --good: #0b7a53; --bad: #b3362c; --unclear: #8a6100; --band: #e9e6dc; --neutral: #c9c8c4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171b; --card: #1c1f24; --line: #353941; --text: #e6e7ea; --soft: #a2a7b1;
    --baseline: #a0a6b0; --candidate: #6ea3f5; --control: #e0a144; --confirmed: #4cc497; --faint: #50555f;
    --good: #4cc497; --bad: #ef7a6e; --unclear: #e0b352; --band: #2b2e33; --neutral: #4a4e56;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
header p { max-width: 80ch; }
h1 { font-size: 26px; line-height: 1.25; margin: 4px 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 2px; }
h3 { font-size: 14px; margin: 14px 0 4px; color: var(--soft); font-weight: 600; }
a { color: inherit; }
.kicker { color: var(--soft); margin: 0; overflow-wrap: anywhere; }
.verdict { font-size: 18px; border-left: 5px solid var(--unclear); padding: 8px 14px; background: var(--card); margin: 14px 0; overflow-wrap: anywhere; }
.verdict.better { border-color: var(--good); }
.verdict.failed { border-color: var(--bad); }
.verdict strong { display: block; font-size: 13px; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 13px; margin: 14px 0 4px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 16px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.card b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.card span { color: var(--soft); font-size: 13px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 18px 20px; margin: 18px 0; }
.caption { color: var(--soft); margin: 0 0 12px; max-width: 95ch; font-size: 14px; }
.empty { color: var(--soft); font-style: italic; margin: 6px 0; }
.chart { overflow-x: auto; }
.chart svg { display: block; height: auto; max-width: none; }
.chart svg text { white-space: pre; }
.fit svg { max-width: 100%; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 18px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--soft); margin: 0 0 8px; padding: 0; list-style: none; }
.legend svg { width: 14px; height: 14px; vertical-align: -2px; margin-right: 5px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th, td { text-align: left; vertical-align: top; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
td.number, th.number { text-align: right; padding-right: 20px; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
td:first-child { min-width: 130px; }
tr:target { background: var(--band); }
.all td { max-width: 360px; }
.all details { max-width: 360px; }
.tag { white-space: nowrap; }
.tag.good { color: var(--good); } .tag.bad { color: var(--bad); } .tag.unclear { color: var(--unclear); }
summary { cursor: pointer; }
pre { overflow-x: auto; font-size: 12.5px; }
li { margin: 4px 0; max-width: 95ch; }
footer { color: var(--soft); font-size: 13px; }
@media print { body { background: #fff; } section { break-inside: avoid; } }
`;
