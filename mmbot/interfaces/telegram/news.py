"""What is told without being asked: the start, alerts, trades and their digest, the end."""

import asyncio

from msgspec import Struct

from mmbot.domain.events import Fill
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.order import Side
from mmbot.interfaces.status_block import usd
from mmbot.interfaces.telegram.alerting import Alerting
from mmbot.interfaces.telegram.kinds import loudness
from mmbot.interfaces.telegram.outbox import Outbox, Post
from mmbot.interfaces.telegram.outlet import Fault
from mmbot.interfaces.telegram.talk import FACE, Parts
from mmbot.interfaces.telegram.wording import fill_line, head, held_line, safe

LOOK_EVERY_S = 1.0
MOST_UNREAD = 1_000
SHUT = "telegram_chat"


class Traded(Struct):
    """Trades since a moment."""

    since_ns: int
    bids: int = 0
    asks: int = 0
    uusd: int = 0


class News:
    """Brings what happens into the outbox. `hear` and `look` run side by side, until cancelled."""

    def __init__(self, parts: Parts) -> None:
        self.alerting = Alerting(parts.params, parts.control.status)
        self.outbox = Outbox(parts.outlet, parts.params, lambda: head(parts.control.status()), self)
        self._parts = parts
        self.traded = Traded(parts.clock())
        self._begun = False

    async def hear(self) -> None:
        """Tell what is heard of, as soon as it is."""
        subscription = self._parts.control.subscribe(MOST_UNREAD)
        try:
            self._begin()
            while True:
                told = await subscription.next()
                if type(told) is Fill:
                    self._fill(told)
                elif type(told) is Notice:
                    self._notice(told)
        finally:
            subscription.close()

    async def look(self) -> None:
        """Tell what is due."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_ns = self._parts.clock()
            view = self._parts.control.status()
            for post in self.alerting.tick(view.alerts, now_ns):
                self.outbox.post(post)

    def end(self, why: str) -> None:
        """Say that the run is over."""
        view = self._parts.control.status()
        text = f"{why}\n{held_line(view)}; {view.orders} orders; equity {usd(view.equity_uusd)} USD"
        self.say("shutdown", text)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            view = self._parts.control.status()
            markets = ", ".join(each.symbol for each in self._parts.control.markets)
            self.say("startup", f"started: {markets}, version {view.version}, run {view.epoch}")

    def _notice(self, notice: Notice) -> None:
        markets = self._parts.control.markets
        market = None if notice.market is None else markets[notice.market].symbol
        for post in self.alerting.notice(notice, market, self._parts.clock()):
            self.outbox.post(post)

    def _fill(self, fill: Fill) -> None:
        market = self._parts.control.markets[fill.market]
        traded = self.traded
        traded.bids += fill.side is Side.BID
        traded.asks += fill.side is Side.ASK
        traded.uusd += market.notional_uusd(2 * fill.ticks, fill.lots)
        if self._parts.params.chat.notify.fill != "none":
            self.say("fill", fill_line(fill, market), f"fill {fill.market} {fill.trade_id}")

    def take_traded(self, now_ns: int) -> Traded:
        """Return the trades since this was asked last."""
        traded, self.traded = self.traded, Traded(now_ns)
        return traded

    def say(
        self,
        kind: str,
        text: str,
        key: str | None = None,
        file: tuple[str, bytes] | None = None,
    ) -> None:
        """Tell something of a kind of `telegram.notify`."""
        wanted = loudness(self._parts.params.chat, kind, Severity.INFO, self._parts.clock())
        if wanted != "none":
            silent = wanted == "silent"
            post = Post(key or kind, Severity.INFO, safe(text), silent=silent, file=file)
            self.outbox.post(post)

    def delivered(self, severity: Severity, *, taken: bool) -> None:
        """See Outcome."""
        self._parts.control.delivered(severity, FACE, taken=taken)

    def gave_up(self, chat_id: int, fault: Fault) -> None:
        """See Outcome. Others have to know; of a refused token they do already."""
        if fault is not Fault.UNAUTHORISED:
            text = f"chat {chat_id} takes no messages: {fault}"
            self._parts.tell([Notice(self._parts.clock(), Severity.WARNING, SHUT, None, text)])
