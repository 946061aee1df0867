"""The report page's look and its few lines of script: palette, layout, drawing of the charts."""

from typing import Final

CSS: Final = """
:root { color-scheme: light dark;
  --paper: #ffffff; --page: #f6f7f9; --ink: #1b2330; --soft: #667085; --line: #e3e7ed;
  --grid: #edf0f4; --net: #4a5fc1; --net-fill: rgba(74,95,193,.10); --gross: #98a2b8;
  --bid: #1277b8; --ask: #d4622a; --band: rgba(74,95,193,.09); --mid: #8b94a5;
  --gain: #2f8f6b; --loss: #c24a4a; --loss-fill: rgba(194,74,74,.14); --warn: #fff7e6;
  --warn-line: #ecd9a8; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #161b22; --page: #0e1217; --ink: #e4e8ee; --soft: #8d98a9; --line: #29313c;
  --grid: #222a34; --net: #8c9dff; --net-fill: rgba(140,157,255,.14); --gross: #6b778b;
  --bid: #58b0ea; --ask: #f0925e; --band: rgba(140,157,255,.12); --mid: #78849a;
  --gain: #56c299; --loss: #ef7d7d; --loss-fill: rgba(239,125,125,.18); --warn: #2a2415;
  --warn-line: #4d4120; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.45;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 56px; }
h1 { font-size: 26px; font-weight: 600; letter-spacing: -.01em; margin: 0; }
h2 { font-size: 16px; font-weight: 600; margin: 0 0 2px; }
h3 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 22px 0 4px; }
p { margin: 0; color: var(--soft); }
.lead { margin: 4px 0 20px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(270px, 1fr));
  gap: 4px 28px; margin: 0 0 22px; font-size: 13px; }
.facts div { display: flex; gap: 10px; border-bottom: 1px solid var(--line); padding: 4px 0; }
.facts dt { color: var(--soft); flex: 0 0 70px; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(178px, 1fr)); gap: 12px; }
.tile, .card { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 14px; }
.tile span { display: block; color: var(--soft); font-size: 12.5px; }
.tile b { display: block; font-size: 22px; font-weight: 600; letter-spacing: -.01em;
  margin: 1px 0; white-space: nowrap; }
.tile b small { font-size: 13px; font-weight: 500; color: var(--soft); margin-left: 3px; }
.good { color: var(--gain); } .bad { color: var(--loss); }
.notes { background: var(--warn); border: 1px solid var(--warn-line); border-radius: 10px;
  padding: 10px 16px; margin: 18px 0 0; font-size: 13.5px; }
.notes ul { margin: 0; padding-left: 18px; }
.card { padding: 18px 20px; margin-top: 18px; min-width: 0; }
.card + h1 { margin-top: 40px; }
.card > p { font-size: 13px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr));
  gap: 0 18px; }
.card .pair { gap: 0 48px; }
.chart { width: 100%; margin-top: 8px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { color: var(--soft); font-weight: 500; font-size: 12.5px; }
th, td { padding: 5px 10px 5px 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th.prose, td.prose { text-align: left; white-space: normal; min-width: 15em;
  padding-left: 10px; }
tr:last-child td { border-bottom: 0; }
tr.sum td { font-weight: 600; border-top: 1px solid var(--soft); }
details { margin-top: 14px; } summary { cursor: pointer; color: var(--soft); font-size: 13px; }
.check { margin-top: 12px; font-size: 13px; color: var(--soft); }
.check b { color: var(--gain); font-weight: 600; }
footer { margin-top: 22px; font-size: 12.5px; color: var(--soft); }
@media (max-width: 640px) { main { padding: 20px 12px 40px; } .card { padding: 14px 12px; } }
@media print { body { background: none; } .card, .tile { break-inside: avoid; } }
"""

SCRIPT: Final = """
const figures = JSON.parse(document.getElementById('figures').textContent);
const charts = [...document.querySelectorAll('.chart')];
const narrow = matchMedia('(max-width: 640px)');
function painted(value, style) {
  if (Array.isArray(value)) {
    const named = typeof value[0] === 'object' || String(value[0])[0] === '$';
    return named ? value.map(item => painted(item, style)) : value;
  }
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v, style)]));
  }
  return typeof value === 'string' && value[0] === '$'
    ? style.getPropertyValue('--' + value.slice(1)).trim() : value;
}
function layoutOf(figure, style) {
  const colour = name => style.getPropertyValue('--' + name).trim();
  const layout = painted(figure.layout, style);
  for (const key of Object.keys(layout).filter(key => /^[xy]axis/.test(key))) {
    layout[key] = {gridcolor: colour('grid'), linecolor: colour('line'), fixedrange: false,
      zerolinecolor: colour('line'), zerolinewidth: 1, automargin: true,
      ...layout[key], title: {...layout[key].title, font: {size: 12, color: colour('soft')}}};
  }
  return {paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', hovermode: 'x unified',
    font: {family: getComputedStyle(document.body).fontFamily, size: 12, color: colour('soft')},
    hoverlabel: {bgcolor: colour('paper'), bordercolor: colour('line'),
      font: {color: colour('ink')}},
    legend: {orientation: 'h', x: 0, y: 1.01, yanchor: 'bottom'},
    margin: {l: narrow.matches ? 44 : 64, r: 12, t: 34, b: 40}, dragmode: 'zoom', ...layout};
}
function draw() {
  const style = getComputedStyle(document.documentElement);
  for (const chart of charts) {
    const figure = figures[chart.dataset.figure];
    Plotly.react(chart, painted(figure.data, style), layoutOf(figure, style),
      {responsive: true, displaylogo: false, displayModeBar: false});
  }
}
draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
const timed = charts.filter(chart => figures[chart.dataset.figure].layout.xaxis.type === 'date');
let following = false;
for (const chart of timed) {
  chart.on('plotly_relayout', async change => {
    if (following) return;
    const from = change['xaxis.range[0]'], to = change['xaxis.range[1]'];
    if (from === undefined && !change['xaxis.autorange']) return;
    following = true;
    const update = from === undefined ? {'xaxis.autorange': true} : {'xaxis.range': [from, to]};
    await Promise.all(timed.filter(c => c !== chart).map(c => Plotly.relayout(c, update)));
    following = false;
  });
}
"""
