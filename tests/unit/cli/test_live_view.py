"""The view of a running bot, where there is no terminal."""

import pytest
from msgspec.structs import replace

from mmbot.cli.live_view import LiveView
from mmbot.domain.notices import Notice, Severity
from tests.unit.interfaces.test_terminal import FILL, MARKETS, NOTICE, VIEW


def view(*, quiet: bool = False) -> LiveView:
    return LiveView(lambda: VIEW, MARKETS, quiet=quiet)


def test_a_fill_told_twice_is_shown_once() -> None:
    live = view()
    live.event(replace(FILL, order_id=0))
    live.event(FILL)
    live.event(replace(FILL, trade_id=2))
    assert [fill.trade_id for fill in live.seen().fills] == [1, 2]


def test_what_matters_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    live = view()
    live.notices([NOTICE, Notice(1, Severity.INFO, "started", None, "all is well")])
    assert capsys.readouterr().err == "ETHUSD: book_gap: an update is missing\n"
    assert len(live.seen().notices) == 2


def test_nothing_is_told_when_results_are_for_a_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view(quiet=True).notices([NOTICE])
    assert capsys.readouterr().err == ""
