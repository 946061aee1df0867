"""What a bot tells places outside; neither it nor its trading waits for them."""

import asyncio
import signal
import tarfile
from pathlib import Path

from tests.process.test_control import edit, verb
from tests.process.trading import PATIENCE_S, place, run
from tests.unit.interfaces.webhook.listening import SECRET, listening


def test_places_outside_hold_up_nothing_hear_of_a_halt_and_stay_secret(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, listening() as outside:
            text = f"{at.config.read_text()}alerts: {{webhook_url: '{outside.url}'}}\n"
            at.config.write_text(text)
            outside.hangs = True
            async with at.bot("--json", "--record", str(tmp_path / "kept")) as bot:
                await at.quoting(bot)
                # Nobody waits for the answer to a signal, so that it was no good is an alert.
                edit(at, "daily_limit_usd: 500", "daily_limit_usd: much")
                bot.send(signal.SIGHUP)
                await outside.tried(1)
                # Prices move: orders are replaced all the while.
                before = await at.last_action()
                await asyncio.sleep(1.0)
                assert await at.last_action() - before >= 2
                outside.hangs = False
                edit(at, "daily_limit_usd: much", "daily_limit_usd: 0.02")
                assert (await verb(at, "reload")).code == 0
                ended = await bot.ended(PATIENCE_S + 30)
            assert ended.code == 6, ended.err
            (halted,) = [each for each in outside.bodies if each["severity"] == "critical"]
            assert (halted["instance"], halted["run_mode"]) == ("proc", "live")
            assert "daily loss" in halted["detail"]
            bundled = await verb(at, "bundle", "--out", "b.tar.gz")
            assert bundled.code == 0, bundled.err

    run(work())
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        archive.extractall(tmp_path / "bundle", filter="data")
    written = [
        path.name
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name != "c.yaml" and SECRET.encode() in path.read_bytes()
    ]
    assert written == []
