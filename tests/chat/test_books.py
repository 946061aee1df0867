"""What is looked up in the books, and written into the file, through the chat."""

import asyncio
import re
from pathlib import Path

from mmbot.ledger.reader import LedgerReader, Window
from tests.chat.place import ADMIN, OPERATOR, VIEWER, Place, place, run
from tests.chat.test_commands import answer

PNG = b"\x89PNG\r\n\x1a\n"


def sent_file(at: Place) -> bytes:
    """Return the file that was sent last."""
    fields = at.api.messages[-1].fields
    return next((value for value in fields.values() if isinstance(value, bytes)), b"")


async def booked(path: Path) -> int:
    """Wait until trades are in the books; returns how many."""
    async with asyncio.timeout(60):
        while True:
            with LedgerReader(path) as reader:
                count = len(list(reader.fills(Window())))
            if count:
                return count
            await asyncio.sleep(0.2)


def test_books_settings_and_archives(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            at.edit("spread: {min_bps: 60, max_bps: 61}", "spread: {min_bps: 1, max_bps: 2}")
            at.edit("price_tolerance_bps: 50, size_tolerance_pct: 50", "price_tolerance_bps: 1")
            async with at.bot():
                await booked(at.folder / "chatty.ledger")
                await answer(at, "/pause", OPERATOR)
                await asyncio.sleep(3)
                count = await booked(at.folder / "chatty.ledger")
                fills = await answer(at, "/fills 5", VIEWER, "USD ", 60)
                rows = re.findall(r"^\d\d:\d\d:\d\d \w+USD (?:bid|ask) .*", fills, re.MULTILINE)
                assert len(rows) == min(count, 5)
                assert len({len(row.removesuffix(" T")) for row in rows}) == 1
                profit = await answer(at, "/pnl 1d", VIEWER, "net ", 60)
                assert f"{count} fills" in profit
                assert sent_file(at).startswith(PNG)
                await answer(at, "/config spread.nothing", OPERATOR, "there is no setting")
                shown = await answer(at, "/config telegram.confirm", OPERATOR, "resume: true")
                assert "[live]" in shown
                await answer(at, "/config", VIEWER, "needs the role operator")
                await answer(at, "/logs 5", ADMIN, "pause by telegram:22 (operator): ok, ", 60)
                assert "fixed_usd: 200" in await answer(
                    at, "/config sizing.fixed_usd", OPERATOR, "fixed"
                )
                await at.api.say("/bundle", ADMIN)
                question = await at.api.seen("bundle?", within_s=60)
                await at.api.press(question, "Yes", ADMIN)
                await at.api.seen("look through it", within_s=60)
                assert sent_file(at)[:2] == b"\x1f\x8b"
                await at.api.say("/set spread.max_bps 3 persist", ADMIN)
                question = await at.api.seen("would change")
                await at.api.press(question, "Yes", ADMIN)
                await at.api.seen("1 setting changed")
                assert "max_bps: 3" in at.config.read_text()
                assert "max_bps: 2" in at.config.with_name("c.yaml.bak").read_text()
            assert at.api.bad == []

    run(work)
