"""The report page: self-contained, complete, escaped, and its charts carry the run's numbers."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from mmbot.domain.order import Side
from mmbot.research import figures
from mmbot.research.compare import compare
from mmbot.research.page import page, write_page
from mmbot.research.record import Recorder
from mmbot.research.results import describe
from tests.unit.research.runs import (
    HEADER,
    SECOND,
    START,
    fill,
    hand_results,
    hand_run,
    linear,
    sample,
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        else:
            self.text.append(data)


def _read(content: str) -> _Reader:
    reader = _Reader()
    reader.feed(content)
    reader.close()
    assert not reader.open
    return reader


def test_the_page_needs_nothing_else() -> None:
    reader = _read(page(hand_results()))
    assert reader.links == []
    drawings, plotly, own = reader.scripts
    assert "plotly.js v" in plotly[:200]
    assert "fetch(" not in own
    assert len(json.loads(drawings)) == 4


def test_the_page_says_what_the_run_earned() -> None:
    text = " ".join(_read(page(hand_results())).text)
    for words in ("+0.6447", "before fees", "12,894,500,000 atoms", "difference 0", "d1", "c1"):
        assert words in text
    for section in ("Equity", "Markouts", "Attribution", "Orders", "less than a day"):
        assert section in text


def test_names_are_escaped() -> None:
    evil = "</script><b>&"
    results = describe(structs.replace(HEADER, name=evil, source=evil, notes=(evil,)), hand_run())
    content = page(results, compare([results, results], seed=1))
    reader = _read(content)
    assert "".join(reader.text).count(evil) >= 3
    assert json.loads(reader.scripts[0])["chart0"]["data"][0]["name"] == evil


def test_a_page_of_nothing() -> None:
    empty = Recorder([linear()], 10**9).finish(START, [0])
    _read(page(describe(HEADER, empty)))


def test_plotly_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys, mmbot.research.page as p; p._plotly_script(); print('plotly' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
    path = tmp_path / "index.html"
    write_page(path, hand_results())
    assert path.stat().st_size > 1_000_000


def test_equity_figure() -> None:
    gross, net, fall = figures.equity_figure(hand_run())["data"]
    assert net["x"][0] == START // 1_000_000
    # Profits at 0, 10, 20, 30 and 40 s, as worked in runs.py.
    assert net["y"] == [0, 0.298515, 0.596475, 0.644725, 0.644725]
    assert gross["y"] == pytest.approx([0, 0.3, 0.6, 0.65, 0.65])
    assert fall["y"] == [0] * 5


def test_drawdown_starts_from_the_initial_equity() -> None:
    recorder = Recorder([linear()], 10**9)
    for second, usd in ((0, -2), (1, 3), (2, 1)):
        recorder.sample(sample(second, 200, 0, usd * 20_000_000_000))
    recorder.funding(0, START, 20_000_000_000, 200)
    fall = figures.equity_figure(recorder.finish(START + 3 * SECOND, [200]))["data"][2]
    assert fall["y"] == [-2, 0, -2, -2]


def test_market_figure() -> None:
    data = {trace["name"]: trace for trace in figures.market_figure(hand_run(), 0)["data"]}
    assert data["mid"]["y"] == [50, 50.5, 49.5, 49]
    assert data["own bid"]["y"] == [49.5, None, 49, None]
    assert data["own ask"]["y"] == [50.5, 51, 50, None]
    assert data["bought"]["y"] == [49.5, 50]
    assert data["sold"]["y"] == [51]
    assert data["sold"]["marker"]["size"][0] > data["bought"]["marker"]["size"][0]
    assert data["inventory"]["y"] == pytest.approx([0, 0.3, -0.1, 0])
    assert data["limit"]["y"] == pytest.approx((-0.3, -0.3))
    # The band covers 0 to 10 s and 20 to 30 s, up along the ask and back along the bid.
    first = START // 1_000_000
    xs = [None if x is None else (x - first) // 1000 for x in data["quoted on both sides"]["x"]]
    assert xs == [0, 10, 10, 0, None, 20, 30, 30, 20, None]
    assert data["quoted on both sides"]["y"][:4] == [50.5, 50.5, 49.5, 49.5]


def test_attribution_figure_ends_at_the_profit() -> None:
    waterfall = figures.attribution_figure(hand_results())["data"][0]
    assert sum(waterfall["y"]) == pytest.approx(0.644725)
    assert waterfall["text"][-1] == "+0.64"
    assert waterfall["measure"][-1] == "total"
    assert "spread, taker" not in waterfall["x"]


def test_markout_figure_has_95_pct_bars() -> None:
    recorder = Recorder([linear()], 10**9)
    for number, ticks in enumerate((100, 110, 90)):
        recorder.fill(fill(number, 100 * number, Side.BID, ticks, 1))
        recorder.mark(number, 0, 200, matured=True)
    results = describe(HEADER, recorder.finish(START + 1000 * SECOND, [200]))
    chart = figures.markout_figure(results)
    assert chart["layout"]["xaxis"]["ticktext"] == ["0 s", "1 s", "5 s", "30 s"]
    error = next(m.se_bps for m in results.markouts if m.side == "all" and m.horizon_s == 1)
    assert error is not None
    assert chart["data"][0]["error_y"]["array"][1] == pytest.approx(1.96 * error)


@settings(max_examples=50)
@given(st.integers(0, 60), st.integers(2, 30))
def test_thin_keeps_both_ends(count: int, limit: int) -> None:
    items = list(range(count))
    kept = figures.thin(items, limit)
    assert len(kept) == min(count, limit)
    assert kept == sorted(set(kept))
    assert kept[:1] + kept[-1:] == items[:1] + items[-1:]
