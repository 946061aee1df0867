"""Margin figures by hand, and what they forbid."""

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine.margin import Margins, check_opening
from mmbot.exchange.engine.refusals import RefusalError
from mmbot.exchange.exchange import Exchange
from tests.unit.exchange.traders import IOC, LIMIT, USD, Trader, error, opened, part, posted

CENT = USD // 100


def scene() -> tuple[Exchange, Trader, Trader]:
    exchange = opened(usd=100)
    return exchange, Trader(exchange, 1), Trader(exchange, 2)


def test_the_figures_by_hand() -> None:
    exchange, maker, taker = scene()
    # 2000 lots at 1000: 2 units, 200 USD. Index 1010: worth 202 USD.
    maker.place(pb.ASK, 1000, 2_000)
    taker.place(pb.BID, 1000, 2_000, IOC)
    taker.place(pb.BID, 990, 500)
    taker.place(pb.ASK, 1020, 5_000)
    exchange.set_index(0, 1010.0)
    # Resting asks turn +2000 into -3000 at most, bids into +2500: 3000 lots are 303 USD.
    got = exchange.margins(2)
    fee = 7 * CENT
    assert (got.pn, got.pon) == (202 * USD, 303 * USD)
    assert (got.imf, got.cmf, got.mmf) == (303 * USD // 10, 303 * USD // 16, 202 * USD // 20)
    assert got.mf == got.omf == 100 * USD - fee + 2 * USD
    short = exchange.margins(1)
    assert short.mf == 100 * USD - 2 * CENT - 2 * USD
    assert (short.pn, short.pon) == (202 * USD, 202 * USD)
    assert not got.bankruptcy


def test_an_order_needs_initial_margin_over_all_markets() -> None:
    exchange, trader, _ = scene()
    # 100 USD carry less than 1000 USD of orders: 9,999 lots at an index of 0.1 USD a lot.
    code = pb.RISK_OMF_LESS_THAN_OR_EQUAL_IMF
    assert error(trader.place(pb.BID, 900, 10_000)) == code
    order_id = posted(trader.place(pb.BID, 900, 9_999))
    # Bids and asks of one market do not add up, markets do.
    assert error(trader.place(pb.ASK, 1100, 9_999)) is None
    assert error(trader.place(pb.BID, 900, 1)) == code
    trader.cancel(order_id)
    exchange.set_index(1, 1e6)
    # A lot of market 1 is now worth 10^-6 USD, its imf 20 %: 50,000 use up the last 0.01 USD.
    assert error(trader.place(pb.ASK, 1_900_000, 50_000, market_id=1)) == code
    assert error(trader.place(pb.ASK, 1_900_000, 49_999, market_id=1)) is None


def test_reducing_is_allowed_below_the_margin() -> None:
    exchange, maker, taker = scene()
    maker.place(pb.ASK, 1000, 9_000)
    taker.place(pb.BID, 1000, 9_000, IOC)
    exchange.set_index(0, 950.0)
    maker.place(pb.BID, 949, 9_000)
    # mf 100 - 0.315 - 45, imf 10 % of 855.
    got = exchange.margins(2)
    assert (got.mf, got.imf) == (54_685 * USD // 1_000, 855 * USD // 10)
    assert error(taker.place(pb.BID, 900, 1)) == 226
    assert error(taker.place(pb.ASK, 960, 100)) is None
    assert error(taker.place(pb.ASK, 949, 4_000, IOC)) is None
    assert error(taker.place(pb.ASK, 949, 5_000, IOC)) is None
    assert taker.lots == 0


def test_a_batch_is_judged_by_its_end() -> None:
    _, trader, other = scene()
    other.place(pb.ASK, 1000, 9_000)
    trader.place(pb.BID, 1000, 9_000, IOC)
    # 9000 lots held and 5000 more would be too much; sold first, they are not.
    assert error(trader.place(pb.BID, 990, 5_000)) == 226
    other.place(pb.BID, 999, 9_000)
    receipt = trader.batch(part(pb.ASK, 999, 9_000, IOC), part(pb.BID, 990, 5_000, LIMIT))
    assert error(receipt) is None


def figures(mf: int, pon: int, pn: int) -> Margins:
    return Margins(mf, mf, pon // 10, pon // 16, pn // 20, pon, pn, False)


@pytest.mark.parametrize(
    ("before", "after", "traded", "code"),
    [
        ((100, 0, 0), (100, 999, 0), False, None),
        ((100, 0, 0), (100, 1000, 0), False, 226),
        ((50, 1000, 1000), (50, 1000, 1000), False, None),
        ((50, 1000, 1000), (50, 1001, 1000), False, 226),
        # An account due for liquidation may only get better: 40/1000 to 19/500 is worse.
        ((40, 1000, 1000), (19, 500, 500), True, 228),
        ((40, 1000, 1000), (20, 500, 500), True, None),
        # Sound before (65 > 62), below the cancel margin after a bad trade (55 of 900 at 56).
        ((65, 1000, 1000), (55, 900, 900), True, 229),
        ((65, 1000, 1000), (57, 900, 900), True, None),
    ],
)
def test_what_an_opening_may_leave(
    before: tuple[int, int, int], after: tuple[int, int, int], traded: bool, code: int | None
) -> None:
    found = None
    try:
        check_opening(figures(*before), figures(*after), traded)
    except RefusalError as refusal:
        found = refusal.code
    assert found == code
