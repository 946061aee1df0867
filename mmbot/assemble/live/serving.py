"""Wires the HTTP face of a live bot: where it listens, its token, and all that it can tell."""

import platform
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import NamedTuple

from mmbot import __version__
from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.assemble.live.run_folder import RunFolder
from mmbot.assemble.live.world import RunMode, World
from mmbot.config.schema import Config
from mmbot.domain.figures import Labels, Readings
from mmbot.errors import ConfigError, Unavailable
from mmbot.interfaces.api.process_figures import ProcessFigures
from mmbot.interfaces.api.server import ApiServer
from mmbot.ledger.ledger import Ledger
from mmbot.logs.levels import LEVELS
from mmbot.logs.pipeline import Counts
from mmbot.runtime.control import BotControl
from mmbot.runtime.instruments import BotInstruments, Measured
from mmbot.runtime.live import MarketMakerLive
from mmbot.secrets.params import SecretName
from mmbot.secrets.resolving import is_set, resolve
from mmbot.secrets.secret import Secret, fit_token

NS_PER_S = 1_000_000_000


class Around(NamedTuple):
    """What besides the bot has something to tell; config_sha is that of the run's settings.

    holds: says whether the account may be traded; None for a bot that trades none.
    """

    ledger: Ledger
    engine_clock: EngineClock
    folder: RunFolder | None
    config_sha: str
    mode: RunMode
    holds: Callable[[int], bool] | None
    logged: Counts | None
    commit: str


def api_server(
    world: World, config: Config, stack: AsyncExitStack | ExitStack, warn: Callable[[str], None]
) -> ApiServer | None:
    """Take the address; None, and a warning, where it cannot be had: trading needs no page.

    SecretError when the token is not fit to be one, ConfigError when others need one and it lacks.
    """
    params = config.api
    if not (world.serves and params.enabled):
        return None
    token = _token(config, world, warn)
    try:
        server = ApiServer(params, token)
    except OSError as error:
        warn(f"no status page at {params.host} port {params.port}: {error.strerror}")
        return None
    stack.callback(server.close)
    return server


def serve(
    server: ApiServer,
    live: MarketMakerLive,
    control: BotControl,
    around: Around,
    stack: AsyncExitStack,
) -> None:
    """Have all that is measured shown as long as the bot runs."""
    process = ProcessFigures()
    process.begin()
    stack.callback(process.end)
    build = build_labels(around.commit, around.config_sha, around.mode)
    instruments = BotInstruments(
        Measured(
            live=live,
            meters=control.watching.meters,
            status=control.status,
            build=build,
            others=(process.readings, partial(_of_around, around, live.works.clock)),
        )
    )
    live.around.append(("api", partial(server.run, control, instruments)))


def build_labels(commit: str, config_sha: str, mode: str) -> Labels:
    """Return what tells one build and its settings from another."""
    return (__version__, commit, platform.python_version(), config_sha[:12], mode)


def announced(lines: Sequence[str], server: ApiServer) -> tuple[str, ...]:
    """Return what a bot says before it trades with where it is to be watched, warnings last."""
    place = next((i for i, line in enumerate(lines) if line.startswith("warning:")), len(lines))
    return (*lines[:place], f"  page     {server.url}", *lines[place:])


def _of_around(around: Around, clock: Callable[[], int]) -> Readings:
    now_ns = clock()
    backlog, _ = around.ledger.backlog(now_ns)
    gauges: dict[str, dict[Labels, float]] = {
        "ledger_queue_depth": {(): backlog},
    }
    if around.holds is not None:
        gauges["lease_held"] = {(): float(around.holds(now_ns))}
    try:
        earliest_ns, latest_ns = around.engine_clock.range_ns(now_ns)
    except Unavailable:
        pass
    else:
        off_s = ((earliest_ns + latest_ns) / 2 - now_ns) / NS_PER_S
        gauges["clock_offset_seconds"] = {(): off_s}
    if around.folder is not None:
        sizes = (each.stat().st_size for each in around.folder.folder.iterdir())
        gauges["recorder_bytes_written"] = {(): sum(sizes)}
    counts = {} if around.logged is None else _of_logs(around.logged)
    return Readings(counts=counts, gauges=gauges)


def _of_logs(logged: Counts) -> dict[str, dict[Labels, float]]:
    written = dict(logged.written)
    return {
        "log_records": {(name,): written.get(level, 0) for name, level in LEVELS.items()},
        "log_records_suppressed": {(): logged.suppressed},
        "log_records_dropped": {(): logged.lost},
    }


def _token(config: Config, world: World, warn: Callable[[str], None]) -> Secret | None:
    """Return what commands over HTTP need, None when there are to be none."""
    env = dict(world.env)
    if is_set(config.secrets, SecretName.API_TOKEN, env):
        return fit_token(resolve(config.secrets, SecretName.API_TOKEN, env, warn))
    if not config.api.is_local:
        host = config.api.host
        raise ConfigError([f"api.host {host} is open to others, which needs secrets.api_token"])
    return None
