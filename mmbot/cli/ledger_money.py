"""The verbs `pnl` and `attribution`: what a ledger's rows earned, exact to the last unit."""

import argparse
from fractions import Fraction
from importlib.util import find_spec

from mmbot.assemble.earnings import Earnings, Share, by_day, earnings
from mmbot.cli.ledger_flags import Column, Money, deliver, ledger_path, table, window
from mmbot.cli.ledger_look import EMPTY
from mmbot.cli.output import say, show, show_json
from mmbot.domain.market import MICRO
from mmbot.errors import UsageError
from mmbot.ledger.reader import LedgerReader

_PARTS = (
    Column("spread_usd", "spread", True),
    Column("inventory_usd", "inventory", True),
    Column("fees_usd", "fees", True),
    Column("funding_usd", "funding", True),
    Column("hedge_usd", "hedge", True),
    Column("adjustments_usd", "adjusted", True),
    Column("pnl_usd", "PnL USD", True),
    Column("volume_usd", "volume USD", True),
    Column("fills_count", "fills", True),
)
_LINES = (Column("line", ""), Column("usd", "USD", True))


def pnl(args: argparse.Namespace) -> int:
    """Print profit by day, hour or market, and the sum."""
    with LedgerReader(ledger_path(args)) as reader:
        found = earnings(reader, window(args))
        if args.png is not None:
            _draw(reader, args)
    shares = found.groups["market"] if args.by == "market" else found.groups["hour"]
    if args.by == "day":
        shares = by_day(shares)
    rows = [{args.by: key, **_parts(share)} for key, share in sorted(shares.items())]
    if len(rows) > 1 and not args.json and not args.csv:
        rows.append({args.by: "all", **_parts(found.whole)})
    columns = (Column(args.by, args.by), *_PARTS)
    return deliver(args, f"mmbot.pnl-by-{args.by}/1", columns, rows, EMPTY)


def _draw(reader: LedgerReader, args: argparse.Namespace) -> None:
    if find_spec("matplotlib") is None:
        raise UsageError('a picture needs: pip install "mmbot[report]"')
    from mmbot.research.equity_picture import draw

    known = [(p.ts_ns, p.equity_uusd) for p in reader.points(window(args)) if p.equity_uusd]
    draw(known, "equity", args.png)
    say(f"wrote {args.png}")


def attribution(args: argparse.Namespace) -> int:
    """Print where the profit came from; what nobody knows is said."""
    with LedgerReader(ledger_path(args)) as reader:
        found = earnings(reader, window(args))
    if found.whole == Share():
        return deliver(args, "mmbot.attribution/1", _LINES, [], EMPTY)
    rows = [{"line": name, "usd": Money(usd)} for name, usd in _steps(found)]
    if args.json:
        show_json(_document(found))
        return 0
    if args.csv:
        return deliver(args, "mmbot.attribution/1", _LINES, rows, EMPTY)
    show(table(_LINES, rows))
    for remark in _remarks(found):
        say(f"note: {remark}")
    return 0


def _parts(share: Share) -> dict[str, object]:
    lines = share.lines
    return {
        "spread_usd": Money(Fraction(lines.maker_capture + lines.taker_capture)),
        "inventory_usd": Money(Fraction(lines.inventory)),
        "fees_usd": Money(Fraction(lines.fees)),
        "funding_usd": Money(Fraction(lines.funding)),
        "hedge_usd": Money(
            Fraction(lines.hedge_execution + lines.hedge_inventory + lines.hedge_fees)
        ),
        "adjustments_usd": Money(share.adjustments),
        "pnl_usd": Money(share.total),
        "volume_usd": Money(share.volume_usd),
        "fills_count": share.fills,
    }


def _steps(found: Earnings) -> list[tuple[str, Fraction]]:
    """Lines that add up to the last one; inventory in two, the part of 5 s after a fill first."""
    lines = found.whole.lines
    adverse = Fraction(found.splits[1].adverse)
    steps = [
        ("spread, maker", lines.maker_capture),
        ("spread, taker", lines.taker_capture),
        ("adverse, 5 s", adverse),
        ("inventory", lines.inventory + lines.hedge_inventory - adverse),
        ("fees", lines.fees),
        ("funding", lines.funding),
        ("hedge spread", lines.hedge_execution),
        ("hedge fees", lines.hedge_fees),
        ("adjustments", found.whole.adjustments),
    ]
    return [*((name, Fraction(usd)) for name, usd in steps), ("net profit", found.whole.total)]


def _remarks(found: Earnings) -> list[str]:
    remarks = []
    fills = found.whole.fills
    if found.unmarked:
        remarks.append(
            f"{found.unmarked} of {fills} fills have no mid: their spread is part of inventory"
        )
    if found.unmatured[1]:
        remarks.append(
            f"{found.unmatured[1]} of {fills} fills have no mid after 5 s: "
            "their adverse move is part of inventory"
        )
    gap = _unexplained(found)
    if gap is not None:
        remarks.append(
            f"the venue's equity went by {_change(found).shown} USD between its first and last "
            f"checkpoint, transfers of {Money.of(found.transfers_uusd).shown} USD included: "
            f"{gap.shown} USD from these lines"
        )
    return remarks


def _change(found: Earnings) -> Money:
    return Money.of((found.last_uusd or 0) - (found.first_uusd or 0))


def _unexplained(found: Earnings) -> Money | None:
    """Change of the venue's equity that is neither transfer nor in the lines."""
    if found.first_uusd is None or found.last_uusd is None:
        return None
    change = Fraction(found.last_uusd - found.first_uusd - found.transfers_uusd, MICRO)
    return Money(change - found.whole.total)


def _document(found: Earnings) -> dict[str, object]:
    gap = _unexplained(found)
    return {
        "schema": "mmbot.attribution/1",
        "pnl_usd": Money(found.whole.total).exact,
        "lines_usd": {
            **{
                name: Money(Fraction(usd)).exact
                for name, usd in found.whole.lines._asdict().items()
            },
            "adjustments": Money(found.whole.adjustments).exact,
        },
        "splits": [
            {
                "horizon_ns": split.horizon_ns,
                "adverse_usd": Money(Fraction(split.adverse)).exact,
                "residual_usd": Money(Fraction(split.residual)).exact,
                "realised_usd": Money(Fraction(split.realised)).exact,
                "unknown_fills_count": unknown,
            }
            for split, unknown in zip(found.splits, found.unmatured, strict=True)
        ],
        "groups": {
            dimension: {key: Money(share.total).exact for key, share in shares.items()}
            for dimension, shares in found.groups.items()
        },
        "fills_count": found.whole.fills,
        "volume_usd": Money(found.whole.volume_usd).exact,
        "unmarked_fills_count": found.unmarked,
        "transfers_usd": Money.of(found.transfers_uusd).exact,
        "unexplained_usd": None if gap is None else gap.exact,
    }
