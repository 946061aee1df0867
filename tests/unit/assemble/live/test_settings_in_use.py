"""Settings of a running engine: read again, overridden for a while, all or nothing."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.assemble import Footing, RunOptions, build_engine
from mmbot.assemble.live.settings_in_use import AppliedTo, Filed, SettingsInUse, restored
from mmbot.cext.orderbook import OrderBook
from mmbot.config.loader import ConfigSources
from mmbot.config.schema import Config
from mmbot.domain.control import Answer, OperatorCommand, Result, Role, Verb, Who
from mmbot.domain.events import AccountSnapshot, BookUpdate, Command, Operator
from mmbot.domain.market import Market
from mmbot.domain.order import Level
from mmbot.domain.quotes import Quotes
from mmbot.engine import Engine, VenueTraits
from mmbot.errors import ConfigError
from mmbot.execution.order_ids import OrderIds
from mmbot.risk.breaker import Breaker, BreakerState

MINUTE_NS = 60 * 10**9
NOW_NS = 20_000 * 86_400 * 10**9
USD = 10**6
MARKETS = tuple(
    Market(symbol, Decimal("0.1"), Decimal("0.001"), index=index)
    for index, symbol in enumerate(("BTCUSD", "ETHUSD"))
)
TRADED = [market.symbol for market in MARKETS]
FILE = """\
version: 1
instance: {name: it}
markets: {BTCUSD: {}, ETHUSD: {spread: {min_bps: 12}}}
defaults:
  spread: {min_bps: 10, max_bps: 40}
  levels: {count: 1}
  sizing: {fixed_usd: 100}
  market_risk: {max_position_usd: 1000}
risk: {loss: {daily_limit_usd: 50}}
"""


class Bench:
    """An engine that quotes both markets by a file, and its settings."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "c.yaml"
        self.path.write_text(FILE)
        self.sources = ConfigSources([self.path], [], {})
        loaded = self.sources.load()
        self.filed = Filed(loaded.config, loaded.texts)
        self.books = [OrderBook() for _ in MARKETS]
        self.engine = engine_of(loaded.config, self.books)
        self.kept: list[bytes] = []
        self.followed: list[Config] = []
        self.refusing: str | None = None
        used = AppliedTo(
            engine=self.engine,
            sources=self.sources,
            refuse=self._refuse,
            keep=self._keep,
            followers=[self.followed.append],
        )
        self.settings = SettingsInUse(used, self.filed, loaded.config, ())

    def widths_bps(self) -> list[int]:
        """Quote both markets anew at 10,000 ticks; the widths of what is wanted."""
        now_ns = NOW_NS
        self.engine.handle(AccountSnapshot(now_ns, now_ns, 10_000 * USD, 10_000 * USD, 0, 0, False))
        for index, book in enumerate(self.books):
            levels = [(100_000 - 10 * gap, 500) for gap in range(1, 6)]
            book.snapshot(levels, [(200_000 - ticks, lots) for ticks, lots in levels])
            self.engine.decide_at(index, now_ns)
            self.engine.handle(BookUpdate(now_ns, now_ns, index))
        return [width_bps(desk.answer) for desk in self.engine.desks]

    def write(self, old: str, new: str) -> None:
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))

    async def reload(self, *, dry_run: bool = False, may_raise: bool = True) -> Answer:
        return await self.settings.reload(dry_run=dry_run, may_raise=may_raise)

    async def set(self, key: str, value: str, for_s: float | None = None) -> Answer:
        who = Who("telegram", "@op1", Role.ADMIN)
        command = OperatorCommand(Verb.SET, who, NOW_NS, key=key, value=value, for_s=for_s)
        return await self.settings.set(command, NOW_NS)

    async def _keep(self, content: bytes) -> bool:
        self.kept.append(content)
        return True

    def _refuse(self, _config: Config) -> None:
        if self.refusing is not None:
            raise ConfigError([self.refusing])


def engine_of(config: Config, books: list[OrderBook]) -> Engine:
    footing = Footing(OrderIds(1, 1), Breaker(config.risk.loss), VenueTraits())
    return build_engine(config, MARKETS, books, RunOptions(), footing)


def width_bps(answer: object) -> int:
    assert type(answer) is Quotes
    (bid,), (ask,) = answer.bids, answer.asks
    assert type(bid) is Level
    return round((ask.ticks - bid.ticks) / 100_000 * 10_000)


def played(folder: Path, script: Callable[[Bench], Coroutine[None, None, None]]) -> None:
    asyncio.run(script(Bench(folder)))


def test_a_changed_file_is_applied_and_shown(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        assert bench.widths_bps() == [10, 12]
        bench.write("min_bps: 10, max_bps: 40", "min_bps: 20, max_bps: 45")
        shown = await bench.reload(dry_run=True)
        assert [(each.key, each.old, each.new, each.live) for each in shown.changes] == [
            ("defaults.spread.min_bps", "10.0", "20.0", True),
            ("defaults.spread.max_bps", "40.0", "45.0", True),
        ]
        assert bench.widths_bps() == [10, 12]
        done = await bench.reload()
        assert (done.result, done.changes) == (Result.OK, shown.changes)
        assert bench.widths_bps() == [20, 12]
        assert [each.defaults.spread.min_bps for each in bench.followed] == [20]
        assert (await bench.reload()).message == "no change"

    played(tmp_path, script)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("risk:", "riks:", "riks"),
        ("min_bps: 10", "min_bps: 50", "max_bps 40.0 is below"),
        ("version: 1", "version: 1\n\tx", "c.yaml:"),
        ("name: it", "name: other", "instance.name needs a restart"),
        ("ETHUSD: {", "SOLUSD: {}, ETHUSD: {", "markets.SOLUSD.enabled needs a restart"),
        ("BTCUSD: {}", "BTCUSD: {fair_price: {source: micro}}", "fair_price.source"),
    ],
)
def test_a_file_that_will_not_do_changes_nothing(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    async def script(bench: Bench) -> None:
        bench.write(old, new)
        # What could be applied is not, either.
        bench.write("min_bps: 12", "min_bps: 13")
        answer = await bench.reload()
        assert (answer.result, answer.exit_code) == (Result.REFUSED, 3)
        assert answer.message.startswith("nothing changed: ")
        assert words in answer.message
        assert bench.widths_bps() == [10, 12]
        assert bench.followed == []

    played(tmp_path, script)


def test_what_must_not_trade_is_refused(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.refusing = "set a limit"
        bench.write("min_bps: 12", "min_bps: 13")
        assert "set a limit" in (await bench.reload()).message
        assert "set a limit" in (await bench.set("spread.min_bps", "9")).message
        assert bench.widths_bps() == [10, 12]

    played(tmp_path, script)


def test_only_somebody_on_the_machine_may_raise_a_limit(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.write("daily_limit_usd: 50", "daily_limit_usd: 60")
        answer = await bench.reload(may_raise=False)
        assert (answer.result, "risk.loss.daily_limit_usd" in answer.message) == (
            Result.REFUSED,
            True,
        )
        assert bench.settings.limits().daily_loss_uusd == 50 * USD
        assert (await bench.reload()).result is Result.OK
        assert bench.settings.limits().daily_loss_uusd == 60 * USD
        bench.write("daily_limit_usd: 60", "daily_limit_usd: 40")
        assert (await bench.reload(may_raise=False)).result is Result.OK

    played(tmp_path, script)


def test_other_limits_hold_in_the_engine_at_once(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.widths_bps()
        wide = bench.engine.risk.room(0)
        assert (await bench.set("market_risk.max_position_usd", "200")).result is Result.OK
        narrow = bench.engine.risk.room(0)
        # 200 USD at 10,000.0 are 0.02, of 1,000 USD 0.1.
        assert (wide.limit_lots, narrow.limit_lots) == (100, 20)
        assert (await bench.set("risk.loss.daily_limit_usd", "5")).result is Result.OK
        now_ns = NOW_NS + 1
        lost = 9_994 * USD
        bench.engine.handle(AccountSnapshot(now_ns, now_ns, lost, lost, 0, 0, False))
        assert bench.engine.stops.state is BreakerState.HALTED

    played(tmp_path, script)


def test_an_override_ends_in_time_and_by_hand(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        answer = await bench.set("spread.max_bps", "60", for_s=1800)
        assert answer.result is Result.OK
        until = datetime.fromtimestamp(NOW_NS / 1e9 + 1800, UTC)
        assert answer.message.endswith(f" until {until:%Y-%m-%d %H:%MZ}")
        assert (await bench.set("spread.min_bps", "30")).result is Result.OK
        override, second = bench.settings.overrides()
        assert (override.by, override.until_ns) == ("telegram:@op1", NOW_NS + 30 * MINUTE_NS)
        assert (second.old, second.value, second.until_ns) == (
            "10.0",
            "30",
            NOW_NS + 60 * MINUTE_NS,
        )
        assert bench.widths_bps() == [30, 30]
        # A file that is half written meanwhile is not looked at.
        bench.path.write_text("what: [")
        assert await bench.settings.expire(NOW_NS + 59 * MINUTE_NS) == [override]
        assert "nothing changed" in (await bench.set("spread.min_bps", "50")).message
        assert bench.widths_bps() == [30, 30]
        assert (await bench.settings.unset("spread.min_bps", dry_run=False)).result is Result.OK
        assert bench.widths_bps() == [10, 12]
        assert bench.settings.overrides() == ()
        assert (await bench.settings.unset("spread.min_bps", dry_run=False)).result is (
            Result.REFUSED
        )

    played(tmp_path, script)


@pytest.mark.parametrize(
    ("key", "value", "for_s", "words"),
    [
        ("risk.loss.daily_limit_usd", "51", None, "would allow more than the files do"),
        ("market_risk.max_position_usd", "null", None, "would allow more than the files do"),
        ("risk.min_margin_fraction_pct", "17", None, "would allow more than the files do"),
        ("rate_limits.orders_per_second", "1", None, "needs a restart"),
        ("spread.min_bsp", "1", None, "did you mean min_bps"),
        ("nothing.here", "1", None, "unknown key"),
        ("spread.min_bps", "11", 20 * 86_400, "not 20 days"),
        ("spread.min_bps", "-1", None, "min_bps"),
        ("spread.min_bps", "11", 0.5, "lasts 1 s to 7 days"),
        ("spread.min_bps", "1" * 201, None, "at most 200"),
    ],
)
def test_an_override_that_will_not_do_changes_nothing(
    tmp_path: Path, key: str, value: str, for_s: float | None, words: str
) -> None:
    async def script(bench: Bench) -> None:
        before = bench.settings.in_force
        answer = await bench.set(key, value, for_s)
        assert answer.result is Result.REFUSED
        assert words in answer.message
        assert bench.settings.in_force == before
        assert (bench.settings.overrides(), bench.kept) == ((), [])

    played(tmp_path, script)


def test_what_is_wrong_with_an_override_is_said_once_and_as_it_was_written(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        answer = await bench.set("spread.minbps", "8")
        assert answer.message == (
            "nothing changed: spread.minbps: unknown key; did you mean min_bps?"
        )
        answer = await bench.set("spread.min_bps", "wide")
        assert answer.message == ('nothing changed: spread.min_bps: expected a number, not "wide"')

    played(tmp_path, script)


def test_overrides_outlive_a_restart_as_far_as_the_files_allow(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.set("spread.min_bps", "9")
        await bench.set("risk.loss.daily_limit_usd", "45", for_s=600)
        kept = bench.kept[-1]
        found, config = restored(kept, NOW_NS, bench.sources, bench.filed, TRADED)
        assert [each.key for each in found] == ["spread.min_bps", "risk.loss.daily_limit_usd"]
        assert config == bench.settings.in_force
        later = NOW_NS + 11 * MINUTE_NS
        found, config = restored(kept, later, bench.sources, bench.filed, TRADED)
        assert [each.key for each in found] == ["spread.min_bps"]
        assert config.risk.loss.daily_limit_usd == 50
        bench.write("daily_limit_usd: 50", "daily_limit_usd: 40")
        loaded = bench.sources.load()
        filed = Filed(loaded.config, loaded.texts)
        found, config = restored(kept, NOW_NS, bench.sources, filed, TRADED)
        assert [each.key for each in found] == ["spread.min_bps"]
        assert config.risk.loss.daily_limit_usd == 40

    played(tmp_path, script)


def test_a_reload_drops_an_override_that_the_files_allow_no_more(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.set("risk.loss.daily_limit_usd", "45")
        bench.write("daily_limit_usd: 50", "daily_limit_usd: 40")
        answer = await bench.reload()
        assert "overrides ended: risk.loss.daily_limit_usd" in answer.message
        assert bench.settings.overrides() == ()
        assert bench.settings.limits().daily_loss_uusd == 40 * USD

    played(tmp_path, script)


def test_orders_are_not_touched_by_settings_alone(tmp_path: Path) -> None:
    """A pause is neither ended nor begun by other settings."""

    async def script(bench: Bench) -> None:
        bench.widths_bps()
        pause = Operator(NOW_NS, NOW_NS, Command.PAUSE, None, "news")
        bench.engine.handle(pause)
        await bench.set("spread.min_bps", "9")
        assert bench.engine.stops.reason(0) == "paused: news"

    played(tmp_path, script)
