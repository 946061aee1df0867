"""The whole catalogue: every id with its scenario, or the reason why it has none here."""

from collections.abc import Mapping

from tests.faults import machine, network, protocol, venue
from tests.faults.scenario import Elsewhere, Scenario

_ENTRIES: tuple[Scenario | Elsewhere, ...] = (
    *network.SCENARIOS,
    *venue.SCENARIOS,
    *protocol.SCENARIOS,
    *machine.SCENARIOS,
)
CATALOGUE: Mapping[str, Scenario | Elsewhere] = {entry.id: entry for entry in _ENTRIES}
SCENARIOS: Mapping[str, Scenario] = {
    name: entry for name, entry in CATALOGUE.items() if isinstance(entry, Scenario)
}
