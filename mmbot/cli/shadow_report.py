"""The verb `shadow-report`: what virtual quotes earned, and whether the past foretells fills."""

import argparse
import os

from mmbot.cli.calibrate import stretches, told
from mmbot.cli.output import show
from mmbot.config.loader import load
from mmbot.research.calibration import report
from mmbot.research.learning.text import foretold_lines
from mmbot.research.learning.verdict import verdict


def shadow_report(args: argparse.Namespace) -> int:
    """Measure every market's depth-markout curve at several latencies, and what it foretells."""
    config = load(args.config, args.set, os.environ).config
    params = config.backtest
    latencies = sorted(set(args.latency_ms or (50.0, 100.0, 200.0)))
    curves, foretold = {}, {}
    for symbol, stretch in stretches(args, config, latencies[0]):
        curves[symbol] = report.curves(stretch, latencies, params.maker_fee_bps, params.seed)
        foretold[symbol] = verdict([stretch], latencies[0] / 1000, params.seed)
    content = {"schema": "mmbot.shadow-report/1", "markets": curves, "foretold": foretold}
    if not told(args, content):
        for symbol, found in curves.items():
            show([symbol, ""])
            for each in found:
                show([*report.curve_lines(each), ""])
            show([*foretold_lines(foretold[symbol], latencies[0]), ""])
    return 0
