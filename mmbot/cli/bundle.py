"""The verb `bundle`: what happened around an incident, in one archive without secrets."""

import argparse
import io
import os
import re
import tarfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from mmbot.cli.bundle_story import story
from mmbot.cli.ledger_flags import since_ns
from mmbot.cli.output import say
from mmbot.config.loader import ConfigSources
from mmbot.errors import UsageError

REMOVED = "[removed]"
# Keys as hexadecimal or base58, tokens of bots and clouds, passwords in addresses, and whatever
# stands behind a word that names a secret.
_SECRETS = re.compile(
    r"(?<![0-9a-zA-Z])(?:0x)?[0-9a-fA-F]{128}(?![0-9a-zA-Z])"
    r"|(?<![0-9a-zA-Z])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-zA-Z])"
    r"|(?<![0-9a-zA-Z])[1-9A-HJ-NP-Za-km-z]{85,90}(?![0-9a-zA-Z])"
    r"|\b\d{6,12}:[A-Za-z0-9_-]{30,50}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?i:(?<=token=)|(?<=secret=)|(?<=password=)|(?<=Bearer ))[^\s\"'&,]+"
)


def bundle(args: argparse.Namespace) -> int:
    """Write the archive."""
    sources = ConfigSources(args.config, args.set, os.environ)
    loaded = sources.load()
    name = loaded.config.instance.name
    now = datetime.now(UTC)
    path = Path(args.out or f"mmbot-{name}-{now:%Y%m%dT%H%M%SZ}.tar.gz")
    if path.exists() or not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: is there already, or its folder is not")
    parts = dict(story(loaded, since_ns(args.since, time.time_ns())))
    _write(path, {each: redacted(text) for each, text in parts.items()})
    say(f"wrote {path}: {', '.join(parts)}; look through it before you give it away")
    return 0


def redacted(text: str) -> str:
    """Return a text without anything that looks like a secret."""
    return _SECRETS.sub(REMOVED, text)


def _write(path: Path, parts: Mapping[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in parts.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
            archive.addfile(entry, io.BytesIO(content))
