"""Reports in time, on virtual time: the day before once a day, trades every few minutes."""

import asyncio
from decimal import Decimal
from typing import cast

import pytest

from mmbot.domain.events import Fill
from mmbot.domain.order import Side
from mmbot.errors import DataError
from mmbot.interfaces.telegram.books import Books, Earned
from mmbot.interfaces.telegram.news import News
from mmbot.interfaces.telegram.params import AlertParams, TelegramParams
from mmbot.interfaces.telegram.reporting import Reporting
from mmbot.interfaces.telegram.talk import Fees, InForce, Parts
from tests.simulation.loop import VirtualLoop
from tests.unit.interfaces.seat import Seat
from tests.unit.interfaces.telegram.test_outbox import Wire

S = 1_000_000_000
# 2027-01-15 08:00:00 UTC.
T0 = 1_800_000_000 * S
EARNED = Earned(
    Decimal("21.4"),
    Decimal(102_040),
    312,
    {"spread": Decimal("40.1"), "inventory": Decimal("-18.6"), "fees": Decimal("-0.1")},
    Decimal("-9.1836"),
)


class Shelf:
    """Books that say one thing; `asked` are the times that were asked about."""

    def __init__(self, broken: bool, empty: bool) -> None:
        self.asked: list[tuple[int, int]] = []
        self._broken = broken
        self._empty = empty

    async def earned(self, since_ns: int, until_ns: int) -> Earned:
        self.asked.append((since_ns, until_ns))
        if self._broken:
            raise DataError("the ledger is elsewhere")
        return EARNED

    async def curve(self, since_ns: int, until_ns: int) -> bytes | None:
        assert since_ns < until_ns
        if self._empty:
            raise DataError("there is no equity to draw in that time")
        return b"\x89PNG"


@pytest.mark.parametrize(("broken", "empty"), [(False, False), (True, True), (False, True)])
def test_reports(broken: bool, empty: bool) -> None:
    async def whole() -> tuple[Wire, Shelf]:
        loop, seat, wire = asyncio.get_running_loop(), Seat(), Wire()
        shelf = Shelf(broken, empty)
        chat = TelegramParams.model_validate(
            {"chats": [{"id": 7}], "daily_report_utc": "08:30", "notify": {"fill_digest": "loud"}}
        )
        parts = Parts(
            control=seat.control,
            outlet=wire,
            params=InForce(chat, AlertParams()),
            clock=lambda: T0 + round(loop.time() * S),
            tell=lambda _: None,
            remember=_remember,
            fees=Fees(),
            books=cast(Books, shelf),
        )
        news = News(parts)
        works = [news.hear(), news.outbox.run(), Reporting(parts, news).run()]
        tasks = [asyncio.create_task(work) for work in works]
        await asyncio.sleep(10)
        for number, side in enumerate((Side.BID, Side.ASK, Side.ASK)):
            seat.telling.fill(Fill(0, 0, 0, number, number, side, 600_000, 100, 0, True, 0))
        await asyncio.sleep(40 * 60)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return wire, shelf

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        wire, shelf = runner.run(whole())
    texts = [sending.text for _, sending in wire.sent]
    digest, daily = (next(text for text in texts if word in text) for word in ("fills 5", "day 20"))
    # Three trades of 0.001 at 60,000; 9.1836 of 102,040 are 0.9 basis points.
    assert "fills 5 min: 3 (1 bid, 2 ask) 180 USD" in digest
    assert "day 2027-01-14" in daily
    if broken:
        assert "the ledger is elsewhere" in digest
        assert "the ledger is elsewhere" in daily
        return
    assert "spread +40.10 · 5 s markout -0.9 bps" in digest
    assert "net  +21.40 USD" in daily
    assert "no equity" not in daily
    pictures = [] if empty else [("2027-01-14.png", b"\x89PNG")]
    assert [s.file for _, s in wire.sent if s.file] == pictures
    day = 86_400 * S
    assert (T0 // day * day - day, T0 // day * day) in shelf.asked


async def _remember(_number: int) -> bool:
    return True
