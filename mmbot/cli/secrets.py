"""The verb `secrets check`: where each secret comes from, whether it is sound, never its value."""

import argparse
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mmbot.adapters.zo.keys.session_files import Role, session_folder
from mmbot.adapters.zo.keys.wallet_key import keypair_of
from mmbot.cli.output import say, show, show_json
from mmbot.cli.venue import moment
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.errors import SecretError, Unavailable
from mmbot.secrets.params import SecretName
from mmbot.secrets.resolving import is_set, resolve
from mmbot.secrets.secret import Secret, fit_token

EXIT_SECRET = SecretError.exit_code
_BOT_TOKEN = re.compile(r"\d{6,12}:[A-Za-z0-9_-]{30,50}")
_WORDS = {True: "ok", False: "FAIL", None: "none"}


def check(args: argparse.Namespace) -> int:
    """Look at every secret; 4 when one that has to be there is missing or refused."""
    config = load(args.config, args.set, os.environ).config
    found = secrets_here(config)
    if args.json:
        show_json({"schema": "mmbot.secrets/1", "items": found})
    else:
        show([_line(each) for each in found])
    return EXIT_SECRET if any(each["ok"] is False for each in found) else 0


def secrets_here(config: Config) -> list[dict[str, Any]]:
    """Return how each secret stands; afterwards redaction knows them all."""
    return [*(_looked_at(config, name) for name in SecretName), *_sessions(config)]


def _looked_at(config: Config, name: SecretName) -> dict[str, Any]:
    source = getattr(config.secrets, name).source
    if source == "ledger":
        return _item(name, None, "hardware wallet", "asked when a session is made")
    # A copy: looking takes nothing out of the environment.
    env = dict(os.environ)
    try:
        if not is_set(config.secrets, name, env):
            return _item(name, None, "nowhere", "neither a systemd credential nor a variable")
        secret = resolve(config.secrets, name, env, say)
    except (SecretError, Unavailable) as error:
        return _item(name, False, source, str(error))
    try:
        return _item(name, True, secret.place, FORMS[name](secret), secret.path)
    except SecretError as error:
        text = str(error).removeprefix(f"{secret.place}: ")
        return _item(name, False, secret.place, text, secret.path)


def _wallet(secret: Secret) -> str:
    return f"the key of wallet {keypair_of(secret).address}"


def _token(secret: Secret) -> str:
    if not _BOT_TOKEN.fullmatch(secret.reveal()):
        raise SecretError(f"{secret.place}: is no token of a Telegram bot")
    return "has the form of a token"


def _api_token(secret: Secret) -> str:
    fit_token(secret)
    return "has the form of a token"


def _password(_secret: Secret) -> str:
    return "is there"


FORMS: dict[SecretName, Callable[[Secret], str]] = {
    SecretName.WALLET_KEY: _wallet,
    SecretName.TELEGRAM_TOKEN: _token,
    SecretName.API_TOKEN: _api_token,
    SecretName.REDIS_PASSWORD: _password,
}


def _sessions(config: Config) -> Iterator[dict[str, Any]]:
    """Look at the trading keys kept here for the venue."""
    venue = str(config.venue.http_origin)
    for role in Role:
        folder = session_folder(config.session.dir, os.environ, role)
        name = f"{role} session"
        try:
            kept = list(folder.of_venue(venue))
        except SecretError as error:
            yield _item(name, False, "file", str(error))
            continue
        for each in kept:
            path = folder.path(venue, each.user)
            text = f"of wallet {each.user}, ends {moment(each.expiry_s)}"
            yield _item(name, True, f"file {path}", text, path)


def _item(
    name: str, ok: bool | None, place: str, text: str, path: Path | None = None
) -> dict[str, Any]:
    mode = None if path is None else f"{path.stat().st_mode & 0o777:04o}"
    return {"name": str(name), "ok": ok, "place": place, "mode": mode, "text": text}


def _line(item: dict[str, Any]) -> str:
    mode = "" if item["mode"] is None else f", mode {item['mode']}"
    return f"{_WORDS[item['ok']]:<5} {item['name']:<15} {item['place']}{mode}: {item['text']}"
