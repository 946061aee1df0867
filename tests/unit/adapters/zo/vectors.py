"""The golden vectors of the venue's protocol, if they are there, and actions from their inputs."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.actions import (
    AddTrigger,
    Atomic,
    CancelByClientId,
    CancelById,
    CreateSession,
    Envelope,
    Framing,
    PlaceOrder,
    RemoveTrigger,
    RevokeSession,
    SessionAction,
    TriggerKind,
    WalletAction,
)
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.scaling import U128_MAX, to_raw
from mmbot.domain.order import FillMode, Side

FILE = Path(__file__).resolve().parents[5] / "shared" / "venue" / "vectors.json"
MISSING = f"{FILE} is not there"

Vector = dict[str, Any]

SIDES = {"bid": Side.BID, "ask": Side.ASK}
MODES = {
    "Limit": FillMode.LIMIT,
    "PostOnly": FillMode.POST_ONLY,
    "ImmediateOrCancel": FillMode.IOC,
    "FillOrKill": FillMode.FOK,
}
TRIGGERS = {"StopLoss": TriggerKind.STOP_LOSS, "TakeProfit": TriggerKind.TAKE_PROFIT}


@cache
def vectors() -> list[Vector]:
    """Return every vector, an empty list without the file."""
    return json.loads(FILE.read_text()) if FILE.exists() else []


def of_kinds(*kinds: str) -> list[Vector]:
    """Return the vectors of some kinds."""
    return [vector for vector in vectors() if vector["kind"] in kinds]


def envelope(inputs: dict[str, Any]) -> Envelope:
    """Return timestamp, nonce, session and account: given, or the first one known."""
    known = inputs.get("account_ids_known") or [None]
    return Envelope(
        int(inputs["timestamp"]),
        inputs["nonce"],
        int(inputs.get("session_id", 0)),
        inputs.get("account_id", known[0]),
    )


def action(vector: Vector) -> SessionAction | WalletAction:
    """Build the action a caller of the venue's client asked for."""
    inputs = vector["inputs"]
    match inputs.get("action", vector["kind"]):
        case "createSession":
            return _create_session(vector)
        case "revokeSession":
            return RevokeSession(int(inputs["revoke_session_id"]))
        case "placeOrder":
            return place(inputs)
        case "cancelOrder":
            return CancelById(int(inputs["order_id"]))
        case "cancelOrderByClientId":
            return CancelByClientId(int(inputs["client_order_id"]))
        case "atomic":
            return Atomic(tuple(_parts(inputs["subactions"])))
        case "addTrigger":
            return _add_trigger(inputs)
        case "removeTrigger":
            return _remove_trigger(inputs)
        case other:
            raise AssertionError(f"no action for {other}")


def place(inputs: dict[str, Any]) -> PlaceOrder:
    """Build a place with the scaling of the venue's client."""
    market = inputs["market"]
    prices, sizes = market["priceDecimals"], market["sizeDecimals"]
    client_order_id = inputs.get("client_order_id")
    tracking_id = inputs.get("sender_tracking_id")
    return PlaceOrder(
        market["marketId"],
        SIDES[inputs["side"]],
        MODES[inputs["fill_mode"]],
        int(inputs["price_raw"]) if "price_raw" in inputs else _raw(inputs, "price", prices),
        int(inputs["size_raw"]) if "size_raw" in inputs else _raw(inputs, "size", sizes),
        client_order_id=None if client_order_id is None else int(client_order_id),
        reduce_only=inputs["is_reduce_only"],
        quote_units=_raw(inputs, "quote_notional", prices + sizes, U128_MAX),
        tracking_id=None if tracking_id is None else int(tracking_id),
    )


def _raw(inputs: dict[str, Any], key: str, decimals: int, most: int = 2**64 - 1) -> int:
    return to_raw(inputs[key], decimals, most) if key in inputs else 0


def _create_session(vector: Vector) -> CreateSession:
    inputs, keys = vector["inputs"], vector["keys"]
    framing = inputs.get("signature_framing")
    return CreateSession(
        bytes.fromhex(keys["wallet_pubkey_hex"]),
        bytes.fromhex(keys["session_pubkey_hex"]),
        int(inputs["timestamp"]) + inputs["ttl_seconds"],
        Framing[framing] if framing else None,
    )


def _parts(given: Any) -> Iterator[PlaceOrder | CancelById]:
    if isinstance(given, int):
        # The vector with ten cancels only tells their number; its ids count from 5000.
        yield from (CancelById(5000 + index) for index in range(given))
        return
    for part in given:
        if part["kind"] == "cancel":
            yield CancelById(int(part["order_id"]))
        else:
            yield place(part)


def _add_trigger(inputs: dict[str, Any]) -> AddTrigger:
    market = inputs["market"]
    return AddTrigger(
        market["marketId"],
        SIDES[inputs["side"]],
        TRIGGERS[inputs["trigger_kind"]],
        to_raw(inputs["trigger_price"], market["priceDecimals"]),
        limit_ticks=_raw(inputs, "limit_price", market["priceDecimals"]),
    )


def _remove_trigger(inputs: dict[str, Any]) -> RemoveTrigger:
    market = inputs["market"]
    price = inputs.get("trigger_price")
    return RemoveTrigger(
        market["marketId"],
        SIDES[inputs["side"]],
        TRIGGERS[inputs["trigger_kind"]],
        None if price is None else to_raw(price, market["priceDecimals"]),
    )


def money_action(vector: Vector) -> pb.Action:
    """Build a withdrawal or transfer, which the product itself cannot."""
    inputs = vector["inputs"]
    token = inputs["token"]
    amount = to_raw(inputs["amount"], token["decimals"])
    made = pb.Action(current_timestamp=int(inputs["timestamp"]), nonce=inputs["nonce"])
    if vector["kind"] == "withdraw":
        made.withdraw.session_id = int(inputs["session_id"])
        made.withdraw.token_id = token["tokenId"]
        made.withdraw.amount = amount
        if "dest_pubkey_base58" in inputs:
            made.withdraw.dest_pubkey = base58.decode(inputs["dest_pubkey_base58"])
        return made
    made.transfer.session_id = int(inputs["session_id"])
    made.transfer.from_account_id = inputs["from_account_id"]
    made.transfer.token_id = token["tokenId"]
    made.transfer.amount = amount
    if "to_account_id" in inputs:
        made.transfer.to_account_id.owned.account_id = inputs["to_account_id"]
    return made


def as_today(value: Any) -> Any:
    """Rename what the JSON of older generations calls differently; the bytes are the same."""
    if isinstance(value, list):
        return [as_today(part) for part in value]
    if not isinstance(value, dict):
        return value
    made = {"place_type" if key == "order_type" else key: as_today(value[key]) for key in value}
    quote = made.get("quote_size")
    if quote and "size" in quote:
        made["quote_size"] = {"lo": quote["size"], "hi": quote["price"]}
    return made
