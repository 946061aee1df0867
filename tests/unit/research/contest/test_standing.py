"""Standings and differences from runs worked by hand."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from mmbot.errors import DataError
from mmbot.research.contest.outcome import Entry, Outcome, blocks, condense
from mmbot.research.contest.page import write_contest_page
from mmbot.research.contest.paired import Block
from mmbot.research.contest.standing import contest_document, judge, standing, value_keys
from mmbot.research.contest.text import contest_lines
from mmbot.research.markouts import Markout
from tests.unit.research.runs import hand_results, hand_run

HAND = condense(Entry("hand", "nowhere", "d1"), hand_results())


def outcome(name: str, profits: list[float], fills: int = 100, digest: str = "d1") -> Outcome:
    """A run of an hour with these profits, stretch by stretch, each on 1000 USD of volume."""
    values = HAND.values | {
        "fills_count": fills,
        "volume_usd": 1000.0 * len(profits),
        "pnl_net_usd": sum(profits),
    }
    return structs.replace(
        HAND,
        name=name,
        digest=digest,
        span_s=3600.0,
        values=values,
        blocks=tuple(Block(profit, 1000.0) for profit in profits),
    )


def test_a_run_is_cut_into_stretches_that_add_up() -> None:
    # 40 s in stretches of 10: the samples at 10, 20, 30 s belong to what ends there.
    found = blocks(hand_run())
    assert [round(each.profit_usd, 6) for each in found] == [0.298515, 0.29796, 0.04825, 0.0]
    # 3 x 99, 4 x 102 and 1 x 100 ticks of 0.05 USD.
    assert [each.volume_usd for each in found] == [14.85, 20.4, 5.0, 0.0]
    assert len(blocks(hand_run(), 40)) == 1
    assert blocks(hand_run(), 40)[0].profit_usd == pytest.approx(12_894_500_000 * 5e-11)


def test_condensed_it_keeps_what_the_report_says() -> None:
    assert HAND.values == hand_results().values()
    assert sum(HAND.lines.values()) == pytest.approx(0.644725)
    assert HAND.identity_atoms == 0
    assert HAND.gates_pct == {"spread too wide": pytest.approx(25.0)}
    # Positions 0, +3, -1, 0 lots of 0.1 for 10 s each, the last mid 49 USD: mean 0.5, squares 2.5.
    assert HAND.inventory_sd_usd == pytest.approx((2.5 - 0.25) ** 0.5 * 0.1 * 49)
    assert HAND.limit_usd == pytest.approx(3 * 0.1 * 49)


def test_a_standing_adds_up_its_runs() -> None:
    first = outcome("a", [1.0] * 20, fills=30)
    second = outcome("a", [-0.5] * 20, fills=10)
    found = standing([first, second], seed=1)
    assert (found.runs_count, found.hours, found.fills_count) == (2, 2.0, 40)
    assert found.pnl_net_usd == pytest.approx(10.0)
    assert found.pnl_per_hour_usd.value == pytest.approx(5.0)
    assert found.pnl_net_bps is not None
    # 10 USD of 40,000.
    assert found.pnl_net_bps.value == pytest.approx(2.5)
    # 20 stretches of +1, 20 of -0.5, drawn 40 times: sd sqrt(40) * 0.75 over two hours.
    assert found.pnl_per_hour_usd.low == pytest.approx(5 - 1.645 * 0.75 * 40**0.5 / 2, abs=0.4)
    assert found.pnl_per_hour_usd.high == pytest.approx(5 + 1.645 * 0.75 * 40**0.5 / 2, abs=0.4)


def test_markouts_pool_by_fills() -> None:
    one = structs.replace(HAND, markouts=(Markout(5.0, "all", 30, 1, 2.0, 0.4),))
    two = structs.replace(HAND, markouts=(Markout(5.0, "all", 10, 0, -2.0, 0.8),))
    none = structs.replace(HAND, markouts=(Markout(5.0, "all", 0, 0, None, None),))
    (found,) = standing([one, two, none], seed=1).markouts
    # (30 x 2 - 10 x 2) / 40; sqrt(12^2 + 8^2) / 40.
    assert (found.fills_count, found.unmatured_count, found.mean_bps) == (40, 1, 1.0)
    assert found.se_bps == pytest.approx(208**0.5 / 40)


def test_a_difference_is_paired_and_has_a_verdict() -> None:
    market = [(-1.0) ** n * 50 for n in range(40)]
    base = outcome("base", market)
    better = outcome("better", [each + 0.5 + 0.1 * (n % 2) for n, each in enumerate(market)])
    noise = outcome("noise", [each + (n % 4 - 1.5) for n, each in enumerate(market)])
    few = outcome("few", [each + 5 for each in market], fills=99)
    contest = judge([base, better, noise, few], "hand", seed=3)
    found = {each.name: each for each in contest.contrasts}
    assert found["better"].per_hour_usd.value == pytest.approx(22.0)
    assert found["better"].verdict == "significant"
    assert found["better"].per_hour_usd.low == pytest.approx(22.0, abs=0.8)
    assert found["noise"].verdict == "not significant: the 90 % interval contains 0"
    assert found["few"].verdict == "not significant: 99 fills, 100 are needed on each side"
    assert not found["few"].significant
    short = judge([outcome("a", [0.0] * 9), outcome("b", [1.0] * 9)], "hand", seed=3)
    assert short.contrasts[0].verdict == "not significant: 9 stretches of time, 10 are needed"


def test_many_runs_count_one_each() -> None:
    # Within a run the stretches are alike: as independent draws they would promise too much.
    runs = [outcome("a", [float(seed)] * 10, digest=f"d{seed}") for seed in range(10)]
    found = standing(runs, seed=5)
    assert found.pnl_per_hour_usd.value == pytest.approx(45.0)
    # Ten draws of 0 to 90, sd 28.7, a tenth of their sum; a hundred would make it 40.3.
    assert found.pnl_per_hour_usd.low == pytest.approx(45 - 1.645 * 28.7 / 10**0.5, abs=2)


def test_other_markets_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="b and a did not run on the same markets"):
        judge([outcome("a", [1.0]), outcome("b", [1.0], digest="d2")], "hand", seed=1)


def test_lines_document_and_page(tmp_path: Path) -> None:
    contest = judge([outcome("a", [1.0] * 12), outcome("b", [2.0] * 12, fills=5)], "hand", seed=1)
    text = "\n".join(contest_lines(contest))
    assert "b less a" in text
    assert "not significant: 5 fills, 100 are needed on each side" in text
    assert "! a: 25 % of the time not quoted as it wanted: spread too wide" in text
    document = json.loads(json.dumps(contest_document(contest)))
    assert document["schema"] == "mmbot.contest/1"
    assert document["standings"][1]["pnl_net_usd"] == 24.0
    assert set(value_keys()) == set(contest.standings[0].values())
    page = tmp_path / "index.html"
    write_contest_page(page, contest)
    assert "not significant: 5 fills" in page.read_text()
