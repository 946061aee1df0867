"""What the venue promises, asked of the engine directly and of the server through our client.

One list of expectations, two ways in. Each expectation must hold by both, and both must say the
same bytes: receipts, REST answers and stream messages. Figures are worked out by hand.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
import uvloop
from nacl.signing import SigningKey

from mmbot.adapters.zo.rest.answers import FeeRates, OrderView
from mmbot.adapters.zo.rest.http import TradeQuery
from mmbot.adapters.zo.rest.own_trades import own_trades
from mmbot.adapters.zo.wire.actions import Atomic, CancelById
from mmbot.adapters.zo.wire.outcomes import Accepted, Cancelled, Done, Fill, Placed, Unknown
from mmbot.domain.order import FillMode, Side
from mmbot.exchange.params import ExchangeParams
from tests.contract.people import Person, created, order, placed, refused, rested
from tests.contract.ways import START_S, WAYS, OverSockets, Transcript, Way, over_sockets

BID, ASK = Side.BID, Side.ASK
LIMIT, POST_ONLY, IOC, FOK = FillMode
# BTCUSD: a tick is 0.1 USD, a lot 0.00001 BTC; 10 lots at 60,000.0 are worth 6 USD.
AT = 600_000
UUSD = 10**6
Scenario = Callable[[Way], Awaitable[None]]
SCENARIOS: dict[str, tuple[Scenario, dict[str, Any], int]] = {}


def expected(start_s: int = START_S, **settings: Any) -> Callable[[Scenario], Scenario]:
    """Add an expectation; `settings` are the exchange's."""

    def add(scenario: Scenario) -> Scenario:
        SCENARIOS[scenario.__name__.replace("_", " ")] = (scenario, settings, start_s)
        return scenario

    return add


def _run(name: str, way: str) -> Transcript:
    scenario, settings, start_s = SCENARIOS[name]
    params = ExchangeParams.model_validate({"auto_fund_usd": 10_000, **settings})

    async def work() -> Transcript:
        async with asyncio.timeout(20), WAYS[way](params, start_s) as venue:
            await scenario(venue)
            # What came late or too much would follow at once.
            await asyncio.sleep(0.01)
            return venue.transcript

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work())


@expected()
async def post_only_never_takes(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    resting = rested(await maker.place(ASK, AT, 10, POST_ONLY))
    for ticks in (AT, AT + 1, AT + 1_000):
        outcome = await taker.place(BID, ticks, 1, POST_ONLY)
        assert refused(outcome) == "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS"
    below = placed(await taker.place(BID, AT - 1, 7, POST_ONLY))
    assert (below.resting_lots, below.fills) == (7, ())
    assert [each.lots for each in (await maker.account()).orders] == [10]
    assert (await way.http.trades(TradeQuery(), maker.catalog)).items == ()
    assert (await maker.cancel(resting)) == Accepted(
        way.exchange.state.action_id, (Cancelled(resting),)
    )


@expected()
async def a_refused_part_refuses_the_batch_and_old_orders_stay(way: Way) -> None:
    maker, other = await way.person(), await way.person()
    old = [rested(await maker.place(side, AT + away, 5)) for side, away in ((BID, -9), (ASK, 9))]
    await other.place(ASK, AT + 5, 1)
    before = await maker.account()
    outcome = await maker.batch(
        *(CancelById(each, 0) for each in old),
        order(BID, AT + 5, 5, POST_ONLY),
        order(ASK, AT + 20, 5, POST_ONLY),
    )
    assert refused(outcome) == "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS"
    assert await maker.account() == before
    outcome = await maker.batch(
        *(CancelById(each, 0) for each in old),
        order(BID, AT + 4, 5, POST_ONLY),
        order(ASK, AT + 20, 6, POST_ONLY),
    )
    assert isinstance(outcome, Accepted)
    assert outcome.results[:2] == (Cancelled(old[0]), Cancelled(old[1]))
    found = [(each.side, each.ticks, each.lots) for each in (await maker.account()).orders]
    assert found == [(BID, AT + 4, 5), (ASK, AT + 20, 6)]


@expected()
async def a_client_id_is_used_by_one_order_at_a_time(way: Way) -> None:
    maker, other = await way.person(), await way.person()
    await maker.place(BID, AT - 5, 10, client_order_id=2**53 - 1)
    outcome = await maker.place(BID, AT - 6, 10, client_order_id=2**53 - 1)
    assert refused(outcome) == "REPEATED_ORDER_ID"
    batch = await maker.batch(
        order(BID, AT - 7, 1, client_order_id=8), order(BID, AT - 8, 1, client_order_id=8)
    )
    assert refused(batch) == "REPEATED_ORDER_ID"
    assert isinstance(await other.place(BID, AT - 6, 10, client_order_id=2**53 - 1), Accepted)
    assert [each.client_order_id for each in (await maker.account()).orders] == [2**53 - 1]
    gone = await maker.cancel_named(2**53 - 1)
    assert isinstance(gone, Accepted)
    assert refused(await maker.cancel_named(2**53 - 1)) == "ORDER_NOT_FOUND"
    assert isinstance(await maker.place(BID, AT - 6, 10, client_order_id=2**53 - 1), Accepted)
    assert len((await other.account()).orders) == 1


@expected()
async def a_filled_order_is_not_found_and_poisons_a_batch(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    filled = rested(await maker.place(ASK, AT, 10))
    living = rested(await maker.place(ASK, AT + 10, 10))
    await taker.place(BID, AT, 10, IOC)
    assert refused(await maker.cancel(filled)) == "ORDER_NOT_FOUND"
    outcome = await maker.batch(
        CancelById(living, 0), CancelById(filled, 0), order(ASK, AT + 20, 3, POST_ONLY)
    )
    assert refused(outcome) == "ORDER_NOT_FOUND"
    assert [each.order_id for each in (await maker.account()).orders] == [living]
    assert refused(await taker.cancel(living)) == "INVALID_ORDER_OWNER"
    seen = await way.http.order(filled, maker.catalog)
    assert seen == OrderView(filled, 0, ASK, AT, 10, 10, LIMIT, False, "Filled")


@expected()
async def every_fill_mode_does_what_it_says(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    first = rested(await maker.place(ASK, AT, 10))
    second = rested(await maker.place(ASK, AT + 2, 10))
    assert refused(await taker.place(BID, AT - 1, 1, IOC)) == "IMMEDIATE_ORDER_GOT_NO_FILLS"
    assert refused(await taker.place(BID, AT + 2, 21, FOK)) == "ORDER_EXECUTION_FILL_OR_KILL"
    assert refused(await taker.place(BID, 0, 21, FOK)) == "FAILED_TO_FILL_LIMIT"
    done = placed(await taker.place(BID, AT, 15, LIMIT))
    assert (done.resting_lots, done.fills) == (5, (Fill(first, AT, 10),))
    assert done.order_id is not None
    await taker.cancel(done.order_id)
    done = placed(await taker.place(BID, AT + 2, 4, FOK))
    assert done == Placed(None, 0, (Fill(second, AT + 2, 4),))
    done = placed(await taker.place(BID, 0, 100, IOC))
    assert done == Placed(None, 0, (Fill(second, AT + 2, 6),))
    assert refused(await taker.place(BID, 0, 1, IOC)) == "IMMEDIATE_ORDER_GOT_NO_FILLS"
    assert (await taker.lots(), await maker.lots()) == (20, -20)


@expected()
async def fills_come_in_price_time_order_and_in_parts(way: Way) -> None:
    makers = [await way.person(), await way.person()]
    taker = await way.person()
    late = rested(await makers[0].place(ASK, AT + 1, 10))
    first = rested(await makers[1].place(ASK, AT, 10))
    second = rested(await makers[0].place(ASK, AT, 10))
    done = placed(await taker.place(BID, AT + 1, 4, IOC))
    assert done.fills == (Fill(first, AT, 4),)
    done = placed(await taker.place(BID, AT + 1, 18, IOC))
    assert done.fills == (Fill(first, AT, 6), Fill(second, AT, 10), Fill(late, AT + 1, 2))
    left = [(each.order_id, each.lots, each.placed_lots) for each in await _orders(makers[0])]
    assert left == [(late, 8, 10)]
    assert await _orders(makers[1]) == []
    sent = await own_trades(way.http, makers[0].account_id, taker.catalog, 0)
    assert [(own.trade.ticks, own.trade.lots, own.side) for own in sent] == [
        (AT, 10, ASK),
        (AT + 1, 2, ASK),
    ]


async def _orders(person: Person) -> list[Any]:
    return list((await person.account()).orders)


@expected()
async def reduce_only_never_opens(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    await maker.place(BID, AT - 10, 100)
    await maker.place(ASK, AT, 100)
    flat = await taker.place(ASK, AT - 10, 5, IOC, reduce_only=True)
    assert refused(flat) == "POSITION_NOT_FOUND"
    await taker.place(BID, AT, 8, IOC)
    wrong = await taker.place(BID, AT, 5, IOC, reduce_only=True)
    assert refused(wrong) == "POSITION_STATE_ORDER_SIDE"
    done = placed(await taker.place(ASK, AT - 10, 50, IOC, reduce_only=True))
    assert sum(fill.lots for fill in done.fills) == 8
    assert await taker.lots() == 0
    await taker.place(BID, AT, 8, IOC)
    resting = placed(await taker.place(ASK, AT + 5, 20, POST_ONLY, reduce_only=True))
    assert resting.resting_lots == 8
    await taker.place(ASK, AT - 10, 3, IOC)
    assert [each.lots for each in await _orders(taker)] == [5]
    await taker.place(ASK, AT - 10, 5, IOC)
    assert await _orders(taker) == []


@expected()
async def in_a_batch_cancels_come_first_then_trades_then_places(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    await maker.place(ASK, AT, 100)
    mine = rested(await taker.place(BID, AT - 100, 5))
    wrong = await taker.forged(
        Atomic((order(BID, AT - 5, 1), CancelById(mine))),
    )
    assert refused(await taker.send(wrong)) == "ATOMICS_CANCELS_CANNOT_FOLLOW_TRADES_PLACES"
    wrong = await taker.forged(Atomic((order(BID, AT - 5, 1), order(BID, AT, 1, IOC))))
    assert refused(await taker.send(wrong)) == "ATOMICS_TRADES_CANNOT_FOLLOW_PLACES"
    crowd = tuple(order(BID, AT - 5 - away, 1) for away in range(5))
    assert refused(await taker.send(await taker.forged(Atomic(crowd), most_parts=5))) == "ATOMICS"
    good = await taker.batch(
        CancelById(mine, 0),
        order(BID, AT, 2, IOC),
        order(BID, 300_000, 10, POST_ONLY, market_id=1),
        order(BID, AT - 5, 1, POST_ONLY),
    )
    assert isinstance(good, Accepted)
    assert [type(each) for each in good.results] == [Cancelled, Placed, Placed, Placed]
    assert await taker.lots() == 2


@expected()
async def a_session_ends_when_it_said_it_would(way: Way) -> None:
    maker = await way.person()
    forever = maker.session_id
    maker.session_id = created(await maker.send(await maker.session(lasts_s=100)))
    resting = rested(await maker.place(BID, AT - 10, 1))
    await way.step(99_999)
    assert isinstance(await maker.place(BID, AT - 11, 1), Accepted)
    await way.step(1)
    assert refused(await maker.place(BID, AT - 12, 1)) == "SESSION_NOT_FOUND"
    assert refused(await maker.cancel(resting)) == "SESSION_NOT_FOUND"
    user = await way.http.user(maker.pubkey)
    assert user is not None
    assert [each.session_id for each in user.sessions] == [forever]
    assert len(await _orders(maker)) == 2
    maker.session_id = forever
    assert isinstance(await maker.cancel(resting), Accepted)


@expected()
async def a_revoked_session_is_gone(way: Way) -> None:
    maker = await way.person()
    old, maker.session_id = (
        maker.session_id,
        created(await maker.send(await maker.session(lasts_s=50))),
    )
    revoked = await maker.send(await maker.revocation(maker.session_id))
    assert isinstance(revoked, Accepted)
    assert revoked.results == (Done(),)
    assert refused(await maker.place(BID, AT, 1)) == "SESSION_NOT_FOUND"
    again = await maker.send(await maker.revocation(maker.session_id))
    assert refused(again) == "SESSION_NOT_FOUND"
    maker.session_id = old
    assert isinstance(await maker.place(BID, AT, 1), Accepted)


@expected(rules={"session_cap": 2})
async def the_session_that_ends_first_makes_room(way: Way) -> None:
    maker = await way.person()
    first = maker.session_id
    soon = created(await maker.send(await maker.session(lasts_s=50)))
    third = created(await maker.send(await maker.session(lasts_s=90)))
    user = await way.http.user(maker.pubkey)
    assert user is not None
    assert {each.session_id for each in user.sessions} == {first, third}
    maker.session_id = soon
    assert refused(await maker.place(BID, AT, 1)) == "SESSION_NOT_FOUND"


@expected()
async def the_same_bytes_are_taken_once_within_a_minute(way: Way) -> None:
    maker = await way.person()
    signed = await maker.signed(order(BID, AT - 10, 4))
    assert rested(await maker.send(signed))
    assert refused(await maker.send(signed)) == "DUPLICATE"
    await way.step(60_000)
    assert refused(await maker.send(signed)) == "DUPLICATE"
    await way.step(1_000)
    assert refused(await maker.send(signed)) == "TIMESTAMP_OUT_OF_THRESHOLD"
    assert [each.lots for each in await _orders(maker)] == [4]
    # A refused action is not remembered: the very same bytes may succeed later.
    other = await way.person()
    asked = await maker.signed(order(BID, AT + 5, 1, IOC))
    assert refused(await maker.send(asked)) == "IMMEDIATE_ORDER_GOT_NO_FILLS"
    await other.place(ASK, AT + 5, 1)
    assert len(placed(await maker.send(asked)).fills) == 1
    assert refused(await maker.send(asked)) == "DUPLICATE"


@expected()
async def a_timestamp_is_at_most_a_minute_off(way: Way) -> None:
    maker = await way.person()
    for late_s in (61, -61, 3_600, START_S):
        signed = await maker.forged(order(BID, AT - 10, 4), late_s=late_s)
        assert refused(await maker.send(signed)) == "TIMESTAMP_OUT_OF_THRESHOLD"
    for late_s in (60, -60):
        signed = await maker.forged(order(BID, AT - 10, 4), late_s=late_s)
        assert isinstance(await maker.send(signed), Accepted)


@expected()
async def nobody_acts_for_others_or_for_what_does_not_exist(way: Way) -> None:
    maker, other = await way.person(), await way.person()
    place = order(BID, AT - 10, 4)
    unknown = await maker.forged(place, account_id=77)
    assert refused(await maker.send(unknown)) == "ACCOUNT_NOT_FOUND"
    foreign = await maker.forged(place, account_id=other.account_id)
    assert refused(await maker.send(foreign)) == "ACCOUNT_INVALID_OWNER"
    house = await maker.forged(place, account_id=0)
    assert refused(await maker.send(house)) == "ACCOUNT_INVALID_OWNER"
    stolen = await maker.forged(place, key=SigningKey(bytes([9]) * 32))
    assert refused(await maker.send(stolen)) == "INVALID_SIGNATURE"
    assert refused(await maker.place(BID, AT, 1, market_id=3)) == "MARKET_NOT_FOUND"
    maker.session_id = 9_999
    assert refused(await maker.place(BID, AT, 1)) == "SESSION_NOT_FOUND"
    assert await way.http.account(77, maker.catalog) is None
    assert await way.http.order(77, maker.catalog) is None
    assert await _orders(other) == []


@expected(rules={"max_open_orders": 3})
async def an_account_has_only_so_many_orders(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    ids = [rested(await maker.place(ASK, AT + away, 1)) for away in range(3)]
    assert refused(await maker.place(ASK, AT + 9, 1)) == "TOO_MANY_OPEN_ORDERS"
    assert refused(await maker.place(BID, 149_000, 1, market_id=2)) == "TOO_MANY_OPEN_ORDERS"
    swap = await maker.batch(CancelById(ids[2], 0), order(ASK, AT + 9, 1, POST_ONLY))
    assert isinstance(swap, Accepted)
    await taker.place(BID, AT, 1, IOC)
    assert isinstance(await maker.place(ASK, AT + 8, 1), Accepted)
    assert len(await _orders(maker)) == 3


@expected()
async def exposure_needs_margin(way: Way) -> None:
    # 10,000 USD at 2 % carry less than 500,000 USD: 8.33 BTC at 60,000 is 499,800 USD.
    maker = await way.person()
    big = rested(await maker.place(BID, AT, 833_000))
    more = await maker.place(BID, AT, 1_000)
    assert refused(more) == "RISK_OMF_LESS_THAN_OR_EQUAL_IMF"
    margins = (await maker.account()).margins
    assert (margins.mf_uusd, margins.omf_uusd) == (10_000 * UUSD, 10_000 * UUSD)
    assert (margins.pon_uusd, margins.pn_uusd) == (499_800 * UUSD, 0)
    assert margins.imf_uusd == 9_996 * UUSD
    # The other side does not add to the worst case; a batch is judged by where it ends.
    assert isinstance(await maker.place(ASK, AT + 10, 833_000), Accepted)
    swap = await maker.batch(CancelById(big, 0), order(BID, AT - 1, 833_000, POST_ONLY))
    assert isinstance(swap, Accepted)


@expected()
async def margins_fail_when_the_index_moves(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    await maker.place(ASK, AT, 400_000)
    await taker.place(BID, AT, 400_000, IOC)
    await taker.place(BID, AT - 10_000, 10_000)
    # 4 BTC for 240,000 USD and a fee of 84. At 58,300 the equity is 3,116 USD, 1.25 % of 4.1 BTC
    # are 2,988: the order stays. At 58,200 they are 2,716 and 2,983: it goes, the position stays.
    await way.index(0, 58_300.0)
    await way.step(20)
    assert (await taker.account()).margins.mf_uusd == 3_116 * UUSD
    assert len(await _orders(taker)) == 1
    await way.index(0, 58_200.0)
    await way.step(20)
    assert await _orders(taker) == []
    assert await taker.lots() == 400_000
    more = await taker.place(BID, AT - 30_000, 100)
    assert refused(more) == "RISK_OMF_LESS_THAN_OR_EQUAL_IMF"
    # At 57,700 there are 716 USD where 1 %, 2,308, are needed: the venue sells.
    await maker.place(BID, 577_000, 400_000)
    await way.index(0, 57_700.0)
    await way.step(20)
    assert (await taker.lots(), await maker.lots()) == (0, 0)
    assert not (await taker.account()).margins.bankruptcy


@expected()
async def receipts_stream_and_rest_tell_the_same(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    posted = rested(await maker.place(ASK, AT, 10, client_order_id=5))
    done = await taker.place(BID, AT + 3, 4, IOC)
    assert isinstance(done, Accepted)
    await maker.cancel(posted)
    # The deposits, the place, the trade and the cancel: six messages of accounts, three of the
    # book, one print and its candle.
    frames = [json.loads(frame, parse_float=Decimal) for frame in await way.frames(11)]
    deltas = [each["delta"] for each in frames if "delta" in each]
    accounts = [each["account"] for each in frames if "account" in each]
    prints = [each["trades"] for each in frames if "trades" in each]
    assert [each["asks"] for each in deltas] == [
        [[60_000, Decimal("0.0001")]],
        [[60_000, Decimal("0.00006")]],
        [[60_000, 0]],
    ]
    assert [each["update_id"] for each in deltas[1:]] == [done.action_id, done.action_id + 1]
    assert deltas[1]["last_update_id"] == deltas[0]["update_id"]
    in_, *mine = [each for each in accounts if each["account_id"] == maker.account_id]
    _, *theirs = [each for each in accounts if each["account_id"] == taker.account_id]
    assert (in_["balances"], in_["places"]) == ({"0": 10_000}, {})
    assert mine[0]["places"][str(posted)]["current_size"] == Decimal("0.0001")
    fill = mine[1]["fills"][str(posted)]
    assert (fill["side"], fill["quantity"], fill["remaining"], fill["price"]) == (
        "ask",
        Decimal("0.00004"),
        Decimal("0.00006"),
        60_000,
    )
    assert (fill["maker_id"], fill["taker_id"]) == (maker.account_id, taker.account_id)
    assert mine[2]["cancels"][str(posted)]["current_size"] == Decimal("0.00006")
    (taken,) = theirs[0]["fills"].values()
    assert (taken["side"], taken["quantity"], taken["remaining"]) == ("bid", Decimal("0.00004"), 0)
    (trade,) = (await way.http.trades(TradeQuery(market_id=0), maker.catalog)).items
    (told,) = prints[0]["trades"]
    assert (told["trade_id"], told["action_id"]) == (trade.trade_id, trade.action_id)
    assert (trade.action_id, trade.order_id, trade.ticks, trade.lots) == (
        done.action_id,
        posted,
        AT,
        4,
    )
    assert (trade.maker_id, trade.taker_id, trade.taker_side) == (
        maker.account_id,
        taker.account_id,
        BID,
    )
    for person, last in ((maker, mine[-1]), (taker, theirs[-1])):
        view = await person.account()
        assert view.update_id == last["update_id"]
        assert view.orders == ()
    # 2.40 USD at 100 and 350 ppm.
    assert mine[1]["balances"]["0"] == Decimal("9999.99976")
    assert theirs[0]["balances"]["0"] == Decimal("9999.99916")
    assert (await maker.account()).balances == {0: 9_999_999_760}
    assert (await taker.account()).balances == {0: 9_999_999_160}


@expected()
async def trades_come_page_by_page_newest_first(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    await maker.place(ASK, AT, 1_000)
    for lots in range(1, 121):
        await taker.place(BID, AT, lots % 7 + 1, IOC)
        await way.step(20)
    query = TradeQuery(taker_id=taker.account_id)
    page = await way.http.trades(query, maker.catalog)
    found = list(page.items)
    assert len(found) == 50
    while page.following is not None:
        page = await way.http.trades(query, maker.catalog, page.following)
        found += page.items
    ids = [each.trade_id for each in found]
    assert ids == sorted(set(ids), reverse=True)
    assert [each.lots for each in reversed(found)] == [lots % 7 + 1 for lots in range(1, 121)]
    times = [each.time_ns for each in found]
    assert times == sorted(times, reverse=True)
    assert (await way.http.trades(TradeQuery(maker_id=taker.account_id), maker.catalog)).items == ()
    newer = await own_trades(way.http, taker.account_id, maker.catalog, ids[10])
    assert [own.trade.trade_id for own in newer] == ids[9::-1]


@expected()
async def fees_are_the_tiers_of_the_notional(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    assert (await way.http.fee_brackets())[0] == FeeRates(100, 350)
    assert await way.http.fee_tier(taker.account_id) == 0
    await maker.place(ASK, AT + 7, 3)
    await taker.place(BID, AT + 7, 3, IOC)
    # 0.00003 BTC at 60,000.7 are 1.800021 USD: 0.0001800021 and 0.00063000735 of fees.
    (trade,) = (await way.http.trades(TradeQuery(), maker.catalog)).items
    assert (trade.maker_fee_uusd, trade.taker_fee_uusd) == (180, 630)
    told = [json.loads(each, parse_float=Decimal) for each in await way.frames(9)]
    balances = [each["account"]["balances"] for each in told if "account" in each]
    assert balances[3:] == [{"0": Decimal("9999.9998199979")}, {"0": Decimal("9999.99936999265")}]
    await taker.place(BID, AT, 3)
    await maker.place(ASK, AT, 3, IOC)
    # The maker sold at 60,000.7 and at 60,000.0, the taker bought: nothing is realised.
    assert (await maker.account()).positions[0].lots == -6
    assert (await way.http.pnl(maker.account_id)).items == ()


@expected()
async def closing_realises_profit_and_loss(way: Way) -> None:
    maker, taker = await way.person(), await way.person()
    await maker.place(ASK, AT, 100)
    await taker.place(BID, AT, 100, IOC)
    await taker.place(ASK, AT + 1_000, 40)
    await maker.place(BID, AT + 1_000, 40, IOC)
    # 0.0004 BTC bought at 60,000, sold at 60,100: 0.04 USD.
    for person, gain in ((taker, 40_000), (maker, -40_000)):
        (row,) = (await way.http.pnl(person.account_id)).items
        assert (row.trading_uusd, row.funding_uusd) == (gain, 0)
        (held,) = (await person.account()).positions
        assert held.lots == (60 if person is taker else -60)
        assert held.entry_price == 60_000


@expected(start_s=START_S + 3_600 - 60)
async def funding_is_paid_on_the_hour_by_those_who_hold(way: Way) -> None:
    maker, taker, idle = await way.person(), await way.person(), await way.person()
    await maker.place(BID, AT + 3_000, 100)
    await maker.place(ASK, AT + 9_000, 500)
    await taker.place(BID, AT + 9_000, 300, IOC)
    before = (await taker.account()).balances
    # Bid 60,300, ask 60,900, last trade 60,900: the mark is 60,900, 1.5 % above the index, for the
    # last minute of the hour: 1.5 % / 60 / 8 hours = 0.003125 %, on 0.003 BTC at 60,000 = 180 USD.
    await way.step(59_999)
    (held,) = (await taker.account()).positions
    assert held.funding_pnl_uusd == 0
    await way.step(1)
    (held,) = (await taker.account()).positions
    (owed,) = (await maker.account()).positions
    assert abs(held.funding_pnl_uusd + 5_625) <= 5
    assert owed.funding_pnl_uusd == -held.funding_pnl_uusd
    assert (await taker.account()).balances == before
    assert (await idle.account()).positions == ()
    await way.step(60_000)
    (later,) = (await taker.account()).positions
    assert later.funding_pnl_uusd == held.funding_pnl_uusd
    await taker.place(ASK, AT + 3_000, 100, IOC)
    (after,) = (await taker.account()).positions
    (row,) = (await way.http.pnl(taker.account_id)).items
    assert (after.funding_pnl_uusd, row.funding_uusd) == (0, held.funding_pnl_uusd)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_venue_keeps_its_word(name: str, way: str) -> None:
    _run(name, way)


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_ways_say_the_same(name: str) -> None:
    straight, carried = _run(name, "in process"), _run(name, "over sockets")
    assert carried.answers == straight.answers
    assert carried.frames == straight.frames


def test_a_severed_connection_leaves_the_outcome_unknown_and_findable() -> None:
    async def work() -> None:
        params = ExchangeParams(auto_fund_usd=10_000)
        async with asyncio.timeout(20), over_sockets(params) as way:
            assert isinstance(way, OverSockets)
            maker = await way.person()
            for knob, happened in (("act.drop_resp", True), ("act.drop_req", False)):
                await way.control("faults", {"set": [{"knob": knob, "next_n": 1}]})
                signed = await maker.signed(order(BID, AT - 10, 4, client_order_id=happened + 1))
                outcome = await maker.send(signed)
                assert isinstance(outcome, Unknown)
                ids = [each.client_order_id for each in (await maker.account()).orders]
                assert (happened + 1 in ids) is happened
                again = await maker.send(signed)
                if happened:
                    assert refused(again) == "DUPLICATE"
                else:
                    assert rested(again)
            assert len((await maker.account()).orders) == 2

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())
