"""MarketWatch: what no event tells and has to be looked at: prices after fills, quotes, equity."""

from collections import deque

from mmbot.domain.events import Fill, Restatement
from mmbot.domain.figures import CurvePoint, Labels, MarketPnl, PnlLines, Readings
from mmbot.engine import Engine
from mmbot.engine.explaining import markout_control, widest_bps
from mmbot.engine.view import best_resting
from mmbot.runtime.curve import Curve
from mmbot.runtime.day import DAY_NS, MINUTE_NS
from mmbot.runtime.earning import Earning

HOUR_MINUTES = 60


class Uptime:
    """Share of the last hour in which a market was quoted well, by the minute."""

    def __init__(self) -> None:
        self._minutes: deque[list[int]] = deque(maxlen=HOUR_MINUTES)
        self._minute = -1

    def take(self, now_ns: int, *, well: bool) -> None:
        """Look once."""
        minute = now_ns // MINUTE_NS
        if minute != self._minute:
            self._minute = minute
            self._minutes.append([0, 0])
        self._minutes[-1][0] += well
        self._minutes[-1][1] += 1

    def ratio(self) -> float | None:
        """Return the share; None before the first look."""
        looks = sum(each[1] for each in self._minutes)
        return sum(each[0] for each in self._minutes) / looks if looks else None


class MarketWatch:
    """`look` now and then; `equity_uusd` is what the curve shows."""

    def __init__(self, engine: Engine) -> None:
        self.curve = Curve()
        self.equity_uusd: int | None = None
        self.uptimes = [Uptime() for _ in engine.desks]
        self._desks = engine.desks
        self._earnings = [Earning(desk.position) for desk in engine.desks]
        self._day, self._day_start = -1, [PnlLines()] * len(engine.desks)

    def fill(self, fill: Fill, *, hedge: bool) -> None:
        """See a fill for the first time."""
        self._earnings[fill.market].fill(fill, self.mark(fill.market), hedge=hedge)

    def restated(self, event: Restatement) -> None:
        """See a correction."""
        self._earnings[event.market].restated(event)

    def mark(self, market: int) -> int:
        """Return a market's mid in half ticks, 0 for none."""
        best_bid, _, best_ask, _ = self._desks[market].state.book.touch()
        return best_bid + best_ask if best_bid and best_ask else 0

    def look(self, now_ns: int) -> None:
        """Look at prices, quotes and profit."""
        pnl_uusd = 0
        for index, (desk, earning) in enumerate(zip(self._desks, self._earnings, strict=True)):
            earning.sample(now_ns, self.mark(index))
            pnl_uusd += earning.lines().total
            bid, ask = best_resting(desk)
            most = widest_bps(desk)
            narrow = bid and ask and (most is None or (ask - bid) / (ask + bid) * 2e4 <= most)
            self.uptimes[index].take(now_ns, well=bool(narrow))
        self.curve.take(CurvePoint(now_ns, self.equity_uusd, pnl_uusd))
        day = now_ns // DAY_NS
        if day != self._day:
            if self._day >= 0:
                # A run begins at nothing; a new day where the old one ended.
                self._day_start = [each.lines() for each in self._earnings]
            self._day = day

    def pnl(self) -> tuple[MarketPnl, ...]:
        """Return every market's profit, of the run and of the day."""
        found = []
        for desk, earning, start in zip(self._desks, self._earnings, self._day_start, strict=True):
            run = earning.lines()
            found.append(MarketPnl(desk.state.market.symbol, run, run.plus(start, -1)))
        return tuple(found)

    def readings(self) -> Readings:
        """Return how prices moved after fills."""
        markouts: dict[Labels, float] = {}
        samples: dict[Labels, float] = {}
        for desk, earning in zip(self._desks, self._earnings, strict=True):
            symbol = desk.state.market.symbol
            for labels, bps in earning.markouts().items():
                markouts[symbol, *labels] = bps
            for labels, count in earning.samples().items():
                samples[symbol, *labels] = count
        gauges = {"markout_basis_points": markouts, **self._shadows()}
        return Readings(counts={"markout_samples": samples}, gauges=gauges)

    def _shadows(self) -> dict[str, dict[Labels, float]]:
        """What virtual quotes were worth, and what follows from it, where a market has them."""
        fills: dict[Labels, float] = {}
        worth: dict[Labels, float] = {}
        widths: dict[Labels, float] = {}
        gates: dict[Labels, float] = {}
        for desk in self._desks:
            control, symbol = markout_control(desk), desk.state.market.symbol
            if control is None:
                continue
            widths[symbol,] = control.floor_bps
            gates[symbol,] = 0.0 if control.choice.pays else 1.0
            for depth_bps, count, mean, error in control.shadows.table():
                depth = f"{depth_bps:.3g}"
                fills[symbol, depth] = count
                if count >= 1.0:
                    worth[symbol, depth, "mean"] = mean
                    worth[symbol, depth, "stderr"] = error
        return {
            "shadow_fills": fills,
            "shadow_markout_basis_points": worth,
            "shadow_half_width_basis_points": widths,
            "no_depth_pays": gates,
        }
