"""Reading log files back, by what is in the files."""

import threading
from pathlib import Path

import pytest

from mmbot.cli import main
from mmbot.logs.reading import Filter, Line, added_lines, last_lines, text_of

TEXT = (
    '{{"ts":"2026-11-30T08:00:{0:02}.000Z","level":"{1}","logger":"mmbot.bot","text":"line {0}"}}\n'
)


def write(path: Path, numbers: range, level: str = "info") -> None:
    path.write_text("".join(TEXT.format(number, level) for number in numbers))


def numbers(found: list[Line]) -> list[int]:
    return [int(each.text.split()[1]) for each in found]


def test_the_last_lines_over_all_files(tmp_path: Path) -> None:
    path = tmp_path / "bot.jsonl"
    write(tmp_path / "bot.jsonl.10", range(3), "error")
    write(tmp_path / "bot.jsonl.2", range(3, 6))
    write(path, range(6, 9), "debug")
    # What a power loss leaves.
    with path.open("a") as file:
        file.write('{"ts":"2026-11-30T08')
    assert numbers(last_lines(path, Filter(), 100)) == list(range(9))
    assert numbers(last_lines(path, Filter(), 4)) == [5, 6, 7, 8]
    assert numbers(last_lines(path, Filter("info"), 100)) == list(range(6))
    assert numbers(last_lines(path, Filter("error", "LINE 2"), 100)) == [2]
    assert numbers(last_lines(path, Filter(since="2026-11-30T08:00:07"), 100)) == [7, 8]


def test_what_is_added_is_followed_over_a_turn(tmp_path: Path) -> None:
    path = tmp_path / "bot.jsonl"
    write(path, range(2))
    added = added_lines(path, Filter())
    ready = threading.Event()

    def write_more() -> None:
        ready.wait(5)
        with path.open("a") as file:
            file.write(TEXT.format(2, "info"))
            file.flush()
            path.rename(tmp_path / "bot.jsonl.1")
            file.write(TEXT.format(3, "info"))
        write(path, range(4, 6))

    thread = threading.Thread(target=write_more)
    thread.start()
    threading.Timer(0.1, ready.set).start()
    assert numbers([next(added) for _ in range(4)]) == [2, 3, 4, 5]
    thread.join()
    added.close()  # type: ignore[attr-defined]


def test_the_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGS_DIRECTORY", str(tmp_path))
    assert main(["logs"]) == 1
    assert "there is no log" in capsys.readouterr().err
    write(tmp_path / "mmbot.jsonl", range(60))
    assert main(["logs", "-n", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-30T08:00:58.000Z INFO    mmbot.bot line 58",
        "2026-11-30T08:00:59.000Z INFO    mmbot.bot line 59",
    ]
    assert main(["logs", "--json", "--grep", "line 7"]) == 0
    assert '"text":"line 7"' in capsys.readouterr().out


def test_a_line_for_people() -> None:
    line = Line("T", "error", "mmbot.bot", "it broke", "stale", "BTCUSD", "Traceback\n  here")
    assert text_of(line) == "T ERROR   mmbot.bot BTCUSD stale: it broke\nTraceback\n  here"
