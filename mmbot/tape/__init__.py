"""Recorded markets: readers of every format, the project's own tapes, and what checks them."""

from mmbot.tape.bars import Bar, read_bars
from mmbot.tape.feed import ANY_SYMBOL, Feed, FeedOptions
from mmbot.tape.opening import Format, open_feeds, recognise
from mmbot.tape.writer import TapeWriter

__all__ = [
    "ANY_SYMBOL",
    "Bar",
    "Feed",
    "FeedOptions",
    "Format",
    "TapeWriter",
    "open_feeds",
    "read_bars",
    "recognise",
]
