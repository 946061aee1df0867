"""The live venue at the exchange when nothing goes wrong."""

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.actions import Cancel
from mmbot.domain.events import AccountSnapshot, Hindrance, IndexPrice, VenueSnapshot
from mmbot.domain.order import FillMode, OrderState, Side
from tests.unit.adapters.zo.trading.scene import PRICE, Desk, play, taken


def test_an_order_rests_and_is_cancelled() -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        assert desk.orders()[order_id].lots == 10
        desk.cancel(order_id)
        await desk.told(order_id, OrderState.CANCELLED)
        assert desk.orders() == {}
        assert desk.states(order_id) == [OrderState.OPEN, OrderState.CANCELLED]
        assert desk.reasons(order_id) == [None, None]

    play(work)


def test_a_batch_replaces_an_order() -> None:
    async def work(desk: Desk) -> None:
        old = desk.place()
        await desk.told(old, OrderState.OPEN)
        new = desk.order(ticks=PRICE - 10)
        desk.submit(Cancel(0, old), new)
        await desk.told(new.order_id, OrderState.OPEN)
        await desk.told(old, OrderState.CANCELLED)
        assert list(desk.orders()) == [new.order_id]

    play(work)


def test_fills_of_a_resting_order_are_told_with_its_id() -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        await taken(desk, Side.ASK, 4, PRICE)
        await taken(desk, Side.ASK, 6, PRICE)
        await desk.told(order_id, OrderState.FILLED)
        fills = list(desk.fills().values())
        assert [(fill.order_id, fill.lots, fill.leaves_lots, fill.maker) for fill in fills] == [
            (order_id, 4, 6, True),
            (order_id, 6, 0, True),
        ]
        assert desk.position() == 10 == desk.owner.lots()

    play(work)


def test_an_immediate_order_is_told_filled_with_its_fill() -> None:
    async def work(desk: Desk) -> None:
        await desk.other.posted(PRICE, 7)
        order_id = desk.place(Side.ASK, PRICE, 10, mode=FillMode.IOC)
        await desk.told(order_id, OrderState.CANCELLED)
        (fill,) = desk.fills().values()
        assert (fill.order_id, fill.lots, fill.maker) == (order_id, 7, False)
        assert desk.position() == -7 == desk.owner.lots()

    play(work)


def test_a_refusal_is_told_by_its_name() -> None:
    async def work(desk: Desk) -> None:
        await desk.other.posted(PRICE, 7)
        order_id = desk.place(Side.ASK, PRICE, 10, mode=FillMode.POST_ONLY)
        await desk.told(order_id, OrderState.REJECTED)
        assert desk.reasons(order_id) == ["POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS"]

    play(work)


def test_a_batch_refused_leaves_the_old_order_resting() -> None:
    async def work(desk: Desk) -> None:
        await desk.other.posted(PRICE, 7)
        old = desk.place(Side.ASK, PRICE + 100)
        await desk.told(old, OrderState.OPEN)
        new = desk.order(Side.ASK, PRICE, mode=FillMode.POST_ONLY)
        desk.submit(Cancel(0, old), new)
        await desk.told(new.order_id, OrderState.REJECTED)
        assert desk.states(old) == [OrderState.OPEN, OrderState.OPEN]
        assert desk.reasons(old)[-1] == "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS"
        assert old in desk.orders()

    play(work)


def test_recovering_is_told_first_and_the_account_is_told_whole() -> None:
    async def work(desk: Desk) -> None:
        first = desk.events[0]
        assert isinstance(first, Hindrance)
        assert first.name == "recovering"
        assert any(isinstance(event, VenueSnapshot) for event in desk.events)
        snapshots = [event for event in desk.events if isinstance(event, AccountSnapshot)]
        assert snapshots[0].mf_uusd == 10_000_000_000
        await desk.until(lambda: any(isinstance(event, IndexPrice) for event in desk.events))

    play(work)


def test_the_end_is_proven_and_nothing_is_placed_after_it_began() -> None:
    async def work(desk: Desk) -> None:
        placed = [desk.place(ticks=PRICE - 10 * at) for at in range(1, 8)]
        for order_id in placed:
            await desk.told(order_id, OrderState.OPEN)
        await desk.stop()
        left = await desk.venue.cancel_all(10.0)
        assert left.clean
        assert desk.orders() == {}
        late = desk.place()
        assert desk.reasons(late) == ["stopping"]

    play(work)


def test_money_of_fills_is_the_venues_own() -> None:
    async def work(desk: Desk) -> None:
        before = (await desk.served.get(f"/account/{desk.owner.account}"))["balances"][0]["amount"]
        order_id = desk.place(lots=13)
        await desk.told(order_id, OrderState.OPEN)
        await taken(desk, Side.ASK, 13, PRICE)
        await desk.told(order_id, OrderState.FILLED)
        after = (await desk.served.get(f"/account/{desk.owner.account}"))["balances"][0]["amount"]
        (fill,) = desk.fills().values()
        market = desk.venue._known.money[0].market
        assert abs(float(market.money(fill.fee_atoms)) - (before - after)) < 1e-9
        await desk.until(lambda: len(desk.trades) == 1)
        assert desk.restated() == []

    play(work)


def test_a_liquidation_is_found_in_the_venues_list() -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        await taken(desk, Side.ASK, 4, PRICE)
        await desk.until(lambda: desk.position() == 4)
        await desk.other.send(desk.other.place(PRICE - 50, 9, side=pb.BID, fill_mode=pb.LIMIT))
        await desk.control({"knob": "eng.liquidate", "account": desk.owner.account})
        await desk.until(lambda: "liquidated" in desk.hindered(), 5.0)

    play(work)


def test_orders_cancelled_for_margin_are_no_liquidation() -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        await desk.control({"knob": "eng.cancel_on_margin", "account": desk.owner.account})
        await desk.told(order_id, OrderState.CANCELLED)
        await desk.pause(3.0)
        assert "liquidated" not in desk.hindered()

    play(work)
