"""Which paths of a WebSocket name streams that exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.exchange.views.frames import STREAM_RESOLUTIONS
from mmbot.exchange.views.stream_names import RESOLUTIONS, Refused, asked

SYMBOLS = ("BTCUSD", "ETHUSD")


@pytest.mark.parametrize(
    ("path", "streams"),
    [
        ("trades@BTCUSD", ("trades@BTCUSD",)),
        ("deltas@ETHUSD&account@7", ("deltas@ETHUSD", "account@7")),
        ("candle@BTCUSD:1D&candle@BTCUSD:1", ("candle@BTCUSD:1D", "candle@BTCUSD:1")),
        ("trades%40BTCUSD%26account%407", ("trades@BTCUSD", "account@7")),
        ("trades@BTCUSD&trades@BTCUSD", ("trades@BTCUSD",)),
    ],
)
def test_streams_are_read_in_their_order(path: str, streams: tuple[str, ...]) -> None:
    assert asked(path, SYMBOLS) == streams


def test_every_resolution_that_is_told_can_be_asked_for() -> None:
    assert set(STREAM_RESOLUTIONS) == RESOLUTIONS


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_short_reason(path: str) -> None:
    found = asked(path, SYMBOLS)
    if isinstance(found, Refused):
        assert found.status in (400, 404)
        assert len(found.reason) < 300
    else:
        assert all(name in path or "%" in path for name in found)
