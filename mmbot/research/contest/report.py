"""The strategy report: the table of goals, then every kind of market; Markdown, JSON, HTML."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from msgspec import Struct, to_builtins

from mmbot.research.contest.goals import CONTESTANTS, OURS, Goal
from mmbot.research.contest.page import contest_cards
from mmbot.research.contest.standing import Contest
from mmbot.research.contest.text import (
    CONTRAST_COLUMNS,
    STANDING_COLUMNS,
    contrast_cells,
    standing_cells,
)
from mmbot.research.export import write_json, write_whole
from mmbot.research.figures import Figure
from mmbot.research.markup import card, table
from mmbot.research.page import document_of
from mmbot.research.results import Json
from mmbot.research.text import MISSING

SCHEMA = "mmbot.strategy-report/1"
TITLE = "Strategy report"


class Report(Struct, frozen=True, kw_only=True):
    """Everything the report says; `contests` by kind of market, ours is the baseline of each."""

    setting: tuple[str, ...]
    goals: tuple[Goal, ...]
    contests: dict[str, Contest]


def write_report_files(folder: Path, report: Report) -> None:
    """Write report.md, report.json and index.html."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "report.json", report_document(report))
    write_whole(folder / "report.md", ("\n".join(markdown(report)) + "\n").encode())
    write_whole(folder / "index.html", _page(report).encode())


def report_document(report: Report) -> Json:
    """Return the JSON document, schema "mmbot.strategy-report/1"."""
    found: Json = to_builtins(report)
    return {"schema": SCHEMA, **found}


def markdown(report: Report) -> list[str]:
    """Return the report as lines of Markdown; the goals first, as a terminal shows them, too."""
    lines = [f"# {TITLE}", ""]
    lines += [f"- {line}" for line in report.setting]
    lines += ["", tally(report.goals), "", *goal_lines(report.goals)]
    for kind, contest in report.contests.items():
        lines += ["", f"## {kind}", "", f"{contest.source}, net of fees", ""]
        lines += _pipes(STANDING_COLUMNS, [standing_cells(each) for each in contest.standings])
        lines += ["", *_pipes(CONTRAST_COLUMNS, [contrast_cells(c) for c in contest.contrasts])]
    return lines


def goal_lines(goals: Sequence[Goal]) -> list[str]:
    """Return the table of goals in Markdown."""
    return _pipes(*_goal_table(goals))


def tally(goals: Sequence[Goal]) -> str:
    """Say how many goals are met, and which are not."""
    missed = [each.number for each in goals if each.met is False]
    unjudged = [each.number for each in goals if each.met is None]
    met = len(goals) - len(missed) - len(unjudged)
    text = f"{met} of {len(goals)} goals met"
    text += f"; missed: {', '.join(missed)}" if missed else ""
    return text + (f"; not judged: {', '.join(unjudged)}" if unjudged else "")


def verdict(goal: Goal) -> str:
    """Write met, missed or not judged, and by what."""
    word = {True: "met", False: "MISSED", None: "not judged"}[goal.met]
    return f"{word}: {goal.finding}"


def _goal_table(goals: Sequence[Goal]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Ours and what came of it before the others: the table is wider than most screens."""
    others = [name for name in CONTESTANTS if name != OURS]
    rows = [
        [
            each.number,
            each.metric,
            each.values.get(OURS, MISSING),
            each.goal,
            verdict(each),
            *(each.values.get(name, MISSING) for name in others),
        ]
        for each in goals
    ]
    return ("#", "metric", OURS, "goal", "verdict", *others), rows


def _page(report: Report) -> str:
    charts: dict[str, Figure] = {}
    setting = "".join(f"<li>{escape(line)}</li>" for line in report.setting)
    content = f'<h1>{TITLE}</h1><div class="notes"><ul>{setting}</ul></div>'
    listed = table(*_goal_table(report.goals), prose=("metric", "goal", "verdict"))
    content += card("Goals", tally(report.goals), listed)
    for kind, contest in report.contests.items():
        content += f"<h1>{escape(kind)}</h1>" + contest_cards(contest, charts)
    return document_of(TITLE, content, charts)


def _pipes(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]
