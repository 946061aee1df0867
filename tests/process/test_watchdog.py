"""A blocked loop in a process of its own: its watchdog cancels, then ends it (fault X05)."""

import asyncio
import time
from pathlib import Path

from tests.process.blocked import ABORTED
from tests.process.served import run, scene, start

STALL_S = 1.0
ABORT_S = 5.0
# What a busy machine may add.
SLACK_S = 5.0


def test_orders_are_gone_while_the_loop_is_blocked(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(6)
            ids = [str(each) for each in await at.resting()]
            # The account cannot be read for a while: what the bot knows is cancelled by its names.
            await at.venue.faults({"knob": "rest.5xx", "kind": "account", "for_ms": 8000})
            child = await start(
                "tests.process.blocked",
                str(at.session),
                str(at.person.account_id),
                *ids,
                cwd=tmp_path,
            )
            assert child.stdout is not None
            assert await child.stdout.readline() == b"blocked\n"
            began = time.monotonic()
            await at.gone_within(STALL_S + SLACK_S)
            out, err = await asyncio.wait_for(child.communicate(), ABORT_S + SLACK_S)
            assert child.returncode == ABORTED, (out, err)
            assert time.monotonic() - began > ABORT_S - STALL_S

    run(work())
