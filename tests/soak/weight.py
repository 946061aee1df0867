"""How much memory a bot's own objects take, although exchange and harness share its process.

Everything reachable from the bot is added up; modules, classes, functions' globals, the exchange
and the harness are not the bot's, and are not entered.
"""

import gc
import sys
from collections import Counter
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    ModuleType,
)
from typing import Any, NamedTuple

# Of other parts of the process, by the modules of their classes.
OTHERS = ("tests.", "mmbot.exchange.", "mmbot.adapters.sim.flow", "logging", "hypothesis")
_NOT_ENTERED = (ModuleType, type, CodeType)


class Weight(NamedTuple):
    """Bytes and objects; `kinds` counts the objects by the names of their classes."""

    size: int
    objects: int
    kinds: Counter[str]

    @property
    def mb(self) -> float:
        """Megabytes."""
        return self.size / 1e6


def weigh(root: object) -> Weight:
    """Add up what hangs on an object, each thing once."""
    seen = {id(root)}
    waiting: list[object] = [root]
    size, kinds = 0, Counter[str]()
    while waiting:
        found = waiting.pop()
        kinds[type(found).__qualname__] += 1
        size += sys.getsizeof(found, 0)
        for each in _parts(found):
            if id(each) not in seen and not _is_of_others(each):
                seen.add(id(each))
                waiting.append(each)
    return Weight(size, len(seen), kinds)


def _parts(found: object) -> list[Any]:
    if isinstance(found, FunctionType):
        cells = found.__closure__ or ()
        return [cell.cell_contents for cell in cells if _is_full(cell)]
    if isinstance(found, BuiltinFunctionType):
        return [found.__self__]
    return gc.get_referents(found)


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - asked for whether it is there
    except ValueError:
        return False
    return True


def _is_of_others(found: object) -> bool:
    return isinstance(found, _NOT_ENTERED) or type(found).__module__.startswith(OTHERS)
