"""A judgement in words: one line for a table, and a table of its own."""

from mmbot.research.contest.paired import CONFIDENCE_PCT, Estimate
from mmbot.research.learning.judgement import LEARNED, VOLATILITY_ONLY, Judgement
from mmbot.research.summary import aligned

NO_UPLIFT = "uplift none: no learned model quotes"


def verdict_words(found: Judgement) -> str:
    """Return everything the verdict rests on in one line."""
    scores, best = found.scores, found.best_simple
    words = (
        f"Brier {scores[LEARNED].brier:.4f}, volatility alone {scores[VOLATILITY_ONLY].brier:.4f}:"
        f" gain {_gain(found.gains[VOLATILITY_ONLY])}; "
    )
    if best != VOLATILITY_ONLY:
        words += f"over {best}, the best simple rule, {_gain(found.gains[best])}, "
    words += f"better on {found.folds_won} of {found.folds_count} folds; "
    return words + f"placebo {_gain(found.placebo_gain)}; {_rule(found)}; {NO_UPLIFT}"


def foretold_lines(found: Judgement | str, latency_ms: float) -> list[str]:
    """Return the scores of every rule and the verdict, or why there is none, line by line."""
    title = f"what the past foretells, {latency_ms:g} ms late"
    if isinstance(found, str):
        return [title, f"not judged: {found}"]
    rows = [["fills within 1 s", "Brier", "log loss", "learned gains", f"{CONFIDENCE_PCT} %"]]
    for name, score in found.scores.items():
        gain = found.gains.get(name)
        cells = ["", ""] if gain is None else [f"{gain.value:+.4f}", _interval(gain)]
        rows.append([name, f"{score.brier:.4f}", f"{score.log_loss:.4f}", *cells])
    return [
        title,
        *aligned(rows),
        f"{found.foretold_count:,} unseen quotes, {found.filled_share:.1%} filled; better than "
        f"{found.best_simple} on {found.folds_won} of {found.folds_count} folds; "
        f"placebo {_gain(found.placebo_gain)}",
        f"{_rule(found)}, and none quotes",
    ]


def _rule(found: Judgement) -> str:
    return "a learned model may be used" if found.usable else "no learned model may be used"


def _gain(gain: Estimate) -> str:
    return f"{gain.value:+.4f} [{_interval(gain)}]"


def _interval(gain: Estimate) -> str:
    if gain.low is None or gain.high is None:
        return "too short for an interval"
    return f"{gain.low:+.4f}, {gain.high:+.4f}"
