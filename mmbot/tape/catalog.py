"""What recordings a folder holds, and what is wrong with a recording."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbot.cext.capture import BookCheck, OrderCheck
from mmbot.domain.market import Market
from mmbot.errors import DataError
from mmbot.tape.bars import read_bars
from mmbot.tape.feed import Feed, FeedOptions, OnProgress, nth_of
from mmbot.tape.opening import Format, listed, open_feeds, recognise

# A book is crossed for a moment when a message is split; more often than this it is wrong.
_CROSSED_SHARE = 0.001


@dataclass(frozen=True, slots=True)
class Recording:
    """One symbol of one file; times are Unix ns on the exchange's clock, 0 without rows.

    `problem` is why the file cannot be read, and then there is no market, row or time.
    """

    path: Path
    format: Format | None
    market: Market | None
    size_bytes: int
    rows: int
    first_ns: int
    last_ns: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a whole pass over one symbol has found; an empty `problems` is a good recording.

    Times in nanoseconds, 0 without rows; shares of the moments at which the local book changed.
    The symbol is empty when the file could not be opened.
    """

    paths: tuple[Path, ...]
    symbol: str
    rows: int
    trades: int
    first_ns: int
    last_ns: int
    longest_silence_ns: int
    crossed_share: float
    one_sided_share: float
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def list_recordings(paths: Sequence[Path], options: FeedOptions) -> list[Recording]:
    """Return what the files and folders hold, file by file.

    A file that cannot be read is listed with its problem. DataError: a folder without data, a
    missing path.
    """
    return [recording for path in listed(paths) for recording in _recordings(path, options)]


def verify(
    paths: Sequence[Path], fmt: Format, options: FeedOptions, on_progress: OnProgress
) -> list[Verification]:
    """Read everything and return one result per symbol; files of different formats go apart.

    What cannot be opened or read to its end has the fault among its problems. DataError: a folder
    without data, no path at all, or files that are good but do not go together.
    """
    by_format: dict[Format | None, list[Path]] = {}
    for path in listed(paths):
        by_format.setdefault(_format(path) if fmt == "auto" else fmt, []).append(path)
    results = []
    for number, (found, files) in enumerate(by_format.items()):
        report = nth_of(len(by_format), number, on_progress)
        results += _verify_together(files, found or "auto", options, report)
    return results


def _verify_together(
    files: Sequence[Path], fmt: Format, options: FeedOptions, on_progress: OnProgress
) -> list[Verification]:
    try:
        feeds = open_feeds(files, fmt, options)
    except DataError as error:
        if len(files) == 1:
            return [_unreadable(files[0], error)]
        apart = [
            result
            for number, path in enumerate(files)
            for result in _verify_together(
                [path], fmt, options, nth_of(len(files), number, on_progress)
            )
        ]
        if not any(result.problems for result in apart):
            raise
        return apart
    return [
        _verified(feed, nth_of(len(feeds), number, on_progress))
        for number, feed in enumerate(feeds)
    ]


def _format(path: Path) -> Format | None:
    try:
        return recognise(path)
    except DataError:
        return None


def _unreadable(path: Path, error: DataError) -> Verification:
    return Verification((path,), "", 0, 0, 0, 0, 0, 0.0, 0.0, (), (str(error),))


# First and last exchange time.
def _span(order: OrderCheck) -> tuple[int, int]:
    return (order.first_exch, order.newest_exch) if order.count else (0, 0)


def _verified(feed: Feed, on_progress: OnProgress) -> Verification:
    order, book = OrderCheck(), BookCheck()
    fault: list[str] = []
    try:
        for rows in feed.chunks():
            order.push(rows)
            book.push(rows)
            on_progress(feed.progress())
    except DataError as error:
        fault.append(str(error))
    except ValueError as error:
        fault.append(f"{feed.paths[0]}: {error}")
    book.finish()
    moments = max(book.moments, 1)
    crossed = book.crossed / moments
    if crossed > _CROSSED_SHARE:
        fault.append(
            f"{feed.market.symbol}: the book is crossed at {crossed:.2%} of its changes;"
            f" expected at most {_CROSSED_SHARE:.1%}"
        )
    if not order.count and not fault:
        fault.append(f"{feed.paths[0]}: expected rows of {feed.market.symbol}, found none")
    problems = feed.problems()
    return Verification(
        feed.paths,
        feed.market.symbol,
        order.count,
        order.trades,
        *_span(order),
        order.longest_silence,
        crossed,
        book.one_sided / moments,
        tuple(note for note in feed.notes() if note not in problems),
        (*problems, *fault),
    )


def _recordings(path: Path, options: FeedOptions) -> Iterator[Recording]:
    fmt: Format | None = None
    try:
        fmt = recognise(path)
        size = path.stat().st_size
        if fmt == "bars":
            yield _bars(path, size)
            return
        for feed in open_feeds([path], fmt, options):
            order = OrderCheck()
            for rows in feed.chunks():
                order.push(rows)
            yield Recording(path, fmt, feed.market, size, order.count, *_span(order), None)
    except (DataError, ValueError) as error:
        size = path.stat().st_size if path.exists() else 0
        yield Recording(path, fmt, None, size, 0, 0, 0, str(error))


def _bars(path: Path, size: int) -> Recording:
    market, bars = read_bars(path)
    times = [bar.ts_ns for bar in bars]
    return Recording(path, "bars", market, size, len(times), times[0], times[-1], None)
