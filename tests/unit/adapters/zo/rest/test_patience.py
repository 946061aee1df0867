"""Nothing is read while the venue asks to be left alone."""

import asyncio

import pytest

from mmbot.adapters.zo.rest.allowance import Allowance
from mmbot.adapters.zo.rest.patience import PatientReads
from mmbot.adapters.zo.rest.transport import Reply
from mmbot.errors import RateLimited, Unavailable

S = 10**9


class Venue:
    """Answers with 429 as long as it is `busy`, and knows what it was asked."""

    def __init__(self, retry_after: str) -> None:
        self.busy = True
        self.reachable = True
        self.asked: list[str] = []
        self.now_ns = 5 * S
        self._retry_after = retry_after
        self.reads = PatientReads(self, lambda: self.now_ns, Allowance())  # type: ignore[arg-type]

    async def get(self, target: str) -> Reply:
        self.asked.append(target)
        if not self.reachable:
            raise Unavailable("no way there")
        if self.busy:
            return Reply(429, "", self._retry_after, b"")
        return Reply(200, "application/json", "", b"{}")

    def read(self, target: str) -> Reply:
        return asyncio.run(self.reads.get(target))

    def refused_for(self, target: str) -> float | None:
        with pytest.raises(RateLimited) as caught:
            self.read(target)
        return caught.value.retry_after_s


@pytest.mark.parametrize(("header", "wished_s", "wait_s"), [("3", 3.0, 3.0), ("", None, 1.0)])
def test_one_request_for_each_time_it_asked_for(
    header: str, wished_s: float | None, wait_s: float
) -> None:
    venue = Venue(header)
    assert venue.refused_for("/info") == wished_s
    venue.now_ns += round(wait_s * S) - S // 4
    assert venue.refused_for("/account/1?a=b") == 0.25
    venue.now_ns += S // 4
    assert venue.refused_for("/timestamp") == wished_s
    venue.now_ns += round(wait_s * S)
    venue.busy = False
    assert venue.read("/timestamp").status == 200
    assert venue.read("/info").status == 200
    assert venue.asked == ["/info", "/timestamp", "/timestamp", "/info"]


def test_a_wish_of_no_time_holds_nobody_up() -> None:
    venue = Venue("0")
    assert venue.refused_for("/info") == 0.0
    venue.busy = False
    assert venue.read("/info").status == 200


def test_what_can_wait_leaves_requests_to_what_cannot() -> None:
    venue = Venue("0")
    venue.busy = False
    for _ in range(20):
        assert venue.read("/account/1").status == 200
    books, wait_s = 0, None
    while wait_s is None and books < 600:
        try:
            venue.read("/market/1/orderbook")
            books += 1
        except RateLimited as refused:
            wait_s = refused.retry_after_s
    assert wait_s is not None
    assert 0 < books < 600
    assert venue.refused_for("/account/1/history/liquidation?pageSize=50") == wait_s
    for other in ("/timestamp", "/trades?makerId=1", "/account/1"):
        assert venue.read(other).status == 200
    assert len(venue.asked) == books + 23
    venue.now_ns += round(wait_s * S)
    assert venue.read("/market/1/orderbook").status == 200


def test_the_first_answer_after_silence_is_told_whatever_it_says() -> None:
    venue = Venue("0")
    told: list[int] = []
    venue.reads.when_back += [lambda: told.append(1), lambda: told.append(2)]
    venue.refused_for("/info")
    assert told == []
    venue.reachable = False
    for _ in range(3):
        with pytest.raises(Unavailable):
            venue.read("/info")
    assert told == []
    venue.reachable = True
    venue.refused_for("/info")
    assert told == [1, 2]
    venue.busy = False
    venue.read("/info")
    assert told == [1, 2]
