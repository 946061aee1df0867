"""Every fault knob: what it does, what it takes, when it is asked (reliability 1.13).

The table is the documentation: `/_ctl/faults` shows it, and what is not in it is refused.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class Mode(StrEnum):
    """When a knob acts.

    EACH: asked at every message it could touch. WHILE: a state, on as long as the fault lasts.
    DEED: something the exchange does by itself, once unless told otherwise.
    """

    EACH = "each"
    WHILE = "while"
    DEED = "deed"


class Takes(NamedTuple):
    """One parameter: its type, its default (None: must be given), bounds, choices or pattern."""

    kind: type
    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""


class Knob(NamedTuple):
    """One knob; `takes` are its parameters by name."""

    name: str
    mode: Mode
    says: str
    takes: Mapping[str, Takes]


def whole(default: int | None, low: int = 0, high: int = 10**9) -> Takes:
    """Return a parameter that is a whole number."""
    return Takes(int, default, low, high)


def number(default: float | None, low: float = -1e12, high: float = 1e12) -> Takes:
    """Return a parameter that is a number."""
    return Takes(float, default, low, high)


def choice(default: str, *others: str) -> Takes:
    """Return a parameter that is one of some words."""
    return Takes(str, default, choices=(default, *others))


YES = Takes(bool, True)
NO = Takes(bool, False)
TEXT = Takes(str, "")
HEX = Takes(str, "", pattern=r"([0-9a-fA-F]{2})*")
URL = Takes(str, "https://example.com/", pattern=r"[!-~]{1,2000}")
HOUR_MS = 3_600_000
_EACH, _WHILE, _DEED = Mode.EACH, Mode.WHILE, Mode.DEED

_ACT = (
    Knob("act.drop_req", _EACH, "the request is lost before the engine", {}),
    Knob("act.drop_resp", _EACH, "executed, the reply is lost", {}),
    Knob(
        "act.slow",
        _EACH,
        "held `ms` (+ up to `jitter_ms`) before or after it is executed",
        {
            "ms": whole(1000, 0, HOUR_MS),
            "jitter_ms": whole(0, 0, HOUR_MS),
            "side": choice("before", "after"),
        },
    ),
    Knob(
        "act.dup",
        _EACH,
        "executed again `delay_ms` later, its second reply lost",
        {"delay_ms": whole(0, 0, HOUR_MS)},
    ),
    Knob(
        "act.reorder",
        _EACH,
        "held until the next action was executed, `window_ms` at most",
        {"window_ms": whole(1000, 0, HOUR_MS)},
    ),
    Knob(
        "act.http_status",
        _EACH,
        "answered with a status instead of a receipt, executed or not",
        {"status": whole(502, 200, 599), "executed": YES, "text": TEXT},
    ),
    Knob(
        "act.body",
        _EACH,
        "executed, the reply is these bytes (hex)",
        {"hex": Takes(str, "", pattern=r"([0-9a-fA-F]{2})*")},
    ),
    Knob("act.truncate", _EACH, "executed, only `n` bytes of the reply", {"n": whole(3, 0, 10**6)}),
    Knob(
        "act.receipt_mutate",
        _EACH,
        "executed, a field of the receipt (dotted path) has another value",
        {"field": Takes(str, None), "value": whole(0, 0, 2**63 - 1)},
    ),
    Knob(
        "act.reset_after",
        _EACH,
        "executed, the connection is reset after `n` bytes of the answer",
        {"n": whole(20, 0, 10**6)},
    ),
)
_SECONDS = whole(60, 0, 86_400)
_ENG = (
    Knob("eng.clock_offset", _WHILE, "the engine's clock is `s` ahead (negative: behind)",
         {"s": whole(30, -86_400, 86_400)}),
    Knob("eng.clock_stall", _WHILE, "the engine's clock stands still, the market goes on", {}),
    Knob("eng.clock_jump", _DEED, "the engine's clock jumps by `s` and stays there",
         {"s": whole(60, -86_400, 86_400)}),
    Knob("eng.ts_window", _WHILE, "timestamps may be `s` off", {"s": _SECONDS}),
    Knob("eng.stale_window", _WHILE, "timestamps older than `s` are TIMESTAMP_STALE",
         {"s": _SECONDS}),
    Knob("eng.dup_window", _WHILE, "bytes are remembered for `s`", {"s": _SECONDS}),
    Knob("eng.remember_failed", _WHILE, "refused actions count as seen", {"on": YES}),
    Knob("eng.err_next", _DEED, "the next action (of `kind`) is refused with `code`",
         {"code": whole(135, 0, 9999)}),
    Knob("eng.maintenance", _WHILE, "every action is refused with MAINTENANCE", {}),
    Knob("eng.market_frozen", _WHILE, "a market (all without `market`) is frozen", {}),
    Knob("eng.max_open_orders", _WHILE, "an account may have `n` resting orders",
         {"n": whole(2, 1, 10_000)}),
    Knob("eng.max_atomic", _WHILE, "an atomic may have `n` parts", {"n": whole(2, 1, 10)}),
    Knob("eng.cancel_on_margin", _DEED, "the orders of `account` (all users') are cancelled as if "
         "for their margin", {}),
    Knob("eng.liquidate", _DEED, "the position of `account` is taken over", {}),
    Knob("eng.partial_fill", _DEED, "the house fills `frac` of a resting order",
         {"frac": number(0.5, 0.0, 1.0)}),
    Knob("eng.fill_before_cancel", _EACH, "the order an action is about to cancel is filled first",
         {}),
    Knob("eng.self_trade", _WHILE, "what happens between an account's own orders",
         {"rule": choice("cancel_taker", "cancel_resting", "allow")}),
    Knob("eng.session_cap", _WHILE, "a user has `n` sessions at most", {"n": whole(1, 1, 1000)}),
    Knob("eng.session_expire", _DEED, "a session (`session`, all of `account`'s user, or "
         "everybody's) is over", {}),
    Knob("eng.revoke_cancels_orders", _WHILE, "a revoked session's orders are cancelled",
         {"on": YES}),
    Knob("eng.reduce_rule", _WHILE, "how reduce-only orders are judged",
         {"rule": choice("only_without_orders", "post_only", "exact", "dynamic")}),
    Knob("eng.thin_book", _WHILE, "the house shows `frac` of its size",
         {"frac": number(0.1, 0.0, 1.0)}),
    Knob("eng.resting_survive_session", _WHILE, "orders outlive their session", {"on": NO}),
)  # fmt: skip
_LEVELS = whole(3, 1, 1000)
_MD = (
    Knob("md.drop", _EACH, "the message is lost", {}),
    Knob("md.dup", _EACH, "the message comes `n` times more", {"n": whole(1, 1, 1000)}),
    Knob("md.reorder", _EACH, "the message comes after the next one", {}),
    Knob("md.delay", _EACH, "the message comes `ms` later", {"ms": whole(500, 0, HOUR_MS)}),
    Knob("md.silence", _WHILE, "nothing comes; pings are answered or not", {"keep_pong": YES}),
    Knob("md.burst", _EACH, "the message comes `rate` times more at once",
         {"rate": whole(100, 1, 10_000)}),
    Knob("md.cross", _EACH, "a bid above the best ask is shown", {}),
    Knob("md.lock", _EACH, "a bid at the best ask is shown", {}),
    Knob("md.empty_side", _EACH, "every level of a side is shown to be gone",
         {"side": choice("bids", "asks")}),
    Knob("md.sweep", _EACH, "the best `levels` of both sides are shown to be gone",
         {"levels": _LEVELS}),
    Knob("md.spoof", _EACH, "prices of the message are `factor` times theirs",
         {"factor": number(10.0, 0.0, 1e9)}),
    Knob("md.bad_value", _EACH, "a number is `value` as it stands",
         {"value": choice("-1", "1e400", "NaN", "0.1234567890123", "1e-300", "99999999999999999999",
                          "null", '"1"')}),
    Knob("md.malformed", _EACH, "the message is entry `id` of the corpus", {"id": whole(0, 0, 99)}),
    Knob("md.interleave", _EACH, "the message carries another market's symbol", {}),
    Knob("md.snapshot_lag", _WHILE, "the REST book is that of `n` changes ago",
         {"n": whole(5, 1, 1000)}),
    Knob("md.snapshot_ahead", _WHILE, "the stream is `n` messages behind the REST book",
         {"n": whole(5, 1, 1000)}),
)  # fmt: skip
_ACCT = (
    Knob("acct.drop_fill", _EACH, "the fills of the message are left out", {}),
    Knob("acct.dup", _EACH, "the message comes `n` times more", {"n": whole(1, 1, 1000)}),
    Knob("acct.delay", _EACH, "the message comes `ms` later", {"ms": whole(500, 0, HOUR_MS)}),
    Knob("acct.reorder", _EACH, "the message comes after the next one", {}),
    Knob("acct.coalesce", _EACH, "the message comes as one with the next", {}),
    Knob("acct.replay", _WHILE, "a new subscriber gets the last `n` messages again",
         {"n": whole(8, 1, 32)}),
    Knob("acct.gap_on_subscribe", _WHILE, "a new subscriber gets nothing for `ms`",
         {"ms": whole(500, 0, HOUR_MS)}),
    Knob("acct.foreign_order", _DEED, "somebody else places an order on the account",
         {"side": choice("bid", "ask"), "offset_bps": number(50.0, 0.0, 9000.0),
          "lots": whole(1, 1, 2**47)}),
    Knob("acct.foreign_epoch", _DEED, "the same with this client order id",
         {"side": choice("bid", "ask"), "offset_bps": number(50.0, 0.0, 9000.0),
          "lots": whole(1, 1, 2**47), "client_order_id": whole(1, 0, 2**63 - 1)}),
    Knob("acct.transfer", _DEED, "money comes in from outside", {"usd": whole(100, 1, 10**9)}),
)  # fmt: skip
_WS = (
    Knob("ws.close", _DEED, "connections are closed", {"code": whole(1001, 1000, 4999)}),
    Knob("ws.rst", _DEED, "connections are reset", {}),
    Knob("ws.half_open", _WHILE, "connections get and answer nothing, but stay open", {}),
    Knob("ws.no_pong", _WHILE, "pings are not answered", {}),
    Knob("ws.refuse", _EACH, "the connection is reset in the handshake", {}),
    Knob("ws.handshake_status", _EACH, "the handshake is answered with a status",
         {"status": whole(503, 400, 599)}),
    Knob("ws.max_conn", _WHILE, "at most `n` connections", {"n": whole(1, 0, 100_000)}),
    Knob("ws.big_frame", _EACH, "a text frame of `bytes` before the message",
         {"bytes": whole(2 * 1024 * 1024, 1, 128 * 1024 * 1024)}),
    Knob("ws.slow_reader", _WHILE, "a connection takes `bytes_per_s` only",
         {"bytes_per_s": whole(1000, 1, 10**9)}),
    Knob("ws.fragment", _EACH, "the message comes in frames of `n` bytes",
         {"n": whole(16, 1, 65_536)}),
)  # fmt: skip
_REST = (
    Knob("rest.429", _EACH, "too many requests", {"retry_after": whole(1, 0, 86_400)}),
    Knob("rest.5xx", _EACH, "gateway trouble", {"status": whole(502, 500, 599)}),
    Knob("rest.stale_ms", _WHILE, "an answer is repeated for `ms`",
         {"ms": whole(1000, 1, HOUR_MS)}),
    Knob("rest.partial_page", _EACH, "pages have `n` items and no cursor", {"n": whole(1, 0, 255)}),
    Knob("rest.page_loop", _EACH, "the cursor of a page leads to the page itself", {}),
    Knob("http.slowloris", _EACH, "the answer comes byte by byte, `ms` apart",
         {"ms": whole(100, 1, 60_000)}),
    Knob("http.bomb", _EACH, "the answer is `bytes` of blanks, compressed",
         {"bytes": whole(64 * 1024 * 1024, 1, 1024 * 1024 * 1024)}),
    Knob("http.redirect", _EACH, "the answer is a redirect",
         {"to": URL, "status": whole(302, 300, 308)}),
    Knob("rl.limit", _WHILE, "requests beyond these rates get 429",
         {"places_s": whole(10, 0), "cancels_s": whole(20, 0), "rest_min": whole(600, 0),
          "count_by": choice("action", "leg")}),
    Knob("rl.ban", _WHILE, "every request gets 429 until the ban is over", {}),
    Knob("info.mutate", _EACH, "/info has other decimals, another order or other symbols",
         {"what": choice("price_decimals", "size_decimals", "order", "symbol"),
          "market_id": whole(0, 0, 255)}),
    Knob("info.similar_symbol", _EACH, "/info lists a market whose name begins like another's", {}),
    Knob("info.delist", _EACH, "/info lacks a market", {"market_id": whole(0, 0, 255)}),
    Knob("proto.shape", _WHILE, "answers and messages have other shapes seen at the venue",
         {"ids_as_strings": NO, "flat_live": NO, "object_levels": NO, "null_prices": NO,
          "float_noise": NO, "session_fields": choice("sdk", "long"),
          "trade_side": choice("taker", "maker"), "balance_keys": choice("id", "symbol")}),
    Knob("proto.drift", _EACH, "answers gain a field, lose one by renaming, or know a new error",
         {"what": choice("add", "rename", "new_error")}),
)  # fmt: skip
_REF = (
    Knob("ref.silence", _WHILE, "the reference says nothing", {}),
    Knob("ref.spike", _EACH, "one price is `factor` times itself",
         {"factor": number(10.0, 0.0)}),
    Knob("ref.scale", _WHILE, "prices are `factor` times themselves",
         {"factor": number(1000.0, 0.0)}),
    Knob("ref.nan", _EACH, "prices are NaN", {}),
    Knob("ref.jump", _WHILE, "prices are `bps` off", {"bps": number(500.0)}),
    Knob("ref.lag", _WHILE, "prices come `ms` late", {"ms": whole(1000, 0, HOUR_MS)}),
)  # fmt: skip
_PART = choice("both", "rest", "ws")
_NET = (
    Knob("net.rtt", _EACH, "everything takes `ms` longer: half there, half back",
         {"ms": whole(100, 0, 60_000)}),
    Knob("net.jitter", _EACH, "everything takes up to `ms` longer", {"ms": whole(50, 0, 60_000)}),
    Knob("net.loss", _EACH, "the connection is lost at a request or message", {}),
    Knob("net.partition", _WHILE, "REST, streams or both are cut off", {"part": _PART}),
    Knob("net.blackhole", _WHILE, "REST, streams or both stay silent, connections stay open",
         {"part": _PART}),
)  # fmt: skip

KNOBS: Mapping[str, Knob] = {
    knob.name: knob for group in (_ACT, _ENG, _MD, _ACCT, _WS, _REST, _REF, _NET) for knob in group
}
