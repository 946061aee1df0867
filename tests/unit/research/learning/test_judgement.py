"""Verdicts on rows whose truth is known; scores and folds worked by hand."""

import sys
from collections.abc import Callable
from math import exp, log
from random import Random

import pytest

from mmbot.research.calibration.looks import stretch_of
from mmbot.research.contest.paired import Estimate
from mmbot.research.learning.folds import EMBARGO_NS, Fold, folds, missing
from mmbot.research.learning.judgement import Judgement, displaced, judged, may_be_used
from mmbot.research.learning.samples import DEPTHS_BPS, ROWS, SIGNALS, Sample
from mmbot.research.learning.scores import brier, log_loss
from mmbot.research.learning.text import foretold_lines, verdict_words
from mmbot.research.learning.verdict import verdict
from tests.unit.research.learning.test_samples import STEP_NS, look, restless

DECISION_NS = 500_000_000
IMBALANCE = SIGNALS.index("imbalance")
RETURNS = SIGNALS.index("return 1 s")
SIGMA = SIGNALS.index("sigma 10 s")

Log = Callable[[tuple[float, ...]], float]
"""Log odds of a fill given the signals."""


def made(decisions: int, odds: Log, seed: int) -> list[Sample]:
    """Rows of signals without a pattern, filled at the odds that they give."""
    random = Random(seed)
    found = []
    for n in range(decisions):
        for row in range(ROWS):
            signals = tuple(random.gauss(0, 1) for _ in SIGNALS)
            filled = random.random() < 1 / (1 + exp(-odds(signals)))
            times = n * DECISION_NS, n * DECISION_NS + 1_100_000_000
            found.append(Sample(*times, row % len(DEPTHS_BPS), signals, filled))
    return found


def judge(rows: list[Sample]) -> Judgement:
    """Judge as reports do."""
    cut = folds(rows)
    assert missing(rows, cut) == ""
    return judged(rows, cut, seed=1)


def low(gain: Estimate) -> float:
    """The lower end."""
    assert gain.low is not None
    return gain.low


def test_scores_by_hand() -> None:
    assert brier(0.3, True) == pytest.approx(0.49)
    assert brier(0.3, False) == pytest.approx(0.09)
    assert log_loss(0.25, True) == pytest.approx(log(4))
    assert log_loss(0.25, False) == pytest.approx(log(4 / 3))
    assert log_loss(0.0, True) == pytest.approx(log(1e6))


def test_folds_by_hand() -> None:
    rows = made(1000, lambda _: 0.0, 1)
    cut = folds(rows)
    # The first 400 are only learned from; 600 make five folds of 120 decisions.
    assert [each.foretold for each in cut] == [
        range(start * ROWS, (start + 120) * ROWS) for start in (400, 520, 640, 760, 880)
    ]
    # A minute is 120 decisions, and an end is known 1.1 s later: 280 - 2.2 is 277, the 278th.
    assert [each.learned for each in cut] == [
        range(count * ROWS) for count in (278, 398, 518, 638, 758)
    ]
    for each in cut:
        gap_ns = rows[each.foretold.start].decided_ns - rows[each.learned.stop - 1].known_ns
        assert EMBARGO_NS <= gap_ns < EMBARGO_NS + DECISION_NS


def test_folds_too_short_are_told() -> None:
    rows = made(540, lambda _: 0.0, 1)
    assert missing(rows, folds(rows)) == (
        "too short: 94 decisions to learn from at first, 100 needed"
    )
    assert missing([], folds([])).startswith("too short: 0 decisions")
    never = [each._replace(filled=False) for each in made(1000, lambda _: 0.0, 1)]
    assert missing(never, folds(never)) == "all that is learned from at first ended the same way"


def test_what_signals_say_is_learned() -> None:
    def odds(signals: tuple[float, ...]) -> float:
        return 1.5 * signals[RETURNS] - signals[IMBALANCE] + 0.5 * signals[SIGMA]

    rows = made(700, odds, 2)
    found = judge(rows)
    assert found.usable
    assert found.best_simple == "imbalance"
    assert found.folds_won == 5
    assert all(low(gain) > 0.01 for gain in found.gains.values())
    assert found.foretold_count == 420 * ROWS
    for name, gain in found.gains.items():
        difference = found.scores[name].brier - found.scores["learned"].brier
        assert gain.value == pytest.approx(difference)
        assert low(gain) < gain.value < (gain.high or 0)
    # Nobody does better than who knows the odds, and what was learned does not do much worse.
    unseen = rows[280 * ROWS :]
    chances = [1 / (1 + exp(-odds(each.signals))) for each in unseen]
    truth = sum((c - e.filled) ** 2 for c, e in zip(chances, unseen, strict=True)) / len(unseen)
    assert truth < found.scores["learned"].brier < 1.03 * truth


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_learned_from_noise(seed: int) -> None:
    found = judge(made(600, lambda _: -1.0, seed))
    assert not found.usable
    assert all(low(gain) <= 0 for gain in found.gains.values())


def test_what_imbalance_alone_says_needs_no_learning() -> None:
    found = judge(made(600, lambda s: -2 * s[IMBALANCE], 4))
    assert low(found.gains["constant"]) > 0.05
    assert low(found.gains["volatility"]) > 0.05
    assert found.best_simple == "imbalance"
    assert low(found.gains["imbalance"]) <= 0
    assert not found.usable


def test_what_volatility_alone_says_needs_no_learning() -> None:
    found = judge(made(600, lambda s: 2 * s[SIGMA], 5))
    assert found.best_simple == "volatility"
    assert low(found.gains["imbalance"]) > 0.05
    assert not found.usable


def test_an_end_that_is_known_before_is_caught_by_the_placebo() -> None:
    # Learned from is what is foretold: noise looks like knowledge, on every fold, for sure.
    rows = made(400, lambda _: 0.0, 6)
    parts = [range(start * ROWS, (start + 80) * ROWS) for start in range(0, 400, 80)]
    found = judged(rows, [Fold(each, each) for each in parts], seed=1)
    assert all(low(gain) > 0 for gain in found.gains.values())
    assert found.folds_won == 5
    assert low(found.placebo_gain) > 0
    assert not found.usable


def test_a_gain_on_three_of_five_folds_is_not_enough() -> None:
    # From the fourth fold on, decision 532, what was learned is far too bold.
    strong = made(700, lambda s: 2.5 * s[RETURNS], 7)
    weak = made(700, lambda s: 0.4 * s[RETURNS], 7)
    found = judge(strong[: 532 * ROWS] + weak[532 * ROWS :])
    assert found.folds_won == 3
    assert all(low(gain) > 0.01 for gain in found.gains.values())
    assert not found.usable


SURE, UNSURE = Estimate(0.01, 0.001, 0.02), Estimate(0.01, -0.001, 0.02)
NONE, SHORT = Estimate(-0.001, -0.002, 0.001), Estimate(0.01, None, None)


@pytest.mark.parametrize(
    ("gains", "won_share", "placebo", "expected"),
    [
        ((SURE, SURE), 0.8, NONE, True),
        ((SURE, SURE), 1.0, UNSURE, True),
        ((SURE, SURE), 0.6, NONE, False),
        ((SURE, UNSURE), 1.0, NONE, False),
        ((UNSURE, SURE), 1.0, NONE, False),
        ((SURE, SHORT), 1.0, NONE, False),
        ((SURE, SURE), 1.0, SURE, False),
    ],
)
def test_the_rule(
    gains: tuple[Estimate, Estimate], won_share: float, placebo: Estimate, expected: bool
) -> None:
    named = dict(zip(("constant", "imbalance"), gains, strict=True))
    assert may_be_used(named, won_share, placebo) is expected


def test_the_constant_by_hand() -> None:
    # Of each depth every second quote is filled: a chance of a half, whoever learned from how many.
    rows = [
        each._replace(filled=n % ROWS < len(DEPTHS_BPS))
        for n, each in enumerate(made(560, lambda _: 0.0, 8))
    ]
    found = judge(rows)
    assert found.scores["constant"].brier == 0.25
    assert found.scores["constant"].log_loss == pytest.approx(log(2))
    assert found.filled_share == 0.5


def test_the_constant_knows_the_depth() -> None:
    # The nearest is always filled and nothing else; half a fill of one more than n at each depth.
    rows = [each._replace(filled=each.depth == 0) for each in made(700, lambda _: 0.0, 9)]
    cut = folds(rows)
    # Decisions, two quotes a depth: 280 less the 122.2 that the gap and the horizon take.
    counts = [2 * learned for learned in (158, 242, 326, 410, 494)]
    assert [len(each.learned) // 3 for each in cut] == counts
    errors = [(0.5 / (count + 1)) ** 2 for count in counts]
    found = judge(rows)
    assert found.scores["constant"].brier == pytest.approx(sum(errors) / 5)
    # Without the depth nobody would come below 1/3 x 2/3.
    assert all(score.brier < 0.02 for score in found.scores.values())


def test_the_placebo_moves_signals_and_nothing_else() -> None:
    rows = made(5, lambda _: 0.0, 1)
    moved = displaced(rows)
    assert [each._replace(signals=()) for each in moved] == [
        each._replace(signals=()) for each in rows
    ]
    # Two decisions later, the last two get the first ones.
    assert [each.signals for each in moved] == [
        rows[(n + 2 * ROWS) % (5 * ROWS)].signals for n in range(5 * ROWS)
    ]


def test_it_repeats() -> None:
    rows = made(560, lambda s: s[RETURNS], 10)
    assert judge(rows) == judge(list(rows))


def test_the_words_say_every_figure() -> None:
    found = judge(made(560, lambda s: -2 * s[IMBALANCE], 11))
    words = verdict_words(found)
    assert words.startswith(f"Brier {found.scores['learned'].brier:.4f}, volatility alone ")
    assert "over imbalance, the best simple rule, " in words
    assert f"better on {found.folds_won} of 5 folds" in words
    assert words.endswith("no learned model may be used; uplift none: no learned model quotes")
    lines = foretold_lines(found, 50.0)
    assert [line.split()[0] for line in lines[2:6]] == ["learned", *found.gains]


@pytest.mark.parametrize("turned", [1, -1])
def test_recordings_are_put_in_order_of_time(turned: int) -> None:
    early = restless(1200, 1)
    later = [each._replace(ts_ns=each.ts_ns + 2000 * STEP_NS) for each in restless(600, 2).looks]
    recordings = [early, stretch_of(STEP_NS, later)][::turned]
    # 218 and 98 decisions: the first fold begins with the 127th, at look 730. A minute before, at
    # 131 steps, those of the looks 100, 105, 110 and 115 had ended.
    assert verdict(recordings, 0.05, seed=1) == (
        "too short: 4 decisions to learn from at first, 100 needed"
    )


def test_a_short_recording_is_not_judged() -> None:
    short = stretch_of(STEP_NS, [look(n) for n in range(1500)])
    found = verdict([short], 0.05, seed=1)
    assert isinstance(found, str)
    assert found.startswith("too short: ")
    assert foretold_lines(found, 50.0)[1] == f"not judged: {found}"


def test_without_its_package_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    stretch = stretch_of(STEP_NS, [look(n) for n in range(1500)])
    assert verdict([stretch], 0.05, seed=1) == 'needs: pip install "mmbot[learning]"'
