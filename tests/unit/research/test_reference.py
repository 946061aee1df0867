"""The recorder fed with the peer's fills ends with the peer's money, to the last digit."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.domain.position import Position
from mmbot.research.metrics import measure
from mmbot.research.record import FillRecord, Recorder
from mmbot.research.results import describe
from tests.unit.research.runs import HEADER

REFERENCE = Path(__file__).resolve().parents[3] / "../shared/data/reference"
RATES_PPB = {"maker": -50_000, "taker": 700_000}

pytestmark = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason=f"the reference runs are not at {REFERENCE}"
)


@pytest.mark.parametrize("name", ["R1_touch", "R2_skew", "R3_flatten"])
def test_reference_money(name: str) -> None:
    market = Market("BTCUSDT", Decimal("0.1"), Decimal("0.001"))
    recorder = Recorder([market], 10**9)
    twin = Position(market)
    expected = json.loads((REFERENCE / f"{name}.summary.json").read_text())["final"]
    mark = expected["best_bid_tick"] + expected["best_ask_tick"]
    with (REFERENCE / f"{name}.fills.csv").open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            one = _fill(market, number, row, mark)
            twin.fill(one.side, one.ticks, one.lots, one.fee_atoms)
            recorder.fill(one)
    record = recorder.finish(one.ts_exch_ns, [mark])
    results = describe(HEADER, record)
    profit = results.metrics.profit
    mid = Decimal("0.05") * mark
    balance, fee = Decimal(str(expected["balance"])), Decimal(str(expected["fee"]))
    equity = balance + Decimal(str(expected["position"])) * mid - fee
    assert profit.pnl_net_usd == pytest.approx(float(equity), abs=1e-6)
    assert profit.fees_usd == pytest.approx(expected["fee"], abs=1e-6)
    assert profit.volume_usd == pytest.approx(expected["trading_value"], abs=1e-6)
    assert measure(record).trading.fills_count == expected["num_trades"]
    assert record.markets[0].pnl_atoms == twin.pnl_atoms(mark)
    assert results.attribution.lines.total == pytest.approx(profit.pnl_net_usd)


def _fill(market: Market, number: int, row: dict[str, str], mark: int) -> FillRecord:
    ticks, lots = int(row["price_tick"]), int(row["qty_lots"])
    ts_ns = int(row["exch_ts"])
    return FillRecord(
        number=number,
        market=0,
        ts_exch_ns=ts_ns,
        ts_recv_ns=ts_ns,
        order_id=int(row["order_id"]),
        side=Side.BID if row["side"] == "buy" else Side.ASK,
        ticks=ticks,
        lots=lots,
        leaves_lots=0,
        maker=row["liquidity"] == "maker",
        cause=row["cause"],
        fee_atoms=market.fee(ticks, lots, RATES_PPB[row["liquidity"]]),
        mark_half_ticks=mark,
    )
