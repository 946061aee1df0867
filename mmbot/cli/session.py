"""The verbs `session create|list|refresh|revoke`: the trading keys that a wallet lends the bot."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from mmbot.adapters.zo.engine_time import WINDOW_S, EngineSeconds
from mmbot.adapters.zo.keys.session import (
    check_usable,
    known_user,
    listed_session,
    read_engine_time,
    revoke,
    session_request,
    submit,
)
from mmbot.adapters.zo.keys.session_files import (
    SessionFolder,
    SessionRequest,
    StoredSession,
    read_carried,
    write_request,
    write_session,
)
from mmbot.adapters.zo.rest.answers import User
from mmbot.adapters.zo.wire import base58
from mmbot.cli.output import say, show, show_json
from mmbot.cli.venue import connected, folder, moment, user_of, venue_settings
from mmbot.cli.wallets import wallet
from mmbot.config.schema import Config
from mmbot.errors import OutcomeUnknown, SecretError, SessionExpired, UsageError

_S_PER_H = 3600


def create(args: argparse.Namespace) -> int:
    """Make a session, or take over one that another machine has signed or made."""
    if args.engine_time is not None and args.out is None:
        raise UsageError("--engine-time needs --out: nothing is sent, so there is only the file")
    if args.submit is not None and (args.out is not None or args.wallet is not None):
        raise UsageError("--submit takes everything from its file: no --out, no --wallet")
    config = venue_settings(args)
    if args.engine_time is not None:
        return _sign_offline(args, config)
    if args.submit is not None:
        return asyncio.run(_take_over(args, config))
    return asyncio.run(_create(args, config))


def refresh(args: argparse.Namespace) -> int:
    """Replace a session that ends soon, and revoke it."""
    return asyncio.run(_refresh(args, venue_settings(args)))


def list_sessions(args: argparse.Namespace) -> int:
    """Print the sessions kept here and those that the venue knows."""
    return asyncio.run(_list(args, venue_settings(args)))


def revoke_sessions(args: argparse.Namespace) -> int:
    """End sessions by id, all of the wallet, or the one kept here."""
    if args.all and args.ids:
        raise UsageError("--all and ids exclude each other")
    return asyncio.run(_revoke(args, venue_settings(args)))


def _sign_offline(args: argparse.Namespace, config: Config) -> int:
    signer = wallet(args, config)
    stamp_s = EngineSeconds(args.engine_time)
    request = session_request(signer, stamp_s, _ttl_s(config))
    write_request(args.out, request)
    say(
        f"wrote {args.out}: submit it between {moment(stamp_s - WINDOW_S)} and "
        f"{moment(stamp_s + WINDOW_S)} with `session create --submit`"
    )
    _print(args, "signed", {**_described(request), "file": str(args.out)})
    return 0


async def _take_over(args: argparse.Namespace, config: Config) -> int:
    carried = read_carried(args.submit)
    venue = str(config.venue.http_origin)
    async with connected(config.venue) as (http, clock):
        now_s = await read_engine_time(http, clock)
        if isinstance(carried, SessionRequest):
            _check_window(carried, now_s)
            session = await submit(http, venue, carried)
        else:
            if carried.venue != venue:
                raise UsageError(f"{args.submit}: is a session at {carried.venue}, not at {venue}")
            session = carried
            check_usable(session, await http.user(session.pubkey), now_s, 0)
    path = folder(args, config).save(session)
    say(f"stored {path}; {args.submit} holds the same key and may be deleted")
    _print(args, "created", _described(session))
    return 0


def _check_window(request: SessionRequest, now_s: EngineSeconds) -> None:
    away_s = now_s - request.stamp_s
    if abs(away_s) > WINDOW_S:
        side = "late" if away_s > 0 else "early"
        raise SecretError(
            f"the request was signed for {moment(request.stamp_s)}, {abs(away_s) - WINDOW_S} s too "
            f"{side}: the engine's time is {moment(now_s)}, and {WINDOW_S} s either way are allowed"
        )


async def _create(args: argparse.Namespace, config: Config) -> int:
    signer = wallet(args, config)
    venue, kept = str(config.venue.http_origin), folder(args, config)
    async with connected(config.venue) as (http, clock):
        now_s = await read_engine_time(http, clock)
        user = await known_user(http, signer.pubkey)
        stored = None if args.out is not None else kept.load(venue, base58.encode(signer.pubkey))
        if stored is not None:
            try:
                check_usable(stored, user, now_s, _before_s(config))
            except SessionExpired as error:
                say(f"{error}: making a new one")
            else:
                _print(args, "kept", _described(stored))
                return 0
        request = session_request(signer, now_s, _ttl_s(config))
        session = await submit(http, venue, request)
    _keep(args.out, kept, session)
    _print(args, "created", _described(session))
    return 0


def _keep(out: Path | None, kept: SessionFolder, session: StoredSession) -> None:
    if out is None:
        say(f"stored {kept.save(session)}")
        return
    write_session(out, session)
    say(f"wrote {out}: take it over on the bot's machine with `session create --submit`")


async def _refresh(args: argparse.Namespace, config: Config) -> int:
    signer = wallet(args, config)
    venue, kept = str(config.venue.http_origin), folder(args, config)
    stored = kept.load(venue, base58.encode(signer.pubkey))
    async with connected(config.venue) as (http, clock):
        now_s = await read_engine_time(http, clock)
        user = await known_user(http, signer.pubkey)
        if stored is not None and not args.force:
            try:
                check_usable(stored, user, now_s, _before_s(config))
            except SessionExpired as error:
                say(f"{error}: making a new one")
            else:
                _print(args, "kept", _described(stored))
                return 0
        session = await submit(http, venue, session_request(signer, now_s, _ttl_s(config)))
        say(f"stored {kept.save(session)}")
        if stored is not None and listed_session(stored, user) is not None:
            now_s = await read_engine_time(http, clock)
            if await revoke(http, signer, now_s, stored.session_id):
                say(f"revoked session {stored.session_id}")
    _print(args, "created", _described(session))
    return 0


async def _list(args: argparse.Namespace, config: Config) -> int:
    venue, kept = str(config.venue.http_origin), folder(args, config)
    stored = {each.user: each for each in kept.of_venue(venue)}
    users = _users(args, stored)
    if not users:
        say(f"no session of {venue} is kept here; --user PUBKEY lists those of a wallet")
    items: list[dict[str, object]] = []
    async with connected(config.venue) as (http, clock):
        now_s = await read_engine_time(http, clock)
        for name in users:
            user = await http.user(base58.decode(name))
            items += _listed(name, stored.get(name), user, now_s)
    if args.json:
        show_json({"schema": "mmbot.sessions/1", "items": items})
    else:
        show([_line(item) for item in items])
    return 0


def _users(args: argparse.Namespace, stored: dict[str, StoredSession]) -> list[str]:
    if args.user is not None:
        return [base58.encode(user_of(args.user))]
    return sorted(stored)


def _listed(
    name: str, stored: StoredSession | None, user: User | None, now_s: EngineSeconds
) -> list[dict[str, object]]:
    items: list[dict[str, object]] = []
    for each in user.sessions if user is not None else ():
        ours = stored is not None and listed_session(stored, user) == each
        items.append(_item(name, each.session_id, each.expiry_s, now_s, "here" if ours else ""))
    if stored is not None and listed_session(stored, user) is None:
        items.append(_item(name, stored.session_id, stored.expiry_s, now_s, "unknown to the venue"))
    return items


def _item(
    name: str, session_id: int, expiry_s: int | None, now_s: EngineSeconds, note: str
) -> dict[str, object]:
    return {
        "user": name,
        "session_id": str(session_id),
        "expires": None if expiry_s is None else moment(expiry_s),
        "left_s": None if expiry_s is None else expiry_s - now_s,
        "note": note,
    }


def _line(item: dict[str, object]) -> str:
    left_s = item["left_s"]
    left = f"{left_s / _S_PER_H:.1f} h left" if isinstance(left_s, int) else "end unknown"
    return f"{item['session_id']}  {item['user']}  {item['expires'] or '-'}  {left}  {item['note']}"


async def _revoke(args: argparse.Namespace, config: Config) -> int:
    signer = wallet(args, config)
    venue, kept = str(config.venue.http_origin), folder(args, config)
    stored = kept.load(venue, base58.encode(signer.pubkey))
    done: list[dict[str, object]] = []
    async with connected(config.venue) as (http, clock):
        for session_id in await _wanted(args, stored, signer.pubkey, config):
            now_s = await read_engine_time(http, clock)
            was_there = await revoke(http, signer, now_s, session_id)
            if stored is not None and stored.session_id == session_id:
                kept.remove(stored)
            done.append({"session_id": str(session_id), "was_there": was_there})
        user = await http.user(signer.pubkey)
    left = {str(each.session_id) for each in user.sessions} if user is not None else set()
    still = [str(each["session_id"]) for each in done if each["session_id"] in left]
    if still:
        raise OutcomeUnknown(f"the venue still lists session {', '.join(still)}")
    if args.json:
        show_json({"schema": "mmbot.revoked/1", "items": done})
    else:
        texts = {True: "revoked", False: "was not there"}
        show([f"{each['session_id']}  {texts[bool(each['was_there'])]}" for each in done])
    return 0


async def _wanted(
    args: argparse.Namespace, stored: StoredSession | None, pubkey: bytes, config: Config
) -> Sequence[int]:
    if args.all:
        async with connected(config.venue) as (http, _):
            user = await http.user(pubkey)
        return [each.session_id for each in user.sessions] if user is not None else []
    if args.ids:
        return list(args.ids)
    if stored is None:
        raise UsageError("no session is kept here: give its id, or --all")
    return [stored.session_id]


def _described(session: StoredSession | SessionRequest) -> dict[str, object]:
    described: dict[str, object] = {
        "user": session.user,
        "session_key": session.keypair.address,
        "expires": moment(session.expiry_s),
    }
    if isinstance(session, StoredSession):
        described |= {"session_id": str(session.session_id), "venue": session.venue}
    return described


def _print(args: argparse.Namespace, state: str, described: dict[str, object]) -> None:
    if args.json:
        content = {"schema": "mmbot.session/1", "state": state, **described}
        show_json(content)
        return
    named = "".join(f"  {key} {value}" for key, value in described.items())
    show([f"{state}{named}"])


def _ttl_s(config: Config) -> int:
    return round(config.session.ttl_h * _S_PER_H)


def _before_s(config: Config) -> float:
    return config.session.refresh_before_h * _S_PER_H
