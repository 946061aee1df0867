"""Small pieces of the report page: tiles, cards, tables, places for charts."""

from collections.abc import Collection, Sequence
from html import escape
from typing import NamedTuple

from mmbot.research.figures import Figure


class Tile(NamedTuple):
    """One headline number; the sign of `tone` colours it."""

    label: str
    value: str
    unit: str
    note: str
    tone: float = 0.0


def tile(content: Tile) -> str:
    """Return a tile's markup."""
    tone = "good" if content.tone > 0 else "bad" if content.tone < 0 else ""
    unit = f"<small>{escape(content.unit)}</small>" if content.unit else ""
    return (
        f'<div class="tile"><span>{escape(content.label)}</span><b class="{tone}">'
        f"{escape(content.value)}{unit}</b><span>{escape(content.note)}</span></div>"
    )


def card(title: str, note: str, content: str) -> str:
    """Return a titled card around finished markup."""
    return f'<section class="card"><h2>{escape(title)}</h2><p>{escape(note)}</p>{content}</section>'


def chart(charts: dict[str, Figure], figure: Figure, px: int) -> str:
    """Add a figure to the page's charts and return its place, `px` high."""
    name = f"chart{len(charts)}"
    charts[name] = figure
    return f'<div class="chart" data-figure="{name}" style="height:{px}px"></div>'


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    total: bool = False,
    prose: Collection[str] = (),
) -> str:
    """Return a table; the last row is set apart when it is a `total`.

    `prose` names the columns of words: they wrap, and begin where a reader's eye does.
    """
    kinds = [' class="prose"' if name in prose else "" for name in columns]
    head = "".join(
        f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, columns, strict=True)
    )
    lines = []
    for place, row in enumerate(rows):
        cells = "".join(
            f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)
        )
        mark = ' class="sum"' if total and place == len(rows) - 1 else ""
        lines.append(f"<tr{mark}>{cells}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
