"""The terminal summary and the wording of numbers."""

import pytest
from msgspec import structs

from mmbot.domain.order import Side
from mmbot.research.compare import compare
from mmbot.research.record import Recorder
from mmbot.research.results import describe
from mmbot.research.summary import comparison_summary, summary
from mmbot.research.text import amount, iso_time, money, money_column, number, signed, span
from tests.unit.research.runs import (
    HEADER,
    SECOND,
    START,
    fill,
    hand_results,
    hand_run,
    inverse,
    linear,
)


def test_a_narrow_terminal_gets_the_title_in_a_line_of_its_own() -> None:
    results = hand_results()
    wide = summary(results)
    narrow = summary(results, columns=50)
    assert narrow[0] == "Result (queue, 5 ms, seed 7)"
    assert narrow[1].split() == ["Profit", "(USD)"]
    assert [line.split() for line in narrow[2:]] == [line.split() for line in wide[1:]]
    assert summary(results, columns=200) == wide


def test_the_summary_of_the_hand_worked_run() -> None:
    lines = [" ".join(line.split()) for line in summary(hand_results())]
    assert lines[0] == "Result (queue, 5 ms, seed 7) Profit (USD)"
    assert lines[1] == "return +0.064 % spread, maker +0.3500"
    text = "\n".join(lines)
    for words in (
        "fills 3 ",
        "win rate 100.0 % net / volume",
        "quote uptime 50.0 %",
        "net profit +0.6447\n",
        "before fees +0.6500\n",
        "lines less equity 0 atoms\n",
        "! the run spans 40.0 s: less than a day proves little",
        "! 3 fills: under 100 nothing is significant",
        "! the run ended before the 30 s markout of 2 of 2 fills: left out",
    ):
        assert words in text, words
    assert "\x1b" not in text


def test_columns_are_aligned() -> None:
    lines = summary(hand_results())[1:14]
    assert len({len(line) for line in lines}) == 1
    gaps = set.intersection(*({i for i, c in enumerate(line) if c == " "} for line in lines))
    assert len(gaps) >= 6


def test_colours_only_when_asked() -> None:
    assert any("\x1b[32m" in line for line in summary(hand_results(), colour=True))


def test_several_markets_have_a_table() -> None:
    recorder = Recorder([linear(), inverse(1)], 10**9)
    recorder.fill(fill(0, 1, Side.BID, 100, 1))
    text = "\n".join(summary(describe(HEADER, recorder.finish(START + SECOND, [200, 200]))))
    assert "\nXYZ " in text
    assert "\nCOIN " in text


def test_warnings() -> None:
    header = structs.replace(
        HEADER, optimistic_fills=True, market_volume_usd=402.5, notes=("a gap at 12:00",)
    )
    warnings = describe(header, hand_run()).warnings
    assert "fill model queue is optimistic: expect less when trading" in warnings
    # 40.25 of 402.5 USD.
    assert "10.0 % of the market's volume: it would have noticed" in warnings
    assert warnings[-1] == "a gap at 12:00"
    modest = structs.replace(HEADER, market_volume_usd=1e6)
    assert not any("noticed" in warning for warning in describe(modest, hand_run()).warnings)


def test_a_long_run_with_many_fills_has_no_warnings() -> None:
    recorder = Recorder([linear()], 10**9)
    for place in range(100):
        recorder.fill(fill(place, place, Side.BID if place % 2 else Side.ASK, 100, 1))
        for horizon in range(3):
            recorder.mark(place, horizon, 200, matured=True)
    recorder.start_ns = START
    assert describe(HEADER, recorder.finish(START + 86_400 * SECOND, [200])).warnings == ()


def test_comparison_lines() -> None:
    runs = [describe(structs.replace(HEADER, name=name), hand_run()) for name in ("one", "two")]
    lines = comparison_summary(compare(runs, seed=1))
    assert lines[0].split() == ["one", "two"]
    assert any(line.split() == ["volume_usd", "40.2500", "40.2500"] for line in lines)
    assert lines[-1].startswith("two less one: 0 USD, 90 % interval 0 to 0 over 1 minutes: not sig")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (money(1234.5), "+1,234.50"),
        (money(-0.01234), "-0.0123"),
        (money(0), "+0.00"),
        (money(-123456.7), "-123,457"),
        (amount(1234.567), "1,234.57"),
        (amount(1_020_400), "1,020,400"),
        (number(None, 2), "-"),
        (number(1234.5, 1, " %"), "1,234.5 %"),
        (signed(2, 1, " bps"), "+2.0 bps"),
        (signed(None, 1, " bps"), "-"),
        (span(5.25), "5.2 s"),
        (span(345), "5 min 45 s"),
        (span(7500), "2 h 05 min"),
        (span(90_000), "1 d 01 h"),
        (iso_time(1_700_006_400_123_456_789), "2023-11-15T00:00:00.123Z"),
    ],
)
def test_wording(found: str, expected: str) -> None:
    assert found == expected


def test_a_column_has_one_precision() -> None:
    assert money_column([1.5, -0.25, 0]) == ["+1.5000", "-0.2500", "0"]
    assert money_column([15, -0.25]) == ["+15.00", "-0.25"]
