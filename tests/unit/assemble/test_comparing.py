"""A backtest written down like a live run is the same as its own replay; a changed one is not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from mmbot.assemble import RunOptions, recorded_run
from mmbot.assemble.comparing import compare_run, open_run
from mmbot.assemble.comparing.tapped import Opening, Tapped
from mmbot.assemble.comparing.timetable import timetable
from mmbot.cli import main
from mmbot.config.loader import load
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import Event, Fill, Hindrance
from mmbot.domain.market import MICRO
from mmbot.domain.order import FillMode, Side
from mmbot.errors import ConfigError, DataError
from mmbot.research.fill_matching import Cause, Terms
from mmbot.research.run_comparison import Part, RunComparison
from mmbot.research.run_comparison_text import comparison_lines
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds
from mmbot.tape.journal import Begun, Journal, read_journal

ROOT = Path(__file__).resolve().parents[3]
CONFIG = (ROOT / "examples" / "sample.yaml").read_text()
Change = Callable[[Event], Event | None]


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "market.tape"
    arguments = ["--type", "volatile", "--steps", "200", "--observe", "--record", str(path)]
    assert main(["simulate", *arguments]) == 0
    return path


def made(folder: Path, tape: Path, change: Change = lambda event: event) -> Path:
    """Make the folder of a run out of a backtest; `change` is done to what its journal tells."""
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "a.tape").symlink_to(tape)
    config = load([folder / "config.yaml"]).config
    with (folder / "journal.jsonl").open("wb") as file:
        begun = Begun(
            ts_ns=0,
            mode="live",
            symbols=("SIMUSD",),
            lots=(0,),
            equity_uusd=int(config.backtest.initial_equity_usd * MICRO),
            own_in_book=False,
        )
        journal = Journal(begun, file.write)
        feeds = open_feeds([tape], "tape", FeedOptions())
        run = recorded_run(config, feeds, RunOptions(log=journal.batch))

        def told(event: Event) -> None:
            changed = change(event)
            if changed is not None:
                journal.event(changed)

        venue = Tapped(run.venue, [Opening(0)], told, run.watch.carry)
        replay(run.engine, venue, run.watch, keep_going=lambda: True)
    return folder


def compared(folder: Path) -> RunComparison:
    return compare_run(open_run(folder), Terms()).comparison


def parts(found: RunComparison) -> dict[tuple[str, str], Part]:
    assert sum(part.pnl_usd for part in found.parts) == pytest.approx(found.pnl_difference_usd)
    return {(part.only, part.cause): part for part in found.parts}


def test_a_run_that_was_a_replay_is_its_own_replay(tmp_path: Path, tape: Path) -> None:
    found = compared(made(tmp_path / "same", tape))
    assert found.live == found.replayed
    assert found.live.fills_count > 40
    assert found.matched_volume_pct == 100.0
    assert found.pnl_difference_usd == 0
    assert list(parts(found)) == [("both", "price and fee of the same fills")]
    (quotes,) = found.quotes
    assert (quotes.bid_bps, quotes.ask_bps) == (0.0, 0.0)
    assert quotes.live_two_sided_pct == quotes.replayed_two_sided_pct > 50
    assert found.latency.p50_ms == found.latency.assumed_ms == 80.0
    assert found.notes == ()


def test_a_fill_the_venue_did_not_give_was_a_place_in_the_queue(tmp_path: Path, tape: Path) -> None:
    lost: list[Fill] = []

    def change(event: Event) -> Event | None:
        if isinstance(event, Fill) and len(lost) < 3:
            lost.append(event)
            return None
        return event

    found = compared(made(tmp_path / "queue", tape, change))
    assert found.live.fills_count == found.replayed.fills_count - 3
    part = parts(found)["replay", Cause.QUEUE]
    assert part.fills_count == 3
    assert part.pnl_usd == pytest.approx(found.pnl_difference_usd)


def test_other_fees_are_told_apart_from_other_fills(tmp_path: Path, tape: Path) -> None:
    def change(event: Event) -> Event:
        return replace(event, fee_atoms=0) if isinstance(event, Fill) else event

    found = compared(made(tmp_path / "fees", tape, change))
    assert found.matched_volume_pct == 100.0
    (part,) = found.parts
    assert part.pnl_usd == pytest.approx(found.replayed.fees_usd) == found.pnl_difference_usd


def test_a_pause_of_the_run_explains_what_it_missed(tmp_path: Path, tape: Path) -> None:
    folder = made(tmp_path / "pause", tape)
    path = folder / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    entries = read_journal(path).entries
    middle = sorted(entry.ts_recv_ns for entry in entries if isinstance(entry, Fill))[20]
    begun = Hindrance(middle - 1, middle - 1, "account", None, "catching up")
    over = Hindrance(middle + 10**10, middle + 10**10, "account", None, None)
    kept = [
        line
        for line, entry in zip(lines[1:], entries, strict=True)
        if not isinstance(entry, Fill) or not middle <= entry.ts_recv_ns <= over.ts_recv_ns
    ]
    extra: list[bytes] = []
    journal = Journal(read_journal(path).begun, extra.append)
    journal.event(begun)
    journal.event(over)
    path.write_bytes(b"".join([lines[0], *kept, *extra[1:]]))
    found = compared(folder)
    assert parts(found)["replay", Cause.PAUSED].fills_count > 0
    assert found.pauses_s == {"account": pytest.approx(10.0)}
    assert any("paused: account 10.0 s" in line for line in comparison_lines(found))


def test_the_replay_begins_with_the_position_of_the_run(tmp_path: Path, tape: Path) -> None:
    folder = made(tmp_path / "lots", tape)
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"lots":[0]', b'"lots":[7]', 1))
    out = tmp_path / "out"
    assert main(["compare", str(folder), "--tolerance", "100", "--report", str(out)]) == 0
    (market,) = json.loads((out / "results.json").read_text())["attribution"]["markets"]
    assert market["identity_error_atoms"] == 0
    record = compare_run(open_run(folder), Terms()).record
    assert (record.fills[0].cause, record.fills[0].lots) == ("carried", 7)
    held = sum(fill.side * fill.lots for fill in record.fills)
    assert record.markets[0].final_lots == held


def test_the_same_orders_are_filled_alike_though_other_decisions_are_made(
    tmp_path: Path, tape: Path
) -> None:
    folder = made(tmp_path / "tighter", tape)
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("min_bps: 5", "min_bps: 6"))
    found = compared(folder)
    assert found.same_orders.matched_volume_pct == 100.0
    assert found.same_orders.figures == found.live
    assert found.model_usd == 0
    assert found.matched_volume_pct < 100.0
    assert found.decisions_usd == found.pnl_difference_usd


def test_an_exchange_that_fills_less_is_the_models_fault_alone(tmp_path: Path, tape: Path) -> None:
    lost: list[Fill] = []

    def change(event: Event) -> Event | None:
        if isinstance(event, Fill) and len(lost) < 3:
            lost.append(event)
            return None
        return event

    found = compared(made(tmp_path / "model", tape, change))
    assert found.same_orders.figures.fills_count == found.live.fills_count + 3
    assert found.model_usd == pytest.approx(found.pnl_difference_usd)
    assert found.decisions_usd == pytest.approx(0)


def test_decisions_between_two_that_placed_are_spread_evenly() -> None:
    place = Place(0, 1, Side.BID, 10, 1, FillMode.POST_ONLY)
    sent = [Batch(ts_ns, (place,)) for ts_ns in (1_000, 1_101, 1_410)]
    alone = Batch(1_250, (Cancel(0, 1),))
    elsewhere = Batch(1_300, (Place(1, 2, Side.BID, 10, 1, FillMode.POST_ONLY),))
    times = timetable([*sent[:2], alone, elsewhere, sent[2]], 0, 100)
    assert times == [1_000, 1_101, 1_204, 1_307, 1_410]
    assert timetable([alone], 0, 100) == []


def test_what_is_missing_in_a_folder_is_named(tmp_path: Path, tape: Path) -> None:
    with pytest.raises(DataError, match="expected the folder of a run"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        open_run(tmp_path)
    folder = made(tmp_path / "run", tape)
    (folder / "a.tape").unlink()
    with pytest.raises(DataError, match=r"expected the recordings of a run \(\*\.tape\)"):
        open_run(folder)


def test_a_market_without_a_recording_is_named(tmp_path: Path, tape: Path) -> None:
    folder = made(tmp_path / "run", tape)
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"SIMUSD", b"BTCUSD", 1))
    with pytest.raises(DataError, match="expected recordings of BTCUSD"):
        compared(folder)
