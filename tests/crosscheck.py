"""Run the reference strategy over a capture or an event file and write its fills and totals.

python -m tests.crosscheck --data FILE --tick 0.1 --lot 0.001 --run RUN --fills CSV --json OUT
"""

import argparse
import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from mmbot.adapters.sim import latency
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay
from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.tape import ANY_SYMBOL, Feed, FeedOptions, open_feeds
from tests import event_rows
from tests.reference_strategy import Contract, Fill, Outcome, ReferenceStrategy, Run

Chunks = Callable[[], Iterator[bytes]]
COLUMNS = (
    *("exch_ts", "order_id", "side", "price_tick", "price"),
    *("qty_lots", "qty", "liquidity", "cause"),
)
FEED_EXTRA_NS = 500_000
BOTH = event_rows.FLAG_EXCH | event_rows.FLAG_LOCAL
NAMES = {Side.BID: "buy", Side.ASK: "sell"}


def queue_model(name: str) -> tuple[str, tuple[float, ...]]:
    """Split a queue's name in the reference files into model and numbers."""
    return ("risk", ()) if name == "risk" else ("power", (float(name.removeprefix("power")),))


def delays(name: str, chunks: Chunks) -> latency.Delays:
    """Turn `const_<entry ms>_<response ms>` or `feed` into delays."""
    fixed = re.fullmatch(r"const_([\d.]+)_([\d.]+)", name)
    if fixed:
        entry, response = (round(float(ms) * 1_000_000) for ms in fixed.groups())
        return latency.constant(entry, response)
    if name != "feed":
        raise SystemExit(f"latency {name}: expected const_<entry_ms>_<response_ms> or feed")
    events = (row for rows in chunks() for row in event_rows.ROW.iter_unpack(rows))
    seen = ((exch, local) for exch, local, _, _, flags, _ in events if flags & BOTH == BOTH)
    return latency.from_feed(seen, FEED_EXTRA_NS)


def simulate(chunks: Chunks, params: dict[str, Any], tick: float, lot: float) -> Outcome:
    """Run the strategy with the parameters of a RUN.json over the rows of one market."""
    queue, numbers = queue_model(params["queue"])
    book = OrderBook()
    replay = Replay([book], queue=queue, numbers=numbers, partial=params["partial"])
    delays(params["latency"], chunks).apply(replay)
    contract = Contract(
        tick=tick,
        lot=lot,
        inverse=params["asset"] == "inverse",
        size=params["contract_size"],
        maker_fee=params["maker_fee"],
        taker_fee=params["taker_fee"],
    )
    strategy = ReferenceStrategy(Run.from_json(params), contract, replay, book)
    outcome = strategy.play(chunks())
    if not params["partial"]:
        # Files of partial runs list the fills of one instant as they happened, the others by id.
        outcome.fills.sort(key=lambda fill: (fill.exch_ns, fill.order_id))
    return outcome


def open_data(path: Path, tick: Decimal, lot: Decimal, clock_offset_ns: int | str) -> Feed:
    """Open a capture, taken as the peer takes it, or an event file of one symbol."""
    options = FeedOptions(
        grids={ANY_SYMBOL: Market(ANY_SYMBOL, tick, lot)},
        compat=True,
        clock_offset_ns=None if clock_offset_ns == "auto" else int(clock_offset_ns),
    )
    (feed,) = open_feeds([path], "auto", options)
    return feed


def fills_sha256(fills: Sequence[Fill]) -> str:
    """Hash the fills the way the summaries of the reference files do."""
    lines = (f"{f.exch_ns},{f.order_id},{NAMES[f.side]},{f.ticks},{f.lots}" for f in fills)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def write_fills(path: Path, fills: Sequence[Fill], tick: Decimal, lot: Decimal) -> None:
    """Write fills with the columns of the reference files."""
    with path.open("w", newline="", encoding="utf-8") as target:
        rows = csv.writer(target)
        rows.writerow(COLUMNS)
        for f in fills:
            liquidity = "maker" if f.maker else "taker"
            price, size = (f.ticks * tick).normalize(), (f.lots * lot).normalize()
            side = NAMES[f.side]
            row = (f.exch_ns, f.order_id, side, f.ticks, f"{price:f}", f.lots, f"{size:f}")
            rows.writerow((*row, liquidity, f.cause))


def totals(outcome: Outcome) -> dict[str, Any]:
    """Sum a run up as OUT.json does."""
    account = outcome.account
    return {
        "trades": account.trades,
        "position": account.lots * account.contract.lot,
        "balance": account.balance,
        "fee": account.fee,
        "fills_sha256": fills_sha256(outcome.fills),
        "steps": outcome.steps,
        "orders_submitted": len(outcome.orders),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.crosscheck", description=__doc__)
    for option in ("--data", "--run", "--fills", "--json"):
        parser.add_argument(option, type=Path, required=True)
    for option in ("--tick", "--lot"):
        parser.add_argument(option, type=Decimal, required=True)
    args = parser.parse_args(argv)
    params = json.loads(args.run.read_text(encoding="utf-8"))
    feed = open_data(args.data, args.tick, args.lot, params["clock_offset_ns"])
    outcome = simulate(feed.chunks, params, float(args.tick), float(args.lot))
    write_fills(args.fills, outcome.fills, args.tick, args.lot)
    args.json.write_text(json.dumps(totals(outcome), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
