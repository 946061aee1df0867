"""A loaded secret: opaque, and known to redaction from its first moment."""

from pathlib import Path
from typing import NoReturn

from mmbot.secrets.redaction import KNOWN


class Secret:
    """A text that only `reveal` shows. `place` says in words where it came from.

    `path` is its file, if it has one.
    """

    __slots__ = ("_value", "path", "place")

    def __init__(self, value: str, place: str, path: Path | None = None) -> None:
        KNOWN.add_text(value)
        self._value = value
        self.place = place
        self.path = path

    def reveal(self) -> str:
        """Return the secret itself, for the one who has to use it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")
