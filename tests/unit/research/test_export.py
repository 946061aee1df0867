"""Result files: exact content, complete or absent, every JSON key documented."""

import csv
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.research.compare import compare, comparison_document
from mmbot.research.export import write_csv, write_json, write_whole
from mmbot.research.results import Json, document
from tests.unit.research.runs import hand_results, hand_run

DOCS = Path(__file__).resolve().parents[3] / "docs" / "results.md"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_fills_are_exact(tmp_path: Path) -> None:
    write_csv(tmp_path, hand_run())
    first, second, hedge = _rows(tmp_path / "fills.csv")
    assert first["market"] == "XYZ"
    assert (first["side"], second["side"]) == ("buy", "sell")
    assert Decimal(first["price"]) == Decimal("49.5")
    assert Decimal(first["size"]) == Decimal("0.3")
    assert Decimal(first["leaves"]) == Decimal("0.2")
    # 14.85 USD at 1 bp.
    assert Decimal(first["fee"]) == Decimal("0.001485")
    assert Decimal(first["mark"]) == 50
    assert (first["liquidity"], hedge["liquidity"], hedge["hedge"]) == ("maker", "taker", "1")
    assert int(first["ts_recv_ns"]) - int(first["ts_exch_ns"]) == 5_000_000


def test_equity_and_quotes(tmp_path: Path) -> None:
    write_csv(tmp_path, hand_run())
    equity = _rows(tmp_path / "equity.csv")
    assert float(equity[-1]["equity_net_usd"]) == 1000.644725
    assert float(equity[-1]["equity_gross_usd"]) == 1000.65
    quotes = _rows(tmp_path / "quotes.csv")
    assert [row["position"] for row in quotes] == ["0.0", "0.3", "-0.1", "0.0"]
    assert (quotes[0]["bid_price"], quotes[0]["ask_price"]) == ("49.5", "50.5")
    # Only the ask was quoted.
    assert (quotes[1]["bid_price"], quotes[1]["bid_size"]) == ("", "")
    assert Decimal(quotes[1]["ask_price"]) == 51
    assert Decimal(quotes[1]["mid"]) == Decimal("50.5")


def test_a_file_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(path, {"old": 1})
    write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"new": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


def test_nothing_is_left_when_the_place_is_taken(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", b"content")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_the_document_is_stable_and_sums() -> None:
    content = document(hand_results())
    assert content["schema"] == "mmbot.results/1"
    parsed = json.loads(json.dumps(content))
    lines = parsed["attribution"]["lines"]
    total = lines.pop("total_usd")
    assert sum(lines.values()) == pytest.approx(total, abs=1e-12)
    assert total == parsed["metrics"]["pnl_net_usd"] == 0.644725
    (market,) = parsed["attribution"]["markets"]
    assert market["identity_error_atoms"] == 0
    assert market["equity_change_atoms"] == 12_894_500_000
    assert parsed["header"]["start"] == "2023-11-15T00:00:00.000Z"


def _keys(content: object) -> set[str]:
    if isinstance(content, dict):
        return set(content).union(*map(_keys, content.values()))
    if isinstance(content, list | tuple):
        return set().union(*map(_keys, content))
    return set()


def test_every_key_is_documented() -> None:
    comparison = compare([hand_results(), hand_results()], seed=1)
    content: Json = json.loads(json.dumps(comparison_document(comparison)))
    words = set(re.findall(r"`([a-z][a-z0-9_]*)`", DOCS.read_text(encoding="utf-8")))
    names_in_this_run = {"XYZ", "spread too wide", "2023-11-15T00:00Z"}
    assert _keys(content) - words == names_in_this_run


def test_keys_carry_units() -> None:
    units = ("_usd", "_bps", "_pct", "_s", "_count", "_ratio", "_reason")
    assert all(key.endswith(units) for key in hand_results().metrics.flat())
