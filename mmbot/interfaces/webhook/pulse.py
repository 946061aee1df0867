"""The heartbeat: an address is asked for now and then, while the bot is well and only then.

A service outside alarms when it hears nothing; so silence is the message.
"""

import asyncio
from collections.abc import Callable

import aiohttp

from mmbot.interfaces.health_text import troubles
from mmbot.interfaces.webhook.params import WebhookParams, host_of
from mmbot.interfaces.webhook.sending import outside_session, send
from mmbot.ports import Control

# Whether it is time is looked at this often, so that a reload counts.
LOOK_S = 1.0


class HeartbeatUrl:
    """Asks for the address for as long as it runs; `warn` is told when that fails."""

    def __init__(self, params: Callable[[], WebhookParams], warn: Callable[[str], None]) -> None:
        self._params = params
        self._warn = warn
        self._failing = False

    async def run(self, control: Control) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        async with outside_session() as session:
            while True:
                params = self._params()
                url = params.url(params.heartbeat_url)
                if url is not None and loop.time() >= due_s and not troubles(control.status()):
                    due_s = loop.time() + params.heartbeat_s
                    await self._beat(session, url)
                await asyncio.sleep(min(LOOK_S, params.heartbeat_s))

    async def _beat(self, session: aiohttp.ClientSession, url: str) -> None:
        why = await send(session, url)
        if (why is not None) is not self._failing:
            self._failing = why is not None
            state = "hears us again" if why is None else f"did not hear us: {why}"
            self._warn(f"heartbeat at {host_of(url)} {state}")
