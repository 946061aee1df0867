from mmbot.domain.events import Hindrance
from mmbot.risk.hindrances import Hindrances


def begin(name: str, market: int | None = None, reason: str | None = "late") -> Hindrance:
    return Hindrance(0, 0, name, market, reason)


def test_one_market_and_all_of_them() -> None:
    held = Hindrances(2)
    assert held.take(begin("book_lag", 1))
    assert [held.reason(0), held.reason(1)] == [None, "book_lag: late"]
    assert held.take(begin("account"))
    assert [held.reason(0), held.reason(1)] == ["account: late", "book_lag: late"]
    assert held.account() == ["account: late"]
    assert held.names() == [("book_lag", 1), ("account", None)]
    assert held.take(begin("account", reason=None))
    assert held.take(begin("book_lag", 1, None))
    assert [held.reason(0), held.reason(1)] == [None, None]


def test_a_repeated_word_changes_nothing() -> None:
    held = Hindrances(1)
    assert not held.take(begin("account", reason=None))
    assert held.take(begin("account"))
    assert not held.take(begin("account"))
    assert held.take(begin("account", reason="later"))
    assert held.reason(0) == "account: later"
    assert held.holds("account")
    assert not held.holds("account", 0)


def test_some_forbid_even_what_reduces() -> None:
    held = Hindrances(2)
    held.take(begin("warming"))
    assert not held.blocks(0)
    held.take(begin("market_frozen", 1))
    assert [held.blocks(0), held.blocks(1)] == [False, True]


def test_a_reason_that_says_nothing_more_is_left_out() -> None:
    held = Hindrances(1)
    held.take(begin("warming", reason="warming"))
    assert held.reason(0) == "warming"
