"""X01-X10, D01-D02, O01-O03, H01-H04, M02-M04: the process, its disk, its people, its enemies."""

from random import Random

from tests.faults import acts
from tests.faults.scenario import Entry, Expect, Scenario, begin, during, together
from tests.simulation.schedule import Fault, Schedule

# A new run waits until nothing signed by the one before can land.
RESTARTED_S = 20.0
RESTARTED = Expect(back_s=RESTARTED_S)


def crash_while_late(dice: Random) -> Schedule:
    """Kill the bot while its requests are slow, so that they land in the next run."""
    at_s = begin(dice)
    slow = Fault(at_s, 8.0, "act.slow", {"p": 0.6, "ms": 1500, "jitter_ms": 2500})
    return (slow, Fault(at_s + dice.uniform(0.5, 4.0), 0.1, "host.kill", {"restart_s": 0.5}))


ENTRIES: tuple[Entry, ...] = (
    Scenario(
        id="X01",
        says="kill -9 while requests are under way",
        faults=crash_while_late,
        expect=RESTARTED,
    ),
    Scenario(
        id="X02",
        says="SIGTERM while a place is under way",
        faults=during("act.slow", 20.0, p=0.7, ms=1500, jitter_ms=1500),
        act=acts.stops_while_busy,
        expect=Expect(back_s=None),
        settled=False,
    ),
    Scenario(
        id="X03",
        says="SIGTERM under a rate limit",
        faults=during("rl.limit", 30.0, places_s=2, cancels_s=2, rest_min=600),
        act=acts.stops_while_busy,
        expect=Expect(back_s=None),
        settled=False,
    ),
    Scenario(
        id="X04",
        says="a task dies of an exception",
        act=acts.task_dies,
        expect=Expect(back_s=None),
        ends=False,
        settled=False,
    ),
    Scenario(
        id="X05",
        says="the loop is blocked",
        faults=during("app.block_loop", 3.0),
        act=acts.first_word_is_no_place,
        expect=Expect(back_s=10.0),
    ),
    Scenario(
        id="X06",
        says="nothing is decided any more, though the loop turns",
        act=acts.wedged,
        expect=Expect(back_s=None),
    ),
    Scenario(
        id="X07",
        says="crash loop",
        faults=during("app.crash_on_start", 3.0, times=5),
        expect=RESTARTED,
    ),
    Scenario(
        id="X08",
        says="killed between sending and knowing",
        faults=during("host.kill", 1.0, point="after_send", restart_s=0.3),
        expect=Expect(back_s=30.0),
    ),
    Scenario(
        id="X09",
        says="a second instance on the account",
        act=acts.second_instance,
        expect=Expect(back_s=None),
    ),
    Scenario(
        id="X10",
        says="halted while disk and network fail",
        faults=together(
            ("disk.full", 10.0, {}),
            ("rest.5xx", 4.0, {"p": 0.5}),
            ("act.drop_resp", 4.0, {"p": 0.3}),
        ),
        act=acts.halt_ordered,
        expect=Expect(back_s=None),
        settled=False,
    ),
    Scenario(
        id="D01",
        says="the disk is full",
        faults=during("disk.full"),
        expect=Expect(off_s=6.0, back_s=10.0),
    ),
    Scenario(
        id="D02",
        says="every write takes seconds",
        faults=during("disk.slow", 12.0, ms=3000),
        expect=Expect(back_s=15.0),
    ),
    Scenario(
        id="O01",
        says="somebody else's order on the account",
        faults=during("acct.foreign_order", 3.0, lots=7, offset_bps=300.0),
        act=acts.foreign_order_stays,
        expect=Expect(markets=(), back_s=None),
    ),
    Scenario(
        id="O02",
        says="money comes in from outside",
        faults=during("acct.transfer", 3.0, usd=5_000),
        expect=Expect(markets=(), back_s=None),
    ),
    Scenario(
        id="O03",
        says="stopped twice, started while stopping",
        act=acts.many_commands,
        expect=Expect(back_s=None),
        settled=False,
    ),
    Scenario(
        id="H01",
        says="a book ten times too high",
        faults=during("md.spoof", 4.0, p=0.3, factor=10.0),
        expect=Expect(back_s=8.0),
    ),
    Scenario(
        id="H02",
        says="poisoned reference prices",
        faults=together(
            ("ref.spike", 6.0, {"p": 0.2, "factor": 1000.0}), ("ref.nan", 6.0, {"p": 0.2})
        ),
        expect=Expect(back_s=8.0),
    ),
    Scenario(
        id="H03",
        says="redirected to another host",
        faults=during("http.redirect", 8.0, p=1.0),
        expect=Expect(back_s=12.0),
    ),
    Scenario(
        id="H04",
        says="answers that never end, or that explode",
        faults=together(
            ("http.bomb", 6.0, {"p": 0.3, "bytes": 8_000_000}),
            ("http.slowloris", 6.0, {"p": 0.5, "ms": 200}),
        ),
        expect=Expect(back_s=12.0),
    ),
    Scenario(
        id="M02",
        says="connections are reset over and over, none may be left behind",
        faults=lambda dice: tuple(
            Fault(round(1.5 * each + begin(dice), 2), 0.1, "net.reset", {}) for each in range(4)
        ),
        expect=Expect(back_s=20.0),
    ),
    Scenario(
        id="M03",
        says="the processor is taken away again and again",
        faults=lambda dice: tuple(
            Fault(round(0.9 * each + begin(dice), 2), 0.4, "host.pause", {}) for each in range(6)
        ),
        expect=Expect(back_s=10.0),
    ),
    Scenario(
        id="M04",
        says="far fewer requests are allowed than wanted",
        faults=during("rl.limit", 10.0, places_s=1, cancels_s=1, rest_min=30),
        expect=Expect(back_s=20.0),
    ),
)
