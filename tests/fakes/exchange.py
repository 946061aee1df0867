"""The product's own exchange on a port of this machine, in a thread with a loop of its own."""

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from mmbot.assemble.exchange import ExchangeOptions, open_exchange
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.serving.server import ExchangeServer, ServerOptions

FUNDS_USD = 10_000


class LocalExchange(NamedTuple):
    """Where it is, and its controls."""

    url: str

    def faults(self, *faults: dict[str, Any]) -> None:
        """Set faults; none clears them."""
        self._post("faults", {"clear": True, "set": list(faults)})

    def truth(self) -> Any:
        """Return everything the exchange knows."""
        with urllib.request.urlopen(f"{self.url}/_ctl/truth", timeout=5) as answer:  # noqa: S310
            return json.load(answer)

    def _post(self, name: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - a server of our own
            f"{self.url}/_ctl/{name}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def local_exchange(flow: str = "normal", funds_usd: int = FUNDS_USD) -> Iterator[LocalExchange]:
    """Serve an exchange that funds every wallet on its first look-up."""
    started: list[str] = []
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        params = ExchangeParams(auto_fund_usd=funds_usd)
        opened = open_exchange(ExchangeOptions(params=params, flow=flow))
        server = ExchangeServer(opened.floor, ServerOptions(control=True))
        address = await server.start("127.0.0.1", 0)
        started.append(address.urls()["http"])
        ready.set()
        await over.wait()
        await server.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(20), "the exchange did not start"
        yield LocalExchange(started[0])
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
