"""Reports in time: the digest of trades every few minutes, the day before once a day."""

import asyncio
from datetime import UTC, datetime

from mmbot.errors import MmbotError
from mmbot.interfaces.telegram.news import News
from mmbot.interfaces.telegram.talk import Parts
from mmbot.interfaces.telegram.wording import dollars, earned_lines, edge_line, held_line

LOOK_EVERY_S = 1.0
NS_PER_S = 1_000_000_000
MINUTE_NS = 60 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S


class Reporting:
    """Runs until cancelled."""

    def __init__(self, parts: Parts, news: News) -> None:
        self._parts = parts
        self._books = parts.books
        self._news = news
        self._reported = self._day_due(parts.clock())

    async def run(self) -> None:
        """Report what is due."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_ns = self._parts.clock()
            every_s = self._parts.params.chat.fill_digest_s
            if now_ns - self._news.traded.since_ns >= every_s * NS_PER_S:
                await self._digest(now_ns)
            day = self._day_due(now_ns)
            if day > self._reported:
                self._reported = day
                await self._daily(day)

    def _day_due(self, now_ns: int) -> int:
        """Return the day, counted from 1970, that begins with the latest time of a report."""
        hours, minutes = self._parts.params.chat.daily_report_utc.split(":")
        return (now_ns - (int(hours) * 60 + int(minutes)) * MINUTE_NS) // DAY_NS

    async def _digest(self, now_ns: int) -> None:
        traded = self._news.take_traded(now_ns)
        count = traded.bids + traded.asks
        if not count:
            return
        seconds = round((now_ns - traded.since_ns) / NS_PER_S)
        span = f"{round(seconds / 60)} min" if seconds >= 60 else f"{seconds} s"
        sides = f"({traded.bids} bid, {traded.asks} ask)"
        text = f"fills {span}: {count} {sides} {dollars(traded.uusd)} USD"
        try:
            text += f"\n{edge_line(await self._books.earned(traded.since_ns, now_ns))}"
        except MmbotError as error:
            text += f"\n{error}"
        text += f"\n{held_line(self._parts.control.status())}"
        self._news.say("fill_digest", text, f"fill digest {now_ns}")

    async def _daily(self, day: int) -> None:
        since_ns, until_ns = (day - 1) * DAY_NS, day * DAY_NS
        name = f"{datetime.fromtimestamp(since_ns // NS_PER_S, UTC):%Y-%m-%d}"
        view = self._parts.control.status()
        try:
            lines = earned_lines(await self._books.earned(since_ns, until_ns))
        except MmbotError as error:
            lines = [str(error)]
        try:
            picture = await self._books.curve(since_ns, until_ns)
        except MmbotError:
            # A day on which the bot did not run has figures, all 0, and no curve.
            picture = None
        text = "\n".join([f"day {name}", *lines, held_line(view)])
        file = None if picture is None else (f"{name}.png", picture)
        self._news.say("daily_report", text, f"day {name}", file)
