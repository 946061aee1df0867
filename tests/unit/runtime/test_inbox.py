"""The door to the engine: order of arrival, what may be left out, and its end."""

from mmbot.domain.events import BookUpdate, Event, Transfer
from mmbot.runtime.inbox import Inbox


def book(number: int) -> BookUpdate:
    return BookUpdate(number, number, 0)


def test_what_comes_meanwhile_waits_its_turn() -> None:
    seen: list[int] = []

    def take(event: Event) -> None:
        seen.append(event.ts_recv_ns)
        if event.ts_recv_ns == 1:
            inbox.emit(Transfer(0, 2, 5))
            inbox.emit(Transfer(0, 3, 5))
        seen.append(-event.ts_recv_ns)

    inbox = Inbox(take, lambda _: None, 10)
    inbox.emit(Transfer(0, 1, 5))
    assert seen == [1, -1, 2, -2, 3, -3]


def test_prices_are_left_out_when_too_many_wait_and_nothing_else() -> None:
    seen: list[Event] = []

    def take(event: Event) -> None:
        seen.append(event)
        if len(seen) == 1:
            for number in range(5):
                inbox.emit(book(number))
                inbox.emit(Transfer(0, number, 1))

    inbox = Inbox(take, lambda _: None, 3)
    inbox.emit(book(99))
    assert sum(isinstance(each, Transfer) for each in seen) == 5
    assert sum(isinstance(each, BookUpdate) for each in seen) == 3
    assert inbox.take_left_out() == 3
    assert inbox.take_left_out() == 0


def test_a_failure_ends_it_and_does_not_reach_who_called() -> None:
    failures: list[Exception] = []
    seen: list[Event] = []

    def take(event: Event) -> None:
        seen.append(event)
        raise ValueError("torn")

    inbox = Inbox(take, failures.append, 10)
    inbox.emit(book(1))
    inbox.emit(book(2))
    assert len(seen) == 1
    assert [str(each) for each in failures] == ["torn"]
    assert inbox.failure is failures[0]


def test_closed_it_deals_with_nothing() -> None:
    seen: list[Event] = []
    inbox = Inbox(seen.append, lambda _: None, 10)
    inbox.close()
    inbox.emit(book(1))
    assert not seen
