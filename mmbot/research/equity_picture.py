"""The equity of a while as a picture (PNG); needs the extra `report`."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from mmbot.errors import UsageError

NS_PER_DAY = 86_400_000_000_000
MICRO = 1_000_000
INCHES = (8.0, 3.6)
DOTS_PER_INCH = 120
LINE, FALL = "#1f6feb", "#c9372c"


def draw(points: Sequence[tuple[int, int]], title: str, path: Path) -> None:
    """Draw moments (ns) and equity (micro-USD), oldest first; UsageError without any."""
    if not points:
        raise UsageError("there is no equity to draw in that time")
    # Alone: it costs 50 MB and a second that nobody else has to pay.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    # Days since 1970 are what the axes count in.
    times = [ts_ns / NS_PER_DAY for ts_ns, _ in points]
    equity = [uusd / MICRO for _, uusd in points]
    peaks: list[float] = []
    for each in equity:
        peaks.append(max(each, peaks[-1] if peaks else each))
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(times, equity, color=LINE, linewidth=1.4, drawstyle="steps-post", label="equity")
    axes.fill_between(
        times, equity, peaks, step="post", color=FALL, alpha=0.15, label="below its peak"
    )
    locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    axes.yaxis.set_major_formatter("{x:,.2f}")
    axes.set_ylabel("USD")
    axes.set_title(f"{title}: {equity[-1] - equity[0]:+,.2f} USD", loc="left")
    axes.grid(alpha=0.3)
    axes.legend(loc="best", frameon=False)
    figure.savefig(path, format="png")
