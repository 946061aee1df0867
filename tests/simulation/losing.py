"""I17: losses count from the start of the trading day, and stop the quotes in time."""

import json
from typing import Any

from mmbot.exchange.engine.margin import margins
from mmbot.exchange.model import ATOMS_PER_USD
from mmbot.exchange.running.journal import Kind
from tests.simulation.exchange import Venue
from tests.simulation.loop import VirtualLoop
from tests.simulation.resting import Resting
from tests.simulation.terms import Report, Surroundings, Terms

DAY_S = 86_400
# A cancel on its way, as in Deadlines.
WAY_S = 0.1


class Losing:
    """The account's result of the day, as the exchange has it: equity less what was paid in."""

    def __init__(
        self,
        loop: VirtualLoop,
        venue: Venue,
        terms: Terms,
        surroundings: Surroundings,
        report: Report,
    ) -> None:
        self._loop = loop
        self._venue = venue
        self._terms = terms
        self._around = surroundings
        self._report = report
        self._resting = Resting(venue, terms, report)
        self._day: int | None = None
        self._start_usd = 0.0
        # Since when the day has lost more than it may.
        self._over_s: float | None = None
        venue.operation.watches.append(self._happened)

    def lost_usd(self) -> float:
        """What the day has lost so far; negative for a profit."""
        return self._start_usd - self._equity_usd()

    def look(self) -> None:
        """Judge this moment."""
        most_usd = self._terms.daily_loss_usd
        if most_usd is None:
            return
        day = self._venue.exchange.state.now_s // DAY_S
        if day != self._day:
            self._day, self._start_usd = day, self._equity_usd()
        if self.lost_usd() < most_usd:
            self._over_s = None
            return
        now_s = self._loop.now_s
        if self._over_s is None:
            self._over_s = now_s
        # Money is read when the account is compared; then the quotes leave as at any stop.
        after_s = self._terms.reconcile_s + self._terms.reaction_s + WAY_S
        waited_s = now_s - max(self._over_s, self._around.calm_since)
        orders = [order for order in self._resting.own() if not order.reduce_only]
        if waited_s > after_s and orders:
            self._over_s = now_s
            self._report(
                "I17",
                f"{len(orders)} orders rest {waited_s:.1f} s after a loss of"
                f" {self.lost_usd():.2f} USD, of {most_usd:g} a day",
            )

    def _happened(self, kind: Kind, content: bytes, _result: Any) -> None:
        deed = json.loads(content) if kind is Kind.FORCED else {}
        if deed.get("do") == "transfer":
            self._start_usd += deed["usd"]

    def _equity_usd(self) -> float:
        account = self._venue.exchange.state.accounts.get(self._terms.account)
        return (
            0.0
            if account is None
            else margins(self._venue.exchange.venue, account).mf / ATOMS_PER_USD
        )
