"""What goes wrong in a soak: a little of everything all the time, and connections now and then.

Every knob that strikes single messages does so at one in a thousand. Left out is what no bot
could go on after: a market that means something else latches until a restart.
"""

from collections.abc import Iterator
from typing import Any

from mmbot.exchange.faults.table import KNOBS, Mode
from tests.simulation.schedule import Fault, Schedule

CHANCE = 0.001
# What ends a connection does so every ten minutes or so, as the schedule does: at one message in a
# thousand it would be every fifteen seconds, more often than a stream may be connected anew (N08).
ENDING = ("net.loss", "ws.big_frame", "md.malformed", "md.bad_value", "proto.drift")
ENDING_CHANCE = 0.00002
RECONNECT_S = 600.0
# Told apart by its cause: they latch, or would only measure how fast a megabyte is unpacked.
LEFT_OUT = {
    "info.mutate": "a changed market is not quoted until a restart, on purpose",
    "info.delist": "so is one that is gone",
    "http.bomb": "64 MB of blanks an answer are the harness's own load",
}
_SIZES: dict[str, dict[str, Any]] = {
    "act.receipt_mutate": {"field": "action_id", "value": 0},
    "md.burst": {"rate": 20},
    "net.rtt": {"ms": 50},
}


def drizzle() -> list[dict[str, Any]]:
    """Return the entries that strike single messages, for as long as the exchange is open."""
    return [
        {"knob": name, "p": _chance(name), **_SIZES.get(name, {})}
        for name, knob in KNOBS.items()
        if knob.mode is Mode.EACH and name not in LEFT_OUT
    ]


def _chance(name: str) -> float:
    return ENDING_CHANCE if name in ENDING else CHANCE


def reconnects(length_s: float) -> Schedule:
    """Return what ends connections: streams closed and, five minutes later, everything reset."""
    return tuple(_ends(length_s))


def _ends(length_s: float) -> Iterator[Fault]:
    at_s = RECONNECT_S / 2
    while at_s < length_s:
        yield Fault(at_s, 0.1, "ws.close", {"code": 1001})
        yield Fault(at_s + RECONNECT_S / 2, 0.1, "net.reset")
        at_s += RECONNECT_S
