"""Losses: the day's result and the fall from the peak, counting trading and nothing else.

Money that comes in or goes out moves the baselines with it. A transfer must be told before the
figure of equity that has it; told later it is a profit or a loss until then.
"""

from decimal import Decimal
from typing import Annotated, Self

from msgspec import Struct
from pydantic import Field, model_validator

from mmbot.domain.market import MICRO
from mmbot.domain.params import Params

_PPM_PER_PCT = 10_000


class LossParams(Params):
    """Losses that halt the bot until an operator clears it (spec section 9)."""

    daily_limit_usd: Annotated[Decimal, Field(gt=0, description="loss since 00:00 UTC")] = Decimal(
        50
    )
    drawdown_from_peak_pct: Annotated[
        float, Field(gt=0, le=100, description="fall from the equity peak")
    ] = 3.0
    drawdown_warn_pct: Annotated[
        float, Field(gt=0, le=100, description="fall from which on positions are only reduced")
    ] = 1.5

    @model_validator(mode="after")
    def _warned_first(self) -> Self:
        # The default warning does not stand in the way of a stricter limit.
        if (
            "drawdown_warn_pct" in self.model_fields_set
            and self.drawdown_warn_pct > self.drawdown_from_peak_pct
        ):
            raise ValueError(
                f"drawdown_warn_pct {self.drawdown_warn_pct:g} is above drawdown_from_peak_pct "
                f"{self.drawdown_from_peak_pct:g}: the bot would halt before it warns"
            )
        return self


class Baselines(Struct, frozen=True, gc=False):
    """What losses are counted from, micro-USD; `day` counts from 1970, UTC."""

    day: int | None = None
    day_start_uusd: int | None = None
    peak_uusd: int | None = None
    last_uusd: int | None = None
    transfers_uusd: int = 0


class Losses:
    """Follows equity, and says when a limit is reached."""

    __slots__ = ("_base", "_daily_uusd", "_drawdown_ppm", "_warn_ppm", "warning")

    def __init__(self, params: LossParams, baselines: Baselines) -> None:
        self.adopt(params)
        self._base = baselines
        self.warning: str | None = None

    def adopt(self, params: LossParams) -> None:
        """Judge by these limits from the next figure on."""
        self._daily_uusd = int(params.daily_limit_usd * MICRO)
        self._drawdown_ppm = int(params.drawdown_from_peak_pct * _PPM_PER_PCT)
        self._warn_ppm = int(params.drawdown_warn_pct * _PPM_PER_PCT)

    @property
    def baselines(self) -> Baselines:
        """What to keep for the next start."""
        return self._base

    @property
    def day_pnl_uusd(self) -> int | None:
        """Result since 00:00 UTC, None before the first figure."""
        base = self._base
        if base.last_uusd is None or base.day_start_uusd is None:
            return None
        return base.last_uusd - base.day_start_uusd

    @property
    def drawdown_uusd(self) -> int | None:
        """Fall from the peak, not negative; None before the first figure."""
        base = self._base
        if base.last_uusd is None or base.peak_uusd is None:
            return None
        return base.peak_uusd - base.last_uusd

    def observe(self, equity: int, day: int) -> str | None:
        """Take in a figure of equity; why to halt, or None. Sets `warning`."""
        base = self._base
        start, transfers = base.day_start_uusd, base.transfers_uusd
        if day != base.day:
            # The last figure of the day before is the nearest to 00:00 UTC.
            start, transfers = base.last_uusd, 0
        if start is None:
            start = equity
        peak = equity if base.peak_uusd is None else max(base.peak_uusd, equity)
        self._base = Baselines(day, start, peak, equity, transfers)
        fallen = peak - equity
        self.warning = None
        if start - equity >= self._daily_uusd:
            return f"daily loss {_usd(start - equity)} reached the limit {_usd(self._daily_uusd)}"
        if peak > 0 and fallen * MICRO >= peak * min(self._drawdown_ppm, self._warn_ppm):
            text = f"drawdown {_usd(fallen)} from the peak {_usd(peak)}"
            if fallen * MICRO >= peak * self._drawdown_ppm:
                return text
            self.warning = text
        return None

    def transfer(self, uusd: int) -> None:
        """Move what losses are counted from by money that came in (> 0) or went out."""
        base = self._base
        self._base = Baselines(
            base.day,
            _moved(base.day_start_uusd, uusd),
            _moved(base.peak_uusd, uusd),
            _moved(base.last_uusd, uusd),
            base.transfers_uusd + uusd,
        )

    def forget(self) -> None:
        """Count from the next figure on."""
        self._base = Baselines(day=self._base.day, transfers_uusd=self._base.transfers_uusd)
        self.warning = None


def _moved(figure: int | None, by: int) -> int | None:
    return None if figure is None else figure + by


def _usd(uusd: int) -> str:
    return f"{Decimal(uusd) / MICRO:.2f} USD"
