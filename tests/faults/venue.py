"""V01-V16: the venue refuses, stalls, cancels, limits, changes and shows old answers."""

from typing import Any

from tests.faults import acts
from tests.faults.scenario import Entry, Expect, Scenario, during, one_after_another, together

POST_ONLY = 135
OLD = {"ms": 1_500}


def refusals(*codes: int) -> tuple[tuple[str, float, dict[str, Any]], ...]:
    """Return deeds that refuse the next places with these codes."""
    return tuple(("eng.err_next", 0.4, {"code": code}) for code in codes)


ENTRIES: tuple[Entry, ...] = (
    Scenario(
        id="V01",
        says="maintenance: every action is refused, orders rest",
        faults=during("eng.maintenance"),
        act=acts.cancels_before_places("eng.maintenance"),
        expect=Expect(back_s=8.0),
    ),
    Scenario(
        id="V02",
        says="one market is frozen",
        faults=during("eng.market_frozen", market=1),
        expect=Expect(markets=(1,), off_s=6.0, back_s=8.0),
    ),
    Scenario(
        id="V03",
        says="the engine's clock stands still",
        faults=during("eng.clock_stall", 12.0),
        expect=Expect(off_s=5.0, back_s=15.0),
    ),
    Scenario(
        id="V04",
        says="the venue cancels our orders",
        faults=during("eng.cancel_on_margin", 1.0),
        act=acts.operator_resumes,
        expect=Expect(back_s=12.0),
    ),
    Scenario(
        id="V05",
        says="post-only orders are refused again and again",
        faults=one_after_another(*refusals(*[POST_ONLY] * 8)),
        expect=Expect(back_s=8.0),
    ),
    Scenario(
        id="V06",
        says="orders are filled just before their cancel",
        faults=during("eng.fill_before_cancel", p=0.5),
        expect=Expect(back_s=10.0),
    ),
    Scenario(
        id="V07",
        says="too many open orders",
        faults=during("eng.max_open_orders", n=2),
        expect=Expect(back_s=20.0),
    ),
    Scenario(
        id="V08",
        says="a ban, and the word to come back later",
        faults=together(
            ("rest.429", 6.0, {"p": 1.0, "retry_after": 3}),
            ("act.http_status", 6.0, {"p": 1.0, "status": 429, "executed": False}),
        ),
        expect=Expect(back_s=15.0),
    ),
    Scenario(
        id="V09",
        says="gateway errors and pages instead of receipts",
        faults=together(
            ("act.http_status", 8.0, {"p": 0.3, "status": 502, "text": "<html>Bad</html>"}),
            ("act.body", 8.0, {"p": 0.3, "hex": "3c68746d6c3e"}),
            ("rest.5xx", 8.0, {"p": 0.5}),
        ),
        expect=Expect(back_s=12.0),
    ),
    Scenario(
        id="V10",
        says="places are refused for risk",
        faults=one_after_another(*refusals(224, 225, 226, 229, 164, 206, 249)),
        expect=Expect(back_s=65.0),
    ),
    Scenario(
        id="V11",
        says="the session is over",
        faults=during("eng.session_expire", 1.0),
        act=acts.session_lost,
        expect=Expect(back_s=None),
        ends=False,
        settled=False,
    ),
    Scenario(
        id="V12",
        says="/info lists a market with other decimals, and one with a similar name",
        faults=together(
            ("info.mutate", 65.0, {"p": 1.0, "what": "price_decimals", "market_id": 1}),
            ("info.similar_symbol", 65.0, {"p": 1.0}),
        ),
        # Latched for that market; the others never notice.
        expect=Expect(markets=(1,), back_s=None, others=False),
        act=acts.relisted,
    ),
    Scenario(
        id="V13",
        says="the position is taken over by the venue",
        act=acts.liquidated,
        expect=Expect(back_s=None),
    ),
    Scenario(
        id="V14",
        says="REST is behind the streams",
        faults=together(("rest.stale_ms", 8.0, OLD), ("md.snapshot_lag", 8.0, {"n": 5})),
        expect=Expect(back_s=12.0),
    ),
    Scenario(
        id="V15",
        says="own orders may meet: the venue allows, or cancels either side",
        faults=one_after_another(
            ("eng.self_trade", 3.0, {"rule": "allow"}),
            ("eng.self_trade", 3.0, {"rule": "cancel_resting"}),
        ),
    ),
    Scenario(
        id="V16",
        says="flattening is refused, then a thin book does not fill it",
        faults=together(
            ("eng.reduce_rule", 10.0, {"rule": "only_without_orders"}),
            ("eng.thin_book", 10.0, {"frac": 0.05}),
        ),
        act=acts.flattens,
        expect=Expect(back_s=None),
        settled=False,
        may_take=True,
    ),
)
