"""What is told before it hinders: when, how urgently, how often; by hand."""

from msgspec.structs import replace

from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.runtime.outlook import Outlook, OutlookParams
from tests.unit.interfaces.test_status_block import FULL

S = 1_000_000_000
HOUR_S = 3_600
PARAMS = OutlookParams(6 * HOUR_S, 0.2, 120.0, 10, 15.0)
WARNING, CRITICAL, INFO = Severity.WARNING, Severity.CRITICAL, Severity.INFO


def looked(outlook: Outlook, view: StatusView) -> list[Notice]:
    """What is told while every stream speaks."""
    return outlook.look(replace(view, markets=()), {"account": view.ts_ns}, PARAMS)


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
        view = replace(FULL, ts_ns=now_ns, session_ends_ns=None, markets=markets)
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
        view = replace(FULL, ts_ns=FULL.ts_ns + second * S, session_ends_ns=None, markets=markets)
        codes += [(second, each.code) for each in outlook.look(view, {}, PARAMS)]
    assert codes == [(20, "book_down"), (20, "account_down")]
