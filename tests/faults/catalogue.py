"""The whole catalogue: every id with its scenario, or the reason why it has none here."""

from collections.abc import Mapping

from tests.faults import elsewhere, leases, machine, network, protocol, venue
from tests.faults.scenario import Entry, Scenario

_MODULES = (
    *(network.ENTRIES, venue.ENTRIES, protocol.ENTRIES, machine.ENTRIES, leases.ENTRIES),
    elsewhere.ENTRIES,
)
CATALOGUE: Mapping[str, Entry] = {entry.id: entry for entries in _MODULES for entry in entries}
SCENARIOS: Mapping[str, Scenario] = {
    name: entry for name, entry in CATALOGUE.items() if isinstance(entry, Scenario)
}
