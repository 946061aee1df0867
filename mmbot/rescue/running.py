"""Whether a bot runs on this machine, by the lock that it holds on its account."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def held_locks(venue: str, env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the locks of accounts of a venue that a process holds now."""
    service = env.get("STATE_DIRECTORY", "").partition(os.pathsep)[0]
    state = env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(service) if service else Path(state) / "mmbot"
    place = venue.partition("://")[2].replace(":", "_").replace("[", "").replace("]", "")
    for path in sorted(folder.glob(f"account-{place}-*.lock")):
        if _is_held(path):
            yield path


def _is_held(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False
