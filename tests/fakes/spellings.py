"""Every way a secret may be written down, made by other means than the product's."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

from solders.keypair import Keypair as Solders
from solders.pubkey import Pubkey


def spellings(content: bytes) -> list[str]:
    """Return texts that say these bytes."""
    standard = base64.b64encode(content).decode()
    return [
        standard,
        standard.rstrip("="),
        base64.urlsafe_b64encode(content).decode(),
        content.hex(),
        content.hex().upper(),
        json.dumps(list(content)),
        json.dumps(list(content), separators=(",", ":")),
        str(tuple(content)),
        repr(content),
        repr(bytearray(content)),
        repr(repr(content)),
        repr(f"in a text: {content!r}"),
        json.dumps(repr(content)),
    ]


def key_spellings(secret: bytes) -> list[str]:
    """Return texts that say a key of 64 bytes, or its seed."""
    seed = secret[:32]
    in_base58 = [str(Solders.from_bytes(secret)), str(Pubkey(seed))]
    return [*spellings(secret), *spellings(seed), *in_base58]


def text_spellings(text: str) -> list[str]:
    """Return texts that say a token."""
    return [text, quote(text, safe=""), *spellings(text.encode())]


def hits(content: bytes, secrets: dict[str, list[str]]) -> Iterator[str]:
    """Yield the names of the secrets that a file shows, as text or as it is."""
    for name, texts in secrets.items():
        if any(text.encode() in content for text in texts):
            yield name
