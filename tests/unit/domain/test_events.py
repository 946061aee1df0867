"""Events and actions are facts: they compare by value, cannot change, and survive a round trip."""

import msgspec
import pytest

from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import (
    AccountSnapshot,
    BookGap,
    BookUpdate,
    Command,
    Event,
    Fill,
    FundingPayment,
    Hindrance,
    IndexPrice,
    Operator,
    OrderUpdate,
    PublicTrades,
    ReferencePrice,
    Restatement,
    Timer,
    Transfer,
    VenueOrder,
    VenueSnapshot,
)
from mmbot.domain.order import FillMode, OrderState, Side

EVENTS: list[Event] = [
    BookUpdate(1, 2, 0),
    BookGap(1, 2, 0, "update 7 after 5"),
    PublicTrades(1, 2, 0, 1001, 0, 7, 0),
    ReferencePrice(1, 2, 0, 1000.5),
    OrderUpdate(1, 2, 0, 77, OrderState.OPEN, 5, None),
    Fill(1, 2, 0, 77, 9, Side.ASK, 1000, 5, 0, True, -3),
    FundingPayment(1, 2, 0, -12),
    AccountSnapshot(1, 2, 10**12, None, 0, 5, False),
    Hindrance(1, 2, "engine_clock", None, "stands still"),
    IndexPrice(1, 2, 0, 1000.25),
    VenueSnapshot(1, 2, (VenueOrder(0, None, 9, Side.BID, 1000, 5),), (-3,)),
    Restatement(1, 2, 0, 1, -7, 2, "rounding"),
    Transfer(1, 2, 5_000_000),
    Timer(1, 2),
    Operator(1, 2, Command.HALT, None, "night"),
]


def test_every_kind_of_event_is_here() -> None:
    assert {type(event) for event in EVENTS} == set(Event.__subclasses__())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_a_frozen_value(event: Event) -> None:
    assert (event.ts_venue_ns, event.ts_recv_ns) == (1, 2)
    assert msgspec.convert(msgspec.to_builtins(event), type(event)) == event
    with pytest.raises(AttributeError, match="immutable"):
        event.ts_recv_ns = 3  # type: ignore[misc]


def test_a_batch_is_a_frozen_value() -> None:
    place = Place(0, 5, Side.BID, 1000, 7, FillMode.POST_ONLY)
    assert not place.reduce_only
    batch = Batch(3, (Cancel(0, 4), place))
    assert batch == Batch(3, (Cancel(0, 4), Place(0, 5, Side.BID, 1000, 7, FillMode.POST_ONLY)))
    with pytest.raises(AttributeError, match="immutable"):
        batch.ts_ns = 4  # type: ignore[misc]
