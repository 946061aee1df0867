"""What became of orders, counted: each way an order can go, by hand."""

from decimal import Decimal

from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import Fill, OrderUpdate
from mmbot.domain.figures import Labels
from mmbot.domain.market import Market
from mmbot.domain.order import HELD_BACK, POST_ONLY, FillMode, OrderState, Side
from mmbot.runtime.order_meter import OrderMeter

MARKET = Market("BTCUSD", Decimal(1), Decimal(1))


class Table:
    """A meter, and orders to try it with."""

    def __init__(self) -> None:
        self.meter = OrderMeter([MARKET])

    def place(self, order_id: int, side: Side = Side.BID, mode: FillMode = FillMode.LIMIT) -> None:
        self.meter.batch(Batch(0, (Place(0, order_id, side, 100, 2, mode),)))

    def cancel(self, order_id: int) -> None:
        self.meter.batch(Batch(0, (Cancel(0, order_id),)))

    def told(self, order_id: int, state: OrderState, reason: str | None = None) -> None:
        self.meter.order(OrderUpdate(0, 0, 0, order_id, state, 0, reason))

    def filled(self, order_id: int, leaves: int, *, maker: bool = True) -> bool:
        return self.meter.fill(Fill(0, 0, 0, order_id, 9, Side.BID, 100, 1, leaves, maker, 0))

    def counts(self, family: str) -> dict[Labels, float]:
        found = self.meter.readings().counts[family]
        return {labels: count for labels, count in found.items() if count}


def test_orders_are_counted_once_by_how_they_ended() -> None:
    at = Table()
    at.place(1)
    at.told(1, OrderState.OPEN)
    at.told(1, OrderState.OPEN)
    at.cancel(1)
    at.told(1, OrderState.OPEN, "ORDER_NOT_FOUND")
    at.told(1, OrderState.CANCELLED)
    at.told(1, OrderState.CANCELLED)
    at.place(2, Side.ASK)
    at.told(2, OrderState.OPEN)
    at.told(2, OrderState.CANCELLED, "self trade")
    at.place(3)
    at.told(3, OrderState.REJECTED, "POST_ONLY_MUST_NOT_FILL")
    at.place(4)
    at.told(4, OrderState.REJECTED, "some 7 words of 1.5 this order only")
    at.place(5)
    at.told(5, OrderState.REJECTED, HELD_BACK)
    for number, words in ((7, POST_ONLY), (8, "ORDER_NOT_FOUND"), (9, POST_ONLY)):
        at.place(number)
        at.told(number, OrderState.REJECTED, words)
    at.place(6)
    at.told(6, OrderState.UNKNOWN)
    at.told(6, OrderState.OPEN)
    assert at.counts("orders_placed") == {("BTCUSD", "bid"): 2, ("BTCUSD", "ask"): 1}
    assert at.counts("orders_cancelled") == {
        ("BTCUSD", "bid", "asked"): 1,
        ("BTCUSD", "ask", "venue"): 1,
    }
    # What the venue says in its own words is told apart, everything else is one.
    assert at.counts("order_failures") == {
        ("BTCUSD", "cancel", "order_not_found"): 1,
        ("BTCUSD", "place", "post_only_must_not_fill"): 1,
        ("BTCUSD", "place", "other"): 1,
    }
    # Nor is it a failure that the market, or a fill, was faster.
    assert at.counts("order_races") == {
        ("BTCUSD", "post_only"): 2,
        ("BTCUSD", "order_not_found"): 1,
    }
    assert at.counts("rate_limit_waits") == {("requests",): 1}
    assert at.counts("orders_unknown") == {("place",): 1}
    assert (at.meter.cancels, at.meter.batches) == (1, 1)


def test_fills_come_before_or_after_the_word_on_their_order() -> None:
    at = Table()
    at.place(1)
    assert at.filled(1, leaves=1) is False
    at.told(1, OrderState.OPEN)
    at.told(1, OrderState.FILLED)
    assert at.filled(1, leaves=0) is False
    assert at.counts("orders_placed") == {("BTCUSD", "bid"): 1}
    assert at.counts("fills") == {("BTCUSD", "bid", "maker"): 2}
    assert at.counts("traded_notional_usd") == {("BTCUSD", "bid", "maker"): 200.0}
    assert at.counts("hedges") == {}


def test_hedges_are_known_by_what_they_may_do() -> None:
    at = Table()
    at.place(1, mode=FillMode.IOC)
    assert at.filled(1, leaves=0, maker=False) is True
    at.place(2, mode=FillMode.IOC)
    at.told(2, OrderState.CANCELLED)
    at.place(3, mode=FillMode.IOC)
    at.told(3, OrderState.REJECTED, "RISK")
    assert at.counts("hedges") == {
        ("BTCUSD", "filled"): 1,
        ("BTCUSD", "unfilled"): 1,
        ("BTCUSD", "refused"): 1,
    }
    assert at.counts("orders_cancelled") == {}


def test_what_of_a_hedge_was_not_done() -> None:
    at = Table()

    def error_usd() -> float:
        return at.meter.readings().gauges["hedge_error_usd"]["BTCUSD",]

    assert error_usd() == 0
    # 2 units at 100 USD, of which one is filled.
    at.place(1, mode=FillMode.IOC)
    at.filled(1, leaves=1, maker=False)
    at.told(1, OrderState.CANCELLED)
    assert error_usd() == 100.0
    at.place(2, mode=FillMode.IOC)
    at.told(2, OrderState.REJECTED, "RISK")
    assert error_usd() == 200.0
    at.place(3)
    at.told(3, OrderState.CANCELLED)
    assert error_usd() == 200.0
    at.place(4, mode=FillMode.IOC)
    at.filled(4, leaves=0, maker=False)
    assert error_usd() == 0


def test_what_nobody_follows_is_forgotten() -> None:
    at = Table()
    at.place(1)
    at.told(1, OrderState.OPEN)
    at.meter.keep({1})
    at.meter.keep(())
    at.told(1, OrderState.CANCELLED)
    assert at.counts("orders_cancelled") == {}
