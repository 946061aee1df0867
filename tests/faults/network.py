"""N01-N14: requests lost, late and twice; connections dead, closed, refused; nobody found."""

from tests.faults import acts
from tests.faults.scenario import (
    Entry,
    Expect,
    Scenario,
    during,
    one_after_another,
    together,
)

SLOW = {"p": 0.5, "ms": 2_000, "jitter_ms": 2_000}
REFUSED = {"p": 1.0}
# Reconnecting backs off up to 30 s, and ten attempts a minute are all there are.
LATE_S = 40.0

ENTRIES: tuple[Entry, ...] = (
    Scenario(
        id="N01",
        says="the response to a place is lost after execution",
        faults=during("act.drop_resp", p=0.5),
    ),
    Scenario(
        id="N02",
        says="a request is lost before the venue",
        faults=during("act.drop_req", p=0.5),
        # A place is proven never to have landed a second after the venue would refuse it.
        expect=Expect(back_s=7.5),
    ),
    Scenario(
        id="N03",
        says="a request lands seconds late, or after the one behind it",
        faults=together(("act.slow", 8.0, SLOW), ("act.reorder", 8.0, {"p": 0.3})),
        # As above; and the last late ones land four seconds after the end.
        expect=Expect(back_s=7.5),
    ),
    Scenario(
        id="N04",
        says="requests are delivered twice",
        faults=during("act.dup", p=0.7, delay_ms=700),
    ),
    Scenario(
        id="N05",
        says="the market stream is half open",
        faults=during("ws.half_open", 10.0, kind="deltas"),
        expect=Expect(off_s=2.8),
    ),
    Scenario(
        id="N06",
        says="the market stream is silent, its connection alive",
        faults=during("md.silence", 10.0),
        expect=Expect(off_s=2.8),
    ),
    Scenario(
        id="N07",
        says="orderly closes",
        faults=one_after_another(
            *(("ws.close", 1.0, {"code": code}) for code in (1000, 1001, 1012))
        ),
        expect=Expect(back_s=3.0),
    ),
    Scenario(
        id="N08",
        says="nobody is let in again for a while",
        faults=together(
            ("ws.close", 0.1, {}),
            ("ws.refuse", 20.0, {"p": 0.5}),
            ("ws.handshake_status", 20.0, {"p": 1.0, "status": 503}),
        ),
        expect=Expect(off_s=0.7, back_s=LATE_S),
    ),
    Scenario(
        id="N09",
        says="no connection is left behind by many reconnects",
        faults=one_after_another(*(("ws.rst", 0.5, {}) for _ in range(8))),
        expect=Expect(back_s=LATE_S),
    ),
    Scenario(
        id="N10",
        says="names are not found while connections break",
        faults=together(("dns.fail", 8.0, {}), ("net.reset", 0.1, {})),
        expect=Expect(off_s=1.0),
    ),
    Scenario(
        id="N12",
        says="REST up and streams down, then the reverse",
        faults=one_after_another(
            ("net.partition", 6.0, {"part": "ws"}), ("net.partition", 6.0, {"part": "rest"})
        ),
    ),
    Scenario(
        id="N13",
        says="more messages than can be read, and a slow reader",
        faults=together(
            ("md.burst", 6.0, {"p": 0.3, "rate": 50}),
            ("ws.slow_reader", 6.0, {"kind": "account", "bytes_per_s": 400}),
            ("eng.partial_fill", 6.0, {"p": 0.05, "frac": 0.3}),
        ),
        act=acts.late_fills,
    ),
    Scenario(
        id="N14",
        says="the reference is silent",
        faults=during("ref.silence"),
        expect=Expect(off_s=2.7),
    ),
)
