"""The way out: paced, bounded, put together, in order of urgency, through failures."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.notices import Severity
from mmbot.interfaces.telegram.outbox import MOST_WAITING, Outbox, Post, Queue
from mmbot.interfaces.telegram.outlet import Fault, LineError, Sending
from mmbot.interfaces.telegram.params import AlertParams, TelegramParams
from mmbot.interfaces.telegram.talk import InForce
from tests.simulation.loop import VirtualLoop

INFO, WARNING, CRITICAL = Severity
CHATS = TelegramParams.model_validate({"chats": [{"id": 7}, {"id": -8, "topic_id": 3}]})


class Wire:
    """An outlet that keeps what was sent and when; `faults` are raised first."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, Sending]] = []
        self.edits: list[tuple[float, int, str]] = []
        self.faults: list[Fault] = []
        self.takes_s = 0.0
        self.counts = Counter[tuple[Severity, bool]]()
        self.shut: list[tuple[int, Fault]] = []

    def delivered(self, severity: Severity, *, taken: bool) -> None:
        self.counts[severity, taken] += 1

    def gave_up(self, chat_id: int, fault: Fault) -> None:
        self.shut.append((chat_id, fault))

    async def send(self, sending: Sending) -> int:
        if self.faults:
            raise LineError(self.faults.pop(0))
        self.sent.append((asyncio.get_running_loop().time(), sending))
        number = len(self.sent)
        await asyncio.sleep(self.takes_s)
        return number

    async def edit(
        self, chat_id: int, message_id: int, text: str, buttons: Sequence[tuple[str, str]] = ()
    ) -> None:
        assert chat_id in (7, -8)
        assert not buttons
        if self.faults:
            raise LineError(self.faults.pop(0))
        self.edits.append((asyncio.get_running_loop().time(), message_id, text))

    async def pressed(self, query_id: str, text: str = "") -> None:
        raise AssertionError(query_id, text)

    def to(self, chat: int) -> list[tuple[float, str]]:
        return [(at, sending.text) for at, sending in self.sent if sending.chat_id == chat]


def played(script: Callable[[Outbox, Wire], Awaitable[None]]) -> None:
    async def whole() -> None:
        wire = Wire()
        outbox = Outbox(wire, InForce(CHATS, AlertParams()), lambda: "[bot]", wire)
        running = asyncio.create_task(outbox.run())
        try:
            await script(outbox, wire)
        finally:
            running.cancel()
            await asyncio.wait((running,))

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(whole())


def test_one_message_a_second_and_the_rest_together() -> None:
    async def script(outbox: Outbox, wire: Wire) -> None:
        for number in range(40):
            outbox.post(Post(f"n{number}", INFO, f"text {number}"))
        await asyncio.sleep(10)
        sent = wire.to(7)
        assert len(sent) <= 2
        words = "\n\n".join(text for _, text in sent)
        assert all(f"text {number}" in words for number in range(40))
        assert all(late - early >= 1.0 for (early, _), (late, _) in pairwise(sent))
        assert next(each.thread_id for _, each in wire.sent if each.chat_id == -8) == 3

    played(script)


def test_what_is_critical_waits_a_second_at_most() -> None:
    async def script(outbox: Outbox, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        for number in range(100):
            outbox.post(Post(f"n{number}", WARNING, "x" * 900))
        await asyncio.sleep(5.3)
        posted_s = loop.time()
        for number in range(3):
            outbox.post(Post(f"c{number}", CRITICAL, f"HALTED {number}"))
        await asyncio.sleep(3)
        found = [(at, text) for at, text in wire.to(7) if "HALTED" in text]
        assert len(found) == 1
        assert found[0][0] - posted_s <= 1.0
        assert all(f"HALTED {number}" in found[0][1] for number in range(3))

    played(script)


def test_corrections_of_a_message_made_of_several() -> None:
    async def script(outbox: Outbox, wire: Wire) -> None:
        outbox.post(Post("a", WARNING, "one"))
        await asyncio.sleep(0.1)
        outbox.post(Post("b", WARNING, "two"))
        outbox.post(Post("c", WARNING, "three"))
        outbox.post(Post("b", WARNING, "two (2x)", correction=True))
        outbox.post(Post("z", WARNING, "nobody was told", correction=True))
        await asyncio.sleep(2)
        assert [text for _, text in wire.to(7)] == ["[bot] one", "[bot] two (2x)\n\nthree"]
        for number in range(3, 30):
            outbox.post(Post("b", WARNING, f"two ({number}x)", correction=True))
        await asyncio.sleep(4)
        edits = [text for _, _, text in wire.edits]
        assert edits[-1] == "[bot] two (29x)\n\nthree"
        # In two chats, and each only as often as it is worth it.
        assert len(edits) <= 4

    played(script)


def test_nothing_critical_is_lost_in_an_outage_and_memory_is_bounded() -> None:
    async def script(outbox: Outbox, wire: Wire) -> None:
        wire.faults = [Fault.NETWORK] * 40
        for number in range(5_000):
            outbox.post(Post(f"i{number}", INFO, f"info {number}"))
            if number % 500 == 0:
                outbox.post(Post(f"c{number}", CRITICAL, f"critical {number}"))
            if number % 100 == 0:
                await asyncio.sleep(1)
        assert outbox.dropped > 9_000
        await asyncio.sleep(1_000)
        words = "\n\n".join(text for _, text in wire.to(7))
        assert [f"critical {number}" in words for number in range(0, 5_000, 500)] == [True] * 10
        assert words.count("info") <= MOST_WAITING
        # The newest of what is less important is kept.
        assert "info 4999" in words

    played(script)


def test_what_is_under_way_at_the_end_is_not_told_twice() -> None:
    async def whole() -> None:
        wire = Wire()
        wire.takes_s = 0.5
        outbox = Outbox(wire, InForce(CHATS, AlertParams()), lambda: "[bot]", wire)
        running = asyncio.create_task(outbox.run())
        outbox.post(Post("halted", CRITICAL, "halted"))
        await asyncio.sleep(0.2)
        outbox.post(Post("end", INFO, "the run ends"))
        running.cancel()
        await asyncio.wait((running,))
        await outbox.drain()
        for chat in (7, -8):
            assert [text for _, text in wire.to(chat)] == ["[bot] halted", "[bot] the run ends"]

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(whole())


def test_every_try_to_tell_is_counted() -> None:
    async def script(outbox: Outbox, wire: Wire) -> None:
        wire.faults = [Fault.NETWORK] * 3
        outbox.post(Post("a", WARNING, "one", not_to=-8))
        outbox.post(Post("b", INFO, "two", not_to=-8))
        await asyncio.sleep(60)
        assert wire.counts == {
            (each, taken): 1 + 2 * (not taken)
            for each in (INFO, WARNING)
            for taken in (True, False)
        }
        # A correction tells nobody anything new.
        outbox.post(Post("a", WARNING, "one (2x)", correction=True))
        await asyncio.sleep(5)
        assert wire.counts[WARNING, True] == 1

    played(script)


def test_a_chat_that_takes_nothing_holds_nobody_up() -> None:
    async def script(outbox: Outbox, wire: Wire) -> None:
        wire.faults = [Fault.REFUSED]
        outbox.post(Post("a", WARNING, "one"))
        await asyncio.sleep(5)
        assert len(wire.sent) == 1
        assert (outbox.failed, outbox.dropped) == (1, 1)
        assert [fault for _, fault in wire.shut] == [Fault.REFUSED]
        outbox.post(Post("b", WARNING, "two"))
        await asyncio.sleep(5)
        assert len(wire.sent) == 3

    played(script)


@given(
    st.lists(st.tuples(st.integers(0, 250), st.sampled_from(Severity), st.booleans()), max_size=300)
)
def test_a_queue_never_holds_more_than_it_may(puts: list[tuple[int, Severity, bool]]) -> None:
    queue = Queue()
    urgent: set[str] = set()
    for number, (key, severity, correction) in enumerate(puts):
        queue.put(Post(f"{key}", severity, f"{number}", correction=correction))
        if severity is CRITICAL and not correction:
            urgent.add(f"{key}")
        else:
            # Another text under its key may be less severe.
            urgent -= set() if correction else {f"{key}"}
        assert len(queue) <= MOST_WAITING
    sent = 0
    while queue:
        posts = queue.next()
        assert posts
        sent += 1
        queue.sent(posts, sent)
        urgent -= {post.key for post in posts}
    assert not urgent
