"""The pretend exchange of bar backtests: between two bars orders come and go, in a bar they fill.

Time jumps from the end of one bar to the end of the next; nothing is known in between. A bar spans
from its own timestamp to the next bar's. Fills carry its opening time, its book the closing time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mmbot.adapters.sim.account import SimAccount
from mmbot.adapters.sim.bar_fills import (
    SECOND_NS,
    Bar,
    Draws,
    bar_fills,
    bar_length_warning,
    book_after,
)
from mmbot.adapters.sim.bar_orders import MARKET, BarOrders
from mmbot.adapters.sim.exchange import HOUR_NS, Terms
from mmbot.adapters.sim.params import BarParams
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import (
    BookUpdate,
    Event,
    Execution,
    FundingPayment,
)
from mmbot.errors import DataError


class BarRules(NamedTuple):
    """How bars fill orders, the seed of what is drawn, and when to mark fills out, nanoseconds."""

    params: BarParams
    seed: int
    horizons_ns: tuple[int, ...] = ()


class BarExchange:
    """SimVenue of one market over its bars; `advance` ends at the next answer or close of a bar.

    Orders and cancels take effect at once, before the next bar begins. Raises DataError when there
    is no bar, or when bars do not go forward in time.
    """

    def __init__(
        self,
        bars: Iterable[Bar],
        book: OrderBook,
        account: SimAccount,
        terms: Terms,
        rules: BarRules,
    ) -> None:
        self._bars = _with_ends(bars)
        self._next = next(self._bars, None)
        if self._next is None:
            raise DataError("expected at least one bar, found none")
        self.account = account
        self.now_ns = self._next[0].ts_ns
        self._book = book
        self._terms = terms
        self._rules = rules
        self._orders = BarOrders(book, account, terms, rules.horizons_ns)
        self._orders.now_ns = self.now_ns
        self._orders.events.append(account.snapshot(self.now_ns, self.marks()))
        self._shortest_ns = self._next[1] - self.now_ns

    @property
    def finished(self) -> bool:
        """Every bar has passed and every answer was given."""
        return self._next is None and not self._orders.events

    @property
    def warning(self) -> str | None:
        """What to tell about the length of the bars seen so far."""
        return bar_length_warning(self._shortest_ns)

    def advance(self, until_ns: int) -> Sequence[Event]:  # noqa: ARG002 - the SimVenue's signature
        """Give pending answers, else let one bar pass, however far `until_ns` is.

        A bar: fills, then its book and the account at its close.
        """
        if not self._orders.events and self._next is not None:
            bar, end_ns = self._next
            self._next = next(self._bars, None)
            self._pass(bar, end_ns)
        events, self._orders.events = self._orders.events, []
        return events

    def submit(self, batch: Batch) -> None:
        """Carry out the actions of a batch, in order; answers come from the next `advance`."""
        for action in batch.actions:
            if isinstance(action, Place):
                self._orders.place(action)
            else:
                self._orders.cancel(action.order_id)

    def marks(self) -> list[int]:
        """Twice the last close, in half ticks; 0 before the first."""
        return [self._orders.mark]

    def take_executions(self) -> Sequence[Execution]:
        """Fills since the last call."""
        return self._orders.reports.take_executions()

    def take_marks(self) -> list[tuple[int, int, int, bool]]:
        """Marks after fills: (fill number, horizon index, half ticks, matured)."""
        return self._orders.markouts.take()

    def take_funding(self) -> list[tuple[FundingPayment, int]]:
        """Funding since the last call, each with the mark it was paid at, half ticks."""
        return self._orders.reports.take_funding()

    def market_volume_usd(self) -> float | None:
        """None: bars tell the volume, not what of it they stand for."""
        return None

    def refusals(self) -> tuple[int, int]:
        """Orders refused so far: (rejected, post-only that would have crossed)."""
        reports = self._orders.reports
        return reports.rejected, reports.would_cross

    def _pass(self, bar: Bar, end_ns: int) -> None:
        orders = self._orders
        draws = Draws(self._rules.seed, MARKET)
        orders.fill(bar_fills(bar, orders.resting(), self._rules.params, draws), 2 * bar.open)
        self._shortest_ns = min(self._shortest_ns, end_ns - bar.ts_ns)
        hours = end_ns // HOUR_NS - self.now_ns // HOUR_NS
        self.now_ns = orders.now_ns = end_ns
        orders.mark = 2 * bar.close
        self._book.snapshot(*book_after(bar, self._rules.params))
        orders.markouts.close(end_ns, orders.mark, self._next is None)
        # The book first: the engine decides on the first event that finds it due.
        orders.events.append(BookUpdate(end_ns, end_ns, MARKET))
        self._fund(hours)
        orders.events.append(self.account.snapshot(end_ns, self.marks()))

    def _fund(self, hours: int) -> None:
        rate = self._terms.funding_ppb_per_hour * hours
        if rate and self.account.positions[MARKET].lots:
            mark = self._orders.mark
            atoms = self.account.pay_funding(MARKET, mark, rate)
            payment = FundingPayment(self.now_ns, self.now_ns, MARKET, atoms)
            self._orders.events.append(payment)
            self._orders.reports.add_funding(payment, mark)


def _with_ends(bars: Iterable[Bar]) -> Iterator[tuple[Bar, int]]:
    # A bar ends where the next begins; the last is as long as the one before, a lone one a second.
    length_ns = SECOND_NS
    previous: Bar | None = None
    for bar in bars:
        if previous is not None:
            length_ns = bar.ts_ns - previous.ts_ns
            if length_ns <= 0:
                raise DataError(f"bar at {bar.ts_ns}: expected a later time than {previous.ts_ns}")
            yield previous, bar.ts_ns
        previous = bar
    if previous is not None:
        yield previous, previous.ts_ns + length_ns
