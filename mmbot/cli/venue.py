"""What the verbs that talk to the venue share: their settings, their sessions, their clock."""

import argparse
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.keys.session_files import Role, SessionFolder, session_folder
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.wire import base58
from mmbot.config.loader import ConfigSources
from mmbot.config.schema import Config
from mmbot.errors import SecretError, UsageError

PUBKEY_BYTES = 32
# The venue ends the session that ends first when there are too many: never the guard's.
LONGEST_H = 744


def venue_settings(args: argparse.Namespace) -> Config:
    """Settings in force; `--url` is short for venue.http_url with the streams at the same place."""
    return venue_sources(args).load().config


def venue_sources(args: argparse.Namespace) -> ConfigSources:
    """Where these settings are read from."""
    return ConfigSources(args.config, [*args.set, *_short(args)], os.environ)


def folder(args: argparse.Namespace, config: Config) -> SessionFolder:
    """Where the role's sessions are kept: `--dir`, or as configured."""
    role = Role(getattr(args, "role", Role.BOT))
    return session_folder(args.dir or config.session.dir, os.environ, role)


def user_of(text: str) -> bytes:
    """Return the public key of a wallet; UsageError when the text is none."""
    try:
        pubkey = base58.decode(text)
    except ValueError as error:
        raise UsageError(f"--user: {error}") from None
    if len(pubkey) != PUBKEY_BYTES:
        raise UsageError(f"--user: a public key has {PUBKEY_BYTES} bytes, not {len(pubkey)}")
    return pubkey


def session_path(args: argparse.Namespace, config: Config, role: str) -> Path:
    """The file of the one session of a role kept here; SecretError when there is not just one."""
    venue = str(config.venue.http_origin)
    kept = session_folder(args.dir or config.session.dir, os.environ, Role(role))
    paths = [kept.path(each.venue, each.user) for each in kept.of_venue(venue)]
    if len(paths) != 1:
        make = "make one with `session create --role guard`" if role == "guard" else "make one"
        hint = "several: give --session-file" if paths else f"none: {make}, or give --session-file"
        raise SecretError(f"{role} sessions of {venue} kept here: {hint}")
    return paths[0]


@asynccontextmanager
async def connected(params: VenueParams) -> AsyncIterator[tuple[ZoHttp, EngineClock]]:
    """Open the venue's REST interface, with a clock that has not been read yet."""
    async with open_http(params) as http:
        yield http, EngineClock()


def moment(seconds: int) -> str:
    """Return engine seconds as ISO text in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _short(args: argparse.Namespace) -> Iterator[str]:
    if args.url is not None:
        yield f"venue.http_url={args.url}"
        yield "venue.ws_url=null"
    if getattr(args, "ttl_h", None) is not None:
        yield f"session.ttl_h={args.ttl_h}"
    elif getattr(args, "role", Role.BOT) == Role.GUARD:
        yield f"session.ttl_h={LONGEST_H}"
