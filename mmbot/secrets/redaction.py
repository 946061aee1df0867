"""What no output may show: the secrets this process holds, in every spelling, and what looks
like one. Public keys stay: 32 bytes in base58 are a wallet's address far more often than a seed.
"""

import base64
import json
import re
from urllib.parse import quote

REMOVED = "[removed]"
# A shorter text would take half of every line with it.
LEAST_CHARACTERS = 8
LEAST_BYTES = 16
SEED_BYTES = 32

_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|\d?\d)"
_WORD = r"(?<![0-9a-zA-Z])"
_END = r"(?![0-9a-zA-Z])"
_PATTERNS = (
    # 64 or 32 bytes as hexadecimal; 64 bytes in base58; either in base64.
    rf"{_WORD}(?:0x)?(?:[0-9a-fA-F]{{128}}|[0-9a-fA-F]{{64}}){_END}",
    rf"{_WORD}[1-9A-HJ-NP-Za-km-z]{{85,90}}{_END}",
    r"(?<![0-9a-zA-Z+/_-])(?:[0-9a-zA-Z+/_-]{86}==|[0-9a-zA-Z+/_-]{43}=)",
    # A key file of Solana's tools: an array of 64 bytes, or of a seed's 32.
    rf"\[\s*{_BYTE}(?:\s*,\s*{_BYTE}){{63}}\s*\]",
    rf"\[\s*{_BYTE}(?:\s*,\s*{_BYTE}){{31}}\s*\]",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    # A bot's token, also in the address of Telegram's interface; a key of AWS.
    r"(?<![0-9])\d{6,12}:[A-Za-z0-9_-]{30,50}",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    # A password in an address.
    r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",
)
# What stands behind a word that names a secret; the word itself stays.
_HEADERS = re.compile(
    r"(?i)(\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic)\s+)?[^\s\"',;&]+"
    r"|(\bbearer\s+)[^\s\"',;&]+"
    r"|((?:api[-_]?key|secret(?:[-_]?access)?(?:[-_]?key)?|private[-_]?key(?:[-_]?base58)?"
    r"|token|passw(?:or)?d|passphrase)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&]{8,}"
)
_LOOKS = re.compile("|".join(_PATTERNS), re.DOTALL)


class KnownSecrets:
    """The secrets of this process, in all the spellings they may be written in."""

    def __init__(self) -> None:
        self._spellings: set[str] = set()
        self._longest_first: tuple[str, ...] = ()

    def add_text(self, text: str) -> None:
        """Know a token or password."""
        if len(text) >= LEAST_CHARACTERS:
            plain = {text, quote(text, safe=""), json.dumps(text)[1:-1], repr(text)[1:-1]}
            self._add(plain | _bytes_spellings(text.encode()))

    def add_key(self, content: bytes, *texts: str) -> None:
        """Know a key by its bytes, and by texts that mean the same; its seed, too."""
        if len(content) >= LEAST_BYTES:
            self._add({*texts, *_bytes_spellings(content), *_bytes_spellings(content[:SEED_BYTES])})

    def removed_from(self, text: str) -> str:
        """Return a text without them."""
        for spelling in self._longest_first:
            if spelling in text:
                text = text.replace(spelling, REMOVED)
        return text

    def _add(self, spellings: set[str]) -> None:
        if not spellings <= self._spellings:
            self._spellings |= spellings
            # A new tuple: another thread may be going through the old one.
            self._longest_first = tuple(sorted(self._spellings, key=len, reverse=True))


KNOWN = KnownSecrets()
"""Those of this process: whatever loads a secret adds it here, whatever writes asks here."""


def redacted(text: str) -> str:
    """Return a text without any secret that is known, and without what looks like one."""
    text = _LOOKS.sub(REMOVED, KNOWN.removed_from(text))
    return _HEADERS.sub(_named, text)


def looks_secret(text: str) -> bool:
    """Whether a text holds what looks like a key or a token."""
    return _LOOKS.search(text) is not None


def _named(found: re.Match[str]) -> str:
    return f"{found[1] or found[2] or found[3]}{REMOVED}"


def _bytes_spellings(content: bytes) -> set[str]:
    """Return bytes as hexadecimal, base64, list of numbers, and as Python writes them."""
    standard = base64.b64encode(content).decode().rstrip("=")
    numbers = [str(each) for each in content]
    shown = [repr(bytes([each]))[2:-1] for each in content]
    return {
        standard,
        standard.replace("+", "-").replace("/", "_"),
        content.hex(),
        content.hex().upper(),
        "".join(shown),
        # A quote is escaped, or not, by what stands around.
        "".join("\\'" if each == "'" else each for each in shown),
        ", ".join(numbers),
        ",".join(numbers),
    }
