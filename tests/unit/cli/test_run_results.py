"""How a run is told while it goes on and when it is over."""

import json
import os
import subprocess
import sys

import pytest
from msgspec.structs import replace

from mmbot.cli.run_lines import JsonLines
from mmbot.cli.run_results import run_document, run_summary
from mmbot.ports import Leftovers
from mmbot.runtime.supervision import ExitReport
from tests.unit.interfaces.test_terminal import FILL, MARKETS, NOTICE, VIEW

CLEAN = Leftovers(proven=True)
UNSURE = Leftovers(proven=False, reason="the venue does not answer")


def summary(report: ExitReport, mode: str = "live") -> list[str]:
    return list(run_summary(report, replace(VIEW, run_mode=mode), MARKETS))


def test_a_good_end_says_that_nothing_is_left() -> None:
    head, figures, *markets = summary(ExitReport(0, "SIGTERM", CLEAN))
    assert head == "ended: SIGTERM; 0 orders left; exit code 0"
    assert figures.startswith("  1:02:03: ")
    assert [line.split(":")[0].strip() for line in markets] == ["BTCUSD", "ETHUSD"]
    assert "no order was sent" in summary(ExitReport(0, "Ctrl-C", CLEAN), "paper")[0]


def test_what_is_not_proven_is_said_with_what_to_do() -> None:
    lines = summary(ExitReport(8, "SIGTERM", UNSURE))
    assert "nobody could prove that no order rests: the venue does not answer" in lines[0]
    assert "cancel-all --direct" in lines[-1]
    held = summary(ExitReport(8, "SIGTERM", CLEAN, ("BTCUSD",)))
    assert held[1] == "  positions are left in BTCUSD"
    assert "reset-halt" in summary(ExitReport(6, "loss", CLEAN))[-1]
    anew = summary(ExitReport(6, "loss", CLEAN, cleared=True))
    assert anew[0] == "cleared: loss; 0 orders left; it begins anew"
    assert "reset-halt" not in anew[-1]


def test_a_program_gets_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = JsonLines().about(lambda: VIEW, MARKETS)
    lines.event(replace(FILL, order_id=0))
    lines.event(FILL)
    lines.notices([NOTICE])
    lines.warn("careful")
    lines.tell("end", run_document(ExitReport(0, "SIGTERM", CLEAN), VIEW))
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    # A fill whose order is not known yet comes again.
    assert [each["event"] for each in told] == ["fill", "notice", "warning", "end"]
    assert {each["schema"] for each in told} == {"mmbot.run/1"}
    assert told[-1]["clean"] is True


def test_a_reader_who_has_gone_does_not_end_the_run() -> None:
    script = (
        "import sys\nfrom mmbot.cli.run_lines import JsonLines\nlines = JsonLines()\n"
        "for word in 'abc': lines.warn(word)\nsys.stdout.flush()\nsys.stderr.write('goes on')"
    )
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=writes, stderr=subprocess.PIPE, check=False
    )
    os.close(writes)
    assert done.returncode == 0
    assert done.stderr.decode().endswith("goes on")
