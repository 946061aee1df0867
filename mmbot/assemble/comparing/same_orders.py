"""A run's own orders, sent again to a pretend exchange: would it have filled them alike?

No engine decides here, so whatever differs is the model of the exchange: queue, delays, rows.
"""

from collections.abc import Iterable

from mmbot.domain.actions import Batch, Cancel
from mmbot.domain.events import Event, Fill, OrderUpdate
from mmbot.domain.order import DONE, OrderState
from mmbot.ports import SimVenue

LOOK_NS = 100_000_000


def resent(entries: Iterable[Batch | Event]) -> list[Batch]:
    """Return what to send, in order of time.

    An order that ended without a cancel of ours, by a fill or a refusal, is taken off when we heard
    of it: where the pretend exchange did not end it, it would rest for good.
    """
    sent: list[Batch] = []
    for entry in entries:
        if isinstance(entry, Batch):
            sent.append(entry)
        elif _ended(entry) and isinstance(entry, Fill | OrderUpdate):
            sent.append(Batch(entry.ts_recv_ns, (Cancel(entry.market, entry.order_id),)))
    return sorted(sent, key=lambda batch: batch.ts_ns)


def _ended(event: Event) -> bool:
    if isinstance(event, Fill):
        return event.leaves_lots == 0
    return (
        isinstance(event, OrderUpdate)
        and event.state in DONE
        and event.state not in (OrderState.CANCELLED, OrderState.FILLED)
    )


def send_again(venue: SimVenue, batches: Iterable[Batch]) -> list[Batch | Event]:
    """Send each batch at its time; return it all with the answers, as a journal would have it."""
    told: list[Batch | Event] = []
    for batch in batches:
        while venue.now_ns < batch.ts_ns and not venue.finished:
            told += venue.advance(batch.ts_ns)
        told.append(batch)
        venue.submit(batch)
    while not venue.finished:
        told += venue.advance(venue.now_ns + LOOK_NS)
    return told
