"""The bot's own parsers read every shape the exchange can speak, and find the same in each."""

from itertools import product
from typing import Any

import pytest

from mmbot.adapters.zo.rest import account_parsing, parsing
from mmbot.adapters.zo.streams import frames
from mmbot.adapters.zo.wire import base58
from mmbot.cext.nord import Deltas
from mmbot.exchange.model import AccountChange, BookChange, Change, TradesPrinted
from mmbot.exchange.views.asked import ViewRules
from mmbot.exchange.views.frames import encode
from mmbot.exchange.views.rest import answer
from tests.unit.exchange.scene import ASK, BID, IOC, Scene

SHAPES = [
    ViewRules(
        ids_as_strings=strings,
        flat_live=flat,
        object_levels=objects,
        session_fields="long" if flat else "sdk",
        float_noise=noise,
    )
    for strings, flat, objects, noise in product((False, True), repeat=4)
]


def _scene() -> Scene:
    scene = Scene()
    scene.show((BID, 599_990, 100), (ASK, 600_010, 200))
    scene.maker.place(BID, 600_000, 2000, client_order_id=2**53 - 1)
    scene.taker.place(ASK, 600_000, 501, IOC)
    scene.maker.place(ASK, 150_003, 7, market_id=2)
    scene.taker.place(BID, 150_003, 2, IOC, market_id=2)
    return scene


def _read(scene: Scene, rules: ViewRules) -> list[Any]:
    def body(path: str) -> bytes:
        return answer(scene.exchange, path, {}, rules).body

    listings = parsing.catalog("/info", body("/info"))
    btc = listings.listings[0]
    wallet = f"/user/{base58.encode(scene.maker.pubkey)}"
    return [
        listings.listings,
        listings.tokens,
        parsing.book("book", body("/market/0/orderbook"), btc),
        parsing.stats("stats", body("/market/0/stats"), btc),
        parsing.lives("live", body("/markets/live"), listings),
        parsing.user("user", body(wallet)),
        parsing.engine_second("time", body("/timestamp")),
        parsing.fee_brackets("fees", body("/fee/brackets/info")),
        account_parsing.account("account", body("/account/1"), listings),
        account_parsing.account("account", body("/account/2"), listings),
        account_parsing.trades("trades", body("/trades"), listings),
        account_parsing.order("order", body("/order/1"), listings),
    ]


@pytest.mark.parametrize("rules", SHAPES)
def test_every_shape_of_the_rest_views_says_the_same(rules: ViewRules) -> None:
    scene = _scene()
    assert _read(scene, rules) == _read(scene, ViewRules())


@pytest.mark.parametrize("objects", [False, True])
def test_stream_messages_are_read_to_the_tick_and_lot(objects: bool) -> None:
    scene = _scene()
    rules = ViewRules(object_levels=objects)
    listings = parsing.catalog("/info", answer(scene.exchange, "/info", {}).body)
    deltas = Deltas(
        [
            (each.symbol, each.price_decimals, each.size_decimals)
            for each in listings.listings.values()
        ]
    )
    for change in scene.exchange.take_changes():
        for stream, message in encode(scene.exchange, change, None, rules):
            if isinstance(change, BookChange):
                chain = (change.market_id, change.last_update_id, change.update_id)
                assert deltas.parse(message) == chain
                assert sorted(deltas.bids) == sorted(change.bids)
                assert sorted(deltas.asks) == sorted(change.asks)
            elif stream.startswith("candle@"):
                assert isinstance(frames.read_frame(message, listings), frames.Candle)
            else:
                _check(frames.read_frame(message, listings), change)


def _check(frame: frames.Frame | None, change: Change) -> None:
    if isinstance(change, TradesPrinted):
        assert isinstance(frame, frames.TradesFrame)
        assert [(each.ticks, each.lots, each.side, each.time_ns) for each in frame.trades] == [
            (each.ticks, each.lots, each.taker_side, each.time_ns) for each in change.trades
        ]
    else:
        assert isinstance(change, AccountChange)
        assert isinstance(frame, frames.AccountFrame)
        assert frame.last_update_id == change.last_update_id
        assert [(each.order_id, each.lots, each.remaining) for each in frame.fills] == [
            (each.order_id, each.lots, each.remaining) for each in change.fills
        ]
        for read, told in zip(frame.fills, change.fills, strict=True):
            assert abs(read.ticks * told.lots - told.ticklots) <= told.lots / 2
            assert read.exact == (read.ticks * told.lots == told.ticklots)
        assert [each.order_id for each in frame.places] == [each.order_id for each in change.places]
