"""The terminal view as text, at the widths of terminals."""

from decimal import Decimal
from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console

from mmbot.domain.events import Fill
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.order import Level, Side
from mmbot.domain.quotes import Room
from mmbot.domain.status import MarketStatus, Mode, StatusView
from mmbot.interfaces.terminal import Seen, render, status_line

SECOND_NS = 1_000_000_000
START_NS = 1_800_000_000 * SECOND_NS
MARKETS = (
    Market("BTCUSD", Decimal("0.1"), Decimal("0.00001")),
    Market("ETHUSD", Decimal("0.01"), Decimal("0.0001"), index=1),
)
BTC = MarketStatus(
    symbol="BTCUSD",
    reason=None,
    best_bid=600_001,
    best_ask=600_011,
    bids=(Level(599_900, 416), Level(599_700, 420)),
    asks=(Level(600_200, 416),),
    position_lots=-832,
    mark_half_ticks=1_200_012,
    pnl_uusd=1_234_500,
    room=Room(1000, 1000, 1664),
    fills=3,
    volume_uusd=750_000_000,
    book_age_ms=12.4,
)
ETH = replace(
    BTC,
    symbol="ETHUSD",
    reason="book too old",
    bids=(),
    asks=(),
    position_lots=0,
    pnl_uusd=0,
)
VIEW = StatusView(
    ts_ns=START_NS + 3_723 * SECOND_NS,
    instance="demo",
    run_mode="live",
    mode=Mode.QUOTING,
    reasons=(),
    started_ns=START_NS,
    epoch=1,
    equity_uusd=10_001_234_500,
    free_uusd=9_900_000_000,
    day_pnl_uusd=-2_000_000,
    drawdown_uusd=500_000,
    margin_fraction=0.95,
    markets=(BTC, ETH),
    orders=3,
    unknown=0,
    placed=1_204,
    cancelled=1_201,
    rejected=2,
    fills=3,
    ack_p50_ms=1.04,
    ack_p99_ms=4.5,
    loop_lag_p99_ms=0.4,
    reconnects=0,
    requote_interval_ms=100.0,
)
FILL = Fill(START_NS, START_NS, 0, 7, 1, Side.BID, 599_900, 416, 0, True, 25_000_000_000)
NOTICE = Notice(START_NS, Severity.WARNING, "book_gap", 1, "an update is missing")
SEEN = Seen(VIEW, MARKETS, (NOTICE,), (FILL,))


def printed(seen: Seen, width: int) -> str:
    output = StringIO()
    Console(file=output, width=width, color_system=None).print(render(seen, width))
    return output.getvalue()


@pytest.mark.parametrize("width", [80, 127, 128, 140, 200])
def test_no_line_is_wider_than_the_terminal_and_the_frame_is_straight(width: int) -> None:
    lines = printed(SEEN, width).splitlines()
    assert {len(line) for line in lines} == {width}
    assert lines[0].startswith("╭─")
    assert lines[-1].startswith("╰─")


@pytest.mark.parametrize("width", [80, 140])
def test_everything_that_matters_is_on_the_screen(width: int) -> None:
    text = " ".join(printed(SEEN, width).replace("│", " ").split())
    for shown in (
        "demo live QUOTING 1:02:03",
        "equity 10,001.23 USD PnL +1.23 USD today -2.00 USD drawdown 0.50 USD",
        "free 9,900.00 USD margin 95%",
        "BTCUSD 0.00416 59,990.0 60,020.0 0.00416 5.0 bps",
        "0.00420 59,970.0 -",
        "-0.00832",
        "ETHUSD not quoted: book too old",
        "08:00:00 BTCUSD bought 0.00416 @ 59,990.0",
        "book_gap ETHUSD: an update is missing",
        "placed 1,204 cancelled 1,201 rejected 2 unknown 0",
        "ack p50 1.0 ms p99 4.5 ms",
    ):
        assert shown in text, shown


def test_a_wide_terminal_shows_exposure_and_the_market_beside_it() -> None:
    text = " ".join(printed(SEEN, 140).split())
    assert "5.0 bps 0.2 bps -0.00832 -499.20 █████░░░░░ 50% +1.23 3 750.00 12 ms" in text


def test_a_reason_not_to_quote_is_told() -> None:
    view = replace(VIEW, mode=Mode.PAUSED, reasons=("account: catching up",))
    text = printed(Seen(view, MARKETS), 80)
    assert "PAUSED" in text
    assert "not quoting: account: catching up" in text
    assert "none yet" in text


def test_figures_that_are_not_known_are_dashes() -> None:
    view = replace(
        VIEW, equity_uusd=None, free_uusd=None, day_pnl_uusd=None, margin_fraction=None,
        ack_p50_ms=None, markets=(replace(BTC, best_bid=0, room=Room(0, 0), book_age_ms=None), ETH),
    )  # fmt: skip
    text = printed(Seen(view, MARKETS), 140)
    assert "equity -" in text
    assert "ack p50 -" in text


def test_a_pipe_gets_one_line() -> None:
    assert status_line(SEEN) == (
        "1:02:03 quoting; equity 10,001.23, PnL +1.23 USD; "
        "BTCUSD 59990.0/60020.0 (5.0 bps), position -0.00832; ETHUSD book too old, position 0; "
        "3 fills, 3 orders"
    )


def test_the_line_says_why_it_does_not_quote() -> None:
    view = replace(VIEW, mode=Mode.HALTED, reasons=("daily loss",))
    assert status_line(Seen(view, MARKETS)).startswith("1:02:03 halted (daily loss); ")
