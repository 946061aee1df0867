"""Starts that are refused: one clear line each, no traceback, and the documented exit code."""

import shutil
import signal
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from mmbot.adapters.zo.keys.session_files import SessionFolder
from mmbot.assemble.live.refusals import KNOWN_KEYS
from tests.process.served import Ended
from tests.process.trading import Place, place, run

ELSEWHERE = "https://zo-mainnet.n1.xyz"
FAR = "https://venue.example"
FAR_URL = f"venue.http_url={FAR}"
FAR_HOSTS = "venue.allowed_hosts=[venue.example]"


class Wrong(NamedTuple):
    """Flags that make no sense here, how it ends, and what the line has to name."""

    flags: tuple[str, ...]
    code: int
    words: str
    lines: int = 1


WRONG = (
    Wrong(("--market", "DOGEUSD"), 3, "DOGEUSD: the venue has no such market"),
    Wrong(("--set", "defaults.spread.min_bps=-3"), 3, "defaults.spread.min_bps"),
    Wrong(("-c", "nowhere.yaml"), 3, "nowhere.yaml"),
    Wrong(("-c", "unlimited.yaml"), 3, "max_position_usd", 2),
    Wrong(("--set", "defaults.inventory.direction=literal"), 3, "--accept-literal-skew", 2),
    Wrong(("--set", "instance.account_id=77"), 3, "77 is not an account"),
    Wrong(("--set", "runtime.stop_timeout_s=10", "--set", "venue.action_lifetime_s=60"), 3, "64 s"),
    Wrong(("--set", "session.dir=empty"), 4, "no session of"),
    Wrong(("--set", "session.dir=theirs"), 4, "another venue"),
    Wrong(("--url", ELSEWHERE), 4, f"no session of {ELSEWHERE}"),
    Wrong(("--set", FAR_URL, "--set", FAR_HOSTS), 4, "published test key"),
    Wrong(("--set", "risk.min_free_collateral_usd=20000"), 6, "deposit first"),
)


def one_line(ended: Ended, wrong: Wrong) -> None:
    """See that it is told as people want to read it."""
    told = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert (ended.code, len(told)) == (wrong.code, wrong.lines), (wrong, ended)
    assert wrong.words in told[0], (wrong, ended)
    assert "Traceback" not in ended.err, ended
    assert ended.out == ""


async def _refused(at: Place, wrong: Wrong) -> None:
    async with at.bot(*wrong.flags) as bot:
        one_line(await bot.ended(), wrong)


def _prepare(at: Place) -> None:
    """Make a session of another venue, one with a known key, and settings without limits."""
    mine = at.session_file()
    text = mine.read_text()
    theirs = at.folder / "theirs"
    theirs.mkdir(mode=0o700)
    (theirs / mine.name).write_text(text.replace(at.venue.url, ELSEWHERE))
    (theirs / mine.name).chmod(0o600)
    (stored,) = SessionFolder(at.sessions).of_venue(at.venue.url)
    known = sorted(KNOWN_KEYS)[0]
    SessionFolder(at.sessions).save(replace(stored, venue=FAR, user=known))
    unlimited = at.config.read_text().replace("max_position_usd: 2000", "max_position_usd: null")
    (at.folder / "unlimited.yaml").write_text(unlimited)


def test_what_must_not_start_says_why(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path, flow="none") as at:
            _prepare(at)
            for wrong in WRONG:
                await _refused(at, wrong)
            assert await at.epochs() == []
        shutil.rmtree(tmp_path / "theirs")
        # The exchange is gone by now.
        await _refused(at, Wrong((), 5, f"{at.venue.url} cannot be reached"))

    run(work())


def test_a_second_bot_is_refused_and_the_first_trades_on(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at, at.bot() as bot:
            await at.quoting(bot)
            await _refused(at, Wrong((), 7, "another bot trades account"))
            await at.quoting(bot)
            bot.send(signal.SIGTERM)
            assert (await bot.ended()).code == 0, bot.err

    run(work())


def test_a_clock_that_is_ten_minutes_off_is_refused_and_one_of_a_minute_told(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            await at.venue.faults({"knob": "eng.clock_offset", "s": 600})
            await _refused(at, Wrong((), 6, "s behind the venue's: set it first"))
            await at.venue.faults({"knob": "eng.clock_offset", "s": 60})
            async with at.bot() as bot:
                await at.quoting(bot)
                assert "s behind the venue's; orders go by the venue's" in bot.err
                bot.send(signal.SIGTERM)
                assert (await bot.ended()).code == 0, bot.err
                assert await at.epochs() == []

    run(work())
