"""Micro-price: what the mid is expected to become, by imbalance and width of the best quotes.

Stoikov 2018: quotes are a Markov chain over bins of imbalance and classes of spread; where it is
expected to end is the adjustment. The table is made from a recording and looked up while quoting.
"""

from collections.abc import Sequence
from typing import NamedTuple

Adjustments = tuple[float, ...]
"""In ticks: BINS of them, by imbalance, for each class of spread, the narrowest first."""

BINS = 10
MOST_ROUNDS = 20
SMALLEST = 1e-6


class MicroTable:
    """The table as it is read: spreads of 1, 2 ... ticks, the last class for all wider ones."""

    __slots__ = ("_states", "_table")

    def __init__(self, table: Adjustments) -> None:
        self._table = table
        self._states = States(len(table) // BINS)

    def adjustment(self, imbalance: float, spread_ticks: int) -> float:
        """Ticks to add to the mid for an imbalance in [-1, 1] and a spread of 1 tick or more."""
        return self._table[self._states.of(imbalance, spread_ticks)]


class Transition(NamedTuple):
    """From one state to another, and how far the mid moved (ticks)."""

    before: int
    after: int
    moved: float


class States(NamedTuple):
    """How quotes become states: `spreads` classes of BINS bins each."""

    spreads: int = 3

    def of(self, imbalance: float, spread_ticks: int) -> int:
        """Number of the state of such quotes."""
        number = min(max(int((imbalance + 1.0) * 0.5 * BINS), 0), BINS - 1)
        return (min(max(spread_ticks, 1), self.spreads) - 1) * BINS + number

    def mirrored(self, state: int) -> int:
        """The state with sides swapped."""
        spread, number = divmod(state, BINS)
        return spread * BINS + BINS - 1 - number


def train(transitions: Sequence[Transition], states: States) -> Adjustments | None:
    """Adjustments by what was seen, every transition also with sides swapped.

    None when they do not settle: `imbalance` is the source to use then. States never seen are
    adjusted as their neighbour toward the middle is.
    """
    count = BINS * states.spreads
    stays = [[0.0] * count for _ in range(count)]
    moves = [[0.0] * count for _ in range(count)]
    drift = [0.0] * count
    seen = [0.0] * count
    for before, after, moved in transitions:
        back, forth = states.mirrored(before), states.mirrored(after)
        for start, end, step in ((before, after, moved), (back, forth, -moved)):
            seen[start] += 1.0
            (moves if step else stays)[start][end] += 1.0
            drift[start] += step
    for state in range(count):
        for row in (stays[state], moves[state]):
            row[:] = [each / max(seen[state], 1.0) for each in row]
        drift[state] /= max(seen[state], 1.0)
    total = term = _settled(stays, drift)
    for _ in range(MOST_ROUNDS):
        if total is None or term is None or max(map(abs, term)) < SMALLEST:
            break
        ahead = [sum(p * t for p, t in zip(row, term, strict=True)) for row in moves]
        term = _settled(stays, ahead)
        if term is not None:
            total = [sum(pair) for pair in zip(total, term, strict=True)]
    return None if total is None or term is None else _filled(total, seen)


def _settled(stays: list[list[float]], moved: list[float]) -> list[float] | None:
    """Solve x = stays x + moved; None where a state is never left, so that it does not settle."""
    size = len(moved)
    rows = [[float(i == j) - stays[i][j] for j in range(size)] + [moved[i]] for i in range(size)]
    for at in range(size):
        pivot = max(range(at, size), key=lambda number: abs(rows[number][at]))
        if abs(rows[pivot][at]) < 1e-10:
            return None
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for below in range(at + 1, size):
            share = rows[below][at] / rows[at][at]
            if share:
                rows[below] = [
                    low - share * high for low, high in zip(rows[below], rows[at], strict=True)
                ]
    found = [0.0] * size
    for at in reversed(range(size)):
        rest = sum(rows[at][j] * found[j] for j in range(at + 1, size))
        found[at] = (rows[at][size] - rest) / rows[at][at]
    return found


def _filled(total: list[float], seen: list[float]) -> Adjustments:
    middle = (BINS - 1) / 2
    for start in range(0, len(total), BINS):
        for number in sorted(range(BINS), key=lambda each: abs(each - middle)):
            if not seen[start + number]:
                inward = number + 1 if number < middle else number - 1
                near = abs(number - middle) < 1.0
                total[start + number] = 0.0 if near else total[start + inward]
    return tuple(total)
