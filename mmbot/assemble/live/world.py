"""What lies outside a live bot, and what it is asked for; a simulation brings its own."""

import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from random import Random, SystemRandom

from mmbot.adapters.web.clock import Clock, steady_clock
from mmbot.adapters.zo.keys.session_files import StoredSession, state_folder
from mmbot.assemble.live.heart import HeartTerms, guarded_heart, supervised_heart
from mmbot.assemble.live.leading import Pair, real_pair
from mmbot.config.loader import ConfigSources
from mmbot.config.schema import Config
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice
from mmbot.engine import Engine
from mmbot.ledger.ledger import Ledger
from mmbot.ledger.opening import open_ledger
from mmbot.ledger.params import StorageParams
from mmbot.logs.pipeline import Counts
from mmbot.quoting.strategy import Strategy
from mmbot.runtime.control_place import control_socket
from mmbot.runtime.keeping import Heart
from mmbot.secrets.start_env import StartEnv

OpenLedger = Callable[[Path, StorageParams, int], Ledger]
"""Open the ledger of a path; the number is now, ns."""


class RunMode(StrEnum):
    """What a bot does with its quotes."""

    OBSERVE = "observe"
    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Clock, chance, disk and environment.

    heart: who watches over a live run, if anybody; supervised: over any other.
    socket: where it is commanded from, if anywhere.
    serves: whether it may be watched over HTTP.
    pair: what a bot with a standby needs, given whom to warn.
    """

    clock: Clock
    rng: Callable[[], Random]
    open_ledger: OpenLedger
    state: Path
    env: MutableMapping[str, str]
    heart: Callable[[HeartTerms], Heart] | None = None
    supervised: Callable[[Engine], Heart] | None = None
    socket: Callable[[Config], Path] | None = None
    serves: bool = False
    pair: Callable[[Callable[[str], None]], Pair] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What is not configuration.

    markets: these instead of the configured ones. session: this one instead of the kept one.
    record: the folder of the run. warn, notices: whom to tell; both return at once. sources, texts:
    where the settings were read from, and the files as they were. log_level sets a level and says
    what was wrong with it. followers: told of settings that were applied. logged: lines of the log.
    commit: of the program, if that is known.
    """

    markets: Sequence[str] = ()
    session: StoredSession | None = None
    record: Path | None = None
    accept_literal_skew: bool = False
    close_on_exit: bool = False
    stay_halted: bool = False
    strategy: Callable[[Market], Strategy] | None = None
    warn: Callable[[str], None] = print
    notices: Callable[[Sequence[Notice]], None] | None = None
    sources: ConfigSources | None = None
    texts: Mapping[Path, str] = field(default_factory=dict)
    log_level: Callable[[str], str | None] | None = None
    followers: Sequence[Callable[[Config], None]] = ()
    logged: Counts | None = None
    commit: str = ""


def real_world(process: MutableMapping[str, str]) -> World:
    """Return the machine we run on, given the environment of the process."""
    env = StartEnv(process)
    return World(
        clock=steady_clock(),
        rng=SystemRandom,
        open_ledger=_open,
        state=state_folder(env),
        env=env,
        heart=partial(guarded_heart, env=env),
        supervised=partial(supervised_heart, env=env),
        socket=lambda config: control_socket(config.control, config.instance.name, env),
        serves=True,
        pair=partial(real_pair, env),
    )


def _open(path: Path, params: StorageParams, now_ns: int) -> Ledger:
    return open_ledger(path, params=params, now_ns=now_ns or time.time_ns())
