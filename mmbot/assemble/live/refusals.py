"""What forbids a start: each is one clear line and a documented exit code, before anything is sent.

Nothing here asks anybody; what is needed has been read already.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mmbot.adapters.zo.keys.session_files import SessionFolder, StoredSession
from mmbot.adapters.zo.origin import Origin, is_loopback
from mmbot.adapters.zo.rest.answers import AccountView, Catalog, Listing, User
from mmbot.adapters.zo.wire import base58
from mmbot.config.checks import LITERAL_SKEW, worst_stop_s
from mmbot.config.schema import Config
from mmbot.errors import ConfigError, SecretError, Unfit

UUSD_PER_USD = 1_000_000
NS_PER_S = 1_000_000_000
# A clock that is set by the network is off by milliseconds; one that steps later does no harm.
MOST_OFF_S = 300
# Public halves of keys whose secret halves everybody knows (reliability F05): those in the
# test vectors of the protocol. Whoever trades with one for real is robbed at once.
KNOWN_KEYS = frozenset(
    {
        "7zm5YJuUsB4MYCtw6fAuxfTayLx5vQWHAAGCg2TfvjJh",
        "Av6i99hHsVau9cy8bEBtQ8YuMWZXcNMZv7rVCdYgErya",
        "DBm5wTELwxtiFfABaRTrGzsSQNESrfcbXzeyb8TLMJeU",
        "DJFXUxBy6q2s2xYKBbJc1uonFBwdhQwmGuqqh9Xq6Ug3",
        "FMsosHSj29jM7QtvaSbSwTFsbYCGwTyAHBg4a3F36X7h",
        "HeXrD9kri62B8J1wUHgGLuisMMZgPhmwYyXUrS93m5d",
        "9GsHe6VjB6Ug1tBX16WVWz7VAEuLpoiNEqyiSFDQoCYV",
        "Cr1wmnhNPy2AautqFM5ZncZ164c5kp7DeW8TDqxozKBR",
        "LSxN361T6FojmtvziHJMeWVNPQumpQhpgLX6Q5t2fzG",
    }
)


class Allowance(NamedTuple):
    """Doubts that the operator has waved aside."""

    literal_skew: bool = False


def wanted_markets(config: Config, asked: Sequence[str], catalog: Catalog) -> tuple[Listing, ...]:
    """Return the markets asked for, else the configured; ConfigError when one is not listed."""
    symbols = list(dict.fromkeys(asked)) or [
        name for name, market in config.markets.items() if market.enabled
    ]
    if not symbols:
        raise ConfigError(["markets: name at least one market to run, or give --market"])
    known = {each.symbol: each for each in catalog.listings.values()}
    missing = [symbol for symbol in symbols if symbol not in known]
    if missing:
        there = ", ".join(sorted(known))
        raise ConfigError(
            [f"{each}: the venue has no such market, only {there}" for each in missing]
        )
    return tuple(known[symbol] for symbol in symbols)


def refuse_settings(config: Config, listings: Iterable[Listing], allowed: Allowance) -> None:
    """ConfigError for settings that must not trade real money."""
    problems = []
    if "daily_limit_usd" not in config.risk.loss.model_fields_set:
        problems.append("risk.loss.daily_limit_usd: set it: a live run has no default for it")
    for listing in listings:
        symbol = listing.symbol
        settings = config.markets.get(symbol, config.defaults)
        where = f"markets.{symbol}" if symbol in config.markets else "defaults"
        if settings.market_risk.max_position_usd is None:
            problems.append(
                f"{where}.market_risk.max_position_usd: set it: a live run has no default for it"
            )
        if settings.inventory.direction == "literal" and not allowed.literal_skew:
            problems.append(
                f"{where}.inventory.direction: {LITERAL_SKEW} Give --accept-literal-skew if that "
                "is what you want"
            )
    if problems:
        raise ConfigError(problems)


def clock_off(off_ns: int) -> str:
    """Say by how much the host's clock is ahead of the venue's, or behind (negative)."""
    side = "ahead of" if off_ns > 0 else "behind"
    return f"the host's clock is {abs(off_ns) / NS_PER_S:.1f} s {side} the venue's"


def refuse_clock(off_ns: int) -> None:
    """Unfit when days, on which losses are limited, would begin at another time than they do."""
    if abs(off_ns) > MOST_OFF_S * NS_PER_S:
        raise Unfit(f"{clock_off(off_ns)}: set it first, for example `timedatectl set-ntp true`")


def refuse_slow_stop(config: Config, listings: Iterable[Listing]) -> None:
    """ConfigError when taking everything off may take longer than the supervisor waits (X03)."""
    orders = resting_of(config, listings)
    worst_s = worst_stop_s(config, orders)
    if worst_s > config.runtime.stop_timeout_s:
        raise ConfigError(
            [
                f"runtime.stop_timeout_s: {config.runtime.stop_timeout_s:g} s is less than the "
                f"{worst_s:.0f} s that a stop may take: {orders} orders at "
                f"{config.rate_limits.cancels_per_second:g} cancels/s, and actions that live "
                f"{config.venue.action_lifetime_s:g} s (venue.action_lifetime_s)"
            ]
        )


def resting_of(config: Config, listings: Iterable[Listing]) -> int:
    """Return how many orders rest when every level of these markets is quoted."""
    settings = (config.markets.get(each.symbol, config.defaults) for each in listings)
    return sum(2 * each.levels.count for each in settings)


def session_of(folder: SessionFolder, origin: Origin) -> StoredSession:
    """Return the one session kept for a venue; SecretError when there is none, or several."""
    venue = str(origin)
    kept = list(folder.of_venue(venue))
    if len(kept) == 1:
        return kept[0]
    if kept:
        users = ", ".join(each.user for each in kept)
        raise SecretError(
            f"sessions of several wallets are kept for {venue} ({users}): keep each bot's in a "
            "folder of its own (session.dir)"
        )
    raise SecretError(f"no session of {venue} is kept here: make one with `mmbot session create`")


def refuse_session(session: StoredSession, origin: Origin) -> None:
    """SecretError for a session of another venue, or with a key that everybody knows."""
    if session.venue != str(origin):
        raise SecretError(f"the session is bound to {session.venue}, not to {origin}")
    if is_loopback(origin.host):
        return
    for pubkey in (session.user, base58.encode(session.keypair.public)):
        if pubkey in KNOWN_KEYS:
            raise SecretError(f"{pubkey} is a published test key: never use it at {origin}")


def account_of(config: Config, user: User | None, wallet: str) -> int:
    """Return the account to trade on; Unfit or ConfigError when there is none."""
    if user is None or not user.account_ids:
        raise Unfit(f"wallet {wallet} has no account at the venue: deposit first")
    wanted = config.instance.account_id
    if wanted is None:
        return user.account_ids[0]
    if wanted not in user.account_ids:
        raise ConfigError([f"instance.account_id: {wanted} is not an account of wallet {wallet}"])
    return wanted


def refuse_account(config: Config, account_id: int, view: AccountView | None) -> None:
    """Unfit for an account that nothing can be traded with."""
    if view is None:
        raise Unfit(f"the venue does not show account {account_id}")
    if view.margins.bankruptcy:
        raise Unfit(f"account {account_id} is bankrupt")
    floor_uusd = int(config.risk.min_free_collateral_usd * UUSD_PER_USD)
    equity_uusd = view.margins.mf_uusd
    if equity_uusd <= 0 or equity_uusd < floor_uusd:
        raise Unfit(
            f"account {account_id} has {equity_uusd / UUSD_PER_USD:,.2f} USD, "
            f"risk.min_free_collateral_usd is {config.risk.min_free_collateral_usd}: deposit first"
        )
