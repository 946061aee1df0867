"""Views of the engine itself: its time, its actions, the bridge beside it (protocol 3.7, 3.8)."""

from base64 import b64encode
from bisect import bisect_right

from mmbot.exchange.model import Executed
from mmbot.exchange.views.asked import U64, AnswerError, Asked, bad_query
from mmbot.exchange.views.decimals import timestamp

MOST_ACTIONS = 100
# The app of the bridge and the chain it runs on (protocol 1): what the SDK compares at its start.
_APP = "zoau54n5U24GHNKqyoziVaVxgsiQYnPMx33fKmLLCT5"
_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
_TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 - a public address


def engine_time(asked: Asked) -> object:
    """Engine time, Unix seconds."""
    return asked.exchange.state.now_s


def last_acked_nonce(_asked: Asked) -> object:
    """Events of the chain acknowledged; there is no chain."""
    return 0


def last_action(asked: Asked) -> object:
    """Id of the last action."""
    return asked.id(asked.exchange.state.action_id)


def actions(asked: Asked) -> object:
    """Bodies of accepted actions after `from` up to `to`; from = to asks for that one."""
    first, last = asked.integer("from", U64), asked.integer("to", U64)
    if first is None or last is None or last < first:
        bad_query()
    if first == last:
        first -= 1
    if last - first > MOST_ACTIONS:
        raise AnswerError(400, {"requested": last - first, "maximal": MOST_ACTIONS})
    rows = asked.exchange.state.actions
    begin = bisect_right(rows, first, key=_action_id)
    end = bisect_right(rows, last, key=_action_id)
    return [
        {
            "actionId": asked.id(row.action_id),
            "physicalTime": timestamp(row.time_ns),
            "payload": b64encode(row.raw).decode(),
        }
        for row in rows[begin:end]
    ]


def _action_id(row: Executed) -> int:
    return row.action_id


def bridge_config(asked: Asked) -> object:
    """The bridge's start-up answer; nothing is behind it."""
    mints = [
        {
            "mint": token.mint,
            "minDeposit": 10**token.decimals,
            "tokenProgram": _TOKEN_PROGRAM,
            "withdrawalRateLimit": {"ratePerSlot": 0, "maxBurst": 0},
        }
        for token in asked.exchange.params.tokens
    ]
    return {"app": _APP, "chainGenesis": _GENESIS, "mints": mints}
