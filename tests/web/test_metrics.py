"""The page of metrics of a trading bot: good OpenMetrics, and right."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as older_families

from mmbot.logs.logs import logger
from tests.web.served import Served, served

OPEN = {"Accept": "application/openmetrics-text; version=1.0.0"}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def families(at: Served) -> dict[str, Metric]:
    async with at.http.get(at.url + "/metrics", headers=OPEN) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        text = await answer.text()
    found = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def samples(found: dict[str, Metric]) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in found.values()
        for sample in family.samples
    }


def value(known: Samples, name: str, **labels: str) -> float:
    return known[name, frozenset(labels.items())]


async def they_are_right(at: Served) -> None:
    """Beside the exchange's truth, with nothing happening any more."""
    await asyncio.sleep(1.2)
    found = await families(at)
    view = at.bot.status()
    known = samples(found)
    held = {number: each.lots for number, each in at.account.positions.items()}
    for number, market in enumerate(at.bot.control.markets):
        size = Decimal(held.get(number, 0)) * market.lot
        assert value(known, "mmbot_position_base", market=market.symbol) == float(size)
        assert value(known, "mmbot_open_orders", market=market.symbol, side="bid") == 0
    assert value(known, "mmbot_state", state="paused") == 1
    assert sum(v for (name, _), v in known.items() if name == "mmbot_state") == 1
    trades = [
        each
        for each in at.floor.operation.exchange.state.trades
        if at.bot.account_id in (each.maker_id, each.taker_id)
    ]
    fills = sum(v for (name, _), v in known.items() if name == "mmbot_fills_total")
    assert fills == len(trades) == view.fills
    placed = sum(v for (name, _), v in known.items() if name == "mmbot_orders_placed_total")
    assert placed == view.placed - view.rejected
    acks = [v for (name, _), v in known.items() if name == "mmbot_order_ack_seconds_count"]
    assert sum(acks) > 0
    assert value(known, "mmbot_tick_to_order_seconds_count") > 0
    assert value(known, "mmbot_cancel_all_seconds_count") == 1
    assert value(known, "mmbot_lease_held") == 1
    lag = value(known, "mmbot_event_loop_lag_seconds_bucket", le="+Inf")
    assert lag == value(known, "mmbot_event_loop_lag_seconds_count")
    assert 0 < value(known, "mmbot_feed_age_seconds", stream="book") < 5
    commands = {"command": "cancel-all", "frontend": "http", "result": "ok"}
    assert value(known, "mmbot_commands_total", **commands) == 1
    components = {
        key: v
        for (name, labels), v in known.items()
        if name == "mmbot_pnl_usd"
        for key in [(dict(labels)["market"], dict(labels)["component"])]
    }
    for market in at.bot.control.markets:
        parts = sum(
            v for (m, part), v in components.items() if m == market.symbol and part != "total"
        )
        assert parts == pytest.approx(components[market.symbol, "total"], abs=1e-5)


async def the_log_is_counted(at: Served) -> None:
    """Every line is in one of the counters, and what is in the file is in one of them."""
    assert at.logs.path is not None
    before = samples(await families(at))
    for second in range(30):
        logger("bot").warning("no book for %d s", second)
    logger("bot").info("as usual")
    await asyncio.sleep(1.2)
    lines = at.logs.path.read_text().splitlines()
    known = samples(await families(at))

    def grown(name: str, **labels: str) -> float:
        return value(known, name, **labels) - value(before, name, **labels)

    assert grown("mmbot_log_records_total", level="warning") == 1
    assert grown("mmbot_log_records_total", level="info") == 1
    # The last of them is told with the count of all.
    assert grown("mmbot_log_records_suppressed_total") == 28
    assert value(known, "mmbot_log_records_dropped_total") == 0
    written = sum(v for (name, _), v in known.items() if name == "mmbot_log_records_total")
    assert written == len(lines)


async def older_readers_are_served(at: Served) -> None:
    await asyncio.sleep(1.1)
    async with at.http.get(at.url + "/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        text = await answer.text()
    names = {each.name for each in older_families(text)}
    assert {"mmbot_equity_usd", "mmbot_order_ack_seconds"} <= names


def test_metrics_of_a_trading_bot(tmp_path: Path) -> None:
    async def run() -> None:
        async with served(tmp_path, seed=63) as at:
            await at.command("cancel-all")
            await they_are_right(at)
            await the_log_is_counted(at)
            await older_readers_are_served(at)

    asyncio.run(run())
