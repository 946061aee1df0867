"""The batch encoder against its oracle, a hand-checked example, and numbers that do not fit."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext import batches
from tests.oracle import batches as oracle

CHECKED = settings(max_examples=300, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Envelope:
    timestamp_s: int = 1767531506
    nonce: int = 4989
    session_id: int = 826020953252
    account_id: int | None = 227


@dataclass(frozen=True)
class Place:
    market_id: int = 0
    side: int = 1
    mode: int = 1
    ticks: int = 555247
    lots: int = 864177
    client_order_id: int | None = None
    reduce_only: bool = False
    quote_units: int = 0
    tracking_id: int | None = None


@dataclass(frozen=True)
class Cancel:
    order_id: int


def up_to(bits: int) -> st.SearchStrategy[int]:
    """Integers of every length of bits, the largest among them."""
    return st.integers(0, bits).flatmap(lambda size: st.integers(0, 2**size - 1))


ENVELOPES = st.builds(Envelope, up_to(63), up_to(32), up_to(64).filter(bool), up_to(32))
PLACES = st.builds(
    Place,
    up_to(32),
    st.sampled_from([1, -1]),
    st.integers(0, 3),
    up_to(64),
    up_to(64).filter(bool),
    st.none() | up_to(63),
    st.booleans(),
    st.just(0) | up_to(128),
)
PARTS = st.lists(PLACES | st.builds(Cancel, up_to(64)), max_size=8).map(tuple)


def encode(envelope: Envelope, *parts: object) -> bytes:
    return batches.atomic(envelope, parts, Place, Cancel)


@CHECKED
@given(ENVELOPES, PARTS)
def test_the_bytes_are_the_oracles(envelope: Envelope, parts: tuple[Place | Cancel, ...]) -> None:
    assert encode(envelope, *parts) == oracle.atomic(envelope, parts, Place)


def test_the_example_of_the_protocol() -> None:
    """Protocol 5.5: two cancels, a post-only bid and ask in market 0."""
    made = encode(
        Envelope(),
        Cancel(4342936607082),
        Cancel(5828650448723),
        Place(),
        Place(side=-1, ticks=707783, lots=300598),
    )
    assert made.hex() == (
        "5308f2c7e9ca0610fd269a024708a4f9bd95851810e30132093a0710eab2c6d9b27e320a3a0810d3ee8eb5"
        "d1a901321232101a0418012001320830eff12138b1df343210320e1a022001320830c7992b38b6ac12"
    )


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(timestamp_s=-1),
        Envelope(timestamp_s=2**63),
        Envelope(nonce=2**32),
        Envelope(nonce=-1),
        Envelope(session_id=0),
        Envelope(session_id=2**64),
        Envelope(account_id=2**32),
        Envelope(account_id=None),
    ],
)
def test_an_envelope_that_does_not_fit(envelope: Envelope) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode(envelope, Cancel(1))


@pytest.mark.parametrize(
    "part",
    [
        Cancel(-1),
        Cancel(2**64),
        Cancel(1.0),  # type: ignore[arg-type]
        Cancel(True),
        Place(market_id=2**32),
        Place(mode=4),
        Place(mode=-1),
        Place(ticks=-1),
        Place(ticks=2**64),
        Place(ticks=float("nan")),  # type: ignore[arg-type]
        Place(lots=1.5),  # type: ignore[arg-type]
        Place(lots=2**64),
        Place(ticks=0, lots=0),
        Place(quote_units=-1),
        Place(quote_units=2**128),
        Place(quote_units=1.0),  # type: ignore[arg-type]
        Place(client_order_id=2**63),
        Place(client_order_id=-1),
        Place(tracking_id=1),
        Envelope(),
        None,
    ],
)
def test_a_part_that_does_not_fit(part: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode(Envelope(), part)


def test_an_action_has_at_most_1024_bytes() -> None:
    """Around the limit one batch of places fits and one byte more does not."""
    places = [Place(ticks=2**63, lots=2**63, client_order_id=2**62)] * 20
    fixed = len(encode(Envelope(), *places))
    for order_id in (2**7, 2**14, 2**28, 2**63):
        part = Cancel(order_id)
        grown = len(encode(Envelope(), *places, part)) - fixed
        fits = (1024 - fixed) // grown
        assert 1024 - grown < len(encode(Envelope(), *places, *[part] * fits)) <= 1024
        with pytest.raises(ValueError, match="1024 allowed"):
            encode(Envelope(), *places, *[part] * (fits + 1))


def test_the_room_is_never_left() -> None:
    """The most parts of the largest size are refused for their bytes, one more for their number."""
    widest = Place(2**32 - 1, 1, 3, 2**64 - 1, 2**64 - 1, 2**63 - 1, True, 2**128 - 1)
    around = Envelope(2**63 - 1, 2**32 - 1, 2**64 - 1, 2**32 - 1)
    with pytest.raises(ValueError, match=r"7\d\d\d bytes, 1024 allowed"):
        encode(around, *[widest] * 99)
    with pytest.raises(ValueError, match="at most 99 parts"):
        encode(around, *[widest] * 100)
