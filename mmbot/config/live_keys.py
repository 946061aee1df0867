"""Which settings a running bot can take on, which of them are limits, and what differs.

A key is live, or needs a restart, or is idle: not used by a running bot at all.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from mmbot.config.checks import quoted
from mmbot.config.keys import values
from mmbot.config.market import MarketConfig
from mmbot.config.schema import Config

Path = tuple[str, ...]

# Sections and keys of a market; a section stands for all that is below it.
LIVE_OF_MARKET = (
    "fair_price.book_levels",
    "fair_price.min_levels_count",
    "fair_price.exclude_own",
    "spread",
    "inventory.deadband_pct",
    "inventory.max_shift_bps",
    "inventory.bias_bps",
    "levels",
    "sizing",
    "requote",
    "market_risk.max_market_exposure_pct",
    "market_risk.max_exposure_per_side_pct",
    "market_risk.max_position_usd",
    "market_risk.max_book_spread_bps",
    "market_risk.max_distance_from_mark_bps",
)
LIVE = (
    "risk.min_margin_fraction_pct",
    "risk.min_free_collateral_usd",
    "risk.max_total_exposure_pct",
    "risk.max_open_orders_count",
    "risk.flatten_max_slippage_bps",
    "risk.flatten_over_s",
    "risk.flatten_urgency",
    "risk.loss",
    "logging.level",
    "logging.levels",
    "telegram.chats",
    "telegram.users",
    "telegram.confirm",
    "telegram.confirm_timeout_s",
    "telegram.command_max_age_s",
    "telegram.commands_per_minute",
    "telegram.quiet_hours_utc",
    "telegram.notify",
    "telegram.fill_digest_s",
    "telegram.daily_report_utc",
    "alerts",
)
IDLE = ("backtest", "simulate")
# Limits, and whether a larger figure allows more (None: without limit) or less.
LARGER_IS_LOOSER = {
    "market_risk.max_market_exposure_pct": True,
    "market_risk.max_exposure_per_side_pct": True,
    "market_risk.max_position_usd": True,
    "market_risk.max_book_spread_bps": True,
    "market_risk.max_distance_from_mark_bps": True,
    "sizing.max_order_usd": True,
    "risk.min_margin_fraction_pct": False,
    "risk.min_free_collateral_usd": False,
    "risk.max_total_exposure_pct": True,
    "risk.max_open_orders_count": True,
    "risk.flatten_max_slippage_bps": True,
    "risk.flatten_over_s": True,
    "risk.flatten_urgency": False,
    "risk.loss.daily_limit_usd": True,
    "risk.loss.drawdown_from_peak_pct": True,
    "risk.loss.drawdown_warn_pct": True,
}
# Addresses that are secrets, and where they may lead: no command carries or changes them.
FILE_ONLY = frozenset({"alerts.webhook_url", "alerts.heartbeat_url", "alerts.allowed_hosts"})
# Who may do what: changed in the file and on the machine only, no other value is tighter.
RIGHTS = ("telegram.chats", "telegram.users")
_MARKET_SECTIONS = frozenset(MarketConfig.model_fields)
NOT_THERE = object()


class Difference(NamedTuple):
    """A key with both its values, NOT_THERE where it is not; `live`: needs no restart."""

    key: str
    old: object
    new: object
    live: bool


def is_live(path: Path) -> bool:
    """Can a running bot take on another value of this key?"""
    if path[0] == "defaults":
        return _below(path[1:], LIVE_OF_MARKET)
    if path[0] == "markets":
        return _below(path[2:], LIVE_OF_MARKET)
    return _below(path, (*LIVE, *IDLE))


def spelled_out(key: str, traded: Sequence[str]) -> list[str]:
    """Return the full keys that a short one means: `spread.min_bps` is that of every market."""
    if key.partition(".")[0] in _MARKET_SECTIONS:
        return [f"markets.{symbol}.{key}" for symbol in traded]
    return [key]


def filed_key(key: str) -> str:
    """Return the key of a file that a short one means: that of every market without its own."""
    return f"defaults.{key}" if key.partition(".")[0] in _MARKET_SECTIONS else key


def differences(old: Config, new: Config, traded: Sequence[str]) -> list[Difference]:
    """Return what differs; a market that only follows `defaults` is not named for it."""
    before, after = _flat(old, traded), _flat(new, traded)
    shared: dict[Path, tuple[object, object]] = {}
    found = []
    for path in dict.fromkeys((*before, *after)):
        both = (before.get(path, NOT_THERE), after.get(path, NOT_THERE))
        if both[0] == both[1]:
            continue
        if path[0] == "defaults":
            shared[path[1:]] = both
        elif path[0] == "markets" and shared.get(path[2:]) == both:
            continue
        found.append(Difference(".".join(path), *both, is_live(path)))
    quoted_before, quoted_after = set(quoted(old)), set(quoted(new))
    for symbol in sorted(quoted_before ^ quoted_after):
        there = symbol in quoted_after
        found.append(Difference(f"markets.{symbol}.enabled", not there, there, live=False))
    return found


def loosened(tight: Config, other: Config, traded: Sequence[str]) -> list[str]:
    """Return the keys of limits, or of rights, by which `other` allows more than `tight`."""
    before, after = _limits(tight, traded), _limits(other, traded)
    rights = [
        key
        for key in RIGHTS
        if _flat(tight, ())[tuple(key.split("."))] != _flat(other, ())[tuple(key.split("."))]
    ]
    return rights + [
        key for key, (value, larger) in after.items() if _more(before[key][0], value, larger)
    ]


def _flat(config: Config, traded: Sequence[str]) -> Mapping[Path, object]:
    """Every key that a bot trading these markets looks at; markets as they are in force."""
    flat = {path: value for path, value in values(config) if path[0] != "markets"}
    for symbol in traded:
        own = config.markets.get(symbol, config.defaults)
        flat |= {("markets", symbol, *path): value for path, value in values(own)}
    return {path: value for path, value in flat.items() if path[-1] != "enabled"}


def _limits(config: Config, traded: Sequence[str]) -> dict[str, tuple[object, bool]]:
    found: dict[str, tuple[object, bool]] = {}
    for path, value in _flat(config, traded).items():
        key = ".".join(path[2:] if path[0] == "markets" else path)
        if key in LARGER_IS_LOOSER:
            found[".".join(path)] = (value, LARGER_IS_LOOSER[key])
    return found


def _more(tight: object, other: object, larger_is_looser: bool) -> bool:
    if tight is None or other is None:
        return other is None and tight is not None
    if not isinstance(tight, int | float | Decimal) or not isinstance(other, int | float | Decimal):
        return tight != other
    return other > tight if larger_is_looser else other < tight


def _below(path: Path, keys: Sequence[str]) -> bool:
    dotted = ".".join(path)
    return any(f"{dotted}.".startswith(f"{key}.") for key in keys)
