"""OverrideEnds: tells that a setting is about to be what it was; not of what was set so shortly."""

from collections.abc import Iterator
from datetime import UTC, datetime

from mmbot.domain.control import Override
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView

OVERRIDE_ENDS = "override_ends"
NS_PER_S = 1_000_000_000
SOON_NS = 300 * NS_PER_S

Name = tuple[str, int]


class OverrideEnds:
    """Looks at one status after another."""

    def __init__(self) -> None:
        # What had more time left than it takes to be told.
        self._later: set[Name] = set()
        self._told: set[Name] = set()

    def look(self, view: StatusView) -> Iterator[Notice]:
        """Yield what is to be told; one alert names all that end soon."""
        held = {(each.key, each.until_ns): each for each in view.overrides}
        later = {name for name in held if name[1] - view.ts_ns > SOON_NS}
        self._later = later | (self._later & held.keys())
        soon = self._later - later
        if soon - self._told:
            text = "; ".join(_words(held[name]) for name in sorted(soon))
            yield Notice(view.ts_ns, Severity.WARNING, OVERRIDE_ENDS, None, text)
        elif self._told and not soon:
            yield Notice(view.ts_ns, Severity.INFO, f"{OVERRIDE_ENDS}_over", None, "is over")
        self._told = soon


def _words(each: Override) -> str:
    until = datetime.fromtimestamp(each.until_ns // NS_PER_S, UTC)
    return f"{each.key} is {each.value} until {until:%H:%MZ}, then {each.old} again"
