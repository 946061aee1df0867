"""Notices as messages: told once, counted, corrected, held back in a storm, told again."""

from collections.abc import Iterator

from msgspec.structs import replace

from mmbot.domain.alerts import Alert, Alerts
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.interfaces.telegram.alerting import Alerting
from mmbot.interfaces.telegram.outbox import Post
from mmbot.interfaces.telegram.params import AlertParams, TelegramParams
from mmbot.interfaces.telegram.talk import InForce
from tests.unit.interfaces.test_status_block import FULL

S = 1_000_000_000
T0 = 1_800_000_000 * S
INFO, WARNING, CRITICAL = Severity


class Told:
    """An alerting beside the alerts of the bot, as it really stands beside them."""

    def __init__(self, chat: TelegramParams | None = None, **alerts: float) -> None:
        params = InForce(chat or TelegramParams(), AlertParams.model_validate(alerts))
        self.alerts = Alerts()
        self.alerting = Alerting(params, self.view)
        self.now_ns = T0

    def view(self) -> StatusView:
        return replace(FULL, alerts=self.alerts.open(self.now_ns))

    def at(
        self, second: float, severity: Severity, code: str, text: str = "so", where: str = "BTCUSD"
    ) -> list[Post]:
        self.now_ns = T0 + round(second * S)
        notice = Notice(self.now_ns, severity, code, 0, text)
        self.alerts.take(notice, where)
        return list(self.alerting.notice(notice, where, self.now_ns))

    def tick(self, second: float) -> list[Post]:
        self.now_ns = T0 + round(second * S)
        return list(self.alerting.tick(self.alerts.open(self.now_ns), self.now_ns))

    @property
    def open(self) -> Iterator[Alert]:
        return iter(self.alerts.open(self.now_ns))


def test_the_same_again_is_a_count_in_the_same_message() -> None:
    told = Told()
    (first,) = told.at(0, WARNING, "reject_storm", "venue says no")
    assert "reject_storm</b> BTCUSD: venue says no" in first.text
    assert (first.correction, first.silent) == (False, True)
    for number in (2, 3):
        (again,) = told.at(number, WARNING, "reject_storm", f"no {number}")
        assert (again.key, again.correction) == (first.key, True)
        assert f"({number}x): no {number}" in again.text
    # Another market, or another thing, is another message; after the window it is told anew.
    (other,) = told.at(4, WARNING, "reject_storm", where="ETHUSD")
    assert other.key != first.key
    (later,) = told.at(301, WARNING, "reject_storm")
    assert (later.key, later.correction) == (first.key, False)
    assert "x)" not in later.text


def test_what_gets_worse_is_told_anew() -> None:
    told = Told()
    told.at(0, WARNING, "position")
    (worse,) = told.at(1, CRITICAL, "position")
    assert (worse.severity, worse.correction) == (CRITICAL, False)
    assert f"alert {next(told.open).id}" in worse.text


def test_its_end_is_written_into_the_message() -> None:
    told = Told()
    (first,) = told.at(0, WARNING, "book_stale", "no book")
    (over,) = told.at(42, INFO, "book_stale_over", "is over")
    assert (over.key, over.correction) == (first.key, True)
    assert over.text.startswith("\N{HEAVY CHECK MARK} after 42 s: ")
    assert "no book" in over.text
    assert told.at(43, INFO, "book_stale_over") == []
    assert told.at(44, INFO, "never_told_over") == []


def test_a_storm_is_one_message() -> None:
    told = Told()
    posts = [post for n in range(49) for post in told.at(n / 10, WARNING, f"denied_{n}")]
    assert len(posts) == 12
    assert told.tick(59) == []
    (storm,) = told.tick(62)
    assert "37 alerts in 60 s: " in storm.text


def test_one_that_was_held_back_is_one_alert() -> None:
    told = Told()
    for n in range(13):
        told.at(n, WARNING, f"denied_{n}")
    (storm,) = told.tick(75)
    assert "1 alert in 60 s: denied_12 1x" in storm.text
    assert "denied_12 1x" in storm.text
    assert told.tick(63) == []
    assert len(told.at(64, WARNING, "denied_99")) == 1


def test_what_is_critical_comes_through_a_storm() -> None:
    told = Told()
    for n in range(30):
        told.at(n / 10, WARNING, f"denied_{n}")
    (post,) = told.at(3, CRITICAL, "halted", "daily loss limit")
    assert "<b>HALTED</b>" in post.text
    # What one wants to know first: figures of the status, worked by hand from its micro-USD.
    assert "day -2.00 USD (limit -50.00)" in post.text
    assert "position: BTCUSD -0.00832" in post.text


def test_what_is_critical_is_told_again_until_it_is_seen_to() -> None:
    told = Told()
    told.at(0, CRITICAL, "halted", "loss")
    assert told.tick(599) == []
    (again,) = told.tick(600)
    assert (again.severity, again.silent, again.correction) == (CRITICAL, False, False)
    alert = next(told.open)
    assert f"still open after 10 min: /ack {alert.id}" in again.text
    assert told.tick(1199) == []
    assert len(told.tick(1200)) == 1
    told.alerts.acknowledge(alert.id, "cli:me")
    assert told.tick(1900) == []


def test_quiet_hours_and_loudness() -> None:
    # 1_800_000_000 is 2027-01-15 08:00:00 UTC.
    chat = TelegramParams.model_validate(
        {
            "quiet_hours_utc": "22:00-09:00",
            "notify": {"risk": "loud", "order_error": "none", "connection": "silent"},
        }
    )
    told = Told(chat)
    (quiet,) = told.at(0, WARNING, "position")
    assert quiet.silent
    (loud,) = told.at(0, CRITICAL, "stray_order")
    assert not loud.silent
    assert told.at(0, WARNING, "order_rejected") == []
    (awake,) = told.at(3_601, WARNING, "late_fill")
    assert not awake.silent


def test_what_ends_soon_is_heard_and_profit_is_not() -> None:
    told = Told(TelegramParams.model_validate({"notify": {"connection": "loud"}}))
    assert [each.silent for each in told.at(0, WARNING, "override_ends")] == [False]
    assert [each.silent for each in told.at(1, INFO, "pnl_step")] == [True]
    assert [each.code for each in told.open] == ["override_ends"]


def test_muted_is_all_but_what_is_critical() -> None:
    told = Told()
    told.alerting.mute(WARNING, T0 + 1800 * S)
    assert told.at(0, WARNING, "position") == []
    assert len(told.at(1, CRITICAL, "stray_order")) == 1
    told.alerting.mute(CRITICAL, T0 + 1800 * S)
    assert len(told.at(2, CRITICAL, "zombie_order")) == 1
    assert len(told.at(1801, WARNING, "late_fill")) == 1


def test_who_gave_a_command_here_has_had_an_answer() -> None:
    told = Told()
    (post,) = told.at(0, WARNING, "pause", "news (telegram:22, 09:12Z)")
    assert post.not_to == 22
    (other,) = told.at(1, WARNING, "cancel-all", "news (cli:op1, 09:12Z)")
    assert other.not_to is None


def test_events_that_are_none_of_their_business_are_not_told() -> None:
    told = Told()
    assert told.at(0, INFO, "held_back") == []
    assert told.at(0, INFO, "stale_order") == []
    assert len(told.at(0, INFO, "transfer", "5 uusd")) == 1


def test_hostile_text_stays_text() -> None:
    told = Told()
    (post,) = told.at(0, WARNING, "order_rejected", "<b>x</b> & " + "y" * 9_000)
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y" in post.text
    assert len(post.text) < 1_000


def test_what_comes_again_is_told_in_its_message_and_so_is_its_second_end() -> None:
    told = Told()
    (first,) = told.at(0, WARNING, "book_lag", "400 ms late")
    told.at(2, INFO, "book_lag_over", "is over")
    (again,) = told.at(10, WARNING, "book_lag", "500 ms late")
    assert (again.key, again.correction) == (first.key, True)
    assert "(2x): 500 ms late" in again.text
    assert "after" not in again.text
    assert f"alert {next(told.open).id}" in again.text
    (over,) = told.at(40, INFO, "book_lag_over", "is over")
    assert over.text.startswith("\N{HEAVY CHECK MARK} after 30 s: ")
    # When that window is over, it is news.
    (later,) = told.at(301, WARNING, "book_lag", "600 ms late")
    assert not later.correction
    assert "x)" not in later.text


def test_everything_that_people_do_is_a_message_of_its_own() -> None:
    told = Told()
    posts = [
        told.at(second, severity, code, text)
        for second, severity, code, text in (
            (0, WARNING, "pause", "thin (telegram:22, 09:00Z)"),
            (1, WARNING, "resume", "by telegram:22, 09:00Z"),
            (2, WARNING, "pause", "by telegram:22, 09:00Z"),
            (3, INFO, "set", "1 setting changed (telegram:11)"),
            (4, INFO, "set", "1 setting changed (telegram:11)"),
        )
    ]
    flat = [post for group in posts for post in group]
    assert len({post.key for post in flat}) == len(posts) == len(flat)
    assert not any(post.correction for post in flat)
    # Who gave it has had the answer.
    assert [post.not_to for post in flat] == [22, 22, 22, 11, 11]
