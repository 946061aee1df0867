"""Wires the chat of a live bot: its token, its line, and what it remembers of updates."""

from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from mmbot.assemble.live.looking_up import LookedUp, Place
from mmbot.assemble.live.start import Holding
from mmbot.assemble.live.world import LiveOptions, World
from mmbot.config.schema import Config
from mmbot.domain.notices import Notice
from mmbot.interfaces.telegram.face import TelegramFace
from mmbot.interfaces.telegram.memory import Memory
from mmbot.interfaces.telegram.talk import Fees, InForce, Parts
from mmbot.ledger.ledger import Ledger
from mmbot.runtime.control import BotControl
from mmbot.runtime.supervision import Ending
from mmbot.secrets.params import SecretName
from mmbot.secrets.resolving import resolve
from mmbot.secrets.secret import Secret

UPDATES = "telegram updates"


class Spoken(NamedTuple):
    """What the chat is about."""

    control: BotControl
    ledger: Ledger
    holding: Holding | None
    ending: Ending
    tell: Callable[[Sequence[Notice]], None]
    options: LiveOptions
    world: World


def telegram_token(
    config: Config, env: MutableMapping[str, str], warn: Callable[[str], None]
) -> Secret | None:
    """Return the token of the bot, None where nobody wants to talk to it.

    SecretError when it is missing or open to others.
    """
    if not config.telegram.enabled:
        return None
    return resolve(config.secrets, SecretName.TELEGRAM_TOKEN, env, warn)


class Followed:
    """Settings as they are in force, for the chat; `follow` takes on others."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.chat = InForce(config.telegram, config.alerts)

    def follow(self, config: Config) -> None:
        """Go by these from now on."""
        self.config = config
        self.chat.follow(config.telegram, config.alerts)


@asynccontextmanager
async def telegram_face(
    token: Secret, followed: Followed, spoken: Spoken
) -> AsyncIterator[TelegramFace]:
    """Open the chat and hang up at the end."""
    # Takes half a second and 20 MB, which a bot without a chat does not need.
    from mmbot.interfaces.telegram.line import Line

    ledger, holding = spoken.ledger, spoken.holding
    rates = None if holding is None else holding.rates
    line = Line(token.reveal(), followed.config.telegram.api_base_url)
    memory = Memory(ledger.kept(UPDATES), partial(ledger.keep_async, UPDATES), spoken.world.clock)
    parts = Parts(
        control=spoken.control,
        outlet=line,
        params=followed.chat,
        clock=spoken.world.clock,
        tell=spoken.tell,
        remember=memory.remember,
        books=LookedUp(
            Place(
                ledger.path,
                spoken.options.sources,
                lambda: followed.config,
                spoken.control,
                spoken.world.env,
            )
        ),
        fees=Fees() if rates is None else Fees(rates.maker_ppm, rates.taker_ppm),
    )
    face = TelegramFace(line, parts, memory)
    try:
        yield face
        await face.farewell(f"the run ends: {spoken.ending.reason}")
    finally:
        await line.close()
