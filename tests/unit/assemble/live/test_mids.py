"""A trade's mids: when it was heard of and after each horizon, booked once they are known."""

from pathlib import Path

from mmbot.assemble.live.mids import KEPT_NS, Mids
from mmbot.domain.order import Side
from mmbot.ledger.reader import LedgerReader
from mmbot.research.record import HORIZONS_NS
from tests.unit.ledger.scene import START_NS, fill, opened

S = 10**9
T = START_NS


def marks(path: Path, work: list[tuple[str, tuple[int, ...]]]) -> dict[int, dict[int, int]]:
    """Do what is listed; returns mids by horizon in seconds and trade."""
    ledger = opened(path / "mmbot.ledger")
    mids = Mids(ledger, 2)
    ledger.fills([fill(trade, Side.BID, 50, 3) for trade in (1, 2)], 2)
    for what, told in work:
        getattr(mids, what)(*told)
    ledger.close(5)
    with LedgerReader(path / "mmbot.ledger") as reader:
        return {
            horizon // S: {trade: half for (_, trade), half in reader.marks(horizon).items()}
            for horizon in (0, *HORIZONS_NS)
        }


def test_mids_of_a_trade_that_is_known_late(tmp_path: Path) -> None:
    prices = [("note", (0, T + second * S, 100 + second)) for second in range(40)]
    found = marks(tmp_path, [*prices, ("traded", (0, 1, T + 2 * S, T + 39 * S))])
    assert found == {0: {1: 102}, 1: {1: 103}, 5: {1: 107}, 30: {1: 132}}


def test_mids_that_are_not_due_yet_come_later(tmp_path: Path) -> None:
    work = [("note", (0, T, 100)), ("traded", (0, 1, T, T))]
    assert marks(tmp_path, work) == {0: {1: 100}, 1: {}, 5: {}, 30: {}}
    more = [*work, ("note", (0, T + 2 * S, 104)), ("note", (1, T + 6 * S, 7))]
    (tmp_path / "more").mkdir()
    assert marks(tmp_path / "more", more) == {0: {1: 100}, 1: {1: 100}, 5: {1: 104}, 30: {}}


def test_what_is_not_known_any_more_is_not_made_up(tmp_path: Path) -> None:
    work = [
        ("note", (0, T, 100)),
        ("note", (0, T + 10 * S, 0)),
        ("note", (0, T + 20 * S, 108)),
        ("note", (0, T + KEPT_NS + 60 * S, 120)),
        ("note", (0, T + KEPT_NS + 61 * S, 121)),
        ("traded", (0, 1, T, T + KEPT_NS + 61 * S)),
        ("traded", (0, 2, T + KEPT_NS + 60 * S, T + KEPT_NS + 61 * S)),
    ]
    assert marks(tmp_path, work) == {0: {2: 120}, 1: {2: 121}, 5: {}, 30: {1: 108}}
