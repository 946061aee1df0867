"""The verb `test-live`: the way to the venue, one step after the other, a line for each."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import NamedTuple

from mmbot.cli.live_markets import CheckFailed
from mmbot.cli.live_steps import Steps
from mmbot.cli.output import EXIT_CHECK_FAILED, show, show_json
from mmbot.cli.venue import connected, venue_settings
from mmbot.errors import ActionError, SecretError, UsageError, VenueError


class Check(NamedTuple):
    """A step's result: `state` is ok, FAIL or skip; `seconds` is how long it took."""

    name: str
    state: str
    seconds: float
    text: str


class _Planned(NamedTuple):
    name: str
    run: Callable[[], Awaitable[str]]
    needs: tuple[str, ...]


def test_live(args: argparse.Namespace) -> int:
    """Check everything up to the account, with --place also an order; exit 10 on a failure."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    config = venue_settings(args)
    checks: list[Check] = []
    async with connected(config.venue) as (http, clock):
        steps = Steps(http, clock, config, args)
        planned = [
            _Planned("connect", steps.connect, ()),
            _Planned("time", steps.time, ("connect",)),
            _Planned("markets", steps.markets, ("connect",)),
            _Planned("session", steps.session, ("connect", "time")),
            _Planned("book", steps.book, ("markets",)),
            _Planned("account", steps.account, ("markets",)),
        ]
        if args.place:
            needs = ("time", "session", "book", "account")
            planned.append(_Planned("order", steps.order, needs))
        for step in planned:
            check = await _checked(step, checks)
            checks.append(check)
            if not args.json:
                show([_line(check)])
    good = all(check.state == "ok" for check in checks)
    if args.json:
        items = [check._asdict() for check in checks]
        content = {"schema": "mmbot.test-live/1", "ok": good, "checks": items}
        show_json(content)
    return 0 if good else EXIT_CHECK_FAILED


async def _checked(step: _Planned, before: list[Check]) -> Check:
    missing = [check.name for check in before if check.state != "ok" and check.name in step.needs]
    if missing:
        return Check(step.name, "skip", 0.0, f"needs {', '.join(missing)}")
    began_s = perf_counter()
    try:
        text, state = await step.run(), "ok"
    except (CheckFailed, VenueError, SecretError, ActionError, UsageError) as error:
        text, state = str(error), "FAIL"
    return Check(step.name, state, round(perf_counter() - began_s, 3), text)


def _line(check: Check) -> str:
    return f"{check.state:<4}  {check.name:<8} {check.seconds:7.3f} s  {check.text}"
