"""Who is told of a run on this machine: the screen or the lines on standard error, a program that
reads JSON, and the log. Where the log goes to the console, nothing is said there twice.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence

from mmbot.assemble.live import LiveBot
from mmbot.cli.live_view import LiveView
from mmbot.cli.output import say
from mmbot.cli.run_lines import JsonLines
from mmbot.cli.run_log import RunLog
from mmbot.cli.run_results import run_document, run_summary
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice
from mmbot.logs.logs import Logs
from mmbot.runtime.supervision import ExitReport


class Faces:
    """All of them; `began` gives them the bot, `run` shows until cancelled."""

    def __init__(self, logs: Logs, *, as_json: bool) -> None:
        self._log = RunLog()
        self._lines = JsonLines() if as_json else None
        self._spoken = not logs.on_console and self._lines is None
        self._quiet = logs.on_console and not sys.stderr.isatty()
        self._view: LiveView | JsonLines | None = None
        self._markets: tuple[Market, ...] = ()

    def warn(self, text: str) -> None:
        """Tell a warning that is no event of the engine."""
        self._log.warn(text)
        if self._lines is not None:
            self._lines.warn(text)
        elif self._spoken:
            say(text)

    def notices(self, told: Sequence[Notice]) -> None:
        """Tell notices, once there is a bot they come from."""
        if self._view is not None:
            self._view.notices(told)
            self._log.notices(told)

    def began(self, bot: LiveBot) -> None:
        """Tell what it will do, and listen from now on."""
        self._markets = tuple(desk.state.market for desk in bot.live.works.engine.desks)
        self._log.about(bot.status, self._markets)
        if self._lines is not None:
            self._view = self._lines.about(bot.status, self._markets)
            self._lines.tell("start", {"lines": bot.lines, "account_id": bot.account_id})
        else:
            self._view = LiveView(bot.status, self._markets, quiet=self._quiet)
        bot.keepers.listeners += [self._view, self._log]
        self._say(bot.lines)

    async def run(self) -> None:
        """Show and log until cancelled."""
        if self._view is not None:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._view.run(), name="view")
                group.create_task(self._log.run(), name="log")

    def ended(self, bot: LiveBot, report: ExitReport) -> None:
        """Tell how it ended."""
        status = bot.status()
        if self._lines is not None:
            self._lines.tell("end", run_document(report, status))
        self._say(run_summary(report, status, self._markets))

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._log.say(line)
            if self._spoken:
                say(line)
