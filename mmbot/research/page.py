"""The report as one HTML file that needs no network: numbers, charts, tables, plotly's script."""

from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

import msgspec

from mmbot.errors import BuildError
from mmbot.research import sections
from mmbot.research.compare import Comparison
from mmbot.research.export import write_whole
from mmbot.research.figures import Figure
from mmbot.research.results import Results
from mmbot.research.style import CSS, SCRIPT


def write_page(path: Path, results: Results, comparison: Comparison | None = None) -> None:
    """Write the report of a run, and of its comparison with others, to one HTML file."""
    write_whole(path, page(results, comparison).encode())


def page(results: Results, comparison: Comparison | None = None) -> str:
    """Return the report as HTML; BuildError when plotly's script is not installed."""
    charts: dict[str, Figure] = {}
    content = (
        sections.header(results)
        + sections.tiles(results)
        + sections.warnings(results.warnings)
        + (sections.comparison(comparison, charts) if comparison is not None else "")
        + sections.equity(results, charts)
        + sections.markets(results, charts)
        + f'<div class="pair">{sections.markouts(results, charts)}'
        + f"{sections.attribution(results, charts)}</div>"
        + sections.shadows(results)
        + sections.groups(results)
        + sections.orders(results)
    )
    return document_of(results.header.name, content, charts)


def document_of(title: str, content: str, charts: dict[str, Figure]) -> str:
    """Return a whole HTML file around finished markup and the charts that it has places for."""
    # A closing tag inside a JSON string would end the script element.
    drawings = msgspec.json.encode(charts).decode().replace("</", "<\\/")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>"
        f"<body><main>{content}</main>"
        f'<script type="application/json" id="figures">{drawings}</script>'
        f"<script>{_plotly_script()}</script><script>{SCRIPT}</script></body></html>\n"
    )


@cache
def _plotly_script() -> str:
    # Importing plotly costs more time than the whole report: only its file is wanted.
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise BuildError("the report needs the plotly package: pip install plotly")
    script = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    if not script.is_file():
        raise BuildError(f"the plotly package lacks its script: expected {script}")
    return script.read_text(encoding="utf-8")
