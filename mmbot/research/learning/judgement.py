"""Whether a learned model foretells fills better than every simple rule, on what it has not seen.

It may be used only if its gain in Brier's score over each simple rule is above 0 for sure, it beats
the best of them on four of five folds, and the same model on signals of another time gains nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from mmbot.research.calibration.estimates import BLOCKS, MIN_BLOCK_S
from mmbot.research.contest.paired import MIN_BLOCKS, Estimate, drawn, estimate
from mmbot.research.learning.folds import Fold
from mmbot.research.learning.logistic import fitted
from mmbot.research.learning.samples import DEPTHS_BPS, ROWS, SIGNALS, VOLATILITY, Sample
from mmbot.research.learning.scores import brier, log_loss

LEARNED, CONSTANT, VOLATILITY_ONLY, IMBALANCE = "learned", "constant", "volatility", "imbalance"
SIMPLE = (CONSTANT, VOLATILITY_ONLY, IMBALANCE)
PLACEBO = "placebo"
SHARE_OF_FOLDS = 0.8

RULES: Mapping[str, tuple[int, ...]] = {
    LEARNED: tuple(range(len(SIGNALS))),
    VOLATILITY_ONLY: tuple(SIGNALS.index(each) for each in VOLATILITY),
    IMBALANCE: (SIGNALS.index("imbalance"),),
}
"""Places of the signals that each fitted rule sees; all know the depth."""


class Score(Struct, frozen=True, kw_only=True):
    """Means over everything that was foretold."""

    brier: float
    log_loss: float


class Judgement(Struct, frozen=True, kw_only=True):
    """What came of it: `gains` are Brier's score of each simple rule less that of the learned one.

    `placebo_gain` is the gain over the constant of the learned model on signals of another time.
    """

    foretold_count: int
    filled_share: float
    scores: dict[str, Score]
    gains: dict[str, Estimate]
    best_simple: str
    folds_won: int
    folds_count: int
    placebo_gain: Estimate
    usable: bool


def judged(samples: Sequence[Sample], cut: Sequence[Fold], seed: int) -> Judgement:
    """Learn, foretell and judge, fold by fold."""
    shifted = displaced(samples)
    chances: dict[str, list[float]] = {name: [] for name in (*SIMPLE, LEARNED, PLACEBO)}
    for fold in cut:
        chances[CONSTANT] += _constant(samples, fold)
        chances[PLACEBO] += _foretold(shifted, fold, RULES[LEARNED])
        for name, places in RULES.items():
            chances[name] += _foretold(samples, fold, places)
    seen = [samples[place] for fold in cut for place in fold.foretold]
    losses = {
        name: [brier(chance, each.filled) for chance, each in zip(found, seen, strict=True)]
        for name, found in chances.items()
    }
    blocks = _blocks(seen)

    gains = {name: _gain(losses[LEARNED], losses[name], blocks, seed) for name in SIMPLE}
    placebo = _gain(losses[PLACEBO], losses[CONSTANT], blocks, seed)
    best = min(SIMPLE, key=lambda name: sum(losses[name]))
    won = _folds_won(losses[LEARNED], losses[best], cut)
    return Judgement(
        foretold_count=len(seen),
        filled_share=sum(each.filled for each in seen) / len(seen),
        scores={
            name: Score(
                brier=sum(losses[name]) / len(seen),
                log_loss=_mean(log_loss, chances[name], seen),
            )
            for name in (LEARNED, *SIMPLE)
        },
        gains=gains,
        best_simple=best,
        folds_won=won,
        folds_count=len(cut),
        placebo_gain=placebo,
        usable=may_be_used(gains, won / len(cut), placebo),
    )


def may_be_used(gains: Mapping[str, Estimate], won_share: float, placebo: Estimate) -> bool:
    """The rule for using a learned model."""
    sure = all(_surely(each) for each in gains.values())
    return sure and won_share >= SHARE_OF_FOLDS and not _surely(placebo)


def displaced(samples: Sequence[Sample]) -> list[Sample]:
    """Give every row the signals of half the recording later, the end going on at the beginning."""
    ahead = len(samples) // ROWS // 2 * ROWS
    return [
        each._replace(signals=samples[(n + ahead) % len(samples)].signals)
        for n, each in enumerate(samples)
    ]


def _foretold(samples: Sequence[Sample], fold: Fold, places: Sequence[int]) -> list[float]:
    learned = [samples[place] for place in fold.learned]
    chances = fitted(list(_rows(learned, places)), [each.filled for each in learned])
    return chances(list(_rows([samples[place] for place in fold.foretold], places)))


def _rows(samples: Sequence[Sample], places: Sequence[int]) -> Iterator[list[float]]:
    """Whether each depth is it, so that a rule can do what the constant does; then the signals."""
    for each in samples:
        depth = [float(each.depth == place) for place in range(len(DEPTHS_BPS))]
        yield depth + [each.signals[place] for place in places]


def _constant(samples: Sequence[Sample], fold: Fold) -> list[float]:
    """The share that was filled at each depth, half a fill of one more quote added."""
    rates = []
    for depth in range(len(DEPTHS_BPS)):
        ends = [samples[n].filled for n in fold.learned if samples[n].depth == depth]
        rates.append((sum(ends) + 0.5) / (len(ends) + 1))
    return [rates[samples[place].depth] for place in fold.foretold]


def _blocks(seen: Sequence[Sample]) -> list[int]:
    """The block of time of every row: a hundred, each 10 s at least."""
    start_ns = seen[0].decided_ns
    span_ns = seen[-1].decided_ns - start_ns + 1
    size_ns = max(MIN_BLOCK_S * 1_000_000_000, -(-span_ns // BLOCKS))
    last = max(0, span_ns // size_ns - 1)
    return [min(last, (each.decided_ns - start_ns) // size_ns) for each in seen]


def _gain(
    ours: Sequence[float], theirs: Sequence[float], blocks: Sequence[int], seed: int
) -> Estimate:
    sums: dict[int, list[float]] = {}
    for own, other, block in zip(ours, theirs, blocks, strict=True):
        row = sums.setdefault(block, [0.0, 0.0])
        row[0] += 1
        row[1] += other - own
    rows = list(sums.values())
    draws = drawn(rows, seed) if len(rows) >= MIN_BLOCKS else []
    value = (sum(theirs) - sum(ours)) / len(ours)
    return estimate(value, [total / count for count, total in draws])


def _folds_won(ours: Sequence[float], theirs: Sequence[float], cut: Sequence[Fold]) -> int:
    won = start = 0
    for fold in cut:
        end = start + len(fold.foretold)
        won += sum(ours[start:end]) < sum(theirs[start:end])
        start = end
    return won


def _mean(
    loss: Callable[[float, bool], float], chances: Sequence[float], seen: Sequence[Sample]
) -> float:
    losses = [loss(chance, each.filled) for chance, each in zip(chances, seen, strict=True)]
    return sum(losses) / len(losses)


def _surely(gain: Estimate) -> bool:
    return gain.low is not None and gain.low > 0
