"""Alerts: the same thing is one line with a count, until it is over, old or seen to."""

from mmbot.domain.alerts import FORGOTTEN_NS, MOST, Alerts
from mmbot.domain.notices import Notice, Severity

SECOND_NS = 10**9


def notice(code: str, at_s: float = 0, severity: Severity = Severity.WARNING) -> Notice:
    return Notice(round(at_s * SECOND_NS), severity, code, None, f"{code} at {at_s}")


def test_the_same_is_counted_and_its_end_closes_it() -> None:
    alerts = Alerts()
    first = alerts.take(notice("stale", 1), "BTCUSD")
    alerts.take(notice("stale", 1), "ETHUSD")
    again = alerts.take(notice("stale", 2), "BTCUSD")
    assert first is not None
    assert again is not None
    assert (again.id, again.count, again.first_ns) == (first.id, 2, SECOND_NS)
    assert [each.market for each in alerts.open(3 * SECOND_NS)] == ["BTCUSD", "ETHUSD"]
    ended = alerts.take(notice("stale_over", 3, Severity.INFO), "BTCUSD")
    assert ended == again
    assert [each.market for each in alerts.open(3 * SECOND_NS)] == ["ETHUSD"]


def test_a_warning_is_forgotten_and_a_critical_one_is_not() -> None:
    alerts = Alerts()
    alerts.take(notice("order_rejected"), None)
    alerts.take(notice("zombie_order", 0, Severity.CRITICAL), None)
    assert len(alerts.open(FORGOTTEN_NS)) == 2
    assert [each.code for each in alerts.open(FORGOTTEN_NS + 1)] == ["zombie_order"]


def test_what_comes_again_after_it_was_forgotten_is_another_one() -> None:
    alerts = Alerts()
    first = alerts.take(notice("order_rejected", 0), None)
    second = alerts.take(notice("order_rejected", 301), None)
    assert first is not None
    assert second is not None
    assert (second.count, second.id == first.id) == (1, False)


def test_acknowledging_one_or_all() -> None:
    alerts = Alerts()
    one = alerts.take(notice("a", 0, Severity.CRITICAL), None)
    alerts.take(notice("b", 0, Severity.CRITICAL), None)
    assert one is not None
    assert alerts.acknowledge(one.id, "cli:me") == 1
    assert [(each.code, each.acked_by) for each in alerts.open(0)] == [("b", None), ("a", "cli:me")]
    assert alerts.acknowledge(one.id, "cli:other") == 0
    assert alerts.acknowledge(None, "cli:other") == 1
    assert {each.acked_by for each in alerts.open(0)} == {"cli:me", "cli:other"}


def test_neither_good_news_nor_commands_are_alerts() -> None:
    alerts = Alerts()
    assert alerts.take(notice("flat", severity=Severity.INFO), None) is None
    assert alerts.take(notice("pause"), None) is None
    assert alerts.open(0) == ()


def test_a_flood_drops_the_least_important() -> None:
    alerts = Alerts()
    alerts.take(notice("worst", 0, Severity.CRITICAL), None)
    for number in range(2 * MOST):
        alerts.take(notice(f"w{number}", number / 1000), None)
    held = alerts.open(SECOND_NS)
    assert len(held) == MOST
    assert (held[0].code, held[1].code) == ("worst", f"w{2 * MOST - 1}")
