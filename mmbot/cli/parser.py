"""The verbs and their flags. Verbs are imported when they run, so --help and errors stay fast."""

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from mmbot import __version__
from mmbot.cli.control_parser import control_verbs, diff_verb, notify_verbs
from mmbot.cli.demo_parser import FLOW_TYPES, demo_verbs
from mmbot.cli.ledger_parser import ledger_verbs
from mmbot.cli.rescue_parser import positive, rescue_verbs, whole
from mmbot.cli.research_parser import research_verbs
from mmbot.cli.unit_parser import unit_verbs

EXIT_CODES = """\
exit codes:
  0 done    1 failed, or input data unusable    2 wrong flags    3 configuration invalid
  4 a key is missing or refused    5 venue not reachable    6 halted: a person has to look
  7 another one is running already    8 could not verify what happened    9 no bot is running
  10 a check failed (--fail-if, compare, data verify, test-live)    130 interrupted
  141 nobody reads the output
"""


RUN_ENDS = """\
Ctrl-C or SIGTERM end it with every order cancelled and that proven. See docs/live.md.
exit codes: 0 nothing of ours rests; 3 settings, 4 keys, 5 venue: not started; 6 halted;
7 another bot holds the account; 8 not proven: look at the venue; 130 interrupted twice
"""

_Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def build_parser() -> argparse.ArgumentParser:
    """Build the whole command line."""
    parser = argparse.ArgumentParser(
        prog="mmbot",
        description="Market maker for 01.xyz: trade live or on paper, backtest, simulate, record.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mmbot {__version__}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("-v", "--verbose", action="store_true", help="show a traceback on errors")
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    demo_verbs(verbs, lambda where, *verb: _add(where, shared, *verb), _config_flags)
    _run(verbs, shared)
    _backtest(verbs, shared)
    _simulate(verbs, shared)
    _exchange(verbs, shared)
    _record(verbs, shared)
    _recordings(verbs, shared)
    _settings(verbs, shared)
    _sessions(verbs, shared)
    _secrets(verbs, shared)
    _live_check(verbs, shared)
    control_verbs(verbs, lambda where, *verb: _add(where, shared, *verb), _config_flags)
    notify_verbs(verbs, lambda where, *verb: _add(where, shared, *verb), _config_flags)
    ledger_verbs(verbs, lambda where, *verb: _add(where, shared, *verb), _config_flags)
    research_verbs(verbs, lambda where, *verb: _add(where, shared, *verb), _config_flags)
    rescue_verbs(verbs, lambda where, *verb: _add(where, shared, *verb), _venue_flags)
    unit_verbs(verbs, lambda where, *verb: _add(where, shared, *verb), _config_flags)
    return parser


def _verb(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        return int(getattr(import_module(f"mmbot.cli.{module}"), function)(args))

    return run


def _add(
    verbs: _Verbs, shared: argparse.ArgumentParser, name: str, summary: str, target: tuple[str, str]
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, parents=[shared], help=summary, description=summary)
    verb.set_defaults(verb=_verb(*target))
    return verb


def _config_flags(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "-c",
        "--config",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="configuration; may be given several times, later files win",
    )
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one key, for example defaults.spread.min_bps=12",
    )


def _output_flags(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--report", type=Path, metavar="DIR", help="write index.html and CSV files")
    verb.add_argument("--json", metavar="FILE", help="write the results as JSON; - is stdout")
    verb.add_argument("--actions", type=Path, metavar="FILE", help="write every action sent, JSONL")
    verb.add_argument(
        "--fail-if",
        metavar="EXPR",
        help="exit 10 when true of the results, for example 'max_drawdown_pct>5'",
    )


def _run(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    verb = _add(verbs, shared, "run", "run the bot in the foreground", ("run", "run"))
    verb.formatter_class = argparse.RawDescriptionHelpFormatter
    verb.epilog = RUN_ENDS
    _config_flags(verb)
    verb.add_argument(
        "--mode",
        choices=("observe", "paper", "live"),
        required=True,
        help="observe: show the quotes, send nothing; paper: trade against the live market without "
        "orders; live: trade for real",
    )
    verb.add_argument(
        "--market",
        action="append",
        default=[],
        metavar="SYMBOL",
        help="market to quote (default: those of the configuration)",
    )
    verb.add_argument("--url", metavar="URL", help="venue, streams included (venue.http_url)")
    verb.add_argument(
        "--for", dest="duration", metavar="TIME", help="stop after 90s, 15m, 12h or 7d"
    )
    verb.add_argument(
        "--record", type=Path, metavar="DIR", help="write tapes, journal and settings of the run"
    )
    verb.add_argument(
        "--close-on-exit", action="store_true", help="close the positions before the end"
    )
    verb.add_argument(
        "--stay-halted",
        action="store_true",
        help="after a halt go on answering without orders, and begin anew after reset-halt",
    )
    verb.add_argument(
        "--accept-literal-skew",
        action="store_true",
        help="allow inventory.direction literal, which lets positions grow",
    )
    verb.add_argument("--json", action="store_true", help="print JSON, an object a line")
    verb.add_argument(
        "--profile", type=Path, metavar="FILE", help="write where the time goes, for pstats"
    )


def _backtest(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    verb = _add(
        verbs, shared, "backtest", "run the bot on recorded market data", ("backtest", "backtest")
    )
    _config_flags(verb)
    verb.add_argument(
        "--data",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="recording, bars, or a folder of them; several times for several markets or days "
        "(default: a synthetic normal market)",
    )
    verb.add_argument(
        "--format",
        choices=("auto", "binance", "events", "bars", "tape"),
        default="auto",
        help="what the data is (default: looked at)",
    )
    verb.add_argument("--start", metavar="TIME", help="first moment, ISO 8601 UTC")
    verb.add_argument("--end", metavar="TIME", help="last moment, ISO 8601 UTC")
    verb.add_argument(
        "--steps", type=positive, metavar="N", help="stop after N decisions (bars: after N bars)"
    )
    verb.add_argument("--seed", type=int, metavar="N", help="seed of everything random")
    verb.add_argument(
        "--fill-model",
        metavar="M",
        help="queue model: risk, power or powerN (N an exponent), probabilistic (optimistic)",
    )
    verb.add_argument(
        "--compare",
        type=Path,
        metavar="FILE",
        help="run this configuration on the same events too and compare",
    )
    _output_flags(verb)


def _simulate(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    verb = _add(
        verbs, shared, "simulate", "run the bot on a synthetic market", ("simulate", "simulate")
    )
    _config_flags(verb)
    verb.add_argument("--type", choices=FLOW_TYPES, help="kind of market (default: normal)")
    verb.add_argument("--steps", type=positive, metavar="N", help="seconds of market time")
    verb.add_argument("--seed", type=int, metavar="N", help="seed of the market")
    verb.add_argument("--record", type=Path, metavar="FILE", help="record the market as a tape")
    verb.add_argument("--observe", action="store_true", help="watch only: send no orders")
    _output_flags(verb)


def _exchange(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    summary = "serve a local exchange that speaks the protocol of 01.xyz"
    verb = _add(verbs, shared, "exchange", summary, ("exchange", "exchange"))
    verb.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    verb.add_argument(
        "--port",
        type=int,
        default=8001,
        metavar="N",
        help="0 takes a free one (default: %(default)s)",
    )
    verb.add_argument(
        "-c",
        "--config",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="markets, fees, limits and rules (default: BTCUSD, ETHUSD, SOLUSD)",
    )
    verb.add_argument(
        "--flow", choices=(*FLOW_TYPES, "none"), help="kind of background market (default: normal)"
    )
    verb.add_argument(
        "--replay", dest="recording", type=Path, metavar="CAPTURE", help="play a recorded market"
    )
    verb.add_argument("--speed", type=float, default=1.0, metavar="X", help="of the recording")
    verb.add_argument("--seed", type=int, default=1, metavar="N", help="of everything random")
    verb.add_argument(
        "--auto-fund-usd",
        type=whole,
        metavar="N",
        help="money an unknown wallet gets on its first look-up (default: 10000; 0: none)",
    )
    verb.add_argument("--state", type=Path, metavar="FILE", help="go on from here, and save here")
    verb.add_argument("--control", action="store_true", help="serve /_ctl/: truth, time, faults")
    verb.add_argument("--faults", type=Path, metavar="FILE", help="faults set from the start")
    verb.add_argument(
        "--virtual-time", action="store_true", help="time stands still until /_ctl/step moves it"
    )
    verb.add_argument("--no-pongs", action="store_true", help="leave WebSocket pings unanswered")
    verb.add_argument(
        "--until-eof", action="store_true", help="end when standard input does, as a child"
    )
    verb.add_argument("--json", action="store_true", help="remarks as JSON lines, too")


def _record(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    summary = "record the venue's streams and an outside price, one file for each and day"
    verb = _add(verbs, shared, "record", summary, ("record", "record"))
    _config_flags(verb)
    verb.add_argument("--url", metavar="URL", help="the venue, short for venue.http_url")
    verb.add_argument(
        "--market",
        action="append",
        default=[],
        metavar="SYMBOL",
        help="market to record (default: those of the configuration, or the venue's first)",
    )
    verb.add_argument(
        "--account",
        action="append",
        type=positive,
        default=[],
        metavar="N",
        help="account whose stream to record, too; may be given several times",
    )
    verb.add_argument(
        "--reference",
        metavar="URL",
        help="venue of an outside price to record, too, such as wss://fstream.binance.com",
    )
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the tapes")
    verb.add_argument(
        "--for", dest="duration", metavar="TIME", help="stop after 90s, 15m, 12h or 7d"
    )
    verb.add_argument("--json", action="store_true", help="print the summary as JSON")


def _recordings(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser("data", help="look at and convert recorded markets")
    jobs = verb.add_subparsers(title="jobs", required=True, metavar="JOB")
    summaries = {
        "list": "what is in these files and folders",
        "verify": "check recordings for gaps and disorder; exit 10 when something is wrong",
        "convert": "convert a recording to a tape",
        "import": "convert recordings into a folder, named by market and day",
    }
    for name, summary in summaries.items():
        job = _add(jobs, shared, name, summary, ("recordings", f"{name}_data"))
        job.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        _config_flags(job)
        job.add_argument("--json", action="store_true", help="print JSON")
        job.add_argument(
            "--format", choices=("auto", "binance", "events", "bars", "tape"), default="auto"
        )
        if name == "convert":
            job.add_argument("--out", type=Path, required=True, metavar="FILE")
        if name == "import":
            job.add_argument("--into", type=Path, required=True, metavar="DIR")


def _settings(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    verb = _add(verbs, shared, "init", "write a commented configuration", ("settings", "init"))
    verb.add_argument("path", nargs="?", type=Path, default=Path("config.yaml"))
    verb.add_argument("--template", choices=("minimal", "full"), default="minimal")
    verb.add_argument("--force", action="store_true", help="overwrite an existing file")
    verb = _add(
        verbs,
        shared,
        "check-config",
        "validate the configuration and say what it amounts to",
        ("settings", "check"),
    )
    _config_flags(verb)
    verb.add_argument("--strict", action="store_true", help="warnings fail too")
    verb.add_argument("--json", action="store_true", help="print JSON")
    config = verbs.add_parser("config", help="show and edit the configuration")
    jobs = config.add_subparsers(title="jobs", required=True, metavar="JOB")
    verb = _add(jobs, shared, "show", "the configuration in force", ("settings", "show_settings"))
    _config_flags(verb)
    verb.add_argument("--origin", action="store_true", help="say where each value comes from")
    verb.add_argument("--defaults", action="store_true", help="values nobody has set, too")
    verb = _add(jobs, shared, "get", "one value", ("settings", "get"))
    _config_flags(verb)
    verb.add_argument("key", metavar="KEY")
    verb = _add(jobs, shared, "set", "change one value, keep the comments", ("settings", "put"))
    verb.add_argument("-c", "--config", type=Path, default=Path("config.yaml"), metavar="FILE")
    verb.add_argument("key", metavar="KEY")
    verb.add_argument("value", metavar="VALUE")
    diff_verb(jobs, lambda where, *verb: _add(where, shared, *verb), _config_flags)
    _add(jobs, shared, "schema", "JSON Schema for editors", ("settings", "schema"))
    _add(jobs, shared, "docs", "reference of every key, Markdown", ("settings", "docs"))


def _sessions(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    session = verbs.add_parser("session", help="make and revoke trading keys that the wallet signs")
    jobs = session.add_subparsers(title="jobs", required=True, metavar="JOB")
    verb = _add(jobs, shared, "create", "make a session, or take one over", ("session", "create"))
    _venue_flags(verb)
    _wallet_flag(verb)
    verb.add_argument(
        "--ledger", action="store_true", help="have a hardware wallet sign it (secrets.ledger)"
    )
    _role_flag(verb)
    verb.add_argument("--ttl-h", metavar="H", help="hours it lasts, up to 744 (default: 24)")
    verb.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="on the wallet's machine: write the session to FILE instead of storing it",
    )
    verb.add_argument(
        "--engine-time",
        type=positive,
        metavar="N",
        help="with --out, without any network: sign for submission within 60 s of engine second N "
        "(GET /timestamp; any moment of your choice)",
    )
    verb.add_argument(
        "--submit",
        type=Path,
        metavar="FILE",
        help="on the bot's machine: take over FILE as --out wrote it, store the session",
    )
    verb = _add(
        jobs, shared, "list", "sessions here and at the venue", ("session", "list_sessions")
    )
    _venue_flags(verb)
    verb.add_argument(
        "--user", metavar="PUBKEY", help="of this wallet (default: of those with a session here)"
    )
    _role_flag(verb)
    verb = _add(jobs, shared, "refresh", "replace a session that ends soon", ("session", "refresh"))
    _venue_flags(verb)
    _wallet_flag(verb)
    _role_flag(verb)
    verb.add_argument("--ttl-h", metavar="H", help="hours the new one lasts (default: 24)")
    verb.add_argument("--force", action="store_true", help="even when it does not end soon")
    verb = _add(jobs, shared, "revoke", "end sessions", ("session", "revoke_sessions"))
    _venue_flags(verb)
    _wallet_flag(verb)
    verb.add_argument(
        "ids", nargs="*", type=positive, metavar="ID", help="default: the session kept here"
    )
    _role_flag(verb)
    verb.add_argument("--all", action="store_true", help="every session of the wallet")


SECRETS = ("wallet_key", "telegram_token", "api_token", "redis_password")


def _secrets(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    secrets = verbs.add_parser("secrets", help="where keys and tokens come from")
    jobs = secrets.add_subparsers(title="jobs", required=True, metavar="JOB")
    summary = "say of each secret where it comes from and whether it is sound, never its value"
    verb = _add(jobs, shared, "check", summary, ("secrets", "check"))
    _config_flags(verb)
    verb.add_argument("--json", action="store_true", help="print JSON")
    summary = "encrypt one from standard input for this machine (systemd-creds), never an argument"
    verb = _add(jobs, shared, "encrypt", summary, ("sealing", "encrypt"))
    verb.add_argument("name", choices=SECRETS, metavar="NAME", help=", ".join(SECRETS))
    _config_flags(verb)
    verb.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")


def _live_check(verbs: _Verbs, shared: argparse.ArgumentParser) -> None:
    verb = _add(
        verbs,
        shared,
        "test-live",
        "check the way to the venue: connection, time, markets, session, book, account",
        ("live_check", "test_live"),
    )
    _venue_flags(verb)
    verb.add_argument(
        "--user", metavar="PUBKEY", help="wallet (default: the one with a session here)"
    )
    verb.add_argument(
        "--market",
        action="append",
        default=[],
        metavar="SYMBOL",
        help="market to check (default: those of the configuration, or the venue's first)",
    )
    verb.add_argument(
        "--place",
        action="store_true",
        help="also place one smallest post-only bid far below the market, cancel it, see it gone",
    )


def _venue_flags(verb: argparse.ArgumentParser) -> None:
    _config_flags(verb)
    verb.add_argument("--url", metavar="URL", help="venue, streams included (venue.http_url)")
    verb.add_argument("--dir", metavar="DIR", help="folder of the session files (session.dir)")
    verb.add_argument("--json", action="store_true", help="print JSON")


def _role_flag(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--role",
        choices=("bot", "guard"),
        default="bot",
        help="whose session it is; the guard's lasts 744 hours (default: %(default)s)",
    )


def _wallet_flag(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--wallet",
        type=Path,
        metavar="FILE",
        help="the wallet's secret key, a file only you can read (default: secrets.wallet_key)",
    )
