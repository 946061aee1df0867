"""What the verbs that read a ledger share: which file, which window, and how tables are printed."""

import argparse
import csv
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import time_ns
from typing import NamedTuple

from msgspec.structs import replace

from mmbot.assemble.ledger import ledger_file
from mmbot.cli.output import say, show, show_json
from mmbot.config.loader import load
from mmbot.domain.market import MICRO
from mmbot.errors import UsageError
from mmbot.ledger.reader import Window

NS_PER_S = 1_000_000_000
_SINCE = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_CENT = Decimal("0.01")


class Column(NamedTuple):
    """A column: its name in JSON and CSV, its title on a terminal, right-aligned or not."""

    key: str
    title: str
    right: bool = False


def ledger_path(args: argparse.Namespace) -> Path:
    """Return the file of `--ledger`, or the one of the configured instance."""
    if args.ledger is not None:
        return Path(args.ledger)
    return ledger_file(load(args.config, args.set, os.environ).config, os.environ)


def window(args: argparse.Namespace) -> Window:
    """Return what `--since` and `--market` ask for."""
    symbols = frozenset(symbol.upper() for symbol in args.market) or None
    found, now_ns = Window(symbols=symbols), time_ns()
    if args.since is not None:
        found = replace(found, since_ns=since_ns(args.since, now_ns))
    if getattr(args, "until", None) is not None:
        found = replace(found, until_ns=since_ns(args.until, now_ns, "--until"))
    return found


def since_ns(text: str, now_ns: int, flag: str = "--since") -> int:
    """Return a moment: a span before now, or a time in ISO 8601; UsageError when it is neither."""
    span = _SINCE.fullmatch(text)
    if span is not None:
        return now_ns - int(span[1]) * _SECONDS[span[2]] * NS_PER_S
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{flag} {text}: expected 90s, 15m, 24h, 7d or a time such as 2026-01-31T12:00:00Z"
        ) from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS_PER_S + moment.microsecond * 1000


def deliver(
    args: argparse.Namespace,
    schema: str,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, object]],
    empty: str,
) -> int:
    """Print rows as JSON, CSV or a table; without rows say so. Raw values but on a terminal."""
    if args.json:
        items = [{column.key: _raw(row[column.key]) for column in columns} for row in rows]
        show_json({"schema": schema, "items": items})
    elif args.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(column.key for column in columns)
        for row in rows:
            writer.writerow(_cell(row[column.key]) for column in columns)
    elif rows:
        show(table(columns, rows))
    else:
        say(empty)
    return 0


def table(columns: Sequence[Column], rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Return aligned lines, a head first."""
    lines = [[column.title for column in columns]]
    lines += [[_text(row[column.key]) for column in columns] for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return [
        "  ".join(
            text.rjust(width) if column.right else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in lines
    ]


class Money(NamedTuple):
    """USD: exact in JSON and CSV to a millionth, with sign and cents on a terminal."""

    usd: Fraction

    @classmethod
    def of(cls, uusd: int) -> "Money":
        """Return micro-USD as money."""
        return cls(Fraction(uusd, MICRO))

    @property
    def exact(self) -> str:
        """Decimal digits, rounded to a millionth."""
        return str(Decimal(round(self.usd * MICRO)).scaleb(-6))

    @property
    def shown(self) -> str:
        """Sign and cents."""
        cents = Decimal(round(self.usd * 100)) * _CENT
        return f"{cents:+,.2f}"


def moment(ts_ns: int | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    if ts_ns is None:
        return None
    seconds, rest = divmod(ts_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def _raw(value: object) -> object:
    if isinstance(value, Money):
        return value.exact
    # Beyond 2^53 many readers of JSON lose digits.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 53:
        return str(value)
    return str(value) if isinstance(value, Decimal) else value


def _cell(value: object) -> object:
    value = _raw(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value


def _text(value: object) -> str:
    if isinstance(value, Money):
        return value.shown
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
