"""The pretend exchange's account: positions, resting orders, equity and margin, in integers.

Margin follows the venue's rule: a market ties up its initial margin fraction of the worst position
its resting orders could lead to; open orders alone cost no equity.
"""

from collections.abc import Sequence

from mmbot.domain.events import AccountSnapshot
from mmbot.domain.market import PPB, Market
from mmbot.domain.order import Side
from mmbot.domain.position import Position

_BID = Side.BID
_ASK = Side.ASK


class SimAccount:
    """Equity is `initial_uusd` plus the profit of all positions; every figure is micro-USD."""

    __slots__ = ("_marks", "_resting", "initial_uusd", "markets", "positions")

    def __init__(self, markets: Sequence[Market], initial_uusd: int) -> None:
        self.markets = tuple(markets)
        self.initial_uusd = initial_uusd
        self.positions = tuple(Position(market) for market in markets)
        self._marks = [0] * len(markets)
        self._resting = {_BID: [0] * len(markets), _ASK: [0] * len(markets)}

    def rest(self, market: int, side: Side, lots: int) -> None:
        """Count `lots` more as resting on a side; negative when they fill or leave the book."""
        self._resting[side][market] += lots

    def resting_lots(self, market: int, side: Side) -> int:
        """Lots of ours on one side of a market."""
        return self._resting[side][market]

    def pay_funding(self, market: int, mark: int, rate_ppb: int) -> int:
        """Book funding at `mark` and return the atoms received; longs pay a positive rate."""
        position = self.positions[market]
        value = abs(position.market.unit_value(mark)) * position.lots
        atoms = -(value * rate_ppb // PPB)
        position.fund(atoms)
        return atoms

    def snapshot(self, ts_ns: int, marks: Sequence[int]) -> AccountSnapshot:
        """State the account at `marks`, half ticks per market.

        The mark 0 stands for no price: the market keeps its last one, or counts for nothing.
        """
        equity = self.initial_uusd
        margin = 0
        notional = 0
        for index, (market, position) in enumerate(zip(self.markets, self.positions, strict=True)):
            mark = marks[index] or self._marks[index]
            if mark == 0:
                continue
            self._marks[index] = mark
            bids = self._resting[_BID][index]
            asks = self._resting[_ASK][index]
            worst_lots = max(abs(position.lots + bids), abs(position.lots - asks))
            equity += market.atoms_to_uusd(position.pnl_atoms(mark), mark)
            notional += market.notional_uusd(mark, position.lots)
            margin += _share_up(market.notional_uusd(mark, worst_lots), market)
        return AccountSnapshot(
            ts_venue_ns=ts_ns,
            ts_recv_ns=ts_ns,
            mf_uusd=equity,
            omf_uusd=equity,
            imf_uusd=margin,
            pn_uusd=notional,
            bankruptcy=equity <= 0,
        )


def _share_up(notional_uusd: int, market: Market) -> int:
    return -(-notional_uusd * market.imf.numerator // market.imf.denominator)
