/** CSS of the report page: system fonts, light and dark mode, wide tables that scroll separately. */
export const pageStyle = `
:root {
  --ground: #f7f7f5; --card: #ffffff; --text: #1c1e21; --soft: #646a73; --line: #e2e3e0; --mark: #0f766e; --warn: #9a3412;
  --warn-ground: #fff4e6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15171a; --card: #1e2125; --text: #e6e7e9; --soft: #9aa1ab; --line: #31353b; --mark: #2dd4bf; --warn: #fdba74;
    --warn-ground: #33261a;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px }
header { padding-top: 36px }
h1 { font-size: 28px; margin: 0 0 12px; letter-spacing: -0.01em; overflow-wrap: anywhere }
h1 span { color: var(--soft); font-weight: 400 }
h2 { font-size: 19px; margin: 40px 0 8px }
h3 { font-size: 15px; font-weight: 600; margin: 0 0 10px; overflow-wrap: anywhere }
.warning { background: var(--warn-ground); color: var(--warn); border-radius: 8px; padding: 8px 14px; margin: 8px 0 }
.note { color: var(--soft); margin: 0 0 12px }
.figures { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(110px, 1fr)); gap: 10px; margin: 20px 0 0; padding: 0 }
.figures li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px }
.figures span { display: block; color: var(--soft); font-size: 13px }
.figures strong { font-size: 24px; font-variant-numeric: tabular-nums }
.figures li:nth-child(-n+2) strong { color: var(--mark) }
.histogram { width: 100%; max-width: 720px; height: auto; display: block }
.histogram rect { fill: var(--mark) } .histogram line { stroke: var(--line) }
.histogram text { fill: var(--soft); font-size: 12px }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: 6px 14px; text-align: right; white-space: nowrap }
th:first-child { text-align: left; font-weight: 500 }
thead th { color: var(--soft); font-size: 13px; font-weight: 500; border-bottom: 1px solid var(--line) }
tbody tr + tr { border-top: 1px solid var(--line) }
.bar { padding-left: 0 } .bars { padding-right: 132px }
.bar i { display: block; width: 104px; height: 8px; background: var(--line); border-radius: 4px; overflow: hidden }
.bar s { display: block; height: 100%; background: var(--mark) }
.legend { margin-top: 28px } .key { display: inline-block; width: 22px; height: 12px; border: 1px solid var(--line); margin-left: 14px; vertical-align: -1px }
.legend .key:first-child { margin-left: 0 } .edge { border: 2px solid #fff; outline: 1px solid #333 }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 16px }
article { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px }
.pictures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px }
figure { margin: 0 } img { width: 100%; height: auto; display: block; border-radius: 6px; background: var(--line) }
figcaption { color: var(--soft); font-size: 12px; text-align: center; padding-top: 2px }
article p { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; margin: 8px 0 0 }
article small { color: var(--soft); margin-left: auto }
meter { width: 80px; height: 12px } b { font-weight: 600; font-variant-numeric: tabular-nums }
.tag { border: 1px solid var(--line); border-radius: 99px; padding: 0 9px; font-size: 13px; color: var(--soft) }
footer { color: var(--soft); font-size: 13px; padding-top: 32px; padding-bottom: 48px }
dl { display: grid; gap: 2px; margin: 0; border-top: 1px solid var(--line); padding-top: 16px }
dl div { display: flex; gap: 12px } dt { flex: 0 0 150px } dd { margin: 0; overflow-wrap: anywhere }
@media print { article, li { break-inside: avoid } }
`;
