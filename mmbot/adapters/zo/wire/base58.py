"""Base58 as Solana writes keys: Bitcoin's alphabet, no checksum."""

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MOST_CHARACTERS = 128

_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Write bytes; every leading zero byte is a leading 1."""
    number = int.from_bytes(data)
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = ALPHABET[rest] + text
    return ALPHABET[0] * (len(data) - len(data.lstrip(b"\0"))) + text


def decode(text: str) -> bytes:
    """Read text; ValueError, which does not quote it, when it is too long or not base58."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"more than {MOST_CHARACTERS} characters are no key")
    number = 0
    for place, character in enumerate(text, 1):
        value = _VALUES.get(character)
        if value is None:
            raise ValueError(f"character {place} does not belong to base58")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
