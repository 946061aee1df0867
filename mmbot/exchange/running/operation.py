"""An exchange in operation: every input it gets passes here, is applied and then written down.

What `replay` does with a saved input is what was done with it the first time, so a restored
exchange is the one that was killed. Nothing is answered before its input is in the journal.
"""

from collections.abc import Callable, Iterable, Mapping
from struct import Struct
from typing import Any, Protocol

import msgspec

from mmbot.adapters.sim.synthetic import KIND_DEPTH, KIND_MASK, ROW
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import User
from mmbot.exchange.rules import Rules
from mmbot.exchange.running import forced
from mmbot.exchange.running.journal import Journal, Kind, Record
from mmbot.exchange.running.pacing import Pace
from mmbot.exchange.views import rest
from mmbot.exchange.views.asked import ViewRules
from mmbot.exchange.views.rest import Answer

_TIME = Struct("<q")
_MARKET = Struct("<I")
_INDEX = Struct("<Id")
_FUND = Struct("<Iq")


class Background(Protocol):
    """The market without our users: who else trades, and what the world thinks a coin is worth."""

    def advance(self, target: "Operation", until_ns: int) -> bool:
        """Let everything up to a moment happen; False when a part is left for the next call."""
        ...

    def outside(self, market_id: int) -> float | None:
        """Price of a market elsewhere, in ticks; None while unknown."""
        ...


def _act(exchange: Exchange, content: bytes) -> bytes:
    return exchange.act(content)


def _time(exchange: Exchange, content: bytes) -> None:
    exchange.advance(_TIME.unpack(content)[0])


def _rows(exchange: Exchange, content: bytes) -> None:
    exchange.background(_MARKET.unpack_from(content)[0], content[_MARKET.size :])


def _index(exchange: Exchange, content: bytes) -> None:
    exchange.set_index(*_INDEX.unpack(content))


def _fund(exchange: Exchange, content: bytes) -> None:
    exchange.fund(*_FUND.unpack(content))


def _user(exchange: Exchange, content: bytes) -> User | None:
    return exchange.ensure_user(content)


def _rules(exchange: Exchange, content: bytes) -> None:
    changed = msgspec.json.decode(content)
    rules = msgspec.convert({**msgspec.to_builtins(exchange.rules), **changed}, Rules)
    for name in changed:
        setattr(exchange.rules, name, getattr(rules, name))


def _forced(exchange: Exchange, content: bytes) -> None:
    forced.do(exchange, msgspec.json.decode(content))


_APPLY: Mapping[Kind, Callable[[Exchange, bytes], Any]] = {
    Kind.ACT: _act,
    Kind.TIME: _time,
    Kind.ROWS: _rows,
    Kind.INDEX: _index,
    Kind.FUND: _fund,
    Kind.USER: _user,
    Kind.RULES: _rules,
    Kind.FORCED: _forced,
}


def replay(exchange: Exchange, records: Iterable[Record]) -> None:
    """Bring an exchange from its snapshot, the first record, to where it was."""
    for record in records:
        if record.kind is Kind.SNAPSHOT:
            exchange.load(record.content)
        else:
            _APPLY[record.kind](exchange, record.content)
    exchange.take_changes()


def thinned(rows: bytes, share: float) -> bytes:
    """Return background rows whose displayed sizes are a share of theirs, a lot at least."""
    thin = bytearray()
    for exch_ns, local_ns, ticks, lots, flags, market in ROW.iter_unpack(rows):
        shown = max(1, int(lots * share)) if lots and flags & KIND_MASK == KIND_DEPTH else lots
        thin += ROW.pack(exch_ns, local_ns, ticks, shown, flags, market)
    return bytes(thin)


class Operation:
    """The exchange, the market around it, the clock and the journal (None: nothing is kept).

    The engine's clock is `ahead_ns` of the pace, or stands still while `stalled`. The house shows
    the share `shown` of its size.
    """

    def __init__(
        self,
        exchange: Exchange,
        pace: Pace,
        background: Background | None,
        journal: Journal | None,
    ) -> None:
        self.exchange = exchange
        self.pace = pace
        self.background = background
        self._journal = journal
        self._reached_ns = 0
        self.ahead_ns = 0
        self.stalled = False
        self.shown = 1.0

    def act(self, body: bytes) -> bytes:
        """Execute the body of a POST /action; its receipt is the outcome for good."""
        receipt: bytes = self._do(Kind.ACT, body)
        self._keep()
        return receipt

    def view(self, path: str, query: Mapping[str, str], rules: ViewRules) -> Answer:
        """Answer a GET; a look-up may have made a user."""
        users = self.exchange.state.users
        known = len(users)
        answer = rest.answer(self.exchange, path, query, rules)
        if len(users) > known:
            self._note(Kind.USER, next(reversed(users)))
            self._keep()
        return answer

    def fund(self, account_id: int, usd_atoms: int) -> None:
        """Pay money in."""
        self._do(Kind.FUND, _FUND.pack(account_id, usd_atoms))
        self._keep()

    def set_index(self, market_id: int, ticks: float) -> None:
        """Set the oracle's price."""
        self._do(Kind.INDEX, _INDEX.pack(market_id, ticks))

    def rows(self, market_id: int, rows: bytes) -> None:
        """Let the background market do something."""
        if self.shown < 1:
            rows = thinned(rows, self.shown)
        self._do(Kind.ROWS, _MARKET.pack(market_id) + rows)

    def time(self, now_ns: int) -> None:
        """Let time pass up to a moment of the pace; what is past changes nothing."""
        if now_ns < self._reached_ns or self.stalled:
            return
        self._reached_ns = now_ns
        if now_ns + self.ahead_ns != self.exchange.state.now_ns:
            self._do(Kind.TIME, _TIME.pack(now_ns + self.ahead_ns))

    def set_rules(self, changed: Mapping[str, Any]) -> None:
        """Turn switches of the engine."""
        self._do(Kind.RULES, msgspec.json.encode(changed))
        self._keep()

    def force(self, deed: Mapping[str, Any]) -> None:
        """Do to the exchange what no user may."""
        self._do(Kind.FORCED, msgspec.json.encode(deed))
        self._keep()

    def tick(self) -> None:
        """Bring the exchange to the time it is."""
        now_ns = self.pace.now_ns
        if self.background is None or self.background.advance(self, now_ns):
            self.time(now_ns)
        self._keep()
        if self._journal is not None and self._journal.is_long:
            self._journal.begin_rotation(self.exchange.dump())

    def checkpoint(self) -> None:
        """Save everything as a snapshot."""
        if self._journal is not None:
            self._journal.rotate(self.exchange.dump())

    def close(self) -> None:
        """Save everything and stop writing."""
        self.checkpoint()
        if self._journal is not None:
            self._journal.close()

    def _do(self, kind: Kind, content: bytes) -> Any:
        result = _APPLY[kind](self.exchange, content)
        self._note(kind, content)
        return result

    def _note(self, kind: Kind, content: bytes) -> None:
        if self._journal is not None:
            self._journal.append(kind, content)

    def _keep(self) -> None:
        if self._journal is not None:
            self._journal.flush()
