"""A running bot for a program: one JSON object a line on standard output.

Every line has `schema`, `event` and `ts`; `start` is the first and `end` the last.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from mmbot.domain.actions import Batch
from mmbot.domain.events import Event, Fill
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice
from mmbot.domain.status import StatusView
from mmbot.logs.logs import logger
from mmbot.secrets.redaction import redacted

SCHEMA = "mmbot.run/1"
STATUS_EVERY_S = 10.0


class JsonLines:
    """Tells as it happens; `run` tells the status now and then until it is cancelled."""

    def __init__(self) -> None:
        self._status: Callable[[], StatusView] | None = None
        self._markets: tuple[Market, ...] = ()

    def about(self, status: Callable[[], StatusView], markets: Sequence[Market]) -> "JsonLines":
        """Know what to tell of; returns itself."""
        self._status = status
        self._markets = tuple(markets)
        return self

    def tell(self, event: str, content: Mapping[str, Any]) -> None:
        """Write one line."""
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        line = {"schema": SCHEMA, "event": event, "ts": moment, **content}
        # One write, so that lines of several threads do not mix.
        try:
            sys.stdout.write(f"{redacted(msgspec.json.encode(line).decode())}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read has gone: no reason to end a run, and its log goes on.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            logger("bot").warning("nobody reads standard output any more: nothing is told there")

    def warn(self, text: str) -> None:
        """Tell a warning that is no event of the engine."""
        self.tell("warning", {"text": text})

    def event(self, event: Event) -> None:
        """Tell a fill as soon as its order is known."""
        if isinstance(event, Fill) and event.order_id:
            market = self._markets[event.market]
            content = {
                "market": market.symbol,
                "side": event.side.name.lower(),
                "price": market.price(event.ticks),
                "size": market.size(event.lots),
                "maker": event.maker,
                "order_id": event.order_id,
                "trade_id": event.trade_id,
            }
            self.tell("fill", content)

    def batch(self, batch: Batch) -> None:
        """See Listener: what was sent is in the status."""

    def notices(self, notices: Sequence[Notice]) -> None:
        """Tell every notice."""
        for each in notices:
            content = {
                "severity": each.severity.name.lower(),
                "code": each.code,
                "market": None if each.market is None else self._markets[each.market].symbol,
                "text": each.text,
            }
            self.tell("notice", content)

    async def run(self) -> None:
        """Tell the status until cancelled."""
        while self._status is not None:
            await asyncio.sleep(STATUS_EVERY_S)
            self.tell("status", {"status": self._status()})
