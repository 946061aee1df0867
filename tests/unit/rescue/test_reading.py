"""What the venue's JSON is believed to say."""

import json

import pytest

from mmbot.errors import ProtocolViolation
from mmbot.execution.order_ids import OrderIds
from mmbot.rescue import reading
from mmbot.rescue.reading import Resting
from mmbot.rescue.sweep import Wanted


def account(*orders: object) -> bytes:
    return json.dumps({"updateId": 9, "orders": orders}).encode()


def test_an_account_is_read_exactly() -> None:
    large = 2**64 - 1
    found = reading.snapshot(
        account(
            {"orderId": large, "marketId": 1, "clientOrderId": 2**53 - 1, "price": 0.1},
            {"orderId": "12", "marketId": 0, "clientOrderId": None},
            {"orderId": 13, "marketId": 0},
        )
    )
    assert found.update_id == 9
    assert found.orders == (
        Resting(large, 1, 2**53 - 1),
        Resting(12, 0, None),
        Resting(13, 0, None),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"updateId":1}',
        b'{"updateId":1,"orders":{}}',
        b'{"updateId":1.0,"orders":[]}',
        b'{"updateId":true,"orders":[]}',
        b'{"updateId":-1,"orders":[]}',
        b'{"updateId":1,"orders":[5]}',
        b'{"updateId":1,"orders":[{"orderId":1}]}',
        b'{"updateId":1,"orders":[{"orderId":1e3,"marketId":0}]}',
        b'{"updateId":1,"orders":[{"orderId":"1e3","marketId":0}]}',
        b'{"updateId":1,"orders":[{"orderId":18446744073709551616,"marketId":0}]}',
        b'{"updateId":1,"orders":[{"orderId":1,"marketId":0,"clientOrderId":"x"}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_not_sound_is_not_believed(body: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        reading.snapshot(body)


def test_time_accounts_and_markets() -> None:
    assert reading.engine_second(b"1700000000") == 1_700_000_000
    assert reading.first_account(b'{"accountIds":[7,8]}') == 7
    info = b'{"markets":[{"marketId":0,"symbol":"BTCUSD"},{"marketId":1,"symbol":"ETHUSD"}]}'
    assert reading.market_number(info, "ETHUSD") == 1
    assert reading.market_number(info, "ETH") is None
    for body in (b'{"accountIds":[]}', b'{"accountIds":5}', b"{}"):
        with pytest.raises(ProtocolViolation):
            reading.first_account(body)


@pytest.mark.parametrize(("instance", "epoch"), [(0, 0), (7, 1), (255, 8191)])
def test_orders_are_told_apart_by_the_ids_that_the_bot_gives(instance: int, epoch: int) -> None:
    order = Resting(1, 0, OrderIds(instance, epoch).next())
    assert (order.instance, order.epoch) == (instance, epoch)
    assert Wanted(instance).covers(order)
    assert Wanted(instance, newest_epoch=epoch).covers(order)
    assert Wanted(instance, newest_epoch=epoch - 1).covers(order) is False
    assert Wanted(instance, market_id=1).covers(order) is False
    assert Wanted((instance + 1) % 256).covers(order) is False


def test_an_order_without_a_name_is_somebody_elses() -> None:
    assert Wanted(0).covers(Resting(1, 0, None)) is False
    assert Wanted(None).covers(Resting(1, 0, None))
