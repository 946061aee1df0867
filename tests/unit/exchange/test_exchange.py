"""The exchange as a whole: after any sequence of actions, good and bad, everything agrees."""

from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mmbot.adapters.zo.wire import codec
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine import interventions
from mmbot.exchange.exchange import Exchange
from tests.unit.exchange.ledger import Ledger
from tests.unit.exchange.traders import NS, Trader, cut, error, opened, part, posted, rows

SIDES = st.sampled_from([pb.BID, pb.ASK])
MODES = st.sampled_from([0, 0, 1, 1, 2, 3])
WHO = st.integers(0, 2)


def mostly(usual: st.SearchStrategy[Any], *odd: Any) -> st.SearchStrategy[Any]:
    """Draw what a trader sends, and now and then something odd."""
    return st.integers(0, 15).flatmap(lambda n: usual if n else st.sampled_from(odd))


# Near the index, so that orders meet.
TICKS = mostly(st.one_of(st.integers(990, 1010), st.integers(900, 1100)), 0, 1, 2**60)
LOTS = mostly(st.one_of(st.integers(1, 500), st.integers(1, 5_000)), 0, 2**48, 2**64 - 1)
QUOTES = mostly(st.none(), 0, 1, 10**5, 10**6, 2**64 - 1)
CLIENT_IDS = mostly(st.one_of(st.none(), st.integers(0, 30)), 2**63)
MARKETS = mostly(st.sampled_from([0, 0, 1]), 2)


class Orders(RuleBasedStateMachine):
    """Three users place and cancel; receipts are held against the streams."""

    exchange: Exchange
    ledger: Ledger
    traders: list[Trader]

    @initialize(rule=st.sampled_from(["allow", "cancel_resting", "cancel_taker"]))
    def open(self, rule: str) -> None:
        self.exchange = opened(usd=60, rules={"self_trade": rule, "max_open_orders": 6})
        self.ledger = Ledger(self.exchange)
        self.traders = [Trader(self.exchange, seed) for seed in (1, 2, 3)]
        self.ids: list[int] = [0]

    @rule(
        who=WHO,
        side=SIDES,
        ticks=st.integers(996, 1004),
        lots=st.integers(1, 5_000),
        mode=st.sampled_from([0, 0, 1, 2]),
        reduce=st.sampled_from([False, False, True]),
    )
    def trade(self, who: int, side: int, ticks: int, lots: int, mode: int, reduce: bool) -> None:
        draw = {"side": side, "ticks": ticks, "lots": lots, "mode": mode, "reduce": reduce}
        self.send(who, {**draw, "market": 0, "quote": None, "client": None})

    def order(self, draw: dict[str, Any]) -> dict[str, Any]:
        more: dict[str, Any] = {"market_id": draw["market"], "is_reduce_only": draw["reduce"]}
        if draw["quote"] is not None:
            more["quote_size"] = pb.U128(lo=draw["quote"])
        if draw["client"] is not None:
            more["client_order_id"] = draw["client"]
        return more

    ORDER = st.fixed_dictionaries(
        {
            "side": SIDES,
            "ticks": TICKS,
            "lots": LOTS,
            "mode": MODES,
            "market": MARKETS,
            "reduce": st.booleans(),
            "quote": QUOTES,
            "client": CLIENT_IDS,
        }
    )

    @rule(who=WHO, draw=ORDER)
    def place(self, who: int, draw: dict[str, Any]) -> None:
        self.send(who, draw)

    def send(self, who: int, draw: dict[str, Any]) -> None:
        trader, before = self.traders[who], self.exchange.dump()
        args = (draw["side"], draw["ticks"], draw["lots"], draw["mode"])
        receipt = trader.place(*args, **self.order(draw))
        self.ledger.follow()
        if error(receipt) is not None:
            self.refused(receipt, before)
            return
        assert receipt.action_id == self.exchange.state.action_id
        done = receipt.trade_or_place
        mine = next(c for c in self.ledger.last if c.account_id == trader.account_id)
        sign = 1 if draw["side"] == pb.BID else -1
        taken = [fill for fill in mine.fills if fill.order_id not in self.ids and fill.side == sign]
        assert sum(fill.size for fill in done.fills) == sum(fill.lots for fill in taken)
        assert done.fills or done.HasField("posted")
        if done.HasField("posted"):
            self.ids.append(posted(receipt))
            resting = self.exchange.state.accounts[trader.account_id].orders[posted(receipt)]
            assert (resting.ticks, resting.lots) == (done.posted.price, done.posted.size)
        if draw["lots"]:
            total = sum(fill.size for fill in done.fills) + done.posted.size
            assert total <= draw["lots"]
        if draw["quote"]:
            assert sum(fill.size * fill.price for fill in done.fills) <= draw["quote"]

    def refused(self, receipt: pb.Receipt, before: bytes) -> None:
        assert receipt.action_id == self.exchange.state.action_id + 1
        assert self.exchange.dump() == before
        assert not self.ledger.last

    @rule(who=WHO, which=st.integers(0, 30), by_client=st.booleans())
    def cancel(self, who: int, which: int, by_client: bool) -> None:
        trader, order_id = self.traders[who], self.ids[-1 - which % len(self.ids)]
        if by_client:
            asked = pb.CancelOrderByClientId(session_id=trader.session_id, client_order_id=which)
            receipt = trader.send(pb.Action(cancel_order_by_client_id=asked))
        else:
            receipt = trader.cancel(order_id)
        self.ledger.follow()
        if error(receipt) is None:
            gone = receipt.cancel_order_result.order_id
            assert [o.order_id for o in self.ledger.last[0].cancels] == [gone]

    @rule(
        who=WHO, cancels=st.lists(st.integers(0, 9), max_size=2), draws=st.lists(ORDER, max_size=3)
    )
    def batch(self, who: int, cancels: list[int], draws: list[dict[str, Any]]) -> None:
        trader, before = self.traders[who], self.exchange.dump()
        parts = [cut(self.ids[-1 - which % len(self.ids)]) for which in cancels]
        for draw in draws:
            more = self.order(draw)
            more.pop("is_reduce_only"), more.pop("quote_size", None)
            parts.append(part(draw["side"], draw["ticks"], draw["lots"], draw["mode"], **more))
        receipt = trader.batch(*parts)
        self.ledger.follow()
        if error(receipt) is not None:
            self.refused(receipt, before)
            return
        assert len(receipt.atomic.results) == len(parts)
        for result, asked in zip(receipt.atomic.results, parts, strict=True):
            assert result.HasField("cancel_order") == asked.HasField("cancel_order")
            if result.place_order_result.HasField("posted"):
                self.ids.append(result.place_order_result.posted.order_id)


class Everything(Orders):
    """Orders, a background market, time, prices and money against the audit and the ledger."""

    @rule(
        market=st.integers(0, 1),
        events=st.lists(
            st.tuples(
                st.sampled_from([1, 1, 2, 5]),
                st.sampled_from([1, -1]),
                st.integers(980, 1020),
                st.integers(0, 3_000),
            ).filter(lambda event: event[0] == 1 or event[3]),
            min_size=1,
            max_size=5,
        ),
    )
    def background(self, market: int, events: list[tuple[int, int, int, int]]) -> None:
        self.exchange.background(market, rows(*events))
        self.ledger.follow()

    @rule(seconds=st.one_of(st.integers(0, 100), st.integers(0, 8_000)))
    def advance(self, seconds: int) -> None:
        self.exchange.advance(self.exchange.state.now_ns + seconds * NS)
        self.ledger.follow()

    @rule(market=st.integers(0, 1), ticks=st.one_of(st.floats(970, 1030), st.floats(300, 3_000)))
    def index(self, market: int, ticks: float) -> None:
        self.exchange.set_index(market, ticks)

    @rule(ticks=st.sampled_from([850.0, 920.0, 1000.0, 1080.0, 1150.0]), depth=st.booleans())
    def jolt(self, ticks: float, depth: bool) -> None:
        """Move the index so far that margins break, with or without a book to close against."""
        if depth:
            events = [(1, side, 1000 - 15 * side, 3_000) for side in (1, -1)]
            self.exchange.background(0, rows(*events))
        self.exchange.set_index(0, ticks)
        self.exchange.advance(self.exchange.state.now_ns + NS)
        self.ledger.follow()

    @rule(who=WHO, kind=st.integers(0, 1), side=SIDES, ticks=st.integers(980, 1020))
    def trigger(self, who: int, kind: int, side: pb.Side.ValueType, ticks: int) -> None:
        trader = self.traders[who]
        key = pb.TriggerKey(kind=pb.TriggerKind.ValueType(kind), side=side)
        record = pb.TriggerRecord(key=key, trigger_price=ticks)
        asked = pb.AddTrigger(session_id=trader.session_id, trigger=record)
        assert error(trader.send(pb.Action(add_trigger=asked))) is None
        self.ledger.follow()

    @rule(who=WHO, to=st.sampled_from([0, 1, 2, 3, None]), amount=st.integers(0, 10**9))
    def pay(self, who: int, to: int | None, amount: int) -> None:
        trader, before = self.traders[who], self.exchange.dump()
        asked = pb.Transfer(
            session_id=trader.session_id, from_account_id=trader.account_id, amount=amount
        )
        if to is not None:
            asked.to_account_id.unowned.account_id = to
        receipt = trader.send(pb.Action(transfer=asked))
        self.ledger.follow()
        if error(receipt) is not None:
            self.refused(receipt, before)

    @rule(who=WHO, amount=st.integers(0, 10**9))
    def withdraw(self, who: int, amount: int) -> None:
        trader, before = self.traders[who], self.exchange.dump()
        asked = pb.Withdraw(session_id=trader.session_id, amount=amount)
        receipt = trader.send(pb.Action(withdraw=asked))
        self.ledger.follow()
        if error(receipt) is not None:
            self.refused(receipt, before)
        else:
            assert receipt.withdraw_result.balance == trader.atoms // 10**6

    @rule(which=st.integers(0, 9), lots=st.integers(1, 100))
    def house_takes(self, which: int, lots: int) -> None:
        interventions.fill(self.exchange.venue, self.ids[-1 - which % len(self.ids)], lots)
        self.ledger.follow()

    @rule(who=WHO)
    def replay(self, who: int) -> None:
        if self.exchange.state.actions:
            raw = self.exchange.state.actions[-1].raw
            body = raw + self.traders[who].key.sign(raw).signature
            before = self.exchange.dump()
            receipt = codec.decode_receipt(self.exchange.act(body))
            self.ledger.follow()
            assert error(receipt) is not None
            self.refused(receipt, before)

    @rule()
    def restart(self) -> None:
        saved = self.exchange.dump()
        again = opened(usd=60)
        again.load(saved)
        assert again.dump() == saved
        self.exchange = self.ledger.exchange = again
        for trader in self.traders:
            trader.exchange = again

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "exchange"):
            self.ledger.follow()
            assert self.exchange.violations() == []
            self.ledger.compare()


TestEverything = Everything.TestCase
TestEverything.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
