"""From recordings to a judgement, or to the reason why there is none."""

from collections.abc import Sequence
from importlib.util import find_spec

from mmbot.research.calibration.looks import Stretch
from mmbot.research.learning.folds import folds, missing
from mmbot.research.learning.judgement import Judgement, judged
from mmbot.research.learning.samples import samples

NOT_INSTALLED = 'needs: pip install "mmbot[learning]"'


def verdict(stretches: Sequence[Stretch], latency_s: float, seed: int) -> Judgement | str:
    """Judge what all of them together teach, in order of time."""
    if find_spec("sklearn") is None:
        return NOT_INSTALLED
    rows = [row for stretch in stretches for row in samples(stretch, latency_s)]
    rows.sort(key=lambda row: row.decided_ns)
    cut = folds(rows)
    return missing(rows, cut) or judged(rows, cut, seed)
