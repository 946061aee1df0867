"""What the recordings of the strategy report say about learning: research, nothing that quotes."""

from mmbot.assemble import MILLISECOND_NS
from mmbot.assemble.contest import DEFAULTS, Job, Recording, feeds_of, settings_of
from mmbot.assemble.looking import looks
from mmbot.assemble.proof import SETTINGS, Plan
from mmbot.research.calibration.looks import stretch_of
from mmbot.research.learning.judgement import VOLATILITY_ONLY
from mmbot.research.learning.text import verdict_words
from mmbot.research.learning.verdict import verdict

STEP_MS = 50


def learning(plan: Plan, seed: int) -> tuple[float | None, str]:
    """Return Brier's gain over volatility alone and the verdict; None and why without one."""
    if not plan.recordings:
        return None, "no recording"
    step_ns = STEP_MS * MILLISECOND_NS
    recordings = [Recording(path=path) for path in plan.recordings]
    sets = (*SETTINGS, *plan.sets)
    job = Job(name=DEFAULTS, strategy=DEFAULTS, market=recordings[0], sets=sets)
    config, _ = settings_of(job)
    stretches = [
        stretch_of(step_ns, list(looks(feed, step_ns)))
        for recording in recordings
        for feed in feeds_of(config, recording)
    ]
    found = verdict(stretches, config.backtest.latency.entry_ms / 1000, seed)
    if isinstance(found, str):
        return None, found
    return found.gains[VOLATILITY_ONLY].value, verdict_words(found)
