from collections.abc import Sequence

from mmbot.domain.actions import Place
from mmbot.domain.events import OrderUpdate, VenueOrder, VenueSnapshot
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.execution.order_ids import OrderIds
from mmbot.execution.reconcile import AHEAD_NS, Findings, Reconciler
from mmbot.execution.tracker import Tracker

BID = Side.BID
SENT, OPEN, CLOSING = OrderState.SENT, OrderState.OPEN, OrderState.CLOSING
UNKNOWN, FILLED, CANCELLED = OrderState.UNKNOWN, OrderState.FILLED, OrderState.CANCELLED
IDS = OrderIds(7, 5)
MINE = [IDS.next() for _ in range(4)]
OLDER, LATER = OrderIds(7, 4).next(), OrderIds(7, 6).next()
SOMEBODY = OrderIds(8, 5).next()
NOW = 10 * AHEAD_NS


class Scene:
    """Two markets; what the tracker of the first holds is up to the test."""

    def __init__(self) -> None:
        self.reconciler = Reconciler(IDS)
        self.trackers = [Tracker(), Tracker()]

    def send(self, order_id: int, *states: OrderState, at: int = 0) -> None:
        tracker = self.trackers[0]
        order = tracker.send(Place(0, order_id, BID, 100, 10, FillMode.POST_ONLY), at)
        for state in states:
            if state is CLOSING:
                order.move(CLOSING)
            else:
                tracker.update(OrderUpdate(at, at, 0, order_id, state, 0, None))

    def look(
        self, *order_ids: int | None, lots: Sequence[int] = (0, 0), ours: Sequence[int] = (0, 0)
    ) -> Findings:
        orders = tuple(
            VenueOrder(0, order_id, at, BID, 100, 10) for at, order_id in enumerate(order_ids)
        )
        snapshot = VenueSnapshot(NOW, NOW, orders, tuple(lots))
        return self.reconciler.compare(snapshot, self.trackers, list(ours))


def ids(found: Sequence[VenueOrder]) -> list[int | None]:
    return [order.order_id for order in found]


def test_everybody_is_told_apart() -> None:
    scene = Scene()
    scene.send(MINE[0], OPEN)
    found = scene.look(MINE[0], MINE[1], OLDER, LATER, SOMEBODY, None)
    assert ids(found.zombies) == [MINE[1]]
    assert ids(found.stale) == [OLDER]
    assert ids(found.later) == [LATER]
    assert ids(found.foreign) == [SOMEBODY, None]
    assert found.landed == found.gone == ()


def test_what_was_not_answered_and_rests_has_landed() -> None:
    scene = Scene()
    scene.send(MINE[0])
    scene.send(MINE[1], UNKNOWN)
    scene.send(MINE[2], OPEN, CLOSING)
    found = scene.look(*MINE[:3])
    assert [order.order_id for _, order in found.landed] == MINE[:2]


def test_one_snapshot_frees_no_place() -> None:
    scene = Scene()
    scene.send(MINE[0], OPEN)
    scene.send(MINE[1], OPEN, CLOSING)
    scene.send(MINE[2], OPEN, FILLED)
    assert scene.look().gone == ()
    assert [order.order_id for _, order in scene.look().gone] == MINE[:3]
    scene = Scene()
    scene.send(MINE[0], OPEN)
    scene.look()
    assert scene.look(MINE[0]).gone == ()
    assert scene.look().gone == ()


def test_what_never_landed_is_not_missed() -> None:
    scene = Scene()
    scene.send(MINE[0])
    scene.send(MINE[1], UNKNOWN)
    scene.send(MINE[2], CLOSING)
    for _ in range(3):
        assert scene.look().gone == ()


def test_an_answer_may_be_ahead_of_the_snapshot() -> None:
    scene = Scene()
    scene.send(MINE[0], OPEN, at=NOW - AHEAD_NS + 1)
    scene.send(MINE[1], OPEN, CANCELLED, at=NOW - AHEAD_NS + 1)
    scene.send(MINE[2], OPEN, CANCELLED, at=NOW - AHEAD_NS)
    for _ in range(2):
        found = scene.look(MINE[1], MINE[2])
        assert found.gone == ()
        assert ids(found.zombies) == [MINE[2]]


def test_a_position_must_be_another_one_twice() -> None:
    scene = Scene()
    assert scene.look(lots=(3, 0)).mismatched == ()
    assert scene.look(lots=(3, 0)).mismatched == (0,)
    found = scene.look(lots=(0, 0), ours=(0, 5))
    assert (found.mismatched, found.agreed) == ((), (0,))
    # A market that is not listed has no position.
    assert scene.look(lots=(), ours=(0, 5)).mismatched == (1,)


def test_an_order_on_a_market_we_do_not_have_is_foreign() -> None:
    snapshot = VenueSnapshot(NOW, NOW, (VenueOrder(9, MINE[0], 1, BID, 1, 1),), (0, 0))
    found = Reconciler(IDS).compare(snapshot, [Tracker(), Tracker()], [0, 0])
    assert ids(found.foreign) == [MINE[0]]
