"""A bot that dies again and again stays within the venue's minute, all its runs together (I18)."""

from pathlib import Path
from random import Random

import pytest

from mmbot.adapters.zo.rest.allowance import Allowance
from mmbot.assemble.live.requests import EVERY_S, Requests
from mmbot.ledger import open_ledger

SECOND = 10**9
MINUTE = 60 * SECOND
START_NS = 1_800_000_000 * SECOND
# What a start reads before there is a ledger.
START_READS = 8


class Machine:
    """Where runs follow each other; `sent` are the times of all requests, as the venue sees it."""

    def __init__(self, folder: Path) -> None:
        self.now_ns = START_NS
        self.sent: list[int] = []
        self._path = folder / "ledger.sqlite"

    def run(self, for_s: float, dice: Random, cancels: float = 0.1) -> int:
        """A run that sends whatever it may, and dies; how many cancels could leave at its start.

        `cancels`: their share of what it wants to send, about 40 a second.
        """
        allowance, sender = Allowance(600), Sender(self)
        allowance.watch(sender)
        sender.send(START_READS)
        ledger = open_ledger(self._path, inline=True)
        requests = Requests(ledger, allowance, lambda: self.now_ns)
        may_cancel = allowance.left(self.now_ns)
        end_ns, kept_ns = self.now_ns + round(for_s * SECOND), self.now_ns
        while self.now_ns < end_ns:
            self.now_ns += dice.randrange(SECOND // 20)
            if self.now_ns - kept_ns >= EVERY_S * SECOND:
                kept_ns = self.now_ns
                requests.note()
            urgent = dice.random() < cancels
            if allowance.left(self.now_ns) if urgent else not allowance.ahead(self.now_ns):
                sender.send(1)
        ledger.close(1.0)
        return may_cancel

    def most_in_a_minute(self) -> int:
        return max(sum(at <= each < at + MINUTE for each in self.sent) for at in self.sent[::7])


class Sender:
    """What a run sends with."""

    def __init__(self, machine: Machine) -> None:
        self.sent = 0
        self._machine = machine

    def send(self, count: int) -> None:
        self.sent += count
        self._machine.sent += [self._machine.now_ns] * count


@pytest.mark.parametrize(("cancels", "left"), [(0.0, 10), (0.1, 10), (0.4, 0)])
def test_a_crash_loop_keeps_to_the_minute_and_can_cancel(
    tmp_path: Path, cancels: float, left: int
) -> None:
    for seed in range(3):
        dice, machine = Random(seed), Machine(tmp_path / str(seed))
        machine.run(90.0, dice, cancels)
        for _ in range(8):
            machine.now_ns += round(dice.uniform(0.2, 2.0) * SECOND)
            assert machine.run(dice.uniform(0.5, 15.0), dice, cancels) >= left
        assert 450 < machine.most_in_a_minute() <= 600


def test_a_minute_later_nothing_counts_any_more(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    first = machine.run(90.0, Random(1))
    machine.now_ns += MINUTE
    assert machine.run(1.0, Random(1)) == first == 564 - START_READS


def test_a_clock_set_back_does_not_free_what_was_sent(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(90.0, Random(1))
    machine.now_ns -= 60 * MINUTE
    assert machine.run(1.0, Random(1)) < 300
