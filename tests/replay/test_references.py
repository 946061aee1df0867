"""Our replay against the peer's results on a real capture: every fill, order and sum."""

import csv
import functools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmbot.adapters.sim import latency
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay
from tests import crosscheck, event_rows
from tests.reference_strategy import Account, Contract, Outcome, ReferenceStrategy, Run

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
REFERENCE = SHARED / "reference"
EVENTS = REFERENCE / "btcusdt_20240808.events.npz"
pytestmark = pytest.mark.skipif(
    not EVENTS.exists(), reason=f"the reference material is not at {REFERENCE}"
)

RUNS: dict[str, dict[str, Any]] = {
    "R1_touch": {"Q": 1, "MAX": 20, "mode": 0, "H2": 0, "K": 0, "taker_every": 0},
    "R2_skew": {"Q": 10, "MAX": 100, "mode": 1, "H2": 4, "K": 2, "taker_every": 0},
    "R3_flatten": {"Q": 50, "MAX": 500, "mode": 0, "H2": 0, "K": 0, "taker_every": 50},
}
SETTINGS = {
    "R1_touch": ("risk", "const_5_5"),
    "R2_skew": ("power3.0", "const_10_15"),
    "R3_flatten": ("risk", "feed"),
}
MATRIX = [
    (run, queue, delay)
    for run in RUNS
    for queue in ("risk", "power3.0")
    for delay in ("const_5_5", "const_10_15", "feed")
]
MONEY = 1e-6


def table(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(newline="") as source:
        rows = list(csv.DictReader(source))
    assert rows, f"{name} is empty"
    return rows


def params(run: str, queue: str, delay: str, *, partial: bool) -> dict[str, Any]:
    market = {"asset": "linear", "contract_size": 1.0, "maker_fee": -5e-5, "taker_fee": 7e-4}
    timing = {"queue": queue, "latency": delay, "step_ms": 100, "clock_offset_ns": "auto"}
    return {**RUNS[run], **market, **timing, "partial": partial}


@functools.cache
def rows() -> bytes:
    return event_rows.load_npz(EVENTS, 0.1, 0.001)


def chunks() -> Iterator[bytes]:
    return event_rows.chunks(rows())


@functools.cache
def outcome(run: str, queue: str, delay: str, *, partial: bool = False) -> Outcome:
    return crosscheck.simulate(chunks, params(run, queue, delay, partial=partial), 0.1, 0.001)


def named(run: str) -> Outcome:
    return outcome(run, *SETTINGS[run])


def ours(result: Outcome) -> list[tuple[str, ...]]:
    return [
        (
            *(str(f.exch_ns), str(f.order_id), crosscheck.NAMES[f.side], str(f.ticks), str(f.lots)),
            *("maker" if f.maker else "taker", f.cause),
        )
        for f in result.fills
    ]


def theirs(listed: list[dict[str, str]]) -> list[tuple[str, ...]]:
    keys = ("exch_ts", "order_id", "side", "price_tick", "qty_lots", "liquidity", "cause")
    return [tuple(row[key] for key in keys) for row in listed]


@pytest.mark.parametrize("run", RUNS)
def test_fills_of_the_named_runs(run: str) -> None:
    result = named(run)
    assert ours(result) == theirs(table(f"{run}.fills.csv"))
    summary = json.loads((REFERENCE / f"{run}.summary.json").read_text())
    assert crosscheck.fills_sha256(result.fills) == summary["fills_sha256"]
    assert result.steps == summary["steps"]
    final, account = summary["final"], result.account
    assert account.lots == round(final["position"] / 0.001)
    assert account.balance == pytest.approx(final["balance"], rel=0, abs=MONEY)
    assert account.fee == pytest.approx(final["fee"], rel=0, abs=MONEY)
    assert account.trades == final["num_trades"]


@pytest.mark.parametrize("run", RUNS)
def test_orders_of_the_named_runs(run: str) -> None:
    got = [
        (
            *(str(number), crosscheck.NAMES[o.side], str(o.ticks), str(o.lots)),
            *("GTX" if o.post_only else "GTC", str(o.submit_ns), str(o.cancel_ns), o.end),
            *(str(o.end_exch_ns), str(o.filled)),
        )
        for number, o in named(run).orders.items()
    ]
    assert got == [tuple(row.values()) for row in table(f"{run}.orders.csv")]


@pytest.mark.parametrize("run", RUNS)
def test_equity_samples_of_the_named_runs(run: str) -> None:
    result = named(run)
    want = table(f"{run}.equity.csv")
    assert len(result.samples) == len(want)
    for sample, row in zip(result.samples, want, strict=True):
        now, bid, ask, lots, balance, fee, trades = sample
        exact = ("ts", "best_bid_tick", "best_ask_tick", "num_trades")
        assert (now, bid, ask, trades) == tuple(int(row[key]) for key in exact)
        assert lots == round(float(row["position"]) / 0.001)
        account = Account(result.account.contract, lots, balance, fee)
        equity = account.equity((bid + ask) / 2 * 0.1)
        money = [float(row[key]) for key in ("balance", "fee", "equity")]
        assert [balance, fee, equity] == pytest.approx(money, rel=0, abs=MONEY)


@pytest.mark.parametrize(("run", "queue", "delay"), MATRIX)
def test_matrix(run: str, queue: str, delay: str) -> None:
    result = outcome(run, queue, delay)
    cell = {"strategy": run, "queue": queue, "latency": delay}
    mine = [row for row in table("matrix_fills.csv") if cell.items() <= row.items()]
    assert ours(result) == theirs(mine)
    (summary,) = [row for row in table("matrix_summary.csv") if cell.items() <= row.items()]
    ends = [o.end for o in result.orders.values()]
    cancels = sum(o.cancel_ns > 0 for o in result.orders.values())
    counts = (result.steps, len(ends), cancels, ends.count("expired"), ends.count("canceled"))
    keys = ("steps", "orders", "cancels", "expired", "canceled")
    assert counts == tuple(int(summary[key]) for key in keys)
    account = result.account
    sums = [account.lots * 0.001, account.balance, account.fee]
    want = [float(summary[key]) for key in ("position", "balance", "fee")]
    assert sums == pytest.approx(want, rel=0, abs=MONEY)


@pytest.mark.parametrize("run", RUNS)
def test_partial_fills_without_the_peers_defects(run: str) -> None:
    result = outcome(run, *SETTINGS[run], partial=True)
    want = table(f"{run}.partial_corrected.fills.csv")
    assert ours(result) == theirs(want)
    assert [f.leaves for f in result.fills] == [int(row["leaves_lots"]) for row in want]
    summary = json.loads((REFERENCE / f"{run}.summary.json").read_text())["partial"]["corrected"]
    account = result.account
    sums = [account.lots * 0.001, account.balance, account.fee]
    want_sums = [summary[f"final_{key}"] for key in ("position", "balance", "fee")]
    assert sums == pytest.approx(want_sums, rel=0, abs=MONEY)
    assert (account.trades, len(result.orders)) == (
        summary["num_trades"],
        summary["orders_submitted"],
    )


def test_local_book_every_100_ms() -> None:
    want = [
        (int(row["ts"]), *book)
        for row in table("btcusdt.local_book_100ms.csv")
        for book in [
            (
                *(int(row["best_bid_tick"]), round(float(row["best_bid_qty"]) * 1000)),
                *(int(row["best_ask_tick"]), round(float(row["best_ask_qty"]) * 1000)),
                round(float(row["bid_qty_100ticks"]) * 1000),
                round(float(row["ask_qty_100ticks"]) * 1000),
            )
        ]
    ]
    assert named("R1_touch").books == want


def test_order_latency_derived_from_the_feed() -> None:
    derived = crosscheck.delays("feed", chunks)
    assert derived == latency.read_table(REFERENCE / "btcusdt.order_latency.csv")


@pytest.mark.parametrize("seed", [1, 2])
def test_chunks_of_any_size_change_nothing(seed: int) -> None:
    sizes = random.Random(seed)
    run = params("R3_flatten", *SETTINGS["R3_flatten"], partial=False)
    book = OrderBook()
    replay = Replay([book], queue="risk", partial=False)
    crosscheck.delays("feed", chunks).apply(replay)

    def cut() -> Iterator[bytes]:
        at = 0
        while at < len(rows()):
            size = event_rows.ROW.size * sizes.choice((1, 2, 7, 300, 5000, 40_000))
            yield rows()[at : at + size]
            at += size

    account = named("R3_flatten").account
    result = ReferenceStrategy(Run.from_json(run), account.contract, replay, book).play(cut())
    result.fills.sort(key=lambda fill: (fill.exch_ns, fill.order_id))
    assert result == named("R3_flatten")


@pytest.mark.parametrize(
    "data", [EVENTS, SHARED / "btcusdt_usdm_20240808.gz"], ids=["events", "capture"]
)
def test_command_line_writes_the_reference_file(tmp_path: Path, data: Path) -> None:
    run, fills, sums = (tmp_path / name for name in ("run.json", "fills.csv", "sums.json"))
    run.write_text(json.dumps(params("R1_touch", *SETTINGS["R1_touch"], partial=False)))
    paths = ["--data", data, "--run", run, "--fills", fills, "--json", sums]
    crosscheck.main([*map(str, paths), "--tick", "0.1", "--lot", "0.001"])
    assert fills.read_bytes() == (REFERENCE / "R1_touch.fills.csv").read_bytes()
    assert json.loads(sums.read_text())["trades"] == 480


def test_inverse_contract_books_in_the_base_currency() -> None:
    # 100 contracts of 10 USD: bought at 50 000 they are worth 1000/50000 = 0.02 BTC, sold at 40 000
    # 1000/40000 = 0.025 BTC. The loss is 0.005 BTC; fees 0.01 % of each: 0.0000045 BTC.
    contract = Contract(tick=0.5, lot=1.0, inverse=True, size=10.0, maker_fee=1e-4, taker_fee=2e-4)
    account = Account(contract)
    account.book(1, 100_000, 100, maker=True)
    assert account.equity(50_000.0) == pytest.approx(-0.000002, abs=1e-12)
    account.book(-1, 80_000, 100, maker=True)
    assert account.equity(1.0) == pytest.approx(-0.005 - 0.0000045, abs=1e-12)
