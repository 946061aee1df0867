"""Silence: whether the streams of market data and of the account are down for too long."""

from collections.abc import Iterator, Mapping

from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.runtime.lasting import Lasting

BOOK_DOWN, ACCOUNT_DOWN = "book_down", "account_down"
ACCOUNT = "account"
NS_PER_S = 1_000_000_000
# A stream that stands and is silent is proved by a question, which takes this long at most.
PROOF_S = 5.0


class Silence:
    """Looks at one status after another; what was never heard counts from the first look."""

    def __init__(self) -> None:
        self._sure_ns: dict[str, int] = {}
        self._account_ns: int | None = None
        self._books = Lasting(Severity.WARNING, BOOK_DOWN)
        self._account = Lasting(Severity.WARNING, ACCOUNT_DOWN)

    def look(
        self, view: StatusView, heard_ns: Mapping[str, int], down_s: float
    ) -> Iterator[Notice]:
        """Yield what is to be told; `heard_ns`: when streams spoke last."""
        yield from self._books.look(view.ts_ns, self._of_books(view, down_s))
        yield from self._account.look(view.ts_ns, self._of_account(view, heard_ns, down_s))

    def _of_books(self, view: StatusView, down_s: float) -> str | None:
        down, longest_ns = [], 0
        for each in view.markets:
            sure_ns = self._sure_ns.setdefault(each.symbol, view.ts_ns)
            limit_s = down_s
            # Of a connection that is lost no age is known.
            if each.book_age_ms is not None:
                sure_ns = self._sure_ns[each.symbol] = view.ts_ns - round(each.book_age_ms * 1e6)
                limit_s += PROOF_S
            silent_ns = view.ts_ns - sure_ns
            if silent_ns > limit_s * NS_PER_S:
                down.append(each.symbol)
                longest_ns = max(longest_ns, silent_ns)
        return f"no sure book for {_s(longest_ns)}: {', '.join(down)}" if down else None

    def _of_account(
        self, view: StatusView, heard_ns: Mapping[str, int], down_s: float
    ) -> str | None:
        if self._account_ns is None:
            self._account_ns = view.ts_ns
        self._account_ns = heard_ns.get(ACCOUNT, self._account_ns)
        silent_ns = view.ts_ns - self._account_ns
        down = silent_ns > down_s * NS_PER_S
        return f"nothing sure of the account for {_s(silent_ns)}" if down else None


def _s(ns: int) -> str:
    return f"{ns // NS_PER_S} s"
