"""The minute's requests: no window holds more, reads end first, cancels last."""

from random import Random

from mmbot.adapters.zo.rest.allowance import Allowance

SECOND = 10**9
MINUTE = 60 * SECOND


class Sender:
    """Something that sends."""

    def __init__(self) -> None:
        self.sent = 0


def storm(per_min: int, seed: int) -> tuple[list[int], dict[str, int]]:
    """Send whatever may be sent for some minutes; when, and how much of each kind."""
    dice, allowance, sender = Random(seed), Allowance(per_min), Sender()
    allowance.watch(sender)
    now_ns, sent, kinds = 7 * SECOND, [], {"cancel": 0, "place": 0, "read": 0, "book": 0}
    while now_ns < 4 * MINUTE:
        now_ns += dice.randrange(SECOND // 20)
        kind = dice.choice(list(kinds))
        if kind == "cancel":
            may = allowance.left(now_ns) > 0
        elif kind == "place":
            may = not allowance.ahead(now_ns)
        else:
            may = not allowance.read_wait_ns(now_ns, patient=kind == "book")
            if may:
                allowance.read(now_ns)
        if may:
            sender.sent += 1
            sent.append(now_ns)
            kinds[kind] += 1
    return sent, kinds


def test_no_minute_has_more_than_allowed_and_cancels_go_on() -> None:
    for seed in range(3):
        sent, kinds = storm(600, seed)
        most = max(sum(at <= each < at + MINUTE for each in sent) for at in sent[::20])
        assert most <= 600
        assert kinds["cancel"] > kinds["place"]
        assert kinds["cancel"] > kinds["read"] > 0


def test_reads_leave_the_last_of_a_minute_to_cancels() -> None:
    allowance, sender = Allowance(600), Sender()
    allowance.watch(sender)
    while not allowance.read_wait_ns(SECOND, patient=False):
        sender.sent += 1
    assert allowance.left(SECOND) > 0
    assert allowance.ahead(SECOND)
    # They came at once, so they come back at once.
    assert allowance.read_wait_ns(MINUTE + SECOND - 1, patient=False)
    assert not allowance.read_wait_ns(MINUTE + SECOND, patient=False)


def test_a_burst_is_paid_back_before_places_go_on() -> None:
    allowance, sender = Allowance(600), Sender()
    sender.sent = 1_000
    allowance.watch(sender)
    assert not allowance.ahead(SECOND)
    sender.sent += 120
    assert allowance.ahead(SECOND)
    assert allowance.ahead(SECOND + 5 * SECOND)
    assert not allowance.ahead(SECOND + 10 * SECOND)


def test_what_a_run_before_sent_counts_until_a_minute_later() -> None:
    allowance = Allowance(600)
    # 564 of 600 may be counted on.
    allowance.go_on([(10 * SECOND, 300), (30 * SECOND, 40)], 40 * SECOND)
    assert allowance.left(40 * SECOND) == 224
    assert allowance.left(70 * SECOND) == 524
    assert allowance.left(90 * SECOND) == 564


def test_nothing_before_changes_nothing() -> None:
    allowance, sender = Allowance(600), Sender()
    allowance.watch(sender)
    sender.sent = 20
    allowance.go_on([], SECOND)
    assert allowance.left(SECOND) == 544
    assert not allowance.ahead(SECOND)


def test_places_go_on_at_the_pace_the_run_before_had_reached() -> None:
    allowance = Allowance(600)
    # A burst of 56, and 5 s more at 9.4 a second.
    allowance.go_on([(10 * SECOND, 56 + 47)], 12 * SECOND)
    assert allowance.ahead(12 * SECOND)
    assert not allowance.ahead(16 * SECOND)


def test_after_a_full_minute_cancels_can_leave_and_reads_wait() -> None:
    allowance, sender = Allowance(600), Sender()
    allowance.watch(sender)
    sender.sent = 20
    allowance.go_on([(10 * SECOND, 560)], 40 * SECOND)
    assert allowance.left(40 * SECOND) == 600 - 560 - 20
    assert allowance.read_wait_ns(40 * SECOND, patient=False)
    sender.sent += 20
    assert allowance.left(69 * SECOND) == 0
