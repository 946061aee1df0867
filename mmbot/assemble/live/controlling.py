"""Wires the control of a live bot: its settings in use, its audit, and the socket it listens at."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

import msgspec

from mmbot import __version__
from mmbot.adapters.zo.rest.answers import Listing
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.assemble.live.bookkeeping import Tell
from mmbot.assemble.live.refusals import Allowance, refuse_settings, refuse_slow_stop
from mmbot.assemble.live.settings_in_use import (
    OVERRIDES,
    AppliedTo,
    Filed,
    FixedSettings,
    SettingsInUse,
    restored,
)
from mmbot.assemble.live.start import Ground, Holding
from mmbot.assemble.live.world import LiveOptions, RunMode, World
from mmbot.config.schema import Config
from mmbot.domain.control import Override
from mmbot.engine import Engine
from mmbot.errors import ConfigError, InUse
from mmbot.execution.order_ids import OrderIds
from mmbot.interfaces.control_socket import ControlSocket
from mmbot.ledger.ledger import Ledger
from mmbot.ledger.reader import LedgerReader
from mmbot.ledger.rows import Kind
from mmbot.runtime.audit import Audited, command_words
from mmbot.runtime.commands import Doing
from mmbot.runtime.control import BotControl, ControlParts
from mmbot.runtime.day import DAY_NS
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.operating import Operating, Resting
from mmbot.runtime.outlook import OutlookParams, look_ahead
from mmbot.runtime.status import Named
from mmbot.runtime.watching import Watched, Watching
from mmbot.secrets.redaction import redacted

NS_PER_S = 1_000_000_000
MICRO = 1_000_000
_LOG = logging.getLogger("mmbot.control")


class Overridden(NamedTuple):
    """The settings of a start: by the files, and with the overrides that outlived a restart."""

    filed: Config
    in_force: Config
    overrides: tuple[Override, ...] = ()


class Seat(NamedTuple):
    """What a control is made of, as far as the bot is."""

    live: MarketMakerLive
    named: Named
    ledger: Ledger
    holding: Holding | None
    ids: OrderIds
    tell: Tell


def with_overrides(
    config: Config, options: LiveOptions, ledger: Ledger, now_ns: int, symbols: Sequence[str]
) -> Overridden:
    """Return what a run begins with."""
    if options.sources is None:
        return Overridden(config, config)
    filed = Filed(config, options.texts)
    kept = ledger.kept(OVERRIDES)
    overrides, in_force = restored(kept, now_ns, options.sources, filed, symbols)
    return Overridden(config, in_force, tuple(overrides))


def bot_control(
    seat: Seat, settings: Overridden, options: LiveOptions, ground: Ground, http: ZoHttp
) -> BotControl:
    """Put the control together, and have it run as long as the bot does."""
    ledger, holding = seat.ledger, seat.holding
    engine = seat.live.works.engine

    def audit(row: Audited, now_ns: int) -> None:
        text = redacted(msgspec.json.encode(row).decode())
        ledger.note(now_ns, Kind.COMMAND, None, None, text)
        _LOG.info("%s", command_words(row), extra={"code": "command", "steady": True})

    async def clear_halt(who: str, reason: str) -> str | None:
        if options.sources is not None:
            try:
                await asyncio.to_thread(options.sources.load)
            except ConfigError as error:
                # It begins anew with what the files say: with these it would end instead.
                return f"it could not start again: {'; '.join(error.problems)}"
        now_ns = seat.live.works.clock()
        if await asyncio.to_thread(ledger.clear_latch, who, reason, now_ns):
            return None
        return ledger.failure or "the disk does not take it"

    in_use = _settings(engine, settings, options, ground, holding, ledger)
    watching = Watching(
        Watched(
            live=seat.live,
            named=seat.named,
            settings=in_use,
            session_ends_ns=None if holding is None else holding.session.expiry_s * NS_PER_S,
            version=__version__,
            lease=None if holding is None or holding.lead is None else holding.lead.status,
        )
    )
    with LedgerReader(ledger.path) as books:
        for minute in books.fills_by_minute(seat.live.works.clock() - DAY_NS):
            watching.meters.day.count(*minute)
    resting = _resting(http, ground, holding, seat.ids, engine)
    doing = Doing(
        live=seat.live,
        operating=Operating(seat.live, resting, watching.sent),
        settings=in_use,
        alerts=watching.alerts,
        log_level=options.log_level or _no_levels,
        clear_halt=clear_halt,
    )
    control = BotControl(ControlParts(doing=doing, watching=watching, audit=audit, tell=seat.tell))
    seat.live.around.append(("control", control.run))
    ahead = partial(
        look_ahead,
        control.status,
        lambda: watching.meters.heard_ns,
        lambda: _outlook(in_use.in_force),
        seat.tell,
    )
    seat.live.around.append(("outlook", ahead))
    seat.live.around.append(("meters", watching.meters.run))
    return control


def _outlook(config: Config) -> OutlookParams:
    alerts = config.alerts
    return OutlookParams(
        config.session.refresh_before_h * 3_600,
        alerts.order_error_rate_pct / 100,
        alerts.window_s,
        alerts.min_events_count,
        alerts.ws_down_s,
        int(alerts.pnl_step_usd * MICRO),
    )


def listens(
    world: World, config: Config, mode: RunMode, stack: AsyncExitStack, warn: Callable[[str], None]
) -> ControlSocket | None:
    """Take the socket of this instance; None, and a warning, where there can be none.

    InUse when another bot of this instance has it, unless this one only looks on or plays.
    """
    if world.socket is None:
        return None
    path = world.socket(config)
    try:
        found = ControlSocket(path)
    except OSError as error:
        warn(f"no control socket at {path}: {error}; stop the bot by its signals")
        return None
    except InUse as error:
        if mode is RunMode.LIVE:
            raise
        warn(f"no control socket: {error}")
        return None
    stack.callback(found.close)
    return found


def _settings(
    engine: Engine,
    settings: Overridden,
    options: LiveOptions,
    ground: Ground,
    holding: Holding | None,
    ledger: Ledger,
) -> FixedSettings | SettingsInUse:
    if options.sources is None:
        return FixedSettings(settings.in_force)

    def refuse(config: Config) -> None:
        if holding is not None:
            allowed = Allowance(options.accept_literal_skew)
            refuse_settings(config, ground.listings, allowed)
            refuse_slow_stop(config, ground.listings)

    used = AppliedTo(
        engine=engine,
        sources=options.sources,
        refuse=refuse,
        keep=partial(ledger.keep_async, OVERRIDES),
        followers=options.followers,
    )
    filed = Filed(settings.filed, options.texts)
    return SettingsInUse(used, filed, settings.in_force, settings.overrides)


def _resting(
    http: ZoHttp, ground: Ground, holding: Holding | None, ids: OrderIds, engine: Engine
) -> Resting:
    """Return who is asked how many of our orders rest: the venue, or on paper the engine."""
    if holding is None:

        async def on_paper(market: int | None) -> int:
            desks = engine.desks if market is None else [engine.desks[market]]
            return sum(len(desk.tracker.orders) for desk in desks)

        return on_paper
    account_id, listings = holding.account_id, ground.listings

    async def at_venue(market: int | None) -> int:
        view = await http.account(account_id, ground.catalog)
        wanted = _numbers(listings, market)
        return sum(
            each.market_id in wanted
            and each.client_order_id is not None
            and ids.epoch_of(each.client_order_id) is not None
            for each in (() if view is None else view.orders)
        )

    return at_venue


def _numbers(listings: Sequence[Listing], market: int | None) -> set[int]:
    found = listings if market is None else [listings[market]]
    return {each.market_id for each in found}


def _no_levels(_level: str) -> str | None:
    return "log levels cannot be changed in this run"
