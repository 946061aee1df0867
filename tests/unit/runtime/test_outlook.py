"""What is told before it hinders: when, how urgently, how often; by hand."""

from msgspec.structs import replace

from mmbot.domain.control import Override
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.runtime.outlook import Outlook, OutlookParams
from tests.unit.interfaces.test_status_block import FULL

S = 1_000_000_000
HOUR_S = 3_600
PARAMS = OutlookParams(6 * HOUR_S, 0.2, 120.0, 10, 15.0, 25_000_000)
STILL = replace(
    FULL,
    session_ends_ns=None,
    overrides=(),
    markets=tuple(replace(each, pnl_uusd=0, book_age_ms=0.0) for each in FULL.markets),
)
WARNING, CRITICAL, INFO = Severity.WARNING, Severity.CRITICAL, Severity.INFO


def looked(outlook: Outlook, view: StatusView) -> list[Notice]:
    """What is told while every stream speaks."""
    quiet = replace(view, markets=(), overrides=())
    return outlook.look(quiet, {"account": view.ts_ns}, PARAMS)


def test_the_end_of_a_session_is_told_in_time_and_urgently_at_last() -> None:
    outlook = Outlook()
    ends_ns = FULL.ts_ns + 24 * HOUR_S * S
    told = []
    for minute in range(0, 24 * 60 + 1):
        now_ns = FULL.ts_ns + minute * 60 * S
        view = replace(FULL, ts_ns=now_ns, session_ends_ns=ends_ns)
        told += [(minute, each.severity, each.text) for each in looked(outlook, view)]
    hours = [(minute - 1) / 60 for minute, _, _ in told]
    # From six hours before, every hour; the last one wakes somebody up.
    assert hours == [18, 19, 20, 21, 22, 23]
    assert [severity for _, severity, _ in told] == [WARNING] * 5 + [CRITICAL]
    assert told[0][2].startswith("in 5 h 59 min")
    assert looked(outlook, replace(FULL, session_ends_ns=None)) == []


def test_orders_that_fail_are_told_while_they_do() -> None:
    outlook = Outlook()
    sent = refused = 0
    told: list[tuple[int, str, Severity]] = []

    def step(second: int, more: int, bad: int) -> None:
        nonlocal sent, refused
        sent, refused = sent + more, refused + bad
        view = replace(
            FULL, ts_ns=FULL.ts_ns + second * S, session_ends_ns=None, placed=sent, rejected=refused
        )
        told.extend((second, each.code, each.severity) for each in looked(outlook, view))

    step(0, 0, 0)
    # Four of nine are too few to say anything; a fifth of many is not more than a fifth.
    step(5, 9, 4)
    assert told == []
    step(10, 11, 0)
    assert told == []
    step(15, 1, 1)
    assert told == [(15, "order_failures", WARNING)]
    for second in range(20, 120, 5):
        step(second, 0, 0)
    assert len(told) == 1
    # Once the failures are two minutes old it is over.
    for second in range(120, 300, 5):
        step(second, 1, 0)
    assert told[1:] == [(told[1][0], "order_failures_over", INFO)]
    assert 120 <= told[1][0] <= 140


def test_a_stream_that_is_down_is_told_until_it_is_back() -> None:
    outlook = Outlook()
    told: list[tuple[int, str, Severity, str]] = []

    def step(second: int, btc_ms: float | None, eth_ms: float | None, account: int) -> None:
        now_ns = FULL.ts_ns + second * S
        markets = tuple(
            replace(each, book_age_ms=age_ms)
            for each, age_ms in zip(FULL.markets, (btc_ms, eth_ms), strict=True)
        )
        view = replace(STILL, ts_ns=now_ns, markets=markets)
        heard_ns = {"account": FULL.ts_ns + account * S}
        told.extend(
            (second, each.code, each.severity, each.text)
            for each in outlook.look(view, heard_ns, PARAMS)
        )

    # A silent book of a connection that stands is asked for after 15 s: that is not down.
    step(0, 0, 0, 0)
    step(15, 15_000, 0, 10)
    step(20, 20_000, 0, 15)
    step(25, 0, 0, 20)
    assert told == []
    # ETHUSD's connection breaks after its last word at 24 s; its age is not known any more.
    step(30, 0, 6_000, 25)
    step(35, 0, None, 30)
    step(39, 0, None, 35)
    assert told == []
    step(40, 0, None, 35)
    assert told == [(40, "book_down", WARNING, "no sure book for 16 s: ETHUSD")]
    # The account, too: 15 s are not more than 15 s.
    step(50, 0, None, 35)
    assert len(told) == 1
    step(51, 0, None, 35)
    assert told[1:] == [(51, "account_down", WARNING, "nothing sure of the account for 16 s")]
    # Again so that it stays open, and the end of each by itself.
    for second in range(55, 280, 5):
        step(second, 0, None, second)
    assert told[2:] == [(55, "account_down_over", INFO, "is over")]
    step(280, 0, None, 280)
    assert told[3:] == [(280, "book_down", WARNING, "no sure book for 256 s: ETHUSD")]
    step(285, 0, 0, 285)
    assert told[4:] == [(285, "book_down_over", INFO, "is over")]


def test_a_stream_that_never_spoke_is_down() -> None:
    outlook = Outlook()
    codes: list[tuple[int, str]] = []
    for second in range(0, 25, 5):
        markets = tuple(replace(each, book_age_ms=None) for each in FULL.markets)
        view = replace(STILL, ts_ns=FULL.ts_ns + second * S, markets=markets)
        codes += [(second, each.code) for each in outlook.look(view, {}, PARAMS)]
    assert codes == [(20, "book_down"), (20, "account_down")]


def test_an_override_is_told_five_minutes_before_its_end() -> None:
    outlook = Outlook()
    # The clock of FULL is at 09:02Z.
    width = Override("spread.min_bps", "8", "4.0", FULL.ts_ns + 1_800 * S, "cli:op1")
    size = Override("size.base", "1", "2", FULL.ts_ns + 1_900 * S, "cli:op1")
    short = Override("skew.max_bps", "3", "5", FULL.ts_ns + 200 * S, "cli:op1")
    told: list[tuple[int, str, Severity, str]] = []
    for second in range(0, 2_000, 5):
        now_ns = FULL.ts_ns + second * S
        held = tuple(each for each in (width, size, short) if each.until_ns > now_ns)
        view = replace(STILL, ts_ns=now_ns, overrides=held)
        notices = outlook.look(view, {"account": now_ns}, PARAMS)
        told += [(second, each.code, each.severity, each.text) for each in notices]
    first = "spread.min_bps is 8 until 09:32Z, then 4.0 again"
    # One alert names both; the one of 200 s was set so shortly that nobody needs to be told.
    assert told == [
        (1_500, "override_ends", WARNING, first),
        (1_600, "override_ends", WARNING, f"size.base is 1 until 09:33Z, then 2 again; {first}"),
        (1_900, "override_ends_over", INFO, "is over"),
    ]


def test_an_override_that_is_set_anew_does_not_end() -> None:
    outlook = Outlook()
    codes: list[tuple[int, str]] = []
    for second, until in ((0, 600), (300, 600), (305, 3_600), (310, 3_600)):
        now_ns = FULL.ts_ns + second * S
        each = Override("spread.min_bps", "8", "4.0", FULL.ts_ns + until * S, "cli:op1")
        view = replace(STILL, ts_ns=now_ns, overrides=(each,))
        notices = outlook.look(view, {"account": now_ns}, PARAMS)
        codes += [(second, each.code) for each in notices]
    assert codes == [(300, "override_ends"), (305, "override_ends_over")]


def test_profit_is_told_by_steps() -> None:
    outlook = Outlook()
    told: list[tuple[float, str, Severity]] = []
    # Both markets count. 25 is passed once, though it is crossed again and again; -30 is a step
    # below 0, and 80 is told once, though it is more than one step above.
    for usd in (0.0, 24.9, 25.1, 24.9, 25.1, 1.0, -0.5, 24.0, -24.9, -30.0, 80.0, 81.0):
        btc, eth = STILL.markets
        markets = (
            replace(btc, pnl_uusd=round(usd * 1e6) - 7_000_000),
            replace(eth, pnl_uusd=7_000_000),
        )
        notices = outlook.look(replace(STILL, markets=markets), {"account": STILL.ts_ns}, PARAMS)
        told += [(usd, each.text, each.severity) for each in notices if each.code == "pnl_step"]
    assert told == [
        (25.1, "PnL of this run +25.10 USD", INFO),
        (-0.5, "PnL of this run -0.50 USD", INFO),
        (-30.0, "PnL of this run -30.00 USD", INFO),
        (80.0, "PnL of this run +80.00 USD", INFO),
    ]
