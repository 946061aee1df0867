import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.adapters.zo.streams import subscriptions


def test_names_and_address_are_the_protocols() -> None:
    names = [
        subscriptions.deltas("BTCUSD"),
        subscriptions.trades("kPEPEUSD"),
        subscriptions.account(7),
        "candle@BTCUSD:1",
    ]
    assert (
        subscriptions.stream_url("wss://zo-mainnet.n1.xyz", names)
        == "wss://zo-mainnet.n1.xyz/ws/deltas@BTCUSD&trades@kPEPEUSD&account@7&candle@BTCUSD:1"
    )


@given(st.integers(0, 60), st.integers(1, 12))
def test_every_market_goes_over_one_connection_and_none_carries_too_much(
    count: int, each: int
) -> None:
    shares = subscriptions.shared_out(count, each)
    assert [number for share in shares for number in share] == list(range(count))
    assert all(0 < len(share) * each <= 12 for share in shares)
    # As few as can be: only the last has room for another market.
    assert all((len(share) + 1) * each > 12 for share in shares[:-1])


@pytest.mark.parametrize(
    "streams",
    [
        [],
        ["deltas@BTCUSD"] * 2,
        [f"deltas@X{number}" for number in range(13)],
        ["deltas@BTCUSD&account@7"],
        ["deltas@../info"],
        ["deltas@BTC USD"],
        ["deltas@BTC%20"],
        ["deltas@"],
        ["deltas@B\n"],
        ["BTCUSD"],
    ],
)
def test_what_is_no_set_of_streams_is_refused(streams: list[str]) -> None:
    with pytest.raises(ValueError, match="stream"):
        subscriptions.stream_url("ws://127.0.0.1:1", streams)


@pytest.mark.parametrize("account_id", [0, -1])
def test_accounts_below_one_have_no_stream(account_id: int) -> None:
    with pytest.raises(ValueError, match="account id"):
        subscriptions.account(account_id)


def test_more_streams_than_a_connection_carries_cannot_be_shared_out() -> None:
    with pytest.raises(ValueError, match="12 streams"):
        subscriptions.shared_out(1, 13)
