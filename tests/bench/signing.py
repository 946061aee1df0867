"""The way out: an atomic of two cancels and two places, from values to the signed body."""

from mmbot.adapters.zo.wire.actions import Atomic, CancelById, PlaceOrder
from mmbot.adapters.zo.wire.codec import parse_action, split_body
from mmbot.adapters.zo.wire.signing import Keypair, Scheme, SessionSigner, verify
from mmbot.domain.order import FillMode, Side
from tests.bench.registry import bench, time_ns

REPEATS = 2000
NOW_S = 1_767_531_506
KEY = Keypair.generate()
SIGNER = SessionSigner(KEY, session_id=826_020_953_252, account_id=227)


def requote(nonce: int) -> bytes:
    """Make the values, check, write and sign them."""
    batch = Atomic(
        (
            CancelById(4_342_936_607_082, 0),
            CancelById(5_828_650_448_723, 0),
            PlaceOrder(0, Side.BID, FillMode.POST_ONLY, 555_247, 864_177, 3_791_825_631_616),
            PlaceOrder(0, Side.ASK, FillMode.POST_ONLY, 707_783, 300_598, 3_791_825_631_617),
        )
    )
    return SIGNER.sign(batch, NOW_S, nonce, NOW_S)


@bench("encode_sign_atomic4", unit="us", must=45.0, goal=22.0)
def encode_sign(runs: int) -> list[float]:
    """Values to body."""

    def work() -> None:
        for nonce in range(REPEATS):
            requote(nonce)

    return [nanoseconds / 1000 for nanoseconds in time_ns(work, REPEATS, runs)]


@bench("parse_verify_atomic4", unit="us")
def parse_verify(runs: int) -> list[float]:
    """Body to action, the signature checked, as the exchange does it."""
    body = requote(1)

    def work() -> None:
        for _ in range(REPEATS):
            raw, signature = split_body(body)
            parse_action(raw)
            verify(Scheme.RAW, KEY.public, raw, signature)

    return [nanoseconds / 1000 for nanoseconds in time_ns(work, REPEATS, runs)]
