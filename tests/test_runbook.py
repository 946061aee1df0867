"""The runbook has an entry for whatever alarms: every code that can become an alert."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import yaml

from mmbot.adapters.zo.trading import hindrances as venue
from mmbot.risk.breaker import BreakerState
from mmbot.risk.hindrances import BLOCKING, HALTING
from mmbot.risk.limits import Denial
from mmbot.runtime import hindering as loop

ROOT = Path(__file__).resolve().parents[1]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
TELLING = {"notify": 1, "_say": 1, "Lasting": 1, "Notice": 2}
# Told as they begin and end at every start and stop; nobody has to act on them.
CALM = {"recovering", "warming", "stopping"}
# The rules that were agreed on, and where each leads; a file of rules may have more.
AGREED = {
    "MmbotDown": "bot-down",
    "MmbotHalted": "halted",
    "MmbotNotQuoting": "not-quoting",
    "MmbotMarginLow": "margin",
    "MmbotExposureHigh": "exposure",
    "MmbotOrderFailures": "order-failures",
    "MmbotFeedStale": "feed-stale",
    "MmbotReconnectStorm": "reconnects",
    "MmbotLoopLag": "slow",
    "MmbotSessionExpiring": "session",
    "MmbotTelegramFailing": "telegram",
}


def severe(node: ast.expr) -> bool:
    """Whether an expression may be a severity that alarms."""
    return "Severity.INFO" not in ast.unparse(node) or "Severity.WARNING" in ast.unparse(node)


def told(path: Path) -> Iterator[str]:
    """Codes that a module tells with a severity: in a call, or beside one in a tuple."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            at = TELLING.get(called)
            if at is None or len(node.args) <= at or not severe(node.args[at - 1]):
                continue
            code = node.args[at]
        elif isinstance(node, ast.Tuple) and len(node.elts) >= 2:
            first, code = node.elts[:2]
            if not ast.unparse(first).startswith(("Severity.WARNING", "Severity.CRITICAL")):
                continue
        else:
            continue
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            yield code.value
        elif isinstance(code, ast.Name) and code.id.isupper():
            yield str(getattr(import_module(name), code.id))


def constants(module: object) -> set[str]:
    """Names of hindrances that a module has as constants."""
    return {
        value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and value.islower()
    }


def codes() -> set[str]:
    """Every code that can become an alert."""
    found = {code for path in (ROOT / "mmbot").rglob("*.py") for code in told(path)}
    found |= {f"denied_{each.name.lower()}" for each in Denial}
    found |= {str(each) for each in BreakerState if each is not BreakerState.RUNNING}
    found |= constants(venue) | constants(loop) | HALTING | BLOCKING
    found |= {f"{verb}_refused" for verb in ("reload", "set", "unset")}
    return found - CALM


def entries() -> dict[str, str]:
    """The entries, by the anchor of their heading."""
    parts = re.split(r"^## (.*)$", RUNBOOK, flags=re.MULTILINE)[1:]
    return {
        heading.lower().replace(" ", "-"): text
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_the_codes_are_found() -> None:
    # A few of each kind, so that a search that finds nothing is noticed.
    known = {"order_rejected", "late_fill", "unexpected_fill", "journal", "session", "halted"}
    assert known | {"order_failures", "denied_price_band", "book_gap", "flatten_failed"} <= codes()
    assert len(codes()) > 35


def test_every_code_has_an_entry() -> None:
    named = set(re.findall(r"`([a-z_-]+)`", "\n".join(entries().values())))
    assert codes() - named == set()


def test_every_alert_of_prometheus_leads_to_its_entry() -> None:
    rules = dict(AGREED)
    for file in (*ROOT.glob("*/alerts.yml"), *ROOT.glob("mmbot/**/alerts.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                rules[rule["alert"]] = rule["annotations"]["runbook"].partition("#")[2]
    for alert, anchor in rules.items():
        assert f"`{alert}`" in entries()[anchor], alert


def test_every_entry_says_what_to_do() -> None:
    for anchor, text in entries().items():
        assert "\n- Look: " in text, anchor
        assert "\n- Do: " in text, anchor
