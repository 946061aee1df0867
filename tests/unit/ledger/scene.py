"""A small account's books."""

from decimal import Decimal
from pathlib import Path

from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.ledger import Ledger, StorageParams, open_ledger
from mmbot.ledger.rows import FillRow, RunStart

BTC = Market("BTCUSD", Decimal("0.1"), Decimal("0.0001"))
ETH = Market("ETHUSD", Decimal("0.01"), Decimal("0.001"), index=1)
HOUR_NS = 3_600_000_000_000
START_NS = 1_767_225_600_000_000_000
"""2026-01-01T00:00:00Z"""
ACCOUNT = "venue.test/7"


def start(ts_ns: int = START_NS, account: str = ACCOUNT, epoch: int = 1) -> RunStart:
    """A run's beginning."""
    return RunStart(ts_ns, "live", account, 1, epoch, "0.1.0", "aa", "bb")


def opened(path: Path, *, inline: bool = True, **more: int) -> Ledger:
    """A ledger with a run begun."""
    params = StorageParams.model_validate({"commit_interval_ms": 1, **more})
    ledger = open_ledger(path, inline=inline, params=params)
    ledger.begin_run(start(), [BTC, ETH])
    return ledger


def fill(
    trade_id: int,
    side: Side,
    ticks: int,
    lots: int,
    fee_atoms: int = 0,
    *,
    ts_ns: int | None = None,
) -> FillRow:
    """A trade, one a second after the start unless told otherwise."""
    at_ns = START_NS + trade_id * 1_000_000_000 if ts_ns is None else ts_ns
    return FillRow(
        at_ns, 0, trade_id, trade_id, 1_000 + trade_id, side, ticks, lots, True, fee_atoms
    )
