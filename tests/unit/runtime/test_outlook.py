"""What is told before it hinders: when, how urgently, how often; by hand."""

from msgspec.structs import replace

from mmbot.domain.notices import Severity
from mmbot.runtime.outlook import Outlook, OutlookParams
from tests.unit.interfaces.test_status_block import FULL

S = 1_000_000_000
HOUR_S = 3_600
PARAMS = OutlookParams(6 * HOUR_S, 0.2, 120.0, 10)
WARNING, CRITICAL, INFO = Severity.WARNING, Severity.CRITICAL, Severity.INFO


def test_the_end_of_a_session_is_told_in_time_and_urgently_at_last() -> None:
    outlook = Outlook()
    ends_ns = FULL.ts_ns + 24 * HOUR_S * S
    told = []
    for minute in range(0, 24 * 60 + 1):
        now_ns = FULL.ts_ns + minute * 60 * S
        view = replace(FULL, ts_ns=now_ns, session_ends_ns=ends_ns)
        told += [(minute, each.severity, each.text) for each in outlook.look(view, PARAMS)]
    hours = [(minute - 1) / 60 for minute, _, _ in told]
    # From six hours before, every hour; the last one wakes somebody up.
    assert hours == [18, 19, 20, 21, 22, 23]
    assert [severity for _, severity, _ in told] == [WARNING] * 5 + [CRITICAL]
    assert told[0][2].startswith("in 5 h 59 min")
    assert outlook.look(replace(FULL, session_ends_ns=None), PARAMS) == []


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
        told.extend((second, each.code, each.severity) for each in outlook.look(view, PARAMS))

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
