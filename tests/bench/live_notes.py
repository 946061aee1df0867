"""What the live benches share: the bot's settings, and what two processes note of same bytes."""

from collections.abc import Sequence

from msgspec import Struct

from mmbot.config.schema import Config

LEVELS = 3
UNLIMITED = {
    "orders_per_second": 10_000,
    "cancels_per_second": 10_000,
    "requests_per_minute": 1_000_000,
}
# Tick to action objects, and one signature, quiet (design/peers.md); the network round trip that
# they make before every action is not counted.
TYPESCRIPT = {"TypeScript: quotes + signature": 49.5 + 577.0}

CHAT = 11
NO_CHAT = "none"
_TOLD = {
    "enabled": True,
    "chats": [{"id": CHAT, "role": "admin"}],
    "notify": dict.fromkeys(("risk", "order_error", "connection"), "loud"),
}

ACTION = b"POST /action "
Told = Sequence[tuple[int, bytes]]
# Enough to know a frame again by its ids, and a body by its signature.
_HEAD, _TAIL = 64, 24


def symbol(at: int) -> str:
    """Name of a market."""
    return f"M{at:02d}USD"


def delta_key(frame: bytes) -> str:
    """Return what to know a delta by, framed or not."""
    start = frame.index(b"{")
    return frame[start : start + _HEAD].decode()


def action_key(body: bytes) -> str:
    """Return what to know the body of an action by."""
    return body[-_TAIL:].hex()


class Noted(Struct):
    """When deltas were written, actions came and were acted on, by key.

    Nanoseconds of the machine's steady clock.
    """

    deltas: dict[str, int]
    came: dict[str, int]
    acted: dict[str, int]

    @classmethod
    def of(cls, written: Told, came: Told, acted: Told) -> "Noted":
        """Return notes of frames, requests and bodies."""
        return cls(
            {delta_key(data): now_ns for now_ns, data in written},
            {action_key(data): now_ns for now_ns, data in came},
            {action_key(data): now_ns for now_ns, data in acted},
        )


class Traded(Struct):
    """What the bot notes: (delta, action, ns from one's bytes to the other's) of every decision
    that a delta brought about; how much of a core it used, memory, and how late its loop was.
    """

    reactions: list[tuple[str, str, int]]
    core_pct: float
    rss_mb: float
    lag_p99_ms: float
    seconds: float
    deltas_per_s: float
    orders: int
    placed: int


def settings(
    url: str, interval_ms: int, *, limited: bool = False, chat: str | None = None
) -> Config:
    """Return the shipped settings with three levels and a decision every `interval_ms`.

    `limited`: with the shipped limits on orders, cancels and requests, too. chat: the address of a
    Telegram.
    """
    return Config.model_validate(
        {
            "venue": {"http_url": url, "action_lifetime_s": 20},
            "risk": {
                "loss": {"daily_limit_usd": 1_000_000},
                "max_open_orders_count": 1_000,
                "max_total_exposure_pct": 1_000,
            },
            "rate_limits": {} if limited else UNLIMITED,
            "telegram": {} if chat in (None, NO_CHAT) else {**_TOLD, "api_base_url": chat},
            "defaults": {
                "market_risk": {"max_position_usd": 2_000},
                "levels": {"count": LEVELS},
                "sizing": {"fixed_usd": 200},
                # Levels lie further apart than the market moves, so that a move replaces them all.
                "spread": {"min_bps": 16, "max_bps": 30},
                "requote": {"min_interval_ms": interval_ms},
            },
        }
    )


def p99(samples: Sequence[float]) -> float:
    """Return what 99 of 100 do not exceed."""
    return sorted(samples)[len(samples) * 99 // 100]
