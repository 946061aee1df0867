"""A loaded secret: opaque, and known to redaction from its first moment."""

from pathlib import Path
from typing import NoReturn

from mmbot.errors import SecretError
from mmbot.secrets.redaction import KNOWN

LEAST_TOKEN_CHARS = 24


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


def fit_token(secret: Secret) -> Secret:
    """Return a secret that is fit to be the token; SecretError for one that could be guessed."""
    text = secret.reveal()
    if len(text) < LEAST_TOKEN_CHARS or not text.isascii() or not text.isprintable():
        raise SecretError(f"{secret.place}: a token has {LEAST_TOKEN_CHARS} characters or more")
    return secret
