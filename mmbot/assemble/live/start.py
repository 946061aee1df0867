"""The start of a live bot up to trading: who and where we are, and whether that may trade."""

from typing import NamedTuple

from mmbot.adapters.web.clock import Clock
from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.keys.session import READINGS_COUNT, check_usable
from mmbot.adapters.zo.keys.session_files import StoredSession
from mmbot.adapters.zo.rest.answers import AccountView, Catalog, FeeRates, Listing
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.assemble.live.leading import Lead
from mmbot.assemble.live.refusals import (
    Allowance,
    account_of,
    clock_off,
    refuse_account,
    refuse_clock,
    refuse_settings,
    refuse_slow_stop,
)
from mmbot.config.schema import Config

NS_PER_MS = 1_000_000


class Ground(NamedTuple):
    """What any run stands on: the venue's list and our part of it, and engine time."""

    catalog: Catalog
    listings: tuple[Listing, ...]
    engine_clock: EngineClock


class Holding(NamedTuple):
    """What a live run trades with."""

    session: StoredSession
    account_id: int
    view: AccountView
    rates: FeeRates
    lead: Lead | None = None

    def holds(self, now_ns: int) -> bool:
        """Whether this process may trade the account; without a standby its lock says so."""
        return self.lead is None or self.lead.keeper.barred(now_ns) is None


async def read_clock(http: ZoHttp, clock: Clock) -> EngineClock:
    """Return the engine's clock after a few readings, on our `clock`."""
    engine_clock = EngineClock()
    for _ in range(READINGS_COUNT):
        sample = await http.timestamp()
        engine_clock.observe(sample.engine_s, sample.sent_ns, sample.received_ns)
    engine_clock.state(clock())
    return engine_clock


async def take_hold(
    http: ZoHttp,
    config: Config,
    ground: Ground,
    session: StoredSession,
    allowed: Allowance,
    clock: Clock,
) -> Holding:
    """Read session and account; ConfigError, SecretError, SessionExpired or Unfit say no."""
    refuse_clock(_off_ns(ground.engine_clock, clock()))
    refuse_settings(config, ground.listings, allowed)
    refuse_slow_stop(config, ground.listings)
    user = await http.user(session.pubkey)
    account_id = account_of(config, user, session.user)
    now_s = ground.engine_clock.now_s(clock())
    check_usable(session, user, now_s, config.session.refresh_before_h * 3600)
    view = await http.account(account_id, ground.catalog)
    refuse_account(config, account_id, view)
    assert view is not None  # noqa: S101 - refused otherwise
    tier = await http.fee_tier(account_id)
    return Holding(session, account_id, view, (await http.fee_brackets())[tier])


def clock_words(engine_clock: EngineClock, now_ns: int, most_ms: int) -> str | None:
    """Say by how much the host's clock is off, if by more than it may be; engine time is used."""
    off_ns = _off_ns(engine_clock, now_ns)
    if abs(off_ns) <= most_ms * NS_PER_MS:
        return None
    return f"{clock_off(off_ns)}; orders go by the venue's, times in logs are off by that"


def _off_ns(engine_clock: EngineClock, now_ns: int) -> int:
    """By how much the host's clock is certainly ahead of the engine's, or behind (negative)."""
    earliest_ns, latest_ns = engine_clock.range_ns(now_ns)
    return max(now_ns - latest_ns, 0) or min(now_ns - earliest_ns, 0)
