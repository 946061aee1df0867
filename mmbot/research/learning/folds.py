"""Which rows are learned from and which are foretold: forward in time, with a gap between."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from mmbot.research.learning.samples import ROWS, Sample

FOLDS = 5
# The beginning is only learned from; the folds share the rest.
FIRST_SHARE = 0.4
EMBARGO_NS = 60_000_000_000
# Fewer decisions than these teach nothing.
MIN_DECISIONS = 100


class Fold(NamedTuple):
    """Places of the rows to learn from, and of those to foretell."""

    learned: range
    foretold: range


def folds(samples: Sequence[Sample]) -> list[Fold]:
    """Cut rows in order of time into folds of whole decisions.

    Learned from is what was known a minute before the first decision that is foretold.
    """
    decisions = len(samples) // ROWS
    first = round(decisions * FIRST_SHARE)
    ends = [first + round((decisions - first) * n / FOLDS) for n in range(FOLDS + 1)]
    known = [each.known_ns for each in samples]
    found = []
    for start, end in pairwise(ends):
        foretold = range(start * ROWS, end * ROWS)
        until_ns = samples[foretold.start].decided_ns - EMBARGO_NS if foretold else 0
        found.append(Fold(range(bisect_right(known, until_ns)), foretold))
    return found


def missing(samples: Sequence[Sample], cut: Sequence[Fold]) -> str:
    """Say why the folds cannot be judged; empty when they can."""
    decisions = len(cut[0].learned) // ROWS
    if decisions < MIN_DECISIONS:
        return f"too short: {decisions} decisions to learn from at first, {MIN_DECISIONS} needed"
    if len({samples[place].filled for place in cut[0].learned}) < 2:
        return "all that is learned from at first ended the same way"
    return ""
