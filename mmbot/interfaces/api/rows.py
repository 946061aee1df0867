"""Fills, notices, orders and positions as the HTTP face tells them; decimals become text."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from mmbot.domain.events import Fill
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice
from mmbot.domain.order import Side
from mmbot.domain.status import MarketStatus


def fill_row(fill: Fill, market: Market) -> dict[str, Any]:
    """Return a fill for outside."""
    return {
        "ts_ns": fill.ts_recv_ns,
        "market": market.symbol,
        "side": "bid" if fill.side is Side.BID else "ask",
        "price": market.price(fill.ticks),
        "size": market.size(fill.lots),
        "liquidity": "maker" if fill.maker else "taker",
        "fee": market.money(fill.fee_atoms),
    }


def notice_row(notice: Notice, markets: Sequence[Market]) -> dict[str, Any]:
    """Return a notice for outside."""
    return {
        "ts_ns": notice.ts_ns,
        "severity": notice.severity.name.lower(),
        "code": notice.code,
        "market": None if notice.market is None else markets[notice.market].symbol,
        "text": notice.text,
    }


def order_rows(markets: Sequence[MarketStatus]) -> Iterator[dict[str, Any]]:
    """Yield what rests, for outside."""
    for each in markets:
        for side, levels in (("bid", each.bids), ("ask", each.asks)):
            for level in levels:
                yield {
                    "market": each.symbol,
                    "side": side,
                    "price": each.tick * level.ticks,
                    "size": each.lot * level.lots,
                }


def position_row(each: MarketStatus) -> dict[str, Any]:
    """Return what is held of a market, for outside."""
    mark = each.tick * each.mark_half_ticks / Decimal(2) if each.mark_half_ticks else None
    return {
        "market": each.symbol,
        "size": each.lot * each.position_lots,
        "mark": mark,
        "value_uusd": each.exposure_uusd,
        "exposure_ratio": each.exposure_ratio,
        "pnl_uusd": each.pnl_uusd,
        "day_pnl_uusd": each.day_pnl_uusd,
        "fills": each.fills,
    }
