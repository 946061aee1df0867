"""A fill that the list of trades tells before the stream's next one of the order, by hand."""

from mmbot.adapters.zo.rest.answers import OwnTrade, Trade
from mmbot.adapters.zo.streams.frames import OwnFill
from mmbot.adapters.zo.trading.hindrances import Outlet
from mmbot.adapters.zo.trading.joins import Joins
from mmbot.adapters.zo.trading.known_orders import KnownOrder, KnownOrders, alive
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.domain.events import Event, Fill, OrderUpdate
from mmbot.domain.order import OrderState, Side
from tests.unit.adapters.zo.accounts import ACCOUNT, CATALOG

VENUE_ID, TICKS = 70, 105


class Scene:
    """An ask of 665 lots that rests since action 900, the stream based on action 890."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        outlet = Outlet(lambda: 5)
        outlet.connect(self.events.append)
        self.orders = KnownOrders(outlet)
        self.joins = Joins(outlet, self.orders, [MarketMoney(CATALOG.listings[0], 0)], 250)
        self.joins.adopted(890)
        self.order: KnownOrder = alive(0, 7, Side.ASK, TICKS, 665)
        self.orders.adopt(self.order)
        self.joins.identify(self.order, VENUE_ID)

    def listed(self, action_id: int, lots: int) -> None:
        """The list of trades has one that the stream has passed and did not tell."""
        trade = Trade(action_id, action_id, 0, 0, 99, Side.BID, ACCOUNT, VENUE_ID, TICKS, lots)
        self.joins.missed(OwnTrade(trade, Side.ASK, is_maker=True), 0)

    def streamed(self, action_id: int, lots: int, remaining: int) -> None:
        """The stream tells by how much the order became less since it told of it last."""
        fill = OwnFill(VENUE_ID, 0, Side.ASK, lots, remaining, TICKS, True, ACCOUNT, 99)
        assert self.joins.fill(fill, 0, action_id, maker=True)
        self.joins.told_to(action_id)

    def fills(self) -> list[int]:
        """What the engine heard of."""
        return [event.lots for event in self.events if type(event) is Fill]

    def done(self) -> bool:
        """Whether it was told that the order is filled."""
        return any(
            type(event) is OrderUpdate and event.state is OrderState.FILLED for event in self.events
        )


def test_the_streams_next_fill_contains_what_the_list_told_first() -> None:
    scene = Scene()
    scene.listed(980, 133)
    scene.listed(994, 106)
    # 665 were resting by the stream, 341 are left: 133 + 106 + 85.
    scene.streamed(998, 324, 341)
    assert scene.fills() == [133, 106, 85]
    assert (scene.order.leaves, scene.done()) == (341, False)
    assert scene.joins.tally.lots == [-324]
    # And the one after it is whole.
    scene.streamed(1010, 341, 0)
    assert scene.fills() == [133, 106, 85, 341]
    assert scene.done()


def test_what_a_snapshot_had_is_in_no_fill_after_it() -> None:
    scene = Scene()
    # A gap: the snapshot at 990 has the order with 532 left, the list explains the 133.
    scene.joins.adopted(990)
    scene.listed(980, 133)
    scene.streamed(998, 85, 447)
    assert scene.fills() == [133, 85]
    assert scene.joins.tally.lots == [-218]


def test_a_new_snapshot_has_what_the_list_told_of_before_it() -> None:
    scene = Scene()
    scene.listed(980, 133)
    scene.joins.adopted(990)
    scene.streamed(998, 85, 447)
    assert scene.fills() == [133, 85]


def test_a_fill_that_the_list_has_told_whole_is_not_told_again() -> None:
    scene = Scene()
    scene.listed(980, 133)
    scene.streamed(998, 133, 532)
    assert scene.fills() == [133]
    assert (scene.order.leaves, scene.joins.tally.lots) == (532, [-133])
