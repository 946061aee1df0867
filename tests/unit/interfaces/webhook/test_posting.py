"""Alerts to a webhook and heartbeats to a watcher, at a server on this machine."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from mmbot.domain.alerts import Alert
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import Mode, StatusView
from mmbot.interfaces.webhook.params import WebhookParams
from mmbot.interfaces.webhook.posting import MOST_WAITING, Escalation, News, Postbox, Webhook
from mmbot.interfaces.webhook.pulse import HeartbeatUrl
from mmbot.interfaces.webhook.sending import WAITS_S
from tests.unit.interfaces.seat import FixedControl, Seat
from tests.unit.interfaces.test_status_block import FULL
from tests.unit.interfaces.webhook.listening import SECRET, Place, listening

NOW_NS = 1_900_000_000 * 10**9
# A healthy bot: FULL has alerts of its own.
WELL = replace(
    FULL,
    alerts=(),
    unknown=0,
    loop_lag_p99_ms=1.0,
    session_ends_ns=None,
    mode=Mode.QUOTING,
    markets=tuple(replace(each, book_age_ms=100.0) for each in FULL.markets),
)
Script = Callable[["Told"], Awaitable[None]]


class Told:
    """A webhook at work: where it posts to, what it hears, what it warns of."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.seat = Seat()
        self.params = WebhookParams(webhook_url=SecretStr(place.url))
        self.warned: list[str] = []

    def tell(
        self, code: str, severity: Severity = Severity.WARNING, text: str = "x", at_s: float = 0
    ) -> None:
        """Have the bot say something."""
        ts_ns = NOW_NS + round(at_s * 1e9)
        self.seat.telling.notices([Notice(ts_ns, severity, code, 0, text)])

    async def heard(self) -> None:
        """Wait until somebody listens."""
        await until(lambda: bool(self.seat.telling.readers))


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)


def posting(script: Script) -> None:
    async def whole() -> None:
        async with listening() as place:
            told = Told(place)
            webhook = Webhook(lambda: told.params, told.warned.append)
            task = asyncio.create_task(webhook.run(told.seat.control))
            await told.heard()
            try:
                await script(told)
            finally:
                task.cancel()
                await asyncio.wait((task,))
        # Neither the address nor its secret.
        assert not any(SECRET in each for each in told.warned)

    asyncio.run(whole())


def test_an_alert_is_posted_once_and_so_is_its_end() -> None:
    async def script(told: Told) -> None:
        told.tell("stale_book", text="no update for 3 s")
        told.tell("stale_book", text="no update for 4 s", at_s=1)
        told.tell("fill_seen", Severity.INFO)
        told.tell("halted", Severity.CRITICAL, "daily loss", at_s=2)
        told.tell("stale_book_over", Severity.INFO, at_s=3)
        await told.place.taken(3)
        await asyncio.sleep(0.1)
        first, second, third = told.place.bodies
        assert first["schema"] == "mmbot.alert/1"
        assert (first["code"], first["severity"]) == ("stale_book", "warning")
        assert first["market"] == told.seat.control.markets[0].symbol
        assert first["time"] == "2030-03-17T17:46:40Z"
        assert "no update for 3 s" in first["text"]
        assert first["content"] == first["text"]
        assert (second["code"], second["severity"]) == ("halted", "critical")
        assert (third["code"], third["over"], third["id"]) == ("stale_book", True, first["id"])
        # The end of an alert is no alert.
        sent = [(Severity.WARNING, "webhook", True), (Severity.CRITICAL, "webhook", True)]
        assert told.seat.control.sent == sent

    posting(script)


def test_what_is_critical_is_told_again_until_somebody_sees_to_it() -> None:
    """Whether the chat works or not: it may be the chat that is broken."""
    opened = Alert("a1", Severity.CRITICAL, "halted", None, "daily loss", NOW_NS, NOW_NS)
    other = Alert("b2", Severity.WARNING, "position", None, "x", NOW_NS, NOW_NS)
    escalation = Escalation()

    def due(at_s: int, acked_by: str | None = None) -> list[tuple[str, int | None]]:
        alerts = (replace(opened, acked_by=acked_by), other)
        view = replace(WELL, ts_ns=NOW_NS + at_s * 10**9, alerts=alerts)
        return [(each.alert.id, each.open_min) for each in escalation.due(view, 600)]

    assert [due(at_s) for at_s in (0, 599, 600, 601, 1199)] == [[], [], [("a1", 10)], [], []]
    assert due(1200) == [("a1", 20)]
    assert due(1800, acked_by="me") == []


def test_the_same_after_five_minutes_is_told_again() -> None:
    async def script(told: Told) -> None:
        told.tell("stale_book")
        told.tell("stale_book", at_s=299)
        told.tell("stale_book", at_s=299 + 301)
        await told.place.taken(2)
        await asyncio.sleep(0.1)
        assert len(told.place.bodies) == 2

    posting(script)


def test_a_place_in_trouble_gets_it_later_and_in_order() -> None:
    async def script(told: Told) -> None:
        told.place.answers = [503]
        began = time.monotonic()
        told.tell("one")
        told.tell("two")
        await told.place.taken(2)
        assert time.monotonic() - began >= WAITS_S[0]
        assert [each["code"] for each in told.place.bodies] == ["one", "two"]
        assert told.warned == []

    posting(script)


@pytest.mark.parametrize("status", [302, 400, 404])
def test_a_refusal_is_not_repeated_but_told(status: int) -> None:
    async def script(told: Told) -> None:
        told.place.answers = [status]
        told.tell("one")
        await told.place.tried(1)
        told.tell("two")
        await told.place.taken(1)
        assert told.place.asked == 2
        assert told.place.bodies[0]["code"] == "two"
        await until(lambda: len(told.warned) == 2)
        assert told.warned == [
            f"webhook at 127.0.0.1 did not take an alert: status {status}",
            "webhook at 127.0.0.1 takes alerts again",
        ]

    posting(script)


def test_the_last_words_are_sent_at_the_end() -> None:
    async def whole() -> None:
        async with listening() as place:
            told = Told(place)
            webhook = Webhook(lambda: told.params, told.warned.append)
            task = asyncio.create_task(webhook.run(told.seat.control))
            await told.heard()
            place.answers = [503]
            told.tell("halted", Severity.CRITICAL)
            await place.tried(1)
            task.cancel()
            await asyncio.wait((task,))
            assert [each["code"] for each in place.bodies] == ["halted"]
            # One that does not answer does not hold up the end.
            place.hangs = True
            task = asyncio.create_task(webhook.run(told.seat.control))
            await told.heard()
            told.tell("other", Severity.CRITICAL)
            await place.tried(3)
            began = time.monotonic()
            task.cancel()
            await asyncio.wait((task,))
            assert time.monotonic() - began < 5

    asyncio.run(whole())


def test_nothing_is_sent_without_an_address() -> None:
    async def script(told: Told) -> None:
        told.params = WebhookParams()
        told.tell("one")
        await asyncio.sleep(0.1)
        told.params = WebhookParams(webhook_url=SecretStr(told.place.url))
        told.tell("two")
        await told.place.taken(1)
        assert [each["code"] for each in told.place.bodies] == ["two"]

    posting(script)


def test_what_is_critical_outlasts_a_full_box() -> None:
    box = Postbox(most=3)
    alerts = [
        Alert(str(number), severity, "code", None, "", NOW_NS, NOW_NS)
        for number, severity in enumerate(map(Severity, (1, 2, 1, 1, 2, 2)))
    ]
    for alert in alerts:
        box.put(News(alert))

    async def rest() -> list[str]:
        found = []
        while len(box):
            each = await box.first()
            found.append(each.alert.id)
            box.sent(each)
        return found

    assert asyncio.run(rest()) == ["1", "4", "5"]
    assert box.dropped == 3
    assert MOST_WAITING >= 100


class Standing(FixedControl):
    """A bot that stands as the test says."""

    view: StatusView = WELL

    def status(self) -> StatusView:
        return self.view


@pytest.mark.parametrize(
    "ill",
    [
        replace(WELL, mode=Mode.HALTED),
        replace(WELL, unknown=1),
        replace(WELL, alerts=(Alert("a", Severity.CRITICAL, "c", None, "", NOW_NS, NOW_NS),)),
        replace(WELL, markets=(replace(WELL.markets[0], book_age_ms=6_000.0),)),
    ],
)
def test_the_heart_beats_only_while_all_is_well(ill: StatusView) -> None:
    async def whole() -> None:
        async with listening() as place:
            params = WebhookParams(heartbeat_url=SecretStr(place.url), heartbeat_s=5)
            control = Standing(Seat().telling)
            control.view = ill
            warned: list[str] = []
            beating = asyncio.create_task(HeartbeatUrl(lambda: params, warned.append).run(control))
            await asyncio.sleep(0.1)
            assert place.asked == 0
            control.view = WELL
            await place.taken(1)
            assert place.bodies == ["GET"]
            beating.cancel()
            await asyncio.wait((beating,))

    asyncio.run(whole())
