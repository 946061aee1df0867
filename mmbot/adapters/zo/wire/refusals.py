"""Error numbers of the venue and what a client does about each (protocol 5.9)."""

from enum import Enum
from typing import NamedTuple

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb


class Group(Enum):
    """What to do about a refusal; the value says it in words."""

    G1 = "read the engine's time again, rebuild with a new nonce, send once more"
    G2 = "the same bytes were taken within 60 s: look the order up, then decide"
    G3 = "create a new session, resync, go on"
    G4 = "the order is gone: a cancel has succeeded, a batch was refused as a whole"
    G5 = "not acceptable at this price now: keep the old orders, try again from a fresh book"
    G6 = "the local picture is wrong: resync the account before the next action"
    G7 = "risk or funds: stop adding exposure on this account, alert"
    G8 = "venue or market not available: stop quoting there, come back slowly"
    G9 = "outcome unknown: treat as a lost reply"
    G10 = "the request is wrong: do not retry, alert"
    G11 = "nothing a trading client should see: do not retry, alert"
    UNKNOWN = "refused for an unknown reason: resync, back off, alert"


class Refusal(NamedTuple):
    """One error number with its name of generation S3 and its group."""

    number: int
    name: str
    group: Group


# The names of each group, as the protocol page sorts them; the numbers are the schema's.
_NAMES = {
    Group.G1: (
        "UPDATE_TIMESTAMP_IN_PAST TIMESTAMP TIMESTAMP_OUT_OF_THRESHOLD TIMESTAMP_STALE "
        "ACTION_INVALID_NONCE"
    ),
    Group.G2: ("DUPLICATE"),
    Group.G3: (
        "INVALID_SIGNATURE SESSION_NOT_FOUND EXPIRY_TIMESTAMP_IN_PAST ACCOUNT_INVALID_OWNER "
        "SIGNATURE_VERIFICATION SIGNATURE_VERIFICATION_MALFORMED_PUBLIC_KEY "
        "SIGNATURE_VERIFICATION_INVALID_LENGTH"
    ),
    Group.G4: ("ORDER_NOT_FOUND"),
    Group.G5: (
        "IMMEDIATE_ORDER_GOT_NO_FILLS FAILED_TO_FILL_LIMIT "
        "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS PRICE ORDER_EXECUTION ORDER_EXECUTION_EMPTY "
        "ORDER_EXECUTION_FILL_OR_KILL ORDER_EXECUTION_LIMIT_PRICE ORDER_EXECUTION_SELL_PRICE"
    ),
    Group.G6: (
        "INVALID_ORDER_OWNER CAN_REDUCE_POSITION_ONLY_IF_ALL_ORDERS_ARE_CANCELED "
        "REPEATED_ORDER_ID TRIGGER_NOT_FOUND TRIGGER_ALREADY_EXISTS POSITION POSITION_NOT_FOUND "
        "POSITION_STATE_ORDER POSITION_STATE_ORDER_PRICE POSITION_STATE_ORDER_SIZE "
        "POSITION_STATE_ORDER_SIDE POSITION_STATE_PERP POSITION_STATE_ORDER_DELEGATION "
        "ORDER_REDUCE_IS_POST_ONLY ORDER_SIZE_EXCEEDS_POSITION_SIZE"
    ),
    Group.G7: (
        "TOO_MANY_OPEN_ORDERS FUNDING_OVERFLOW DUST_ACCOUNT BALANCE BALANCE_DEPOSIT_OVERFLOW "
        "BALANCE_CHANGE_OVERFLOW BALANCE_CHANGE_LIMIT_EXCEEDED BALANCE_INSUFFICIENT "
        "BANKRUPTCY_INSUFFICIENT_COVERAGE BANKRUPTCY_NOT_FOUND BANKRUPTCY_NOT_ALLOWED "
        "POSITION_SIZE_LIMIT RISK RISK_DELEGATION_MF_TO_BE_LESS_THAN_OR_EQUAL_MMF "
        "RISK_OMF_LESS_THAN_OR_EQUAL_IMF RISK_OMF_LESS_THAN_OR_EQUAL_CMF "
        "RISK_UNHEALTHY_MF_AND_PON_AFTER_BETTER_OF_BEFORE RISK_TRADE_OMF_LESS_THAN_OR_EQUAL_CMF"
    ),
    Group.G8: (
        "INDEX_PRICE_OUT_OF_RANGE TOKEN_NOT_READY MAINTENANCE ONLY_IMMEDIATE_ORDERS_ALLOWED "
        "MARKET_NOT_READY MARKET_FROZEN MARKET_EMPTY NOT_IMPLEMENTED ACTION_NOT_ALLOWED"
    ),
    Group.G9: ("DROPPED"),
    Group.G10: (
        "MARKET_NOT_FOUND TOKEN_NOT_FOUND USER_NOT_FOUND ORDER_SIZE_ZERO ARITHMETIC "
        "ARITHMETIC_OVERFLOW ARITHMETIC_UNDERFLOW ARITHMETIC_DIVISION_BY_ZERO "
        "KEY_ALREADY_REGISTERED WITHDRAW_AMOUNT_TOO_SMALL DECODE_FAILURE "
        "DECODE_FAILURE_LENGTH_PREFIX DECODE_FAILURE_RAW DECODE_FAILURE_DOMAIN "
        "UNEXPECTED_TOKEN_ID CLIENT_ORDER_ID_TOO_LARGE INVALID MINIMUM_SIZE_DECIMALS "
        "TOO_MANY_USER_ACCOUNTS ACCOUNT_NOT_FOUND ENCODED_ACTION_TOO_LARGE TRIGGER "
        "TRIGGER_INVALID_PRICE TRIGGER_ONLY_DECREASE_ORDERS_SUPPORTED "
        "TRIGGER_MAX_SIZE_PLACEMENT_EXCEEDED ORDER_EXECUTION_MISSING_LIMITS "
        "ORDER_EXECUTION_MISSING_PRICE ORDER_EXECUTION_SIZE_LIMIT ATOMICS "
        "ATOMICS_TRADES_CANNOT_FOLLOW_PLACES ATOMICS_CANCELS_CANNOT_FOLLOW_TRADES_PLACES TRANSFER "
        "TRANSFER_TO_UNOWNED_ACCOUNT_IS_PROHIBITED TRANSFER_TO_OWNED_ACCOUNT_WAS_REQUESTED"
    ),
    Group.G11: (
        "UPDATE_PUBLISH_TIME_IN_PAST PYTH_FEED_NOT_ADDED PYTH_FEED_MISSING "
        "PYTH_FEED_ALREADY_ADDED PYTH_GUARDIAN_SET_UNINITIALIZED PYTH_GUARDIAN_SET_INVALID "
        "PYTH_FEED_DECIMALS_OUT_OF_RANGE PYTH_FEED_PRICE_OUT_OF_RANGE "
        "PYTH_FEED_VARIANCE_OUT_OF_RANGE PYTH_GUARDIAN_SET_AND_PYTH_SIGNATURE_DO_NOT_MATCH "
        "INVALID_TOKEN_PARAMETERS INDEX_DECIMALS_OUT_OF_RANGE INVALID_STATE_VERSION "
        "TIER_FEE_OUT_OF_RANGE TIER_ID_OUT_OF_RANGE INVALID_MARGINS MARKET_DECIMALS_EXCEED_LIMITS "
        "TOO_MANY_TOKENS TOKEN_ALREADY_REGISTERED PARAMETERS_WILL_CREATE_NON_OPERATIONAL_MARKET "
        "UNAUTHENTICATED_L1_ACTION ACTION_POSITION_SHOULD_BE_COVERED "
        "ACTION_PROPOSED_PRICE_MUST_BE_HIGHER ADMIN_ROLE_INSUFFICIENT ADMIN_NOT_FOUND "
        "UNIQUE_SUPER_ADMIN_CANNOT_BE_REMOVED SUPER_ADMIN_ALREADY_EXISTS"
    ),
}

REFUSALS: dict[int, Refusal] = {
    pb.Error.Value(name): Refusal(pb.Error.Value(name), name, group)
    for group, names in _NAMES.items()
    for name in names.split()
}


def refusal(number: int) -> Refusal:
    """Look an error number up; one that no schema knows gets a name and the cautious group."""
    found = REFUSALS.get(number)
    return found or Refusal(number, f"UNKNOWN_{number}", Group.UNKNOWN)
