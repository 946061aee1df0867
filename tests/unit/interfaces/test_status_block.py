"""The status block as text, on a terminal and on a telephone."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mmbot.domain.alerts import Alert
from mmbot.domain.control import Override
from mmbot.domain.notices import Severity
from mmbot.domain.status import DayFills, LeaseStatus, Limits, Mode, StopTrigger
from mmbot.interfaces.health_text import health_lines, troubles, unready
from mmbot.interfaces.status_block import NARROW_COLUMNS, status_block
from tests.unit.interfaces.test_terminal import BTC, ETH, SECOND_NS, VIEW

HOUR_NS = 3600 * SECOND_NS
NOW_NS = VIEW.ts_ns
BTC_NOW = replace(
    BTC,
    tick=Decimal("0.1"),
    lot=Decimal("0.00001"),
    width_bps=5.0,
    skew_bps=-0.8,
    exposure_uusd=499_000_000,
    exposure_ratio=0.0499,
    day_pnl_uusd=19_800_000,
)
ETH_NOW = replace(
    ETH,
    reason="paused: news (cli:op1, 09:12Z)",
    tick=Decimal("0.01"),
    lot=Decimal("0.0001"),
    exposure_ratio=0.0,
    book_age_ms=None,
)
FULL = replace(
    VIEW,
    started_ns=NOW_NS - 76 * HOUR_NS - 12 * 60 * SECOND_NS,
    markets=(BTC_NOW, ETH_NOW),
    exposure_ratio=0.0499,
    budget_ratio=0.71,
    session_ends_ns=NOW_NS + 18 * HOUR_NS,
    day_fills=DayFills(200, 112),
    limits=Limits(0.18, 0.6, 50_000_000, 0.03, 100_000_000, 40),
    overrides=(Override("spread.min_bps", "8", "4.0", NOW_NS + HOUR_NS, "telegram:@op1"),),
    alerts=(
        Alert("3f2c", Severity.CRITICAL, "position", "BTCUSD", "2 lots, not 3", 0, 0, 3, "cli:op1"),
    ),
    version="1.0",
)


def test_the_block_on_a_terminal() -> None:
    assert (
        "\n".join(status_block(FULL))
        == """\
demo  LIVE  QUOTING  up 3d 04:12  session 18h left
equity 10,001.23 USD  day -2.00  drawdown 0.0%  margin 95% (min 18%)  exposure 5% (max 60%)
market  bid x size          ask x size          width bps  skew bps  position  exp  day PnL   age
BTCUSD  59,990.0 x 0.00416  60,020.0 x 0.00416        5.0      -0.8  -0.00832   5%   +19.80  0.0s
ETHUSD  -                   -                           -         -         0   0%    +0.00     -
  ETHUSD: paused: news (cli:op1, 09:12Z)
orders 3   fills 24h 312 (200 bid, 112 ask)   failures 0.2%   ack p99 4 ms   budget 71%
override: spread.min_bps 4.0 -> 8 until 10:02Z (telegram:@op1)
!! 3f2c BTCUSD position (3x): 2 lots, not 3, acknowledged by cli:op1"""
    )


def test_a_bot_with_a_standby_shows_its_lease() -> None:
    leading = replace(FULL, markets=(BTC_NOW,), lease=LeaseStatus(17, 412.0))
    head = "demo  LIVE  QUOTING  up 3d 04:12  lease 17  session 18h left"
    assert status_block(leading)[0] == head
    assert status_block(leading, narrow=True)[0] == "demo  LIVE  QUOTING  lease 17"
    assert "lease 17, 0.4s old" in health_lines(leading)
    assert troubles(leading) == []
    cut_off = replace(leading, lease=LeaseStatus(17, 6_100.0, "not renewed for 6.1 s"))
    assert troubles(cut_off) == ["lease 17: not renewed for 6.1 s"]


def test_the_block_on_a_telephone_has_the_same_figures() -> None:
    lines = status_block(FULL, narrow=True)
    assert lines[:6] == [
        "demo  LIVE  QUOTING",
        "up 3d 04:12  session 18h left",
        "equity 10,001.23 USD  day -2.00",
        "drawdown 0.0%  exposure 5% (max 60%)",
        "margin 95% (min 18%)",
        "BTCUSD -0.00832 (5%) +19.80",
    ]
    assert max(map(len, lines)) <= NARROW_COLUMNS
    wide = " ".join(status_block(FULL)).split()
    assert set(" ".join(lines).split()) <= {*wide, "bid", "(5%)", "(0%)", "width", "skew", "age"}


def test_of_warnings_that_were_seen_to_only_the_number_is_shown() -> None:
    seen = replace(FULL.alerts[0], id="aaaa", severity=Severity.WARNING)
    unseen = replace(seen, id="bbbb", acked_by=None)
    lines = status_block(replace(FULL, alerts=(unseen, *FULL.alerts, seen, seen)))
    assert [line[:7] for line in lines[-3:]] == ["! bbbb ", "!! 3f2c", "2 alert"]
    assert lines[-1] == "2 alerts acknowledged"


def test_what_stops_everything_is_said_once() -> None:
    paused = replace(
        FULL,
        mode=Mode.PAUSED,
        reasons=("paused: news",),
        markets=tuple(replace(each, reason="paused: news") for each in FULL.markets),
    )
    text = "\n".join(status_block(paused))
    assert text.count("paused: news") == 1
    assert "not quoting: paused: news" in text


@given(st.text(alphabet=st.characters(codec="ascii", categories=("L", "N")), max_size=200))
def test_no_line_is_too_wide_for_a_telephone(reason: str) -> None:
    stopped = replace(FULL, reasons=(reason,))
    assert max(map(len, status_block(stopped, narrow=True))) <= NARROW_COLUMNS


def test_unknown_figures_are_dashes() -> None:
    blank = replace(
        VIEW,
        equity_uusd=None,
        day_pnl_uusd=None,
        drawdown_uusd=None,
        margin_fraction=None,
        ack_p99_ms=None,
        placed=0,
        rejected=0,
    )
    lines = status_block(blank)
    assert lines[1] == "equity - USD  day -  drawdown -  margin -  exposure -"
    assert "fills 24h 0   failures -   ack p99 -   budget -" in lines[-1]


def test_stop_triggers_are_shown_where_they_are_kept() -> None:
    held = replace(BTC_NOW, stop_trigger=StopTrigger(582_000))
    lines = status_block(replace(FULL, markets=(held,)))
    assert lines[4] == "  BTCUSD: stop trigger at 58,200.0"
    assert " stop trigger at 58,200.0" in status_block(replace(FULL, markets=(held,)), narrow=True)
    bare = replace(BTC_NOW, stop_trigger=StopTrigger())
    assert status_block(replace(FULL, markets=(bare,)))[4] == "  BTCUSD: no stop trigger yet"
    assert troubles(replace(FULL, markets=(held,))) == []
    sick = replace(BTC_NOW, stop_trigger=StopTrigger(None, "refused: TRIGGER"))
    assert status_block(replace(FULL, markets=(sick,)))[4] == (
        "  BTCUSD: stop trigger refused: TRIGGER"
    )
    assert troubles(replace(FULL, markets=(sick,))) == ["BTCUSD: stop trigger refused: TRIGGER"]


def test_health_names_what_is_wrong() -> None:
    well = replace(FULL, markets=(BTC_NOW,))
    assert troubles(well) == []
    assert health_lines(well)[-1] == "all is well"
    sick = replace(
        FULL,
        mode=Mode.HALTED,
        reasons=("daily loss",),
        unknown=2,
        session_ends_ns=NOW_NS + 59 * 60 * SECOND_NS,
        alerts=(replace(FULL.alerts[0], acked_by=None),),
    )
    assert troubles(sick) == [
        "halted: daily loss",
        "ETHUSD: book - old",
        "2 orders whose outcome is not known",
        "session ends in 59 min",
        "alert 3f2c: position: 2 lots, not 3",
    ]


def test_a_probe_is_told_names_and_no_figures_nor_words() -> None:
    well = replace(FULL, markets=(BTC_NOW,))
    assert unready(well) == []
    paused = replace(well, mode=Mode.PAUSED, reasons=("paused: news of 3 (cli:op1, 09:12Z)",))
    assert unready(paused) == ["paused"]
    lost = replace(
        FULL,
        mode=Mode.HALTED,
        reasons=("daily loss 50.30 USD reached the limit 50.00 USD", "account: silent"),
        loop_lag_p99_ms=51.0,
        alerts=(replace(FULL.alerts[0], acked_by=None),),
    )
    why = ["daily loss", "account", "halted", "ETHUSD book", "loop lag", "alert position"]
    assert unready(lost) == why
    # All markets stopped one by one: no reason holds for the account.
    both = (replace(BTC_NOW, reason="warming: warming up"), replace(ETH_NOW, book_age_ms=1.0))
    assert unready(replace(FULL, mode=Mode.PAUSED, reasons=(), markets=both)) == [
        "BTCUSD warming",
        "ETHUSD paused",
    ]
    assert unready(replace(well, mode=Mode.DRAINING, reasons=())) == ["draining"]
