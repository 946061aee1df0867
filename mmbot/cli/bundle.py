"""The verb `bundle`: what happened around an incident, in one archive without secrets."""

import argparse
import io
import os
import tarfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mmbot.cli.bundle_story import story
from mmbot.cli.ledger_flags import since_ns
from mmbot.cli.output import say, show_json
from mmbot.cli.run_logs import recent_log
from mmbot.cli.secrets import secrets_here
from mmbot.config.loader import ConfigSources
from mmbot.errors import UsageError
from mmbot.secrets.redaction import redacted


def bundle(args: argparse.Namespace) -> int:
    """Write the archive."""
    sources = ConfigSources(args.config, args.set, os.environ)
    loaded = sources.load()
    name = loaded.config.instance.name
    now = datetime.now(UTC)
    path = Path(args.out or f"mmbot-{name}-{now:%Y%m%dT%H%M%SZ}.tar.gz")
    folder = path.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        # As the service's user in somebody's home; asking whether the file is there fails, too.
        raise UsageError(f"{folder} is not there or cannot be written to: give --out FILE")
    if path.exists():
        raise UsageError(f"{path}: is there already")
    # First: from then on redaction knows the secrets that this bot may have loaded.
    secrets = secrets_here(loaded.config)
    from_ns = since_ns(args.since, time.time_ns())
    parts = dict(story(loaded, from_ns))
    parts["secrets.json"] = msgspec.json.encode(secrets).decode()
    parts["log.jsonl"] = recent_log(loaded.config, os.environ, from_ns)
    _write(path, {each: redacted(text) for each, text in parts.items()})
    if args.json:
        content = {"schema": "mmbot.bundle/1", "file": str(path), "parts": list(parts)}
        show_json(content)
    else:
        say(f"wrote {path}: {', '.join(parts)}; look through it before you give it away")
    return 0


def _write(path: Path, parts: Mapping[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in parts.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
            archive.addfile(entry, io.BytesIO(content))
