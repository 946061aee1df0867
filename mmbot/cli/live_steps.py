"""What `test-live` looks at, step by step; a step says what it found or raises."""

import argparse
import asyncio
import time
from collections.abc import Sequence

from mmbot.adapters.zo.checks.book_check import compare_books
from mmbot.adapters.zo.checks.trial_order import Desk, try_order
from mmbot.adapters.zo.engine_time import ClockState, EngineClock
from mmbot.adapters.zo.keys.session import check_usable, read_engine_time
from mmbot.adapters.zo.keys.session_files import StoredSession
from mmbot.adapters.zo.rest.answers import AccountView, Catalog, Listing, User
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.cli.live_markets import CheckFailed, grid_words, wanted_listings
from mmbot.cli.venue import folder, moment, user_of
from mmbot.config.schema import Config

NS_PER_S = 1_000_000_000
UUSD_PER_USD = 1_000_000
# Longer than a second, so that a clock that runs has shown another one.
TICK_S = 1.1


class Steps:
    """The steps and what they have found so far."""

    def __init__(
        self, http: ZoHttp, clock: EngineClock, config: Config, args: argparse.Namespace
    ) -> None:
        self._http = http
        self._clock = clock
        self._config = config
        self._args = args
        self._venue = str(config.venue.http_origin)
        self._catalog = Catalog((), ())
        self._listings: Sequence[Listing] = ()
        self._stored: StoredSession | None = None
        self._account_id = 0

    async def connect(self) -> str:
        """Read the list of markets."""
        self._catalog = await self._http.info()
        markets, tokens = len(self._catalog.listings), len(self._catalog.tokens)
        return f"{self._venue}: {_count(markets, 'market')}, {_count(tokens, 'token')}"

    async def time(self) -> str:
        """Read the engine's clock twice, so that it has to have moved."""
        first = await read_engine_time(self._http, self._clock)
        await asyncio.sleep(TICK_S)
        second = await read_engine_time(self._http, self._clock)
        state = self._clock.state(time.monotonic_ns())
        if second <= first or state is not ClockState.OK:
            raise CheckFailed(f"the engine's clock {'stands still' if second <= first else state}")
        return f"engine time {moment(second)}{self._host_clock()}"

    async def markets(self) -> str:
        """See that the markets are there, with the tick and lot that the settings say."""
        self._listings = wanted_listings(self._args.market, self._config, self._catalog)
        return ", ".join(grid_words(each) for each in self._listings)

    async def session(self) -> str:
        """See that a session is kept here, and that the venue knows it."""
        kept = folder(self._args, self._config)
        stored = list(kept.of_venue(self._venue))
        if self._args.user is not None:
            pubkey = user_of(self._args.user)
            stored = [each for each in stored if each.pubkey == pubkey]
        if not stored:
            raise CheckFailed(f"no session of {self._venue} is kept here: `session create`")
        if len(stored) > 1:
            names = ", ".join(each.user for each in stored)
            raise CheckFailed(f"sessions of several wallets are kept here, say --user: {names}")
        now_s = self._clock.now_s(time.monotonic_ns())
        user_there = await self._http.user(stored[0].pubkey)
        before_s = self._config.session.refresh_before_h * 3600
        check_usable(stored[0], user_there, now_s, before_s)
        self._stored = stored[0]
        left_h = (stored[0].expiry_s - now_s) / 3600
        return f"{stored[0].session_id} of wallet {stored[0].user}, {left_h:.1f} h left"

    async def book(self) -> str:
        """Build each book from its stream and compare it with REST."""
        origin = self._config.venue.ws_origin
        verdicts = await compare_books(self._http.orderbook, origin, self._listings)
        bad = [f"{each.symbol}: {each.trouble}" for each in verdicts if each.trouble]
        if bad:
            raise CheckFailed("; ".join(bad))
        return ", ".join(
            f"{each.symbol} {_count(each.levels_count, 'level')} equal after "
            f"{_count(each.updates_count, 'update')}"
            for each in verdicts
        )

    async def account(self) -> str:
        """Read the account."""
        user = await self._user()
        configured = self._config.instance.account_id
        if configured is not None and configured not in user.account_ids:
            raise CheckFailed(f"instance.account_id {configured} is not one of the wallet's")
        if not user.account_ids:
            raise CheckFailed("the wallet has no account: deposit first")
        account_id = configured or user.account_ids[0]
        account = await self._http.account(account_id, self._catalog)
        if account is None:
            raise CheckFailed(f"the venue does not show account {account_id}")
        if account.margins.bankruptcy:
            raise CheckFailed(f"account {account_id} is bankrupt")
        self._account_id = account_id
        tier = await self._http.fee_tier(account_id)
        return f"{account_id}: {_figures(account)}, fee tier {tier}"

    async def order(self) -> str:
        """Place the trial order."""
        if self._stored is None:
            raise CheckFailed("no session")
        lifetime_s = self._config.venue.action_lifetime_s
        signer = self._stored.signer(self._account_id, lifetime_s)
        desk = Desk(self._http, self._clock, signer, self._catalog)
        return await try_order(desk, self._listings[0])

    async def _user(self) -> User:
        if self._args.user is not None:
            pubkey = user_of(self._args.user)
        elif self._stored is not None:
            pubkey = self._stored.pubkey
        else:
            raise CheckFailed("whose account? there is no session here, and no --user")
        user = await self._http.user(pubkey)
        if user is None:
            raise CheckFailed("the venue does not know the wallet: it has no deposit yet")
        return user

    def _host_clock(self) -> str:
        earliest_ns, latest_ns = self._clock.range_ns(time.monotonic_ns())
        off_ns = time.time_ns() - (earliest_ns + latest_ns) // 2
        side = "ahead" if off_ns > 0 else "behind"
        text = f", host clock {abs(off_ns) / NS_PER_S:.1f} s {side}"
        if abs(off_ns) > self._config.venue.max_clock_offset_ms * 1_000_000:
            return f"{text}: more than venue.max_clock_offset_ms; times in logs are off by that"
        return text


def _figures(account: AccountView) -> str:
    margins = account.margins
    equity_usd = margins.mf_uusd / UUSD_PER_USD
    free_usd = max(0, margins.omf_uusd - margins.imf_uusd) / UUSD_PER_USD
    held = sum(position.lots != 0 for position in account.positions)
    return (
        f"equity {equity_usd:,.2f} USD, free {free_usd:,.2f} USD, "
        f"{_count(held, 'position')}, {_count(len(account.orders), 'order')}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
