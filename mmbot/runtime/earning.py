"""Earning: where a market's profit comes from while it is made, and how prices move after fills.

Exact in atoms: whatever is not spread, fees, funding or hedge is what the position earned.
"""

from collections import deque
from statistics import fmean, median
from typing import NamedTuple

from mmbot.domain.events import Fill, Restatement
from mmbot.domain.figures import Labels, PnlLines
from mmbot.domain.position import Position

NS_PER_S = 1_000_000_000
HORIZONS_S = (1, 5, 30)
ADVERSE = 1
# Fills that a markout speaks of, and fills whose markout may wait.
KEPT = 200
MOST_WAITING = 1_000


class _Moved(NamedTuple):
    """A fill whose price some time later is wanted; atoms is what it was worth at the mid then."""

    due_ns: int
    signed_lots: int
    price_half_ticks: int
    atoms: int
    hedge: bool


class Earning:
    """One market. All marks are half ticks, 0 for none."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self._samples = [0] * len(HORIZONS_S)
        self._spread_atoms = 0
        self._adverse_atoms = 0
        self._hedge_atoms = 0
        self._fees_atoms = 0
        self._rebates_atoms = 0
        self._mark = 0
        self._waiting: list[deque[_Moved]] = [deque(maxlen=MOST_WAITING) for _ in HORIZONS_S]
        self._moved: list[deque[float]] = [deque(maxlen=KEPT) for _ in HORIZONS_S]

    def fill(self, fill: Fill, mark: int, *, hedge: bool) -> None:
        """Take a fill, with the mid at that moment; without one it is valued at its own price."""
        value = self.position.market.unit_value
        signed, at = fill.side * fill.lots, mark or 2 * fill.ticks
        captured = signed * (value(at) - value(2 * fill.ticks))
        if hedge:
            self._hedge_atoms += captured - fill.fee_atoms
        else:
            self._spread_atoms += captured
            self._paid(fill.fee_atoms)
        for horizon_s, waiting in zip(HORIZONS_S, self._waiting, strict=True):
            due_ns = fill.ts_recv_ns + horizon_s * NS_PER_S
            waiting.append(_Moved(due_ns, signed, 2 * fill.ticks, signed * value(at), hedge))

    def restated(self, event: Restatement) -> None:
        """Take fees that were told late; lots and cash count with what is held."""
        self._fees_atoms += event.fees_atoms

    def sample(self, now_ns: int, mark: int) -> None:
        """See the mid as it is now."""
        if not mark:
            return
        self._mark = mark
        value = self.position.market.unit_value(mark)
        for horizon, waiting in enumerate(self._waiting):
            while waiting and waiting[0].due_ns <= now_ns:
                fill = waiting.popleft()
                self._samples[horizon] += 1
                side = 1 if fill.signed_lots > 0 else -1
                moved = side * (mark - fill.price_half_ticks) / fill.price_half_ticks
                self._moved[horizon].append(moved * 1e4)
                if horizon == ADVERSE and not fill.hedge:
                    self._adverse_atoms += fill.signed_lots * value - fill.atoms

    def lines(self) -> PnlLines:
        """Return where the profit of this run came from, at the last mid."""
        position, mark = self.position, self._mark
        if not mark:
            return PnlLines()

        def usd(atoms: int) -> int:
            return position.market.atoms_to_uusd(atoms, mark)

        spread, adverse, hedge = map(
            usd, (self._spread_atoms, self._adverse_atoms, self._hedge_atoms)
        )
        fees, rebates = usd(-self._fees_atoms), usd(self._rebates_atoms)
        funding = usd(position.funding_atoms)
        rest = spread + adverse + hedge + fees + rebates + funding
        inventory = usd(position.pnl_atoms(mark)) - rest
        return PnlLines(spread, adverse, inventory, fees, rebates, funding, hedge)

    def samples(self) -> dict[Labels, int]:
        """Return how many fills have been followed so far, by horizon."""
        return {(f"{s}s",): count for s, count in zip(HORIZONS_S, self._samples, strict=True)}

    def markouts(self) -> dict[Labels, float]:
        """Return mean and median of the last fills, by (horizon, stat), basis points."""
        found: dict[Labels, float] = {}
        for horizon_s, moved in zip(HORIZONS_S, self._moved, strict=True):
            if moved:
                found[f"{horizon_s}s", "mean"] = fmean(moved)
                found[f"{horizon_s}s", "median"] = median(moved)
        return found

    def _paid(self, atoms: int) -> None:
        if atoms > 0:
            self._fees_atoms += atoms
        else:
            self._rebates_atoms -= atoms
