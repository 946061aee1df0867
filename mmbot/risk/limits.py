"""Limits: what may rest and what may be sent, judged on the worst case; a missing figure denies."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from mmbot.domain.actions import Place
from mmbot.domain.events import AccountSnapshot
from mmbot.domain.market import MICRO, Market
from mmbot.domain.order import Side
from mmbot.domain.params import Params
from mmbot.domain.quotes import Room
from mmbot.risk.losses import LossParams
from mmbot.risk.reducing import reducing_room
from mmbot.risk.shock import ShockParams


class MarketRiskParams(Params):
    """Limits of one market (spec sections 2, 7, 9)."""

    max_market_exposure_pct: Annotated[
        float, Field(ge=1, le=1000, description="worst-case notional / equity")
    ] = 30.0
    max_exposure_per_side_pct: Annotated[
        float, Field(ge=1, le=1000, description="resting notional of a side / equity")
    ] = 25.0
    max_position_usd: Annotated[
        Decimal | None, Field(gt=0, description="absolute cap on the worst case")
    ] = None
    max_book_spread_bps: Annotated[
        float, Field(gt=0, le=10_000, description="a wider book is not quoted")
    ] = 500.0
    max_distance_from_mark_bps: Annotated[
        float, Field(gt=0, le=5000, description="of any order from the venue's index price; live")
    ] = 150.0
    shock: ShockParams = ShockParams()


class StaleParams(Params):
    """Ages beyond which a figure counts as missing."""

    book_ms: Annotated[int, Field(ge=1, le=600_000, description="cancel that market's quotes")] = (
        2000
    )
    account_ms: Annotated[int, Field(ge=1, le=600_000, description="cancel everything")] = 10_000
    reference_ms: Annotated[
        int, Field(ge=1, le=600_000, description="the reference no longer counts")
    ] = 2000
    recovery_updates_count: Annotated[
        int, Field(ge=1, le=1000, description="updates before quoting goes on after a stale feed")
    ] = 5


class ProtectiveTriggerParams(Params):
    """A stop order of the venue's own for every position; it works when nothing of ours does."""

    enabled: Annotated[bool, Field(description="keep one at the venue; live")] = False
    distance_bps: Annotated[
        float, Field(ge=20, le=5000, description="from the average entry, against the position")
    ] = 300.0
    move_at_pct: Annotated[
        float, Field(ge=1, le=50, description="moved when off by this share of the distance")
    ] = 20.0


class RiskParams(Params):
    """Account-wide limits (spec section 9)."""

    min_margin_fraction_pct: Annotated[
        float, Field(ge=1, le=100, description="below: cancel all, pause")
    ] = 18.0
    min_free_collateral_usd: Annotated[
        Decimal, Field(ge=0, description="below: cancel all, pause")
    ] = Decimal(100)
    max_total_exposure_pct: Annotated[
        float, Field(ge=1, le=1000, description="sum of worst cases / equity")
    ] = 60.0
    max_open_orders_count: Annotated[
        int, Field(ge=1, le=10_000, description="orders alive at once")
    ] = 40
    flatten_max_slippage_bps: Annotated[
        float, Field(gt=0, le=1000, description="flatten: worst price from the best")
    ] = 50.0
    flatten_over_s: Annotated[
        float, Field(ge=0, le=86_400, description="flatten: in slices over so long; 0: at once")
    ] = 0.0
    flatten_urgency: Annotated[
        float, Field(ge=0, le=1000, description="flatten_over_s: more of it sooner; 0: evenly")
    ] = 0.0
    stale: StaleParams = StaleParams()
    loss: LossParams = LossParams()
    protective_trigger: ProtectiveTriggerParams = ProtectiveTriggerParams()


MILLISECOND_NS = 1_000_000
_PPM_PER_PCT = 10_000
_BID = Side.BID
NO_SNAPSHOT = "no account snapshot"


class Denial(StrEnum):
    """Why an order must not be sent."""

    NO_ACCOUNT = "equity unknown"
    OPEN_ORDERS = "too many open orders"
    NOT_REDUCING = "a reduce-only order that would not reduce"
    REDUCE_ONLY = "only reducing orders are allowed"
    PRICE_BAND = "price too far from the index or the reference"
    MARKET_EXPOSURE = "market exposure limit"
    TOTAL_EXPOSURE = "total exposure limit"


class AccountGate:
    """Are the account's figures good enough for anything to rest? What is not known says no."""

    __slots__ = ("_max_age_ns", "_min_free_uusd", "_min_margin_ppm", "_ts_ns", "_verdict")

    def __init__(self, params: RiskParams) -> None:
        self._max_age_ns = params.stale.account_ms * MILLISECOND_NS
        self._ts_ns = 0
        self._verdict: str | None = NO_SNAPSHOT
        self.adopt(params)

    def adopt(self, params: RiskParams) -> None:
        """Judge the next snapshot by these limits."""
        self._min_margin_ppm = _ppm(params.min_margin_fraction_pct)
        self._min_free_uusd = _uusd(params.min_free_collateral_usd)

    def take(self, snapshot: AccountSnapshot) -> None:
        """Judge by this snapshot from now on."""
        self._ts_ns = snapshot.ts_recv_ns
        self._verdict = self._judge(snapshot)

    def verdict(self, now_ns: int) -> str | None:
        """Why nothing may rest at all, or None (gates 1 and 2)."""
        if self._verdict is None and now_ns - self._ts_ns > self._max_age_ns:
            return f"account snapshot older than {self._max_age_ns // MILLISECOND_NS} ms"
        return self._verdict

    def _judge(self, snapshot: AccountSnapshot) -> str | None:
        mf, omf, imf, pn = snapshot.mf_uusd, snapshot.omf_uusd, snapshot.imf_uusd, snapshot.pn_uusd
        if not (
            isinstance(mf, int)
            and isinstance(omf, int)
            and isinstance(imf, int)
            and isinstance(pn, int)
        ):
            return "a figure of the account is missing"
        if snapshot.bankruptcy:
            return "the account is bankrupt"
        if mf <= 0:
            return f"equity {_dollars(mf)} is not positive"
        if mf * MICRO < self._min_margin_ppm * pn:
            found, least = _percent(mf * MICRO // pn), _percent(self._min_margin_ppm)
            return f"margin fraction {found} is below {least}"
        free = max(0, omf - imf)
        if free < self._min_free_uusd:
            return f"free collateral {_dollars(free)} is below {_dollars(self._min_free_uusd)}"
        return None


class Exposure:
    """What one market holds and may come to hold.

    lots: signed position; bid_lots, ask_lots: all that may still fill on a side, sent, open,
    closing or unknown; orders: how many; mark: best bid + best ask (half ticks), 0 when unknown.
    """

    __slots__ = ("ask_lots", "bid_lots", "lots", "mark", "orders")

    def __init__(self, lots: int, bid_lots: int, ask_lots: int, orders: int, mark: int) -> None:
        self.lots = lots
        self.bid_lots = bid_lots
        self.ask_lots = ask_lots
        self.orders = orders
        self.mark = mark


class _MarketRisk:
    """Limits and latest exposure of one market; money in micro-USD.

    `room` is None once something it was computed from has changed.
    """

    __slots__ = (
        "ask_lots",
        "bid_lots",
        "cap_ppm",
        "cap_uusd",
        "lots",
        "margin_uusd",
        "mark",
        "market",
        "orders",
        "room",
        "unpriced",
        "worst_uusd",
    )

    def __init__(self, market: Market, params: MarketRiskParams) -> None:
        self.market = market
        self.adopt(params)
        self.lots = 0
        self.bid_lots = 0
        self.ask_lots = 0
        self.orders = 0
        self.mark = 0
        self.room: Room | None = None
        self.worst_uusd = 0
        self.margin_uusd = 0
        self.unpriced = False

    def adopt(self, params: MarketRiskParams) -> None:
        self.cap_ppm = _ppm(params.max_market_exposure_pct)
        self.cap_uusd = None if params.max_position_usd is None else _uusd(params.max_position_usd)


class RiskManager:
    """Holds every market's worst case against equity; may only take away (spec section 9).

    The worst case of a market is the larger position it can reach when everything on one side
    fills, at the mark. The account's is their sum. `free_uusd` is the free collateral as if none
    of our orders rested (F0 of spec section 1), None when unknown; money is micro-USD. `orders`:
    how many may be alive in all markets, each as of its last decision and what was sent since.
    """

    __slots__ = (
        "_margin_uusd",
        "_markets",
        "_max_orders",
        "_open",
        "_reducing",
        "_total_ppm",
        "_unpriced",
        "_worst_uusd",
        "account",
        "equity_uusd",
        "free_uusd",
        "orders",
    )

    def __init__(
        self,
        params: RiskParams,
        markets: Sequence[Market],
        market_params: Sequence[MarketRiskParams],
    ) -> None:
        self._markets = [_MarketRisk(*pair) for pair in zip(markets, market_params, strict=True)]
        self._reducing = [False] * len(self._markets)
        self.account = AccountGate(params)
        self._total_ppm = _ppm(params.max_total_exposure_pct)
        self._max_orders = params.max_open_orders_count
        # The market in hand is weighed late, when another one asks or the sum is wanted.
        self._open: _MarketRisk | None = None
        self._worst_uusd = 0
        self._margin_uusd = 0
        self.orders = 0
        self._unpriced = 0
        self.equity_uusd: int | None = None
        self.free_uusd: int | None = None

    def take_account(self, snapshot: AccountSnapshot) -> None:
        """Judge this snapshot, and measure limits by its equity from now on."""
        self.equity_uusd = snapshot.mf_uusd
        self.account.take(snapshot)
        self._forget_rooms(None)
        self._measure_free()

    def take_exposure(self, index: int, exposure: Exposure) -> None:
        """Replace what is known of a market; a mark of 0 keeps the last one."""
        slot = self._markets[index]
        if slot is not self._open:
            self._turn(slot)
        self.orders += exposure.orders - slot.orders
        slot.orders = exposure.orders
        slot.bid_lots = exposure.bid_lots
        slot.ask_lots = exposure.ask_lots
        lots = exposure.lots
        mark = exposure.mark or slot.mark
        if lots != slot.lots or mark != slot.mark:
            slot.lots = lots
            slot.mark = mark
            slot.room = None
            if lots or slot.margin_uusd:
                imf = slot.market.imf
                held = slot.market.notional_uusd(mark, lots) * imf.numerator
                margin_uusd = -(-held // imf.denominator)
                self._margin_uusd += margin_uusd - slot.margin_uusd
                slot.margin_uusd = margin_uusd
                self._measure_free()
        if mark == 0 or slot.unpriced:
            self._weigh(slot)

    def add_order(self, place: Place) -> None:
        """Count an order that goes out, until the market's exposure is replaced."""
        slot = self._markets[place.market]
        if slot is not self._open:
            self._turn(slot)
        self.orders += 1
        slot.orders += 1
        lots = place.lots
        if place.side is _BID:
            slot.bid_lots += lots
        else:
            slot.ask_lots += lots
        if slot.mark == 0:
            self._weigh(slot)

    def _turn(self, slot: _MarketRisk) -> None:
        """Look at another market; the one looked at before is weighed first."""
        if self._open is not None:
            self._weigh(self._open)
        self._open = slot

    def _weigh(self, slot: _MarketRisk) -> None:
        lots, mark = slot.lots, slot.mark
        reach = max(abs(lots + slot.bid_lots), abs(lots - slot.ask_lots))
        unpriced = mark == 0 and reach > 0
        if unpriced is not slot.unpriced:
            self._unpriced += unpriced - slot.unpriced
            slot.unpriced = unpriced
            self._measure_free()
            self._forget_rooms(None)
        worst_uusd = slot.market.notional_uusd(mark, reach)
        if worst_uusd != slot.worst_uusd:
            self._worst_uusd += worst_uusd - slot.worst_uusd
            slot.worst_uusd = worst_uusd
            # A market's own worst case takes nothing from its own room.
            self._forget_rooms(slot)

    def _forget_rooms(self, spared: _MarketRisk | None) -> None:
        for slot in self._markets:
            if slot is not spared:
                slot.room = None

    @property
    def worst_uusd(self) -> int:
        """Sum of the markets' worst cases, micro-USD; too low while a market has no price."""
        if self._open is not None:
            self._weigh(self._open)
        return self._worst_uusd

    def _measure_free(self) -> None:
        if self.equity_uusd is None or self._unpriced:
            self.free_uusd = None
        else:
            self.free_uusd = max(0, self.equity_uusd - self._margin_uusd)

    def position_ratio(self, index: int) -> float:
        """Position against its limit, signed, within -1 to 1 (spec section 5)."""
        slot = self._markets[index]
        lots = slot.lots
        if lots == 0:
            return 0.0
        sign = 1.0 if lots > 0 else -1.0
        equity = self.equity_uusd
        if equity is None or equity <= 0 or slot.mark == 0:
            return sign
        held = slot.market.notional_uusd(slot.mark, lots)
        return sign * min(1.0, held * MICRO / (equity * slot.cap_ppm))

    def room(self, index: int) -> Room:
        """Most lots each side may add up to; only the reducing side once a limit is passed."""
        slot = self._markets[index]
        if slot is not self._open:
            self._turn(slot)
        room = slot.room
        if room is None:
            room = slot.room = self._measure(slot)
        return room

    def reduce_only(self, index: int, on: bool) -> None:
        """Leave a market no more room than its position takes to close, or all of it again."""
        if self._reducing[index] is not on:
            self._reducing[index] = on
            self._markets[index].room = None

    def _measure(self, slot: _MarketRisk) -> Room:
        if self._reducing[slot.market.index]:
            return reducing_room(slot.lots)
        own, left = self._caps(slot)
        most = slot.market.lots_for(own if own < left else left, slot.mark)
        lots = slot.lots
        if lots > most:
            return Room(0, lots, most)
        if -lots > most:
            return Room(-lots, 0, most)
        return Room(most - lots, most + lots, most)

    def _caps(self, slot: _MarketRisk) -> tuple[int, int]:
        """Worst case this market may have by its own limit, and by what the others leave."""
        equity = self.equity_uusd
        if equity is None or equity <= 0 or self._unpriced:
            return (0, 0)
        own = equity * slot.cap_ppm // MICRO
        if slot.cap_uusd is not None and slot.cap_uusd < own:
            own = slot.cap_uusd
        return (own, equity * self._total_ppm // MICRO - (self._worst_uusd - slot.worst_uusd))

    def permit(self, place: Place) -> Denial | None:
        """Why this order must not go out on top of all that may still fill, or None.

        What reduces together with all that may fill on its side needs no figures.
        """
        market = place.market
        slot = self._markets[market]
        lots = place.lots
        if place.reduce_only:
            held = -place.side * slot.lots
            if lots > held:
                return Denial.NOT_REDUCING
            if lots + (slot.bid_lots if place.side is _BID else slot.ask_lots) <= held:
                return None
        if self.equity_uusd is None:
            return Denial.NO_ACCOUNT
        if self.orders >= self._max_orders:
            return Denial.OPEN_ORDERS
        room = self.room(market)
        if place.side is _BID:
            allowed = slot.bid_lots + lots <= room.bid_lots
        else:
            allowed = slot.ask_lots + lots <= room.ask_lots
        if allowed:
            return None
        if self._reducing[market]:
            return Denial.REDUCE_ONLY
        own, left = self._caps(slot)
        return Denial.MARKET_EXPOSURE if own <= left else Denial.TOTAL_EXPOSURE


def adopt(risk: RiskManager, params: RiskParams, market_params: Sequence[MarketRiskParams]) -> None:
    """Have it hold to other limits from now on; ages are kept."""
    risk.account.adopt(params)
    risk._total_ppm = _ppm(params.max_total_exposure_pct)
    risk._max_orders = params.max_open_orders_count
    for slot, own in zip(risk._markets, market_params, strict=True):
        slot.adopt(own)
    risk._forget_rooms(None)


def _ppm(percent: float) -> int:
    return int(Fraction(str(percent)) * _PPM_PER_PCT)


def _uusd(usd: Decimal) -> int:
    return int(usd * MICRO)


def _dollars(uusd: int) -> str:
    # Rounded down, as is the share: what is below a limit is not shown as equal to it.
    return f"{Decimal(uusd // 10_000) / 100:,.2f} USD"


def _percent(ppm: int) -> str:
    return f"{Decimal(ppm // 100) / 100:.2f} %"
