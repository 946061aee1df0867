"""The venue's lists of triggers, in the older form and in the nested one."""

import json
from typing import Any

import pytest

from mmbot.adapters.zo.rest.answers import Catalog, PastTrigger, RestingTrigger
from mmbot.adapters.zo.rest.triggers import read_past, read_resting
from mmbot.adapters.zo.wire.actions import TriggerKind
from mmbot.domain.order import Side
from mmbot.errors import ProtocolViolation
from tests.unit.adapters.zo.rest.test_parsing import CATALOG

FLAT = {
    "accountId": 7,
    "marketId": 0,
    "triggerPrice": 582000,
    "side": "ask",
    "kind": "stopLoss",
    "actionId": "19",
    "createdAt": "2026-01-01T00:00:00Z",
}
STOP = RestingTrigger(0, Side.ASK, TriggerKind.STOP_LOSS, 582_000)
LIMITED = RestingTrigger(0, Side.ASK, TriggerKind.STOP_LOSS, 582_000, 580_000, 40)
NESTED_LIMITS = {"trigger_price": "582000", "limits": {"price": 580_000, "base_size": 40}}
BESIDE = {"marketId": 0, "side": "ask", "kind": "stopLoss"}
WITHIN = {"market_id": 0, "side": "ask", "kind": "stop_loss"}


def body(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def read(tree: Any, catalog: Catalog = CATALOG) -> tuple[RestingTrigger, ...]:
    return read_resting("/account/7/triggers", body(tree), catalog)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (FLAT, STOP),
        ({**FLAT, "limitPrice": None}, STOP),
        ({**FLAT, "limitPrice": 580_000, "limitBaseSize": 40}, LIMITED),
        ({**FLAT, "kind": "takeProfit", "side": "bid"}, None),
        ({**BESIDE, "triggerId": 3, "trigger": {"trigger_price": 582_000}}, STOP),
        ({**BESIDE, "trigger": NESTED_LIMITS}, LIMITED),
        ({"triggerId": 3, "trigger": {**WITHIN, **NESTED_LIMITS}}, LIMITED),
        (
            {
                "marketId": 0,
                "trigger": {
                    "trigger_price": 582_000,
                    "key": {"kind": "STOP_LOSS", "side": "ASK"},
                    "limits": None,
                },
            },
            STOP,
        ),
    ],
)
def test_forms_of_a_trigger(row: dict[str, Any], found: RestingTrigger | None) -> None:
    profit = RestingTrigger(0, Side.BID, TriggerKind.TAKE_PROFIT, 582_000)
    assert read([row]) == (found or profit,)


@pytest.mark.parametrize("none", [None, []])
def test_no_triggers(none: object) -> None:
    assert read(none) == ()


@pytest.mark.parametrize(
    "row",
    [
        {**FLAT, "marketId": 99},
        {**FLAT, "kind": "trailing"},
        {**FLAT, "side": "both"},
        {**FLAT, "triggerPrice": 0},
        {**FLAT, "triggerPrice": 2**64},
        {**FLAT, "triggerPrice": 58_200.5},
        {**FLAT, "limitPrice": 2**64},
        {key: value for key, value in FLAT.items() if key != "side"},
        {**BESIDE, "trigger": {"limits": {"price": 5}}},
        7,
    ],
)
def test_what_makes_no_sense_is_not_believed(row: object) -> None:
    with pytest.raises(ProtocolViolation, match="/account/7/triggers"):
        read([row])


@pytest.mark.parametrize("status", ["Active", "Success", "Removed", "Canceled"])
def test_the_history_says_what_has_fired(status: str) -> None:
    row = {**FLAT, "status": status, "finalizedAtActionId": None if status == "Active" else "21"}
    page = body({"items": [row], "nextStartInclusive": None})
    found = read_past("/account/7/triggers/history", page, CATALOG)
    ended = None if status == "Active" else 21
    assert found == (PastTrigger(STOP, status == "Success", ended),)
