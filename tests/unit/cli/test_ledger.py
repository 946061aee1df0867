"""The verbs that read and look after a ledger."""

import csv
import getpass
import io
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mmbot.cli import main
from mmbot.cli.ledger_flags import since_ns
from mmbot.domain.order import OrderState, Side
from mmbot.ledger import open_ledger
from mmbot.ledger.rows import EquityPoint, FillRow, FundingRow, Kind, OrderRow
from tests.unit.ledger.scene import HOUR_NS, START_NS, opened

OK, ERROR, USAGE, IN_USE, CHECK_FAILED = 0, 1, 2, 7, 10
S_NS = 1_000_000_000

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "mmbot.ledger"


@pytest.fixture
def run(path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a verb on this test's ledger."""

    def run(*words: object, where: Path | None = None) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([*map(str, words), "--ledger", str(where or path)])
        except SystemExit as stop:
            code = int(stop.code or 0)
        texts = capsys.readouterr()
        return code, texts.out, texts.err

    return run


@pytest.fixture
def told(path: Path) -> Path:
    """Two hours of a bot: one round trip in BTCUSD, one open position in ETHUSD."""
    ledger = opened(path)
    ledger.equity(EquityPoint(START_NS, 1_000_000_000, 0, marks=(2_000_000, 600_000)))
    fee = 10**9
    ledger.fills(
        [
            FillRow(START_NS + S_NS, 0, 1, 1, 11, Side.BID, 999_900, 100, True, 0, 2_000_000),
            FillRow(START_NS + HOUR_NS, 0, 2, 2, 12, Side.ASK, 1_000_100, 100, True, 0, 2_000_100),
            FillRow(
                START_NS + HOUR_NS + 1, 1, 3, 3, 13, Side.ASK, 300_000, 1_000, False, fee, None
            ),
        ],
        3,
    )
    ledger.mark(0, 1, 5 * S_NS, 1_999_900)
    ledger.funding([FundingRow(START_NS + HOUR_NS, 0, -(10**9), 2_000_100)])
    ledger.order(OrderRow(START_NS, 0, 11, Side.BID, 999_900, 100, 0, OrderState.FILLED))
    ledger.order(OrderRow(START_NS + 9, 1, 14, Side.BID, 299_000, 5, 5, OrderState.OPEN, "rests"))
    ledger.note(START_NS, Kind.INTENT, 0, 11, "place bid 99,990.0 x 0.0100")
    ledger.note(START_NS + HOUR_NS, Kind.NOTICE, None, None, "book stale")
    end = EquityPoint(START_NS + 2 * HOUR_NS, 1_000_500_000, 0, marks=(2_000_000, 599_000))
    ledger.equity(end)
    assert ledger.failure is None
    ledger.close(1)
    return path


@pytest.mark.usefixtures("told")
def test_tables(run: Run) -> None:
    code, out, err = run("fills")
    assert (code, err) == (OK, "")
    lines = out.splitlines()
    assert lines[0].split()[:5] == ["time", "market", "side", "price", "size"]
    assert lines[1].startswith("2026-01-01T00:00:01.000Z  BTCUSD  bid ")
    assert lines[3].split()[3:] == ["3000.00", "1.000", "taker", "+0.00", "-", "13", "3"]
    code, out, _ = run("orders")
    assert [line.split()[6] for line in out.splitlines()[1:]] == ["filled", "open"]
    code, out, _ = run("orders", "--open", "--csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["order_id"], row["price"], row["reason"]) == ("14", "2990.00", "rests")
    code, out, _ = run("events", "--market", "btcusd", "--json")
    document = json.loads(out)
    assert document["schema"] == "mmbot.events/1"
    assert [item["text"] for item in document["items"]] == ["place bid 99,990.0 x 0.0100"]
    code, out, _ = run("events", "--last", "1")
    assert out.splitlines()[1].split() == ["2026-01-01T01:00:00.000Z", "notice", "-", "-",
                                           "book", "stale"]  # fmt: skip
    code, out, _ = run("positions", "--json")
    btc, eth = json.loads(out)["items"]
    assert (btc["size"], btc["pnl_usd"]) == ("0.0000", "0.199990")
    # 1 ETH sold at 3000, worth 2995 now, a fee of 0.00001.
    assert (eth["size"], eth["mark"], eth["pnl_usd"]) == ("-1.000", "2995.00", "4.999990")


@pytest.mark.usefixtures("told")
def test_profit_adds_up(run: Run) -> None:
    for by, count in (("day", 1), ("hour", 2), ("market", 2)):
        code, out, _ = run("pnl", "--by", by, "--csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        assert (code, len(rows)) == (OK, count)
        assert sum(round(float(row["pnl_usd"]) * 1e6) for row in rows) == 5_199_980
        assert sum(int(row["fills_count"]) for row in rows) == 3
    out = run("pnl", "--by", "market")[1]
    assert out.splitlines()[-1].split()[0] == "all"
    assert out.splitlines()[-1].split()[7] == "+5.20"
    code, out, _ = run("pnl", "--since", "2026-01-01T01:00:00Z", "--json", "--by", "hour")
    assert [item["hour"] for item in json.loads(out)["items"]] == ["2026-01-01T01:00Z"]


@pytest.mark.usefixtures("told")
def test_attribution_adds_up_and_says_what_it_does_not_know(run: Run) -> None:
    code, out, err = run("attribution")
    assert code == OK
    assert out.splitlines()[-1].split() == ["net", "profit", "+5.20"]
    assert "1 of 3 fills have no mid: their spread is part of inventory" in err
    assert "2 of 3 fills have no mid after 5 s" in err
    code, out, _ = run("attribution", "--json")
    document = json.loads(out)
    lines = document["lines_usd"]
    assert sum(round(float(usd) * 1e6) for usd in lines.values()) == 5_199_980
    assert lines["maker_capture"] == "0.150000"
    assert document["splits"][1]["adverse_usd"] == "-0.050000"
    # The venue's equity rose by 0.50 only.
    assert document["unexplained_usd"] == "-4.699980"
    rows = list(csv.DictReader(io.StringIO(run("attribution", "--csv")[1])))
    *parts, whole = (round(float(row["usd"]) * 1e6) for row in rows)
    assert sum(parts) == whole == 5_199_980


def test_nothing_is_said_to_be_nothing(run: Run, path: Path) -> None:
    opened(path).close(1)
    for verb in ("orders", "fills", "positions", "events", "pnl", "attribution"):
        code, out, err = run(verb)
        assert (code, out) == (OK, "")
        assert err == "nothing in this ledger for that time and market\n"
        code, out, err = run(verb, "--json")
        assert (code, err) == (OK, "")
        assert json.loads(out)["schema"].startswith("mmbot.")


@pytest.mark.usefixtures("told")
def test_wrong_use(run: Run, tmp_path: Path) -> None:
    code, _, err = run("fills", where=tmp_path / "none")
    assert (code, err) == (
        ERROR,
        f"error: {tmp_path}/none: there is no ledger; a bot that runs makes one\n",
    )
    code, _, err = run("fills", "--market", "DOGE")
    assert (code, err) == (USAGE, "error: DOGE: is no market of this ledger\n")
    assert run("pnl", "--since", "yesterday")[0] == USAGE
    assert run("pnl", "--json", "--csv")[0] == USAGE
    assert run("reset-halt")[0] == USAGE
    assert run("reset-halt", "--reason", " ")[0] == USAGE
    (tmp_path / "text").write_text("no database")
    assert run("fills", where=tmp_path / "text")[0] == ERROR


def test_the_ledger_of_the_configured_instance(
    told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    where = ["--set", f"storage.dir={told.parent}"]
    assert main(["fills", "--json", *where]) == OK
    assert len(json.loads(capsys.readouterr().out)["items"]) == 3
    assert main(["fills", "--set", "instance.name=other", *where]) == ERROR
    monkeypatch.setenv("STATE_DIRECTORY", str(told.parent))
    assert main(["fills", "--json"]) == OK
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["fills"]) == ERROR
    assert str(tmp_path / "mmbot" / "mmbot.ledger") in capsys.readouterr().err


def test_a_running_bot_is_read_and_not_disturbed(run: Run, told: Path, tmp_path: Path) -> None:
    ledger = open_ledger(told)
    assert ledger.latch("daily loss", START_NS)
    assert run("fills")[0] == OK
    code, _, err = run("reset-halt", "--reason", "looked")
    assert (code, err) == (IN_USE, f"error: {told}: a running bot is writing to this ledger\n")
    assert run("db", "vacuum")[0] == IN_USE
    assert run("db", "verify")[0] == OK
    assert run("db", "backup", "--to", tmp_path / "copy")[0] == OK
    assert ledger.close(10)
    assert len(json.loads(run("fills", "--json", where=tmp_path / "copy")[1])["items"]) == 3


def test_reset_halt(run: Run, told: Path) -> None:
    code, out, err = run("reset-halt", "--reason", "looked")
    assert (code, err) == (OK, "not halted: there is nothing to clear\n")
    code, out, err = run("reset-halt", "--reason", "looked", "--json")
    assert (code, json.loads(out)["reset-halt"]["result"], err) == (OK, "ok", "")
    ledger = open_ledger(told, inline=True)
    ledger.latch("daily loss", START_NS)
    ledger.close(1)
    code, out, err = run("reset-halt", "--reason", "looked into it")
    who = getpass.getuser()
    assert (code, out) == (OK, "")
    assert err == f"cleared by {who}: daily loss (2026-01-01T00:00:00.000Z)\n"
    ledger = open_ledger(told, inline=True)
    assert ledger.halted() is None
    ledger.close(1)
    with closing(sqlite3.connect(told)) as connection:
        found = connection.execute("SELECT cleared_by, cleared_reason FROM latch").fetchall()
    assert found == [(who, "looked into it")]
    assert f"reset-halt by {who}: looked into it" in run("events")[1]


def test_a_halt_for_damage_is_cleared_only_after_it_was_shown(run: Run, told: Path) -> None:
    told.write_bytes(b"x" * 5_000)
    code, _, err = run("reset-halt", "--reason", "no idea")
    assert code == ERROR
    assert "it is now mmbot.ledger.damaged-1" in err
    code, _, err = run("reset-halt", "--reason", "restored what mattered")
    assert code == OK
    assert "ledger lost: " in err


def test_looking_after_it(run: Run, told: Path, tmp_path: Path) -> None:
    assert run("db", "verify")[1] == f"{told}  good\n"
    code, _, err = run("db", "vacuum")
    assert code == OK
    before, after = re.findall(r"([\d,]+) (?:bytes before|after)", err)
    assert int(after.replace(",", "")) <= int(before.replace(",", ""))
    folder = tmp_path / "tables"
    code, _, err = run("db", "export", "--to", folder)
    assert code == OK
    assert f"wrote {folder}/fills.csv, 3 rows\n" in err
    rows = list(csv.DictReader(io.StringIO((folder / "fills.csv").read_text())))
    assert [row["trade_id"] for row in rows] == ["1", "2", "3"]
    assert run("db", "backup", "--to", tmp_path / "no" / "copy")[0] == USAGE
    assert run("db", "backup", "--to", told)[0] == ERROR
    hurt = bytearray(told.read_bytes())
    hurt[8_192:12_288] = bytes(4_096)
    told.write_bytes(hurt)
    code, out, _ = run("db", "verify", "--json")
    assert code == CHECK_FAILED
    assert json.loads(out)["problems"]


@pytest.mark.usefixtures("told")
def test_dated_copies_outlive_each_other(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [folder / f"mmbot-2026010{day}T002000Z.ledger" for day in (1, 2, 3)]
    others = [folder / "mmbot-b-20260101T002000Z.ledger", folder / "mmbot-mine.ledger"]
    for path in (*old, *others):
        path.write_bytes(b"copy")
    assert run("db", "backup", "--into", folder, "--keep", 2)[0] == OK
    kept = set(folder.iterdir()) - set(others)
    assert old[2] in kept
    (new,) = kept - {old[2]}
    assert new.name > old[2].name
    assert len(json.loads(run("fills", "--json", where=new)[1])["items"]) == 3
    assert all(path.exists() for path in others)
    first = tmp_path / "not" / "there" / "yet"
    assert run("db", "backup", "--into", first)[0] == OK
    (copy,) = first.iterdir()
    assert (first.stat().st_mode & 0o777, copy.stat().st_mode & 0o777) == (0o700, 0o600)
    assert run("db", "backup", "--to", tmp_path / "copy", "--keep", 2)[0] == USAGE
    assert run("db", "backup")[0] == USAGE


def test_since() -> None:
    assert since_ns("90s", 100 * S_NS) == 10 * S_NS
    assert since_ns("24h", 0) == -24 * HOUR_NS
    for text in ("2026-01-01", "2026-01-01T00:00", "2026-01-01T01:00:00+01:00"):
        assert since_ns(text, 5) == START_NS
