// The status page: one look a second from the bot, drawn as it comes.

import * as as from "./shapes.js";

const LOST_MS = 5000;
const AGAIN_MS = 3000;
const MOST_POINTS = 4096;
const MOST_ROWS = 12;
const TONES = { quoting: "good", halted: "bad", paused: "idle", draining: "idle", warming: "idle" };
const LINES = [
  ["spread", "Spread earned"], ["adverse", "Adverse moves, 5 s"], ["inventory", "Inventory"],
  ["fees", "Fees"], ["rebates", "Rebates"], ["funding", "Funding"], ["hedge", "Hedge"],
];

const SHOWN = 8;

const seen = { look: null, market: null, curve: [], fills: [], events: [], heard: 0 };

// --- what comes ------------------------------------------------------------------------------

async function history() {
  const [pnl, fills, alerts] = await Promise.all(["pnl", "fills", "alerts"].map(read));
  seen.curve = pnl.curve;
  seen.fills = fills.fills.slice(-MOST_ROWS).reverse();
  seen.events = alerts.notices.slice(-MOST_ROWS).reverse();
  drawFills();
  drawEvents();
  drawChart();
}

async function read(name) {
  const answer = await fetch(`/api/v1/${name}`);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.json();
}

// What was before this page was opened; a bot that is too busy to say is asked again.
function retrace() {
  history().catch(() => setTimeout(retrace, AGAIN_MS));
}

function listen() {
  const stream = new EventSource("/api/v1/events");
  stream.addEventListener("open", retrace);
  stream.addEventListener("look", (event) => looked(JSON.parse(event.data)));
  stream.addEventListener("fill", (event) => {
    seen.fills = [JSON.parse(event.data), ...seen.fills].slice(0, MOST_ROWS);
    drawFills();
  });
  stream.addEventListener("notice", (event) => {
    seen.events = [JSON.parse(event.data), ...seen.events].slice(0, MOST_ROWS);
    drawEvents();
  });
}

function looked(look) {
  seen.look = look;
  seen.heard = Date.now();
  const { status } = look;
  const pnl = status.markets.reduce((sum, each) => sum + each.pnl_uusd, 0);
  seen.curve.push([status.ts_ns, status.equity_uusd, pnl]);
  if (seen.curve.length > MOST_POINTS) seen.curve = seen.curve.filter((_, i) => i % 2 === 0);
  draw();
}

// --- what is shown ---------------------------------------------------------------------------

function draw() {
  const { status } = seen.look;
  document.title = `${status.instance} · ${status.mode} · ${as.gain(status.day_pnl_uusd)}`;
  drawHead(status);
  drawTiles(status);
  drawTabs(status);
  drawBook(status);
  drawPositions(status);
  drawLines();
  drawTimings(status);
  drawAlerts(status);
  drawChart();
  drawLink();
}

function drawHead(status) {
  as.say("instance", status.instance);
  as.say("run-mode", status.run_mode, "badge").hidden = false;
  as.say("mode", status.mode, `badge ${TONES[status.mode] ?? ""}`);
  as.say("uptime", `up ${as.span((status.ts_ns - status.started_ns) / 1e9)}`);
  const left = status.session_ends_ns === null ? null : (status.session_ends_ns - status.ts_ns) / 1e9;
  as.say("session", left === null ? "" : `session ${as.span(Math.max(0, left))} left`);
  as.say("version", `mmbot ${status.version} · run ${status.epoch} · ${as.clock(status.ts_ns)} UTC`);
  const banner = document.getElementById("banner");
  const text = status.reasons.length ? `Not quoting: ${status.reasons.join("; ")}` : "";
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = !text;
  banner.className = status.mode === "halted" ? "banner bad" : "banner";
}

function drawTiles(status) {
  const { limits } = status;
  const peak = (status.equity_uusd ?? 0) + (status.drawdown_uusd ?? 0);
  const drawdown = status.drawdown_uusd === null || peak <= 0 ? null : status.drawdown_uusd / peak;
  const margin = status.margin_fraction;
  const sent = status.placed;
  as.fill("tiles",
    tile("Equity, USD", as.usd(status.equity_uusd), `free ${as.usd(status.free_uusd)} USD`),
    tile("Day profit, USD", as.gain(status.day_pnl_uusd),
      limits ? `halts at \u2212${as.usd(limits.daily_loss_uusd)}` : "since 00:00 UTC",
      limits && used(-(status.day_pnl_uusd ?? 0), limits.daily_loss_uusd),
      as.tone(status.day_pnl_uusd)),
    tile("Drawdown", as.percent(drawdown, 2),
      limits ? `halts at ${as.percent(limits.drawdown_ratio)}` : "from the peak",
      limits && used(drawdown, limits.drawdown_ratio)),
    tile("Margin", margin === null ? as.NONE : margin > 10 ? "> 1,000 %" : as.percent(margin),
      limits ? `at least ${as.percent(limits.margin_ratio)}` : "",
      limits && margin ? used(limits.margin_ratio, margin) : null),
    tile("Exposure", as.percent(status.exposure_ratio, 1),
      limits ? `at most ${as.percent(limits.exposure_ratio)}` : "",
      limits && used(status.exposure_ratio, limits.exposure_ratio)),
    tile("Fills, 24 h", as.whole(status.day_fills.bids + status.day_fills.asks),
      `${as.whole(status.day_fills.bids)} bid, ${as.whole(status.day_fills.asks)} ask · `
      + `${sent ? as.percent(status.rejected / sent, 1) : as.NONE} failed`),
  );
}

function used(value, limit) {
  return value === null || !limit ? null : Math.min(1, Math.max(0, value / limit));
}

function tile(name, value, note, share = null, cls = "") {
  const made = as.element("div", {}, as.element("dt", { text: name }),
    as.element("dd", { text: value, cls }), as.element("dd", { text: note, cls: "note" }));
  if (share !== null && share !== undefined && share !== false) {
    const bar = as.element("i", { cls: share > 0.8 ? "close" : "" });
    bar.style.width = `${(100 * share).toFixed(1)}%`;
    made.append(as.element("dd", { cls: "gauge", "aria-hidden": "true" }, bar));
  }
  return made;
}

function drawTabs(status) {
  const symbols = status.markets.map((each) => each.symbol);
  if (!symbols.includes(seen.market)) seen.market = symbols[0] ?? null;
  const tabs = document.getElementById("tabs");
  if (tabs.dataset.symbols !== symbols.join(" ")) {
    tabs.dataset.symbols = symbols.join(" ");
    tabs.replaceChildren(...symbols.map((symbol) => {
      const tab = as.element("button", { text: symbol, type: "button", role: "tab", "aria-controls": "book" });
      tab.addEventListener("click", () => choose(symbol));
      return tab;
    }));
  }
  for (const tab of tabs.children) {
    const chosen = tab.textContent === seen.market;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
  }
}

function choose(symbol) {
  seen.market = symbol;
  drawTabs(seen.look.status);
  drawBook(seen.look.status);
}

document.getElementById("tabs").addEventListener("keydown", (event) => {
  const tabs = [...event.currentTarget.children];
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = tabs.findIndex((each) => each === document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  const next = tabs[(at + step + tabs.length) % tabs.length];
  choose(next.textContent);
  next.focus();
});

function drawBook(status) {
  const market = status.markets.find((each) => each.symbol === seen.market);
  const ladder = seen.look.ladders.find((each) => each.symbol === seen.market);
  if (!market || !ladder) return;
  const levels = [...ladder.bids.slice(0, SHOWN), ...ladder.asks.slice(0, SHOWN)];
  const most = Math.max(1, ...levels.map((each) => each[1]));
  const asks = side(market, ladder.asks, market.asks, "ask", most).reverse();
  const bids = side(market, ladder.bids, market.bids, "bid", most);
  as.fill("levels", ...asks, middle(market), ...bids);
  as.pairs("quote-facts", [
    ["Own width", as.bps(market.width_bps)],
    ["Skew", as.bps(market.skew_bps)],
    ["Position", as.steps(market.position_lots, market.lot)],
    ["Book age", as.age(market.book_age_ms)],
  ]);
  const reason = as.say("market-reason", market.reason ? `Not quoted: ${market.reason}` : "");
  reason.hidden = !market.reason || status.reasons.includes(market.reason);
}

// Levels of one side, best first; own orders deeper than those shown come behind a gap.
function side(market, book, own, name, most) {
  const better = name === "bid" ? (a, b) => b - a : (a, b) => a - b;
  const mine = new Map();
  for (const [ticks, lots] of own) mine.set(ticks, (mine.get(ticks) ?? 0) + lots);
  const levels = new Map(book.slice(0, SHOWN));
  const worst = book.slice(0, SHOWN).at(-1)?.[0];
  const prices = [...new Set([...levels.keys(), ...mine.keys()])].sort(better);
  const rows = [];
  for (const ticks of prices) {
    if (worst !== undefined && better(worst, ticks) < 0 && !rows.some((each) => each.className === "gap")) {
      const gap = as.element("td", { text: "⋯", colspan: 3 });
      rows.push(as.element("tr", { cls: "gap", "aria-hidden": "true" }, gap));
    }
    rows.push(level(market, ticks, levels.get(ticks) ?? null, mine.get(ticks), name, most));
  }
  return rows;
}

function level(market, ticks, lots, own, name, most) {
  const bar = as.element("i");
  bar.style.width = `${(100 * (lots ?? 0)) / most}%`;
  const size = as.element("td", { text: lots === null ? "" : as.steps(lots, market.lot) });
  size.append(bar);
  return as.element("tr", { cls: own ? `${name} mine` : name },
    as.element("td", { text: own ? as.steps(own, market.lot) : "", cls: "own" }),
    as.element("td", { text: as.steps(ticks, market.tick), cls: "price" }), size);
}

function middle(market) {
  const cell = as.element("td", { colspan: 3 });
  if (market.best_bid && market.best_ask) {
    const width = ((market.best_ask - market.best_bid) / market.mark_half_ticks) * 2e4;
    cell.append(as.element("b", { text: as.steps(market.mark_half_ticks, market.tick, true) }),
      `spread ${as.bps(width)}`);
  } else {
    cell.append("no price");
  }
  return as.element("tr", { cls: "mid" }, cell);
}

function drawPositions(status) {
  as.fill("positions", ...status.markets.map((each) => {
    const sign = Math.sign(each.position_lots);
    return as.row(each.symbol,
      as.steps(each.position_lots, each.lot),
      as.gain(sign * each.exposure_uusd),
      [as.gain(each.day_pnl_uusd), as.tone(each.day_pnl_uusd)],
      [as.percent(each.exposure_ratio, 1), "wide"], [as.bps(each.width_bps), "wide"], [as.bps(each.skew_bps), "wide"],
      [as.whole(each.fills), "wide"], [as.age(each.book_age_ms), "wide"]);
  }));
}

function drawLines() {
  const sums = Object.fromEntries(LINES.map(([name]) => [
    name, seen.look.pnl.reduce((sum, each) => sum + each.day[name], 0),
  ]));
  const total = Object.values(sums).reduce((sum, each) => sum + each, 0);
  const most = Math.max(1, ...Object.values(sums).map(Math.abs));
  const rows = LINES.filter(([name]) => sums[name] || ["spread", "adverse", "inventory", "fees"].includes(name))
    .map(([name, words]) => line(words, sums[name], most));
  const last = line("Total", total, Math.max(most, Math.abs(total)));
  last.className = "sum";
  as.fill("lines", ...rows, last);
}

function line(words, uusd, most) {
  const bar = as.element("i", { cls: uusd < 0 ? "down" : "up" });
  bar.style.width = `${(50 * Math.abs(uusd)) / most}%`;
  const track = as.element("td", { cls: "track", "aria-hidden": "true" },
    as.element("div", { cls: "rail" }, bar));
  return as.element("tr", {}, as.element("th", { text: words, scope: "row" }), track,
    as.element("td", { text: as.gain(uusd), cls: as.tone(uusd) }));
}

function drawTimings(status) {
  as.fill("timings", ...seen.look.timings.map(
    (each) => as.row(each.name, as.ms(each.p50_ms), as.ms(each.p99_ms)),
  ));
  as.pairs("counts", [
    ["Orders resting", as.whole(status.orders) + (status.unknown ? ` (${status.unknown} unknown)` : "")],
    ["Reconnects", as.whole(status.reconnects)],
    ["Request budget left", as.percent(status.budget_ratio)],
  ]);
}

function drawAlerts(status) {
  const items = status.alerts.map((each) => {
    const kind = each.severity >= 2 ? "critical" : "warning";
    const times = each.count > 1 ? ` (${each.count}×)` : "";
    const where = each.market ? `${each.market} ` : "";
    const made = as.element("li", {}, as.element("span", { text: as.clock(each.last_ns) }),
      as.element("span", { text: `${kind} `, cls: `mark ${kind}` }),
      `${where}${each.code}${times}: ${each.text}`);
    if (each.acked_by) made.append(as.element("span", { text: ` seen by ${each.acked_by}`, cls: "seen" }));
    return made;
  });
  const list = document.getElementById("alerts");
  const key = JSON.stringify(status.alerts);
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...(items.length ? items : [as.element("li", { text: "None open", cls: "none" })]));
  }
  as.fill("overrides", ...status.overrides.map((each) => as.element("p", {
    cls: "reason",
    text: `${each.key} ${each.old} → ${each.value} until ${as.clock(each.until_ns)} (${each.by})`,
  })));
}

function drawFills() {
  const rows = seen.fills.map((each) => as.row(null, as.clock(each.ts_ns), each.market,
    [each.side, each.side === "bid" ? "up" : "down"], as.decimal(each.price), as.decimal(each.size)));
  as.fill("fills", ...(rows.length ? rows : [as.row(null, ["None yet", "none"])]));
}

function drawEvents() {
  if (!seen.events.length) return as.fill("events", as.element("li", { text: "None yet", cls: "none" }));
  return as.fill("events", ...seen.events.map((each) => as.element("li", {},
    as.element("span", { text: as.clock(each.ts_ns) }),
    as.element("span", { text: `${each.severity} `, cls: `mark ${each.severity}` }),
    `${each.market ? `${each.market} ` : ""}${happened(each)}`)));
}

function happened({ code, text }) {
  return code.endsWith("_over") ? `${code.slice(0, -5)} is over` : `${code}: ${text}`;
}

function drawLink() {
  const lost = seen.heard && Date.now() - seen.heard > LOST_MS;
  document.body.classList.toggle("stale", Boolean(lost));
  if (!seen.heard) return;
  as.say("link", lost ? `no word since ${as.clock(seen.heard * 1e6)} UTC` : "live", lost ? "link bad" : "link good");
}

// --- the chart -------------------------------------------------------------------------------

function drawChart() {
  const known = seen.curve.filter((each) => each[1] !== null);
  if (!window.Plotly || !known.length || document.hidden) return;
  const theme = getComputedStyle(document.documentElement);
  const colour = (name) => theme.getPropertyValue(`--${name}`).trim();
  const equity = known.map((each) => each[1] / 1e6);
  const low = Math.min(...equity);
  const high = Math.max(...equity);
  as.say("equity-words", `${as.usd(low * 1e6)} to ${as.usd(high * 1e6)} USD since `
    + `${as.clock(known[0][0])} UTC`);
  const room = Math.max((high - low) * 0.08, high * 2e-6);
  const axis = {
    gridcolor: colour("edge"), linecolor: colour("edge"), zeroline: false, fixedrange: true,
    tickfont: { color: colour("soft"), size: 12 }, automargin: true,
  };
  const trace = {
    x: known.map((each) => new Date(each[0] / 1e6).toISOString().slice(0, 23)), y: equity,
    customdata: known.map((each) => as.gain(each[2])),
    mode: "lines", line: { color: colour("accent"), width: 1.8, shape: "hv" },
    hovertemplate: "%{y:,.2f} USD<br>run %{customdata}<extra>%{x|%H:%M:%S}</extra>",
  };
  const place = document.getElementById("plot");
  const layout = {
    width: place.clientWidth, height: place.clientHeight,
    margin: { l: 8, r: 8, t: 4, b: 8 }, showlegend: false, dragmode: false, hovermode: "x",
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.fontFamily, color: colour("text"), size: 12 },
    xaxis: {
      // A time of day needs a hundred pixels.
      ...axis, type: "date", nticks: Math.max(2, Math.min(5, Math.floor(place.clientWidth / 110))),
      tickangle: 0, tickformat: timeFormat(known), showgrid: false,
    },
    yaxis: { ...axis, tickformat: ",.2f", nticks: 5, range: [low - room, high + room] },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("edge"), font: { color: colour("text") } },
  };
  window.Plotly.react(place, [trace], layout, { displayModeBar: false });
}

function timeFormat(points) {
  const hours = (points.at(-1)[0] - points[0][0]) / 3.6e12;
  return hours > 24 ? "%b %d %H:%M" : hours > 0.5 ? "%H:%M" : "%H:%M:%S";
}

// Plotly brings a style sheet for maps, which the policy of this page forbids and no chart here needs.
function loadPlotly() {
  const { head } = document;
  const append = head.appendChild.bind(head);
  head.appendChild = (node) => (node.tagName === "STYLE" ? node : append(node));
  const script = as.element("script", { src: "/plotly.min.js" });
  script.addEventListener("load", () => {
    delete head.appendChild;
    drawChart();
  });
  append(script);
}

new ResizeObserver(drawChart).observe(document.getElementById("plot"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawChart);
setInterval(drawLink, 1000);
drawFills();
drawEvents();
listen();
loadPlotly();
