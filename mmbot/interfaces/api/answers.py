"""What the HTTP face answers: figures as JSON with a schema, metrics, health, and commands.

A read is one look at the bot's own figures. Numbers are raw: micro-USD, ticks and lots as in the
status, decimals as text.
"""

import asyncio
import time
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from mmbot.domain.control import NEEDS, OperatorCommand, Result, Role, Verb, Who
from mmbot.domain.figures import PnlLines
from mmbot.domain.status import MarketStatus, StatusView
from mmbot.interfaces.api import exposition
from mmbot.interfaces.api.gate import refusal
from mmbot.interfaces.api.rows import fill_row, notice_row, order_rows, position_row
from mmbot.interfaces.health_text import unready
from mmbot.ports import Control, Instruments

MOST_BODY_BYTES = 4_096
BODY_S = 5.0
METRICS_EVERY_NS = 1_000_000_000
# The holder of the token reduces risk and ends pauses; settings stay with the machine's own user.
_WHO = Who("http", "token", Role.OPERATOR)
_STATUS = {Result.OK: 200, Result.REFUSED: 409, Result.UNKNOWN: 504}


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a command; all of it may be left out."""

    reason: str = ""
    market: str | None = None
    key: str | None = None
    dry_run: bool = False


class Answers:
    """Answers for one bot."""

    def __init__(self, control: Control, instruments: Instruments) -> None:
        self._control = control
        self._instruments = instruments
        self._metrics: dict[str, tuple[int, exposition.Page]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return every path with what answers it."""
        return [
            web.get("/healthz", self.health),
            web.get("/readyz", self.readiness),
            web.get("/metrics", self.metrics),
            web.get("/api/v1/status", self.status),
            web.get("/api/v1/orders", self.orders),
            web.get("/api/v1/positions", self.positions),
            web.get("/api/v1/fills", self.fills),
            web.get("/api/v1/pnl", self.pnl),
            web.get("/api/v1/alerts", self.alerts),
            web.get("/api/v1/explain", self.explain),
            web.post("/api/v1/commands/{verb}", self.command),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        """Say that the loop turns; what is wrong with the bot is for people, see readiness."""
        return _json("health", ok=True)

    async def readiness(self, _request: web.Request) -> web.Response:
        """Say whether it quotes; 503, and why, when it does not or something is wrong."""
        view = self._control.status()
        why = unready(view)
        return _json("ready", 503 if why else 200, ready=not why, mode=view.mode, why=why)

    async def metrics(self, request: web.Request) -> web.Response:
        """Return all metrics; readers who come too fast get the same page again."""
        accept = request.headers.get("Accept", "")
        now_ns = time.monotonic_ns()
        kind = "openmetrics" if "application/openmetrics-text" in accept else "text"
        known = self._metrics.get(kind)
        if known is None or now_ns - known[0] > METRICS_EVERY_NS:
            found = await exposition.page(self._instruments.readings(), accept)
            self._metrics[kind] = known = (now_ns, found)
        body, content_type = known[1]
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def status(self, _request: web.Request) -> web.Response:
        """Return how it stands, as `mmbot status --json` does."""
        return _json("status", status=self._control.status())

    async def orders(self, request: web.Request) -> web.Response:
        """Return what rests."""
        return _json("orders", orders=list(order_rows(self._wanted(request))))

    async def positions(self, request: web.Request) -> web.Response:
        """Return what is held."""
        return _json("positions", positions=[position_row(each) for each in self._wanted(request)])

    async def fills(self, _request: web.Request) -> web.Response:
        """Return the newest fills of this run, oldest first."""
        markets = self._control.markets
        rows = [fill_row(fill, markets[fill.market]) for fill in self._instruments.fills()]
        return _json("fills", fills=rows)

    async def pnl(self, _request: web.Request) -> web.Response:
        """Return profits with what they came from, and equity over this run."""
        markets = self._instruments.pnl()
        run = day = PnlLines()
        for each in markets:
            run, day = run.plus(each.run), day.plus(each.day)
        return _json("pnl", run=run, day=day, markets=markets, curve=self._instruments.curve())

    async def alerts(self, _request: web.Request) -> web.Response:
        """Return what is open, and what people were told last."""
        told = [notice_row(each, self._control.markets) for each in self._instruments.notices()]
        return _json("alerts", alerts=self._control.status().alerts, notices=told)

    async def explain(self, request: web.Request) -> web.Response:
        """Say why the last quotes are what they are."""
        return _json("explain", explain=self._control.explain(request.query.get("market")))

    async def command(self, request: web.Request) -> web.Response:
        """Have a command done; the answer comes when it is seen to be done."""
        verb = request.match_info["verb"]
        if verb not in NEEDS:
            return refusal(404, f"no command; known: {', '.join(Verb)}")
        if request.content_type != "application/json":
            return refusal(415, "the body is application/json")
        try:
            async with asyncio.timeout(BODY_S):
                body = await request.read()
            wish = msgspec.json.decode(body or b"{}", type=Wish)
        except TimeoutError:
            return refusal(408, "the body did not come in time")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return refusal(400, f"not understood: {error}")
        command = OperatorCommand(
            Verb(verb),
            _WHO,
            time.time_ns(),
            reason=wish.reason,
            market=wish.market,
            key=wish.key,
            dry_run=wish.dry_run,
        )
        answer = await self._control.submit(command)
        return _json("answer", _STATUS[answer.result], answer=answer)

    def _wanted(self, request: web.Request) -> list[MarketStatus]:
        symbol = request.query.get("market", "").upper()
        view: StatusView = self._control.status()
        return [each for each in view.markets if symbol in ("", each.symbol)]


def _json(name: str, code: int = 200, **content: Any) -> web.Response:
    body = msgspec.json.encode({"schema": f"mmbot.{name}/1", **content})
    return web.Response(body=body, status=code, content_type="application/json")
