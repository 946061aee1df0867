"""What a restatement does to the ledger's positions, whose trades are the venue's own list."""

from pathlib import Path

import pytest

from mmbot.adapters.zo.trading.audit import UNEXPLAINED
from mmbot.assemble import Footing, RunOptions, build_engine
from mmbot.assemble.live.bookkeeping import Bookkeeping
from mmbot.cext.orderbook import OrderBook
from mmbot.config.schema import Config
from mmbot.domain.events import Restatement
from mmbot.domain.order import Side
from mmbot.engine import VenueTraits
from mmbot.execution.order_ids import OrderIds
from mmbot.ledger.folds import books
from mmbot.ledger.reader import LedgerReader, Window
from mmbot.risk.breaker import Breaker
from tests.unit.ledger.scene import BTC, START_NS, fill, opened


@pytest.mark.parametrize(
    ("reason", "lots"),
    [
        # The three lots that are listed are right, whatever the stream had told.
        ("the venue's list of trades", 3),
        # What the runs before had is in their trades.
        ("held before the run", 3),
        # Nothing lists these: a position of 9 has come about.
        (UNEXPLAINED, 9),
    ],
)
def test_only_lots_that_nothing_lists_are_added_to_the_trades(
    tmp_path: Path, reason: str, lots: int
) -> None:
    path = tmp_path / "mmbot.ledger"
    ledger = opened(path)
    config = Config()
    footing = Footing(OrderIds(1, 1), Breaker(config.risk.loss), VenueTraits())
    engine = build_engine(config, [BTC], [OrderBook()], RunOptions(), footing)
    keeping = Bookkeeping(ledger, 1, engine, config.runtime, lambda: START_NS)
    ledger.fills([fill(1, Side.BID, 50, 3)], 1)
    keeping.event(Restatement(0, START_NS, 0, 6, 0, 0, reason))
    ledger.close(5)
    with LedgerReader(path) as reader:
        (book,) = books(reader, Window())
    assert book.position.lots == lots
