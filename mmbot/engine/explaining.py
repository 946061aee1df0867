"""Explaining: a market's last decision in words and basis points; it changes nothing."""

from decimal import Decimal

from mmbot.domain.explained import ExplainedQuote, Explanation, Term
from mmbot.domain.market import Market
from mmbot.domain.order import Level, Side
from mmbot.domain.quotes import Quotes
from mmbot.engine.desk import Desk
from mmbot.engine.engine import Engine
from mmbot.engine.view import market_reason
from mmbot.quoting.markout import MarkoutControl
from mmbot.quoting.strategy import Decision, MarketMaker

BPS = 1e4


def skew_bps(desk: Desk) -> float | None:
    """How far inventory moves both quotes, up positive; None while nothing is quoted."""
    strategy = desk.strategy
    if type(strategy) is not MarketMaker or strategy.last.skew is None:
        return None
    return strategy.last.skew * BPS


def markout_control(desk: Desk) -> MarkoutControl | None:
    """What sets the width by virtual quotes; None where nothing does."""
    strategy = desk.strategy
    return strategy.learning.markout if type(strategy) is MarketMaker else None


def widest_bps(desk: Desk) -> float | None:
    """How wide the best quotes may be by the settings; None for a strategy without such."""
    strategy = desk.strategy
    return strategy.params.spread.max_bps if type(strategy) is MarketMaker else None


def seen_in_book(desk: Desk) -> tuple[float | None, float | None]:
    """Return the fair price, in currency, and the imbalance of the last decision."""
    strategy = desk.strategy
    if type(strategy) is not MarketMaker or strategy.last.fair is None:
        return None, None
    return float(desk.state.market.tick) * strategy.last.fair, strategy.last.imbalance


def explain(engine: Engine, index: int, now_ns: int) -> Explanation:
    """Say why the last quotes of a market are what they are."""
    desk = engine.desks[index]
    gate = market_reason(engine, index)
    strategy = desk.strategy
    if type(strategy) is not MarketMaker or strategy.last.fair is None:
        if gate is None:
            gate = strategy.last.reason if type(strategy) is MarketMaker else "own strategy"
        learned = _learned(strategy) if type(strategy) is MarketMaker else ()
        return Explanation(desk.state.market.symbol, now_ns, gate, mid=_mid(desk), learned=learned)
    return _explained(desk, strategy, strategy.last, gate)


def _explained(desk: Desk, strategy: MarketMaker, last: Decision, gate: str | None) -> Explanation:
    market, params, state = desk.state.market, strategy.params, desk.state
    spread, fair = last.spread or 0.0, last.fair or 0.0
    shift = (Term("skew", (last.skew or 0.0) * BPS), Term("bias", params.inventory.bias_bps))
    answer = desk.answer
    quotes = answer if type(answer) is Quotes else Quotes((), ())
    return Explanation(
        symbol=market.symbol,
        ts_ns=state.now_ns,
        gate=gate,
        mid=_mid(desk),
        fair=_price(market, fair),
        fair_source=params.fair_price.source,
        reservation=_price(market, last.reservation or fair),
        half_width_bps=spread * BPS / 2,
        half_width=_half_width(strategy, spread * BPS / 2),
        bound=_bound(spread * BPS, params.spread.min_bps, params.spread.max_bps),
        imbalance=last.imbalance,
        shift=tuple(term for term in shift if term.bps),
        position=market.size(state.position_lots),
        position_ratio=last.position_ratio,
        size_cut_pct=100 * strategy.size_cut(state, quotes),
        room_bid=market.size(state.room.bid_lots),
        room_ask=market.size(state.room.ask_lots),
        quotes=(
            *_quotes(market, quotes.bids, fair, Side.BID),
            *_quotes(market, quotes.asks, fair, Side.ASK),
        ),
        learned=_learned(strategy),
    )


def _half_width(strategy: MarketMaker, half_bps: float) -> tuple[Term, ...]:
    """What the model asks for, and what is added to it or taken off."""
    params = strategy.params.spread
    if params.model == "seed":
        narrow = min(params.min_bps / 2, half_bps)
        return Term("min", narrow), Term("imbalance", half_bps - narrow)
    asked = strategy.stages.half_bps(strategy.learning.signals)
    rest = half_bps - asked
    model = Term(params.model, asked)
    return (model, Term("widened or bounded", rest)) if abs(rest) > 1e-9 else (model,)


def _learned(strategy: MarketMaker) -> tuple[str, ...]:
    return strategy.learning.told() if strategy.learns else ()


def _quotes(
    market: Market, levels: tuple[Level, ...], fair: float, side: Side
) -> tuple[ExplainedQuote, ...]:
    return tuple(
        ExplainedQuote(
            side.name.lower(),
            number,
            market.price(level.ticks),
            market.size(level.lots),
            (level.ticks - fair) / fair * BPS,
        )
        for number, level in enumerate(levels, 1)
    )


def _bound(width_bps: float, least: float, most: float) -> str | None:
    if width_bps >= most:
        return "max"
    return "min" if width_bps <= least else None


def _mid(desk: Desk) -> Decimal | None:
    best_bid, _, best_ask, _ = desk.state.book.touch(False)
    return desk.state.market.price(best_bid + best_ask) / 2 if best_bid and best_ask else None


def _price(market: Market, ticks: float) -> Decimal:
    # A hundredth of a tick says enough.
    return market.price(round(ticks * 100)) / 100
