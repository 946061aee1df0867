"""The trades of one account out of two paged lists, against the full list they were cut from."""

import asyncio
from random import Random
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.rest.own_trades import own_trades
from mmbot.domain.order import Side
from mmbot.errors import ProtocolViolation
from tests.fakes.venue import serving
from tests.unit.adapters.zo.rest.test_parsing import CATALOG, TRADE

US = 7


class TradesVenue:
    """Serves `/trades` from a list, newest first; may lead round in circles."""

    def __init__(self, trades: list[dict[str, Any]], page_size: int = 3) -> None:
        self.trades = trades
        self.page_size = page_size
        self.circle = ""
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        asked = request.query
        found = [
            each
            for each in reversed(self.trades)
            if all(
                str(each[name]) == asked[name] for name in ("makerId", "takerId") if name in asked
            )
        ]
        at = int(asked.get("startInclusive", "0"))
        page, following = found[at : at + self.page_size], at + self.page_size
        if self.circle == "same":
            following = 3
        elif self.circle == "empty":
            page, following = [], self.asked
        elif self.circle == "repeated":
            page, following = found[: self.page_size], self.asked
        elif following >= len(found):
            return web.json_response({"items": page})
        return web.json_response({"items": page, "nextStartInclusive": following})


def ask(venue: TradesVenue, after: int) -> list[tuple[int, Side, bool]]:
    async def run() -> list[tuple[int, Side, bool]]:
        async with serving(venue.answer) as url, open_http(VenueParams(http_url=url)) as http:
            found = await own_trades(http, US, CATALOG, after)
            return [(own.trade.trade_id, own.side, own.is_maker) for own in found]

    return asyncio.run(run())


def trade(number: int, taker: int, maker: int, side: str) -> dict[str, Any]:
    ids = {"tradeId": number, "takerId": taker, "makerId": maker, "takerSide": side}
    return {**TRADE, **ids}


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 25), st.integers(1, 5), st.integers(0, 60))
def test_every_own_trade_comes_once_with_our_side(
    seed: int, count: int, page_size: int, after: int
) -> None:
    random = Random(seed)
    numbers = sorted(random.sample(range(1, 60), count))
    trades = [
        trade(number, random.choice([US, 9]), random.choice([US, 8]), random.choice(["bid", "ask"]))
        for number in numbers
    ]
    expected: list[tuple[int, Side, bool]] = []
    for each in trades:
        taker_side = Side.BID if each["takerSide"] == "bid" else Side.ASK
        if each["tradeId"] > after and each["takerId"] == US:
            expected.append((each["tradeId"], taker_side, False))
        if each["tradeId"] > after and each["makerId"] == US:
            expected.append((each["tradeId"], Side(-taker_side), True))
    assert ask(TradesVenue(trades, page_size), after) == expected


def test_pages_are_read_no_further_than_needed() -> None:
    trades = [trade(number, US, 8, "bid") for number in range(1, 31)]
    venue = TradesVenue(trades)
    assert [each[0] for each in ask(venue, 26)] == [27, 28, 29, 30]
    # The maker's list is empty; the taker's third page is not needed.
    assert venue.asked == 1 + 2


@pytest.mark.parametrize("circle", ["same", "empty", "repeated"])
def test_pages_that_lead_nowhere_are_given_up(circle: str) -> None:
    venue = TradesVenue([trade(number, US, US, "ask") for number in range(1, 31)])
    venue.circle = circle
    with pytest.raises(ProtocolViolation, match=r"^/trades: the pages go round in circles$"):
        ask(venue, 0)
    assert venue.asked < 20


def test_somebody_elses_trades_are_refused() -> None:
    class Wrong(TradesVenue):
        async def answer(self, _request: web.Request) -> web.Response:
            return web.json_response({"items": [trade(1, 1, 2, "bid")]})

    with pytest.raises(ProtocolViolation, match="makerId is not the one asked for"):
        ask(Wrong([]), 0)
