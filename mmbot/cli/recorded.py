"""What `record` tells: how far it is, and in the end what was recorded."""

import sys
import time
from typing import Any

from mmbot.assemble.recording.accounts import RecordedAccount
from mmbot.assemble.recording.books import RecordedMarket
from mmbot.assemble.recording.together import Recorded, Recording
from mmbot.cli.output import say, show, show_json

FLUSH_EVERY_S = 10.0
LINE_EVERY_S = 10.0


class Progress:
    """Flushes now and then, and tells how far it is: on a terminal in place, else in lines."""

    def __init__(self, recording: Recording, *, quiet: bool) -> None:
        self._recording = recording
        self._terminal = sys.stderr.isatty() and not quiet
        self._started_s = self._told_s = self._flushed_s = time.monotonic()

    def step(self) -> None:
        """Do what it is time for."""
        now_s = time.monotonic()
        if now_s - self._flushed_s >= FLUSH_EVERY_S:
            self._flushed_s = now_s
            self._recording.flush()
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{self._line(now_s)}")
            sys.stderr.flush()
        elif now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            say(self._line(now_s))

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")

    def _line(self, now_s: float) -> str:
        recorded = self._recording.recorded()
        markets, accounts = recorded.markets, recorded.accounts
        waiting = [each.symbol for each in markets if each.problem]
        state = f", no book of {', '.join(waiting)}" if waiting else ""
        told = f", {sum(each.messages for each in accounts):,} account messages" if accounts else ""
        rows = sum(each.rows for each in markets)
        size = sum(each.size_bytes for each in markets) + sum(each.size_bytes for each in accounts)
        gaps = sum(each.gaps for each in markets) + sum(each.gaps for each in accounts)
        return (
            f"{now_s - self._started_s:,.0f} s: {len(markets)} markets, {rows:,} rows{told}, "
            f"{size / 1e6:,.1f} MB, {gaps} gaps{state}"
        )


def summarise(recorded: Recorded, seconds: float, *, as_json: bool) -> None:
    """Print what was recorded in `seconds`."""
    if as_json:
        document = {
            "schema": "mmbot.record/1",
            "seconds": round(seconds, 3),
            "items": [_market_item(each) for each in recorded.markets],
            "accounts": [_account_item(each) for each in recorded.accounts],
        }
        show_json(document)
        return
    for each in recorded.markets:
        paths = ", ".join(map(str, each.paths)) or "nothing"
        show([f"{each.symbol}  {each.rows:,} rows, {each.trades:,} trades  {paths}"])
        if each.misdated:
            say(f"note: {each.symbol}: {each.misdated:,} trades with times far off this host's")
    for account in recorded.accounts:
        paths = ", ".join(map(str, account.paths)) or "nothing"
        show([f"account {account.account_id}  {account.messages:,} messages  {paths}"])


def _market_item(each: RecordedMarket) -> dict[str, Any]:
    return {
        "symbol": each.symbol,
        "rows_count": each.rows,
        "trades_count": each.trades,
        "snapshots_count": each.snapshots,
        "gaps_count": each.gaps,
        "misdated_trades_count": each.misdated,
        "size_bytes": each.size_bytes,
        "paths": [str(path) for path in each.paths],
    }


def _account_item(each: RecordedAccount) -> dict[str, Any]:
    return {
        "account_id": each.account_id,
        "messages_count": each.messages,
        "gaps_count": each.gaps,
        "size_bytes": each.size_bytes,
        "paths": [str(path) for path in each.paths],
    }
