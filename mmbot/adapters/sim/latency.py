"""How long requests and answers take: fixed, interpolated from a table, or drawn from one."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mmbot.cext.replay import Replay
from mmbot.errors import DataError

NS_PER_S = 1_000_000_000
COLUMNS = ("req_ts", "exch_ts", "resp_ts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """(time, delay) pairs in nanoseconds: entry by request time, response by exchange time.

    Between two times the delay is interpolated, outside it is that of the nearest; with a seed the
    times do not count and every message draws one of the delays.
    """

    entry: list[tuple[int, int]]
    response: list[tuple[int, int]]
    seed: int | None = None

    def apply(self, replay: Replay) -> None:
        """Make `replay` delay its messages so."""
        replay.set_latency(self.entry, self.response, self.seed)


def constant(entry_ns: int, response_ns: int) -> Delays:
    """Delay every request and every response by the same time, nanoseconds."""
    return Delays(entry=[(0, entry_ns)], response=[(0, response_ns)])


def from_samples(samples: Iterable[tuple[int, int, int]], seed: int | None = None) -> Delays:
    """Take delays from (request, exchange, response) times of past orders, in time order."""
    listed = list(samples)
    return Delays(
        entry=[(requested, reached - requested) for requested, reached, _ in listed],
        response=[(reached, answered - reached) for _, reached, answered in listed],
        seed=seed,
    )


def read_table(path: Path, seed: int | None = None) -> Delays:
    """Read a CSV with the columns req_ts, exch_ts, resp_ts (nanoseconds), sorted by time.

    Raises DataError when the file cannot be read, or naming the line that is out of order or not
    three ascending whole numbers.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    rows = csv.reader(text.splitlines())
    if tuple(next(rows, ())) != COLUMNS:
        raise DataError(f"{path}:1: expected the header {','.join(COLUMNS)}")
    samples: list[tuple[int, int, int]] = []
    for number, row in enumerate(rows, start=2):
        requested, reached, answered = _sample(row, f"{path}:{number}")
        if samples and (requested < samples[-1][0] or reached < samples[-1][1]):
            raise DataError(f"{path}:{number}: time goes backwards")
        samples.append((requested, reached, answered))
    if not samples:
        raise DataError(f"{path}: expected at least one row of latencies")
    return from_samples(samples, seed)


def _sample(row: list[str], place: str) -> tuple[int, int, int]:
    if len(row) != len(COLUMNS) or not all(cell.isdecimal() for cell in row):
        raise DataError(f"{place}: expected three whole numbers of nanoseconds")
    requested, reached, answered = map(int, row)
    if not requested <= reached <= answered:
        raise DataError(f"{place}: expected req_ts <= exch_ts <= resp_ts")
    return requested, reached, answered


def from_feed(times: Iterable[tuple[int, int]], extra_ns: int) -> Delays:
    """Guess order latency, each way: that of the last event of each second, plus `extra_ns`.

    `times` are (exchange, local) stamps of the events that both sides see, by local time.
    """
    last: dict[int, tuple[int, int]] = {local // NS_PER_S: (exch, local) for exch, local in times}
    delays = [(local, local - exch + extra_ns) for exch, local in last.values()]
    return from_samples((local, local + delay, local + 2 * delay) for local, delay in delays)
