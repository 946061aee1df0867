"""Every expression of the shipped alert rules and of the dashboard speaks of what a bot exports."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.web.served import Served, served
from tests.web.test_metrics import families

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ALERTS = {
    "MmbotDown",
    "MmbotHalted",
    "MmbotNotQuoting",
    "MmbotMarginLow",
    "MmbotExposureHigh",
    "MmbotOrderFailures",
    "MmbotFeedStale",
    "MmbotReconnectStorm",
    "MmbotLoopLag",
    "MmbotSessionExpiring",
    "MmbotLeaseLost",
    "MmbotTelegramFailing",
}
# The families of the specification, without the prefix; counters end in _total there.
_SPECIFIED = """
    build_info start_time_seconds state quoting state_transitions_total
    orders_placed_total orders_cancelled_total order_failures_total order_retries_total
    orders_unknown_total open_orders
    fills_total traded_notional_usd_total fees_usd_total rebates_usd_total
    quoted_spread_basis_points market_spread_basis_points skew_basis_points book_imbalance_ratio
    fair_price_usd quote_uptime_ratio markout_basis_points markout_samples_total
    pnl_usd equity_usd equity_peak_usd drawdown_ratio free_collateral_usd margin_fraction_ratio
    position_base position_notional_usd exposure_ratio total_exposure_ratio limit_ratio
    risk_rejects_total hedges_total hedge_error_usd
    tick_to_order_seconds_bucket order_ack_seconds_bucket cancel_all_seconds_bucket
    feed_delay_seconds_bucket event_loop_lag_seconds_bucket gc_pause_seconds_bucket
    feed_age_seconds ws_reconnects_total ws_messages_total book_resyncs_total http_requests_total
    rate_limit_tokens rate_limit_waits_total rate_limit_rejections_total
    session_expiry_timestamp_seconds clock_offset_seconds lease_held lease_fencing_token
    alerts_total commands_total log_records_total log_records_suppressed_total
    log_records_dropped_total ledger_queue_depth resident_memory_bytes
"""
SPECIFIED = {f"mmbot_{name}" for name in _SPECIFIED.split()}
# Of these there are samples when such a thing has happened.
UNEVENTFUL = {"mmbot_risk_rejects_total", "mmbot_hedges_total", "mmbot_book_resyncs_total"}
_SELECTOR = re.compile(r"\b(mmbot_[a-z0-9_]+|up)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')
# Prometheus itself gives these to every sample.
_OF_THE_TARGET = {"instance", "job"}


class Exported(NamedTuple):
    """What a bot exports: values of labels by sample name and label; families by name."""

    values: dict[str, dict[str, set[str]]]
    families: set[str]


async def exported(at: Served) -> Exported:
    values: dict[str, dict[str, set[str]]] = {}
    found = await families(at)
    for family in found.values():
        for sample in family.samples:
            labels = values.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return Exported(values, {f"{each}_total" for each in found} | set(found))


def expressions(found: Any) -> Iterator[str]:
    """Yield every `expr` and every query of a variable, however deep."""
    if isinstance(found, dict):
        for key, value in found.items():
            if key in ("expr", "query") and isinstance(value, str) and "mmbot_" in value:
                yield value
            else:
                yield from expressions(value)
    elif isinstance(found, list):
        for each in found:
            yield from expressions(each)


def wrong(expression: str, known: Exported) -> list[str]:
    """Return what an expression speaks of and is not there."""
    found = []
    for name, matchers in _SELECTOR.findall(expression):
        if name == "up":
            continue
        if name not in known.values:
            if name not in UNEVENTFUL or name not in known.families:
                found.append(name)
            continue
        for label, how, value in _MATCHER.findall(matchers):
            if label in _OF_THE_TARGET:
                continue
            there = known.values[name].get(label, set())
            wanted = value.split("|") if how == "=~" else [value]
            if (how != "!=" and not set(wanted) <= there) or not there:
                found.append(f"{name}{{{label}={value}}}")
    for labels in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression):
        every = {label for each in known.values.values() for label in each} | _OF_THE_TARGET
        every |= {"gate", "result", "market", "reason"}
        found += [each for each in re.split(r",\s*", labels) if each not in every]
    return found


def test_every_expression_is_exported(tmp_path: Path) -> None:
    rules = yaml.safe_load((EXAMPLES / "prometheus" / "alerts.yml").read_text())
    board = json.loads((EXAMPLES / "grafana" / "dashboard.json").read_text())
    asked = [*expressions(rules), *expressions(board)]
    assert len(asked) > 70

    async def run() -> Exported:
        async with served(tmp_path, seed=64) as at:
            await at.command("resume", market="BTCUSD")
            # A fill is followed for a second before there is a markout.
            for _ in range(15):
                await asyncio.sleep(1.1)
                known = await exported(at)
                missing = SPECIFIED - set(known.values)
                if missing <= UNEVENTFUL:
                    return known
            raise AssertionError(missing)

    known = asyncio.run(run())
    assert {each: wrong(each, known) for each in asked if wrong(each, known)} == {}
    every = {name for expression in asked for name, _ in _SELECTOR.findall(expression)}
    shown = {re.sub(r"_(bucket|sum|count)$", "", each) for each in every}
    mine = {re.sub(r"_(bucket|sum|count)$", "", each) for each in known.values}
    assert mine - shown <= {
        "mmbot_quoting",
        "mmbot_markout_samples_total",
        "mmbot_position_base",
        "mmbot_lease_fencing_token",
        "mmbot_limit_usd",
        "mmbot_cancel_all_seconds",
    }


def test_a_wrong_expression_is_noticed() -> None:
    known = Exported({"mmbot_state": {"state": {"halted"}}}, {"mmbot_state"})
    assert wrong('mmbot_state{state="halted"} == 1', known) == []
    assert wrong('mmbot_state{state="stopped"} == 1', known)
    assert wrong('mmbot_state{mode="halted"} == 1', known)
    assert wrong("sum by (colour) (mmbot_state)", known) == ["colour"]
    assert wrong("rate(mmbot_nothing_total[5m])", known) == ["mmbot_nothing_total"]


def test_alerts_are_complete() -> None:
    (group,) = yaml.safe_load((EXAMPLES / "prometheus" / "alerts.yml").read_text())["groups"]
    assert {rule["alert"] for rule in group["rules"]} == ALERTS
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert re.fullmatch(r"runbook\.md#[a-z-]+", rule["annotations"]["runbook"])
        assert rule["annotations"]["summary"]
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_dashboard_fits_together() -> None:
    board = json.loads((EXAMPLES / "grafana" / "dashboard.json").read_text())
    panels = board["panels"]
    assert len({each["id"] for each in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for each in panels:
        place = each["gridPos"]
        cells = {
            (place["x"] + dx, place["y"] + dy)
            for dx in range(place["w"])
            for dy in range(place["h"])
        }
        assert not cells & taken, each["title"]
        assert max(x for x, _ in cells) < 24, each["title"]
        taken |= cells
    rows = [each["title"] for each in panels if each["type"] == "row"]
    assert rows == [
        "State and alerts",
        "PnL and attribution",
        "Quotes and uptime",
        "Inventory and limits",
        "Execution and latency",
        "Feeds and budget",
        "Process",
    ]


@pytest.mark.parametrize("name", ["alerts.yml", "scrape.yml"])
def test_the_files_are_yaml(name: str) -> None:
    assert yaml.safe_load((EXAMPLES / "prometheus" / name).read_text())
