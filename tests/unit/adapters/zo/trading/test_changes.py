"""What changes at the venue meanwhile: its list of markets, its limits, money, other markets."""

from typing import Any

import pytest
from msgspec.structs import replace

from mmbot.adapters.zo.trading.params import TradingParams
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.events import AccountSnapshot, Hindrance, Transfer, VenueSnapshot
from mmbot.domain.order import OrderState, Side
from tests.exchange.served import Trader
from tests.unit.adapters.zo.trading.scene import PARAMS, PRICE, Desk, play, taken

LOOKS_OFTEN: TradingParams = replace(PARAMS, listing_ms=300)
STARTING_UUSD = 10_000_000_000


def hindrances(desk: Desk, name: str) -> list[tuple[int | None, str | None]]:
    """Every telling of a hindrance, in order."""
    return [
        (event.market, event.reason)
        for event in desk.events
        if isinstance(event, Hindrance) and event.name == name
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"knob": "info.mutate", "what": "price_decimals", "market_id": 0},
        {"knob": "info.mutate", "what": "size_decimals", "market_id": 0},
        {"knob": "info.mutate", "what": "symbol", "market_id": 0},
        {"knob": "info.delist", "market_id": 0},
    ],
    ids=lambda change: change.get("what", "delist"),
)
def test_a_market_that_means_something_else_is_not_quoted_any_more(change: dict[str, Any]) -> None:
    async def work(desk: Desk) -> None:
        await desk.control(change)
        await desk.until(lambda: "listing" in desk.hindered())
        await desk.control()
        await desk.pause(3.0)
        ((market, reason),) = hindrances(desk, "listing")
        assert market == 0
        assert reason is not None

    play(work, params=LOOKS_OFTEN)


@pytest.mark.parametrize(
    "change",
    [
        {"knob": "info.mutate", "what": "order"},
        {"knob": "info.mutate", "what": "price_decimals", "market_id": 1},
        {"knob": "info.delist", "market_id": 2},
        {"knob": "info.similar_symbol"},
    ],
    ids=lambda change: "-".join(map(str, change.values())),
)
def test_markets_are_known_by_their_ids_and_others_do_not_matter(change: dict[str, Any]) -> None:
    async def work(desk: Desk) -> None:
        await desk.control(change)
        await desk.pause(3.0)
        assert hindrances(desk, "listing") == []
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)

    play(work, params=LOOKS_OFTEN)


@pytest.mark.parametrize(
    "limit",
    [
        {"knob": "rest.429", "retry_after": 2, "for_ms": 6_000},
        {"knob": "rl.ban", "for_ms": 6_000},
        {"knob": "rl.limit", "rest_min": 30, "for_ms": 10_000},
    ],
    ids=lambda limit: str(limit["knob"]),
)
def test_a_limit_on_reads_is_over_in_time(limit: dict[str, Any]) -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        await desk.control(limit)
        await desk.pause(12.0)
        await desk.control()
        # The exchange asks a banned one for a minute.
        await desk.until(lambda: not desk.hindered(), 75.0)
        desk.cancel(order_id)
        await desk.told(order_id, OrderState.CANCELLED)

    play(work)


@pytest.mark.parametrize("usd", [250, 3_000])
def test_money_that_comes_is_told_before_the_figures_that_contain_it(usd: int) -> None:
    async def work(desk: Desk) -> None:
        await desk.pause(2.0)
        await desk.served.post("/_ctl/fund", {"account": desk.owner.account, "usd": usd})
        await desk.until(lambda: desk.transfers() == [usd * 1_000_000])
        await desk.pause(3.0)
        told = [each for each in desk.events if isinstance(each, Transfer | AccountSnapshot)]
        at = next(n for n, each in enumerate(told) if isinstance(each, Transfer))
        before = [each.mf_uusd for each in told[:at] if isinstance(each, AccountSnapshot)]
        after = [each.mf_uusd for each in told[at:] if isinstance(each, AccountSnapshot)]
        assert set(before) == {STARTING_UUSD}
        assert set(after) == {STARTING_UUSD + usd * 1_000_000}

    play(work)


def test_money_that_comes_with_executions_and_a_gap_is_told_before_the_figures() -> None:
    async def work(desk: Desk) -> None:
        await desk.pause(2.0)
        order_id = desk.place(lots=100)
        await desk.told(order_id, OrderState.OPEN)
        await desk.control({"knob": "acct.coalesce", "for_ms": 5_000})
        await desk.served.post("/_ctl/fund", {"account": desk.owner.account, "usd": 500})
        await taken(desk, Side.ASK, 60, PRICE)
        await desk.control({"knob": "ws.rst"})
        await taken(desk, Side.ASK, 40, PRICE)
        await desk.until(lambda: bool(desk.transfers()))
        (uusd,) = desk.transfers()
        assert abs(uusd - 500_000_000) <= 5
        told = [each for each in desk.events if isinstance(each, Transfer | AccountSnapshot)]
        at = next(n for n, each in enumerate(told) if isinstance(each, Transfer))
        richest = max(each.mf_uusd or 0 for each in told[:at] if isinstance(each, AccountSnapshot))
        assert richest < STARTING_UUSD + 400_000_000

    play(work)


def test_figures_follow_while_executions_explain_the_money() -> None:
    async def work(desk: Desk) -> None:
        for side in (Side.BID, Side.ASK) * 2:
            order_id = desk.place(side, PRICE + 50 * side)
            await desk.told(order_id, OrderState.OPEN)
            await taken(desk, Side(-side), 10, PRICE + 50 * side)
            await desk.told(order_id, OrderState.FILLED)
        await desk.pause(5.0)
        assert desk.transfers() == []
        shown = [each.mf_uusd for each in desk.events if isinstance(each, AccountSnapshot)]
        balance = (await desk.served.get(f"/account/{desk.owner.account}"))["balances"][0]["amount"]
        assert shown[-1] == pytest.approx(balance * 1e6, abs=2)

    play(work)


@pytest.mark.parametrize("late_ms", [12_000, 40_000])
def test_a_loss_that_is_listed_late_is_no_withdrawal(late_ms: int) -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "rest.stale_ms", "kind": "pnl", "ms": late_ms})
        # The next answer is the one that is repeated.
        await desk.pause(2 * PARAMS.audit_ms / 1000)
        for side, ticks in ((Side.BID, PRICE), (Side.ASK, PRICE - 200)):
            order_id = desk.place(side, ticks)
            await desk.told(order_id, OrderState.OPEN)
            await taken(desk, Side(-side), 10, ticks)
            await desk.told(order_id, OrderState.FILLED)
        await desk.pause(late_ms / 1000 + 10.0)
        # Of a loss of 2,000 micro-USD, to the rounding.
        assert abs(sum(desk.transfers())) <= 2
        assert len(desk.transfers()) == (0 if late_ms < 20_000 else 2)

    play(work)


def test_positions_and_fees_of_other_markets_are_no_business_of_ours() -> None:
    async def work(desk: Desk) -> None:
        await desk.pause(4.0)
        other: Trader = desk.other
        await other.posted(300_000, 50, market_id=1)
        await desk.owner.send(desk.owner.place(300_000, 50, market_id=1, side=pb.ASK))
        account = desk.served.exchange.state.accounts[desk.owner.account]
        await desk.until(lambda: 1 in account.positions)
        await desk.pause(8.0)
        snapshots = [each for each in desk.events if isinstance(each, VenueSnapshot)]
        assert snapshots[-1].lots == (0,)
        assert desk.transfers() == []
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        assert desk.hindered() == set()

    play(work)
