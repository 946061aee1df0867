"""The verb `exchange`: serve a local venue that speaks the protocol of 01.xyz."""

import argparse
import asyncio
import os
import signal
import sys

import msgspec
import uvloop

from mmbot.assemble.exchange import ExchangeOptions, Opened, open_exchange
from mmbot.cli.output import say
from mmbot.config.separate import load_params
from mmbot.errors import UsageError
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.serving.server import Address, ExchangeServer, ServerOptions

DEMO_MONEY_USD = 10_000
LARGEST_PORT = 65_535
PIPE_BYTES = 4096


def exchange(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    if args.recording is not None and args.flow is not None:
        raise UsageError("--flow and --replay exclude each other")
    if not 0 <= args.port <= LARGEST_PORT:
        raise UsageError(f"--port {args.port}: expected 0 to {LARGEST_PORT}")
    opened = open_exchange(_options(args))
    for note in opened.notes:
        _tell(args, note)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(opened, args))


def _options(args: argparse.Namespace) -> ExchangeOptions:
    params = load_params(args.config, ExchangeParams)
    money = args.auto_fund_usd
    if money is None and "auto_fund_usd" not in params.model_fields_set:
        money = DEMO_MONEY_USD
    if money is not None:
        params = params.model_copy(update={"auto_fund_usd": money})
    return ExchangeOptions(
        params=params,
        flow=args.flow or "normal",
        recording=args.recording,
        speed=args.speed,
        seed=args.seed,
        state=args.state,
        faults=args.faults,
        stepped=args.virtual_time,
        pongs=not args.no_pongs,
    )


async def _serve(opened: Opened, args: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if args.until_eof:
        loop.add_reader(sys.stdin.fileno(), _read_on, over)
    server = ExchangeServer(opened.floor, ServerOptions(control=args.control))
    address = await server.start(args.host, args.port)
    _ready(address)
    _tell(args, f"serving {address.urls()['http']}; end with Ctrl-C")
    asked = asyncio.create_task(over.wait(), name="wait for a signal")
    await asyncio.wait((asked, server.broken), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if server.broken.done():
        # What broke is not saved over the state it broke: the journal ends before it.
        server.broken.result()
    await server.stop()
    return 0


def _read_on(over: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), PIPE_BYTES):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        over.set()


def _ready(address: Address) -> None:
    line = msgspec.json.encode({"ready": True, **address.urls()}).decode()
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _tell(args: argparse.Namespace, text: str) -> None:
    say(msgspec.json.encode({"note": text}).decode() if args.json else text)
