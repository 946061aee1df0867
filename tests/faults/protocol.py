"""P01-P15, C01-C04: messages lost, twice, out of turn, wrong; clocks that step, jump and stop."""

from tests.faults import acts
from tests.faults.scenario import Entry, Expect, Scenario, during, one_after_another, together

MALFORMED = tuple(("md.malformed", 0.5, {"p": 0.5, "id": number}) for number in range(0, 16, 3))
BAD = ("-1", "1e400", "NaN", "1e-300", "99999999999999999999")
# Reconnecting backs off up to 30 s, and ten attempts a minute are all there are.
LATE_S = 40.0

ENTRIES: tuple[Entry, ...] = (
    Scenario(
        id="P01",
        says="deltas are lost",
        faults=during("md.drop", 6.0, p=0.2),
    ),
    Scenario(
        id="P02",
        says="the book is shown crossed or locked",
        faults=one_after_another(
            ("md.cross", 3.0, {"p": 1.0, "market": 1}), ("md.lock", 3.0, {"p": 1.0, "market": 1})
        ),
        expect=Expect(markets=(1,)),
    ),
    Scenario(
        id="P03",
        says="messages come twice and again after reconnecting",
        faults=together(
            ("md.dup", 8.0, {"p": 0.7, "n": 2}),
            ("acct.dup", 8.0, {"p": 0.7, "n": 2}),
            ("acct.replay", 8.0, {"n": 16}),
            ("eng.partial_fill", 8.0, {"p": 0.02, "frac": 0.5}),
            ("ws.close", 0.1, {}),
        ),
    ),
    Scenario(
        id="P04",
        says="account messages out of order, fills before their receipts",
        faults=together(
            ("acct.reorder", 8.0, {"p": 0.5}),
            ("act.slow", 8.0, {"p": 0.5, "ms": 400, "side": "after"}),
            ("eng.partial_fill", 8.0, {"p": 0.02, "frac": 0.5}),
        ),
    ),
    Scenario(
        id="P05",
        says="events are lost between snapshot and subscription",
        faults=together(
            ("acct.gap_on_subscribe", 8.0, {"ms": 700}),
            ("ws.close", 0.1, {"kind": "account"}),
            ("eng.partial_fill", 8.0, {"p": 0.03, "frac": 0.5}),
        ),
    ),
    Scenario(
        id="P06",
        says="several fills of an order in one message",
        faults=together(
            ("acct.coalesce", 8.0, {"p": 0.5}), ("eng.partial_fill", 8.0, {"p": 0.05, "frac": 0.3})
        ),
    ),
    Scenario(
        id="P07",
        says="partial fills",
        faults=during("eng.partial_fill", p=0.03, frac=0.4),
    ),
    Scenario(
        id="P08",
        says="deltas carry another market's name, or come out of order",
        faults=together(("md.interleave", 6.0, {"p": 0.1}), ("md.reorder", 6.0, {"p": 0.2})),
    ),
    Scenario(
        id="P09",
        says="messages that are no messages, and huge ones",
        faults=one_after_another(*MALFORMED, ("ws.big_frame", 0.5, {"p": 0.2, "bytes": 2_000_000})),
        expect=Expect(back_s=LATE_S),
    ),
    Scenario(
        id="P10",
        says="prices and sizes that are none",
        faults=one_after_another(
            *(("md.bad_value", 0.5, {"p": 0.5, "value": each}) for each in BAD)
        ),
        expect=Expect(back_s=LATE_S),
    ),
    Scenario(
        id="P11",
        says="receipts cut off, and of somebody else's order",
        faults=together(
            ("act.truncate", 8.0, {"p": 0.3, "n": 9}),
            ("act.receipt_mutate", 8.0, {"p": 0.3, "field": "action_id", "value": 1}),
            ("act.reset_after", 8.0, {"p": 0.2, "n": 60}),
        ),
    ),
    Scenario(
        id="P12",
        says="a side is shown empty",
        faults=during("md.empty_side", 6.0, p=1.0, market=2, side="asks"),
        expect=Expect(markets=(2,)),
    ),
    Scenario(
        id="P13",
        says="the top of the book is swept",
        faults=during("md.sweep", 6.0, p=0.3, levels=15),
    ),
    Scenario(
        id="P14",
        says="answers have fields that nobody knows, and errors that are in no list",
        faults=one_after_another(
            ("proto.drift", 4.0, {"p": 0.5, "what": "add"}),
            ("proto.drift", 2.0, {"p": 0.5, "what": "new_error"}),
        ),
    ),
    Scenario(
        id="P15",
        says="the reference is of a contract of 1000 coins",
        faults=during("ref.scale", market=0, factor=1000.0),
        expect=Expect(markets=(0,), off_s=2.8),
    ),
    Scenario(
        id="C01",
        says="the host's clock steps by an hour and back",
        faults=one_after_another(
            ("host.clock_step", 4.0, {"s": 3600}), ("host.clock_step", 4.0, {"s": -3600})
        ),
        expect=Expect(markets=(), back_s=None),
    ),
    Scenario(
        id="C02",
        says="the host's clock is ten minutes off",
        faults=during("host.clock_step", 20.0, s=600),
        expect=Expect(markets=(), back_s=None),
    ),
    Scenario(
        id="C03",
        says="the engine's clock jumps forward, then back",
        faults=one_after_another(
            ("eng.clock_jump", 12.0, {"s": 20}), ("eng.clock_jump", 12.0, {"s": -20})
        ),
    ),
    Scenario(
        id="C04",
        says="the bot is frozen for a while",
        faults=during("host.pause", 7.0),
        act=acts.first_word_is_no_place,
    ),
)
