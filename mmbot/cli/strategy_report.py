"""The verb `strategy-report`: the goals of the strategy study, measured for all contestants."""

import argparse
from dataclasses import replace

from mmbot.assemble import proof
from mmbot.assemble.contest import Job, settings_of
from mmbot.assemble.foretelling import learning
from mmbot.cli.compare_strategies import read_seeds
from mmbot.cli.output import EXIT_CHECK_FAILED, say, show
from mmbot.cli.spreading import spread_metered
from mmbot.research.contest.goals import OURS, Measured, goals
from mmbot.research.contest.outcome import Outcome
from mmbot.research.contest.report import Report, goal_lines, tally, write_report_files
from mmbot.research.contest.standing import judge

SEED = 1
# Long enough for a stable median, short beside the runs.
DECISION_STEPS, SIMULATOR_STEPS = 600, 2000
QUICK_STEPS = 60


def strategy_report(args: argparse.Namespace) -> int:
    """Run everything, judge, write the report; exit 10 when Ctrl-C ended it."""
    plan = plan_of(args)
    steps = QUICK_STEPS if args.quick else DECISION_STEPS
    measured = Measured(
        decide_us=proof.decision_us(plan, steps),
        simulator_s=proof.simulator_s(steps if args.quick else SIMULATOR_STEPS),
        skew_pct=proof.skew_pct(plan, SEED),
        learning=learning(plan, SEED),
    )
    named = proof.field_jobs(plan)
    tasks: list[Job | proof.Switch | proof.Bars] = [
        proof.bars_task(plan),
        *proof.switches(plan),
        *(job for _, job in named),
    ]
    say(f"{len(tasks)} runs")
    done = spread_metered(proof.carry_out, tasks, args.jobs)
    if len(done) < len(tasks):
        say("stopped early: there is nothing to report")
        return EXIT_CHECK_FAILED
    gap, *others = done
    delays = [each for each in others[: plan.switches] if not isinstance(each, Outcome)]
    fields: dict[str, dict[str, list[Outcome]]] = {}
    for (kind, job), outcome in zip(named, others[plan.switches :], strict=True):
        if isinstance(outcome, Outcome):
            fields.setdefault(kind, {}).setdefault(job.name, []).append(outcome)
    measured = measured._replace(gate_s=delays, bars_bps=gap if isinstance(gap, float) else None)
    report = Report(
        setting=_setting(plan),
        goals=tuple(goals(fields, measured, SEED)),
        contests={kind: judge(_ours_first(field), kind, SEED) for kind, field in fields.items()},
    )
    show([*goal_lines(report.goals), "", tally(report.goals)])
    if args.out is not None:
        write_report_files(args.out, report)
        say(f"report: {args.out / 'report.md'}, {args.out / 'index.html'}")
    return 0


def plan_of(args: argparse.Namespace) -> proof.Plan:
    """Return what the flags ask for."""
    seeds = read_seeds(args.seeds)
    plan = proof.Plan(
        recordings=tuple(args.data),
        seeds=tuple(seeds[:1] if args.quick else seeds),
        steps=args.steps,
        ours=str(args.ours),
        sets=tuple(args.set),
        switches=args.paths,
        switch_s=2 * args.steps,
    )
    if args.quick:
        plan = replace(plan, steps=QUICK_STEPS, switches=1, switch_s=QUICK_STEPS)
    # A mistake in the settings shows now.
    settings_of(proof.switches(plan)[0].job)
    return plan


def _ours_first(field: dict[str, list[Outcome]]) -> list[Outcome]:
    return [
        outcome for name in sorted(field, key=lambda name: name != OURS) for outcome in field[name]
    ]


def _setting(plan: proof.Plan) -> tuple[str, ...]:
    recordings = ", ".join(path.name for path in plan.recordings) or "none"
    seeds = f"{plan.seeds[0]}" + (f" to {plan.seeds[-1]}" if len(plan.seeds) > 1 else "")
    return (
        f"mmbot is {plan.ours}; the others are examples/contestants",
        f"recordings: {recordings}; 50 ms orders and answers",
        f"synthetic markets: seeds {seeds}, {plan.steps} s each, 100 ms orders and answers",
        f"paths from normal to toxic: {plan.switches}, {plan.switch_s} s of each",
        "orders of 1,000 USD (1 bps of one is 0.10 USD), at most 20,000 USD held, maker fee 1 bps",
        "brackets: 90 % interval, bootstrap over runs, over stretches of time below ten runs",
    )
