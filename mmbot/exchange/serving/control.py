"""`/_ctl/`: the truth, the audit, time, faults and interventions. Only served with --control."""

from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from mmbot.exchange.faults.entries import FaultError, named
from mmbot.exchange.faults.table import KNOBS
from mmbot.exchange.model import ATOMS_PER_USD
from mmbot.exchange.running.pacing import MILLISECOND_NS, SteppedPace
from mmbot.exchange.serving.floor import Floor

MAX_BODY = 1024 * 1024
MAX_STEP_MS = 86_400_000
NEWEST = 10_000
Json = dict[str, Any]


class ControlError(Exception):
    """A request that makes no sense; the text goes back with a 400."""


class Control:
    """Answers what comes in under /_ctl/; `paths` says which methods a path takes."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._exchange = floor.operation.exchange
        self._stepping = False
        self._gets: Mapping[str, Callable[[Mapping[str, str]], Json]] = {
            "truth": self._truth,
            "violations": self._violations,
            "faults": self._faults,
        }
        self._posts: Mapping[str, Callable[[Json], Awaitable[Json]]] = {
            "step": self._step,
            "faults": self._set_faults,
            "checkpoint": self._checkpoint,
            "index": self._index,
            "fund": self._fund,
        }

    def methods(self, name: str) -> list[str]:
        """Return the methods a path takes, none when there is no such path."""
        known = (("GET", self._gets), ("POST", self._posts))
        return [method for method, paths in known if name in paths]

    def get(self, name: str, query: Mapping[str, str]) -> bytes:
        """Answer a GET; ControlError when it makes no sense."""
        return msgspec.json.encode(self._gets[name](query))

    async def post(self, name: str, body: bytes) -> bytes:
        """Answer a POST; ControlError when it makes no sense."""
        try:
            asked = msgspec.json.decode(body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ControlError(f"the body is not JSON: {error}") from error
        if name == "faults" and isinstance(asked, list):
            asked = {"set": asked}
        if not isinstance(asked, dict):
            raise ControlError("the body is a JSON object")
        return msgspec.json.encode(await self._posts[name](asked))

    def _truth(self, query: Mapping[str, str]) -> Json:
        newest = _newest(query)
        state = self._exchange.state
        return {
            "engineNs": state.now_ns,
            "actionId": state.action_id,
            "feeVaultAtoms": state.fee_vault_atoms,
            "depositedAtoms": state.deposited_atoms,
            "withdrawnAtoms": state.withdrawn_atoms,
            "users": {
                user.pubkey.hex(): {"accounts": user.account_ids, "sessions": _sessions(user)}
                for user in state.users.values()
            },
            "accounts": {number: _account(account) for number, account in state.accounts.items()},
            "fills": [_plain(trade) for trade in state.trades[-newest:]],
            "actions": [
                {
                    "actionId": done.action_id,
                    "timeNs": done.time_ns,
                    "sha256": sha256(done.raw).hexdigest(),
                }
                for done in state.actions[-newest:]
            ],
        }

    def _violations(self, _query: Mapping[str, str]) -> Json:
        return {"violations": self._exchange.violations()}

    def _faults(self, _query: Mapping[str, str]) -> Json:
        knobs = {
            knob.name: {
                "says": knob.says,
                "mode": knob.mode,
                "takes": {
                    name: {"type": takes.kind.__name__, "default": takes.default}
                    for name, takes in knob.takes.items()
                },
            }
            for knob in KNOBS.values()
        }
        return {"faults": self._listed(), "knobs": knobs}

    def _listed(self) -> list[Json]:
        return [msgspec.to_builtins(fault) for fault in self._floor.faults]

    async def _set_faults(self, asked: Json) -> Json:
        faults = self._floor.faults
        if "knob" in asked:
            asked = {"set": [asked]}
        _only(asked, "set", "clear", "swarm")
        try:
            if "clear" in asked:
                which = asked["clear"]
                if which is not True and type(which) not in (int, str):
                    raise ControlError("clear takes true, a number, a knob or a group")
                if isinstance(which, str) and not any(named(name, which) for name in KNOBS):
                    raise ControlError(f"unknown knob {which!r}; known: {', '.join(KNOBS)}")
                faults.clear(None if which is True else which)
                if which is True or (isinstance(which, str) and named("eng.err_next", which)):
                    self._floor.engine_faults.refuse_no_more()
            if "set" in asked:
                if not isinstance(asked["set"], list):
                    raise ControlError("set takes a list of faults")
                faults.put(asked["set"])
            if "swarm" in asked:
                faults.swarm(asked["swarm"])
        except FaultError as error:
            raise ControlError(f"{'.'.join(error.path)}: {error.text}") from error
        self._floor.apply_faults()
        self._floor.publish()
        return {"faults": self._listed()}

    async def _step(self, asked: Json) -> Json:
        _only(asked, "ms")
        span_ms = _whole(asked, "ms", 1, MAX_STEP_MS)
        pace = self._floor.operation.pace
        if not isinstance(pace, SteppedPace):
            raise ControlError("time passes by itself; start with --virtual-time to step it")
        if self._stepping:
            raise ControlError("another step is under way")
        self._stepping = True
        try:
            await self._floor.step(pace, span_ms * MILLISECOND_NS)
        finally:
            self._stepping = False
        return {"engineNs": self._exchange.state.now_ns}

    async def _checkpoint(self, asked: Json) -> Json:
        _only(asked)
        self._floor.operation.checkpoint()
        return {"actionId": self._exchange.state.action_id}

    async def _index(self, asked: Json) -> Json:
        _only(asked, "market", "price")
        market = self._market(asked.get("market"))
        price = asked.get("price")
        if not isinstance(price, int | float) or isinstance(price, bool) or not 0 < price < 1e12:
            raise ControlError("price is a number above 0")
        ticks = price * 10 ** self._exchange.params.markets[market].price_decimals
        if ticks < 1:
            raise ControlError("price is less than a tick")
        self._floor.operation.set_index(market, ticks)
        self._floor.turn()
        return {"market": market, "price": price}

    async def _fund(self, asked: Json) -> Json:
        _only(asked, "account", "usd")
        account = _whole(asked, "account", 1, 2**32)
        if account not in self._exchange.state.accounts:
            raise ControlError(f"there is no account {account}")
        usd = _whole(asked, "usd", 1, 10**12)
        self._floor.operation.fund(account, usd * ATOMS_PER_USD)
        self._floor.publish()
        return {"account": account, "usd": usd}

    def _market(self, asked: Any) -> int:
        symbols = [market.symbol for market in self._exchange.params.markets]
        if isinstance(asked, str) and asked in symbols:
            return symbols.index(asked)
        if type(asked) is int and 0 <= asked < len(symbols):
            return asked
        raise ControlError(f"unknown market {asked!r}; known: {', '.join(symbols)}")


def _newest(query: Mapping[str, str]) -> int:
    text = query.get("newest", str(NEWEST))
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise ControlError("newest is a whole number above 0")
    return int(text)


def _only(asked: Json, *known: str) -> None:
    for name in asked:
        if name not in known:
            raise ControlError(f"unknown field {name!r}; known: {', '.join(known) or 'none'}")


def _whole(asked: Json, name: str, low: int, high: int) -> int:
    value = asked.get(name)
    if type(value) is not int or not low <= value <= high:
        raise ControlError(f"{name} is a whole number from {low} to {high}")
    return value


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _sessions(user: Any) -> Json:
    return {
        str(session.session_id): {"pubkey": session.pubkey.hex(), "expiryS": session.expiry_s}
        for session in user.sessions.values()
    }


def _account(account: Any) -> Json:
    return {
        "pubkey": account.pubkey.hex(),
        "updateId": account.update_id,
        "feeTier": account.fee_tier,
        "balanceAtoms": account.balances,
        "positions": {number: _plain(each) for number, each in account.positions.items()},
        "orders": {number: _plain(each) for number, each in account.orders.items()},
        "triggers": [_plain(each) for each in account.triggers],
    }
