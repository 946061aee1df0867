"""What goes into a bundle: version, settings, status and the books of the last hours."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from mmbot.assemble.ledger import ledger_file
from mmbot.cli.bot_line import VERSION, Bot, read_status
from mmbot.cli.version import version_facts
from mmbot.config.loader import Loaded
from mmbot.config.show import show as settings_text
from mmbot.errors import DataError, NotRunning
from mmbot.interfaces.control_wire import Ask, Request
from mmbot.ledger.reader import LedgerReader, Window
from mmbot.runtime.control_place import control_socket

MOST_ROWS = 50_000


def story(loaded: Loaded, from_ns: int) -> Iterator[tuple[str, str]]:
    """Yield names and texts of what is known of a bot since a moment, ns."""
    yield "version.json", msgspec.json.encode(version_facts()).decode()
    yield "config.yaml", settings_text(loaded, origin=True)
    config = loaded.config
    socket = control_socket(config.control, config.instance.name, os.environ)
    try:
        with Bot(socket) as bot:
            yield "status.json", msgspec.json.encode(read_status(bot)).decode()
            told = bot.ask(Request(VERSION, Ask.EXPLAIN)).explained
            yield "explain.json", msgspec.json.encode(told).decode()
    except NotRunning as error:
        yield "status.txt", str(error)
    ledger = ledger_file(config, os.environ)
    try:
        yield from _books(ledger, Window(since_ns=from_ns))
    except DataError as error:
        yield "ledger.txt", str(error)


def _books(path: Path, window: Window) -> Iterator[tuple[str, str]]:
    with LedgerReader(path) as reader:
        names = {number: market.symbol for number, market in reader.markets.items()}
        yield "markets.json", msgspec.json.encode(names).decode()
        yield "runs.jsonl", _lines(list(reader.runs()))
        yield "events.jsonl", _lines(reader.events(window, MOST_ROWS))
        yield "orders.jsonl", _lines(reader.orders(window, MOST_ROWS))
        yield "fills.jsonl", _lines(list(reader.fills(window))[-MOST_ROWS:])
        yield "equity.jsonl", _lines(list(reader.points(window)))


def _lines(rows: Sequence[object]) -> str:
    return msgspec.json.Encoder().encode_lines(rows).decode()
