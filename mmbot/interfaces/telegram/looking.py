"""What is looked up in the books for one who asks: profit, trades, settings, journal, archive."""

from collections.abc import Sequence

from mmbot.errors import MmbotError
from mmbot.interfaces.telegram.talk import Parts, Talk
from mmbot.interfaces.telegram.wishes import count_of, span_s
from mmbot.interfaces.telegram.wording import earned_lines, plain, table

LOOKED_UP = frozenset({"pnl", "fills", "config", "logs"})
MOST_LINES = 30
MOST_ROWS = 500
NS_PER_S = 1_000_000_000


class Looking:
    """Answers from the books."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._books = parts.books

    async def answer(self, talk: Talk, name: str, rest: str) -> None:
        """Answer, or say what was in the way."""
        try:
            if name == "pnl":
                await self._pnl(talk, rest)
            elif name == "fills":
                lines = await self._books.fills(count_of(rest, 10, MOST_ROWS))
                await self._show(talk, "fills.txt", lines or ["no trades yet"])
            elif name == "config":
                await self._show(talk, "config.txt", self._books.settings(rest))
            else:
                count, _, level = rest.partition(" ")
                most = count_of(count, 20, MOST_ROWS)
                lines = await self._books.journal(most, level.lower() in ("warning", "critical"))
                await self._show(talk, "journal.txt", lines or ["nothing yet"])
        except MmbotError as error:
            await talk.say(plain(self._parts.control.status(), str(error)))

    async def bundle(self, talk: Talk) -> None:
        """Send the archive."""
        try:
            name, content = await self._books.bundle()
        except MmbotError as error:
            await talk.say(plain(self._parts.control.status(), str(error)))
        else:
            await talk.say("look through it before you give it away", file=(name, content))

    async def _pnl(self, talk: Talk, rest: str) -> None:
        seconds = span_s(rest or "1d", 366 * 86_400)
        now_ns = self._parts.clock()
        since_ns = now_ns - seconds * NS_PER_S
        found = await self._books.earned(since_ns, now_ns)
        view = self._parts.control.status()
        text = table(view, [f"last {rest or '1d'}", *earned_lines(found)])
        picture = await self._books.curve(since_ns, now_ns)
        await talk.say(text, file=None if picture is None else ("equity.png", picture))

    async def _show(self, talk: Talk, name: str, lines: Sequence[str]) -> None:
        if len(lines) <= MOST_LINES:
            await talk.say(table(self._parts.control.status(), lines))
        else:
            await talk.say("", file=(name, "\n".join(lines).encode()))
