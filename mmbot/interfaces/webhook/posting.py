"""Alerts as JSON to a webhook: each one when it opens and when it is over, in their order; what is
critical again and again until somebody sees to it, for the chat may be what is broken.

Nothing waits for it. What cannot be sent in time is left out, the least severe first, and counted.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp
import msgspec
from msgspec import Struct

from mmbot.domain.alerts import Alert, Alerts
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.interfaces.webhook.params import WebhookParams, host_of
from mmbot.interfaces.webhook.sending import outside_session, send
from mmbot.ports import Control

CHANNEL = "webhook"
MOST_WAITING = 100
# What is left to say when the bot ends gets so long.
LAST_WORDS_S = 3.0
LOOK_S = 1.0
OVER = "_over"
_NS = 1_000_000_000


class Posted(Struct, frozen=True):
    """The body of a POST. `text` and `content` are for chats that show one of them.

    over: the alert has ended. dropped: alerts that were left out before this one. open_min: for
    how many minutes it has been open, where it is told again.
    """

    instance: str
    run_mode: str
    severity: str
    code: str
    market: str | None
    detail: str
    time: str
    id: str
    text: str
    content: str
    over: bool = False
    dropped: int = 0
    open_min: int | None = None
    schema: str = "mmbot.alert/1"


class News(Struct, frozen=True):
    """What is to be told of an alert; see Posted."""

    alert: Alert
    over: bool = False
    open_min: int | None = None


class Postbox:
    """What waits to be posted; the least severe and oldest goes when there is too much."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.dropped = 0
        self._most = most
        self._waiting: list[News] = []
        self._some = asyncio.Event()

    def put(self, news: News) -> None:
        """Have something posted."""
        self._waiting.append(news)
        if len(self._waiting) > self._most:
            least = min(range(len(self._waiting)), key=lambda at: self._waiting[at].alert.severity)
            del self._waiting[least]
            self.dropped += 1
        self._some.set()

    async def first(self) -> News:
        """Wait until there is something, and return it; `sent` takes it away."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting[0]

    def sent(self, each: News) -> None:
        """It is done with, unless it had to go in the meantime."""
        if each in self._waiting:
            self._waiting.remove(each)

    def __len__(self) -> int:
        return len(self._waiting)


class Escalation:
    """Says what is to be told again: what is critical and nobody has seen to. Pure."""

    def __init__(self) -> None:
        self._told_ns: dict[str, int] = {}

    def due(self, view: StatusView, again_s: float) -> list[News]:
        """Return it, once every so often from the beginning of each alert."""
        told_ns = {
            each.id: self._told_ns.get(each.id, each.first_ns)
            for each in view.alerts
            if each.severity >= Severity.CRITICAL and each.acked_by is None
        }
        due = [
            News(each, open_min=(view.ts_ns - each.first_ns) // (60 * _NS))
            for each in view.alerts
            if each.id in told_ns and view.ts_ns - told_ns[each.id] >= again_s * _NS
        ]
        self._told_ns = told_ns | {each.alert.id: view.ts_ns for each in due}
        return due


class Webhook:
    """Posts alerts for as long as it runs; `warn` is told when that fails, and when it works."""

    def __init__(self, params: Callable[[], WebhookParams], warn: Callable[[str], None]) -> None:
        self._params = params
        self._warn = warn
        self._alerts = Alerts()
        self._escalation = Escalation()
        self._box = Postbox()
        self._failing = False

    async def run(self, control: Control) -> None:
        """Post until cancelled; then what still waits, if that goes quickly."""
        view = control.status()
        named = (view.instance, view.run_mode)
        symbols = [market.symbol for market in control.markets]
        async with outside_session() as session:
            hearing = asyncio.create_task(self._hear(control, symbols), name="webhook hears")
            escalating = asyncio.create_task(self._escalate(control), name="webhook tells again")
            try:
                while True:
                    await self._post_next(session, named, control)
            finally:
                hearing.cancel()
                escalating.cancel()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_S):
                        while len(self._box):
                            await self._post_next(session, named, control)

    async def _hear(self, control: Control, symbols: Sequence[str]) -> None:
        subscription = control.subscribe()
        try:
            while True:
                told = await subscription.next()
                if isinstance(told, Notice):
                    self._take(told, None if told.market is None else symbols[told.market])
        finally:
            subscription.close()

    async def _escalate(self, control: Control) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self._url() is not None:
                for news in self._escalation.due(control.status(), self._params().escalate_after_s):
                    self._box.put(news)

    def _take(self, notice: Notice, market: str | None) -> None:
        alert = self._alerts.take(notice, market)
        over = notice.code.endswith(OVER)
        # Again within five minutes is the same alert: it has been told.
        if alert is not None and (over or alert.count == 1) and self._url() is not None:
            self._box.put(News(alert, over))

    async def _post_next(
        self, session: aiohttp.ClientSession, named: tuple[str, str], control: Control
    ) -> None:
        each = await self._box.first()
        url = self._url()
        if url is not None:
            body = msgspec.json.encode(posted(each, *named, self._box.dropped))
            why = await send(session, url, body)
            self._note(url, why)
            if not each.over:
                control.delivered(each.alert.severity, CHANNEL, taken=why is None)
        self._box.sent(each)

    def _url(self) -> str | None:
        params = self._params()
        return params.url(params.webhook_url)

    def _note(self, url: str, why: str | None) -> None:
        if why is None:
            self._box.dropped = 0
        if (why is not None) is not self._failing:
            self._failing = why is not None
            state = "takes alerts again" if why is None else f"did not take an alert: {why}"
            self._warn(f"webhook at {host_of(url)} {state}")


def posted(news: News, instance: str, run_mode: str, dropped: int = 0) -> Posted:
    """Return the body that tells of an alert."""
    alert = news.alert
    where = "" if alert.market is None else f"{alert.market}: "
    severity = Severity(alert.severity).name.lower()
    line = f"{where}{alert.code.replace('_', ' ')}: {alert.text}"
    text = f"[{instance} · {run_mode.upper()}] {'over' if news.over else severity} - {line}"
    if news.open_min is not None:
        text += f" (still open after {news.open_min} min: mmbot ack {alert.id})"
    return Posted(
        instance=instance,
        run_mode=run_mode,
        severity=severity,
        code=alert.code,
        market=alert.market,
        detail=alert.text,
        time=f"{datetime.fromtimestamp(alert.last_ns // _NS, UTC):%Y-%m-%dT%H:%M:%SZ}",
        id=alert.id,
        text=text,
        content=text,
        over=news.over,
        dropped=dropped,
        open_min=news.open_min,
    )
