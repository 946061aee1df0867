"""Keys for tests, the same in every run and in every process."""

from nacl.signing import SigningKey

from mmbot.adapters.zo.wire.signing import Keypair


def keypair(number: int) -> Keypair:
    """Return the key pair of a seed of 32 bytes of this number."""
    key = SigningKey(bytes([number]) * 32)
    return Keypair.from_text(f"0x{(bytes(key) + bytes(key.verify_key)).hex()}")
