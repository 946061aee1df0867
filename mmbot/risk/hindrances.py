"""Hindrances in force: why a market, or the whole account, must not be quoted now."""

from mmbot.domain.events import Hindrance

# These mean that trading itself has gone wrong, so they halt until an operator clears it.
HALTING = frozenset({"foreign_epoch", "liquidated"})
# While one of these holds an order could not be sent, or must not be, whatever it is for.
BLOCKING = frozenset(
    {
        "recovering",
        "account",
        "engine_clock",
        "action_path",
        "rate_limited",
        "maintenance",
        "market_frozen",
        "session",
        "listing",
        "foreign_epoch",
        "lease",
        "stopping",
    }
)


class Hindrances:
    """The set of hindrances; every answer is ready, as one is asked for at each decision."""

    __slots__ = ("_held", "_markets", "_of_market")

    def __init__(self, markets: int) -> None:
        self._markets = markets
        self._held: dict[tuple[str, int | None], str] = {}
        self._of_market: list[str | None] = [None] * markets

    def take(self, event: Hindrance) -> bool:
        """Begin or end one; tells whether that changed anything."""
        return self.put(event.name, event.market, event.reason)

    def put(self, name: str, market: int | None, reason: str | None) -> bool:
        """Begin one, or end it with a reason of None; tells whether that changed anything."""
        key = (name, market)
        if self._held.get(key) == reason:
            return False
        if reason is None:
            del self._held[key]
        else:
            self._held[key] = reason
        for index in range(self._markets):
            texts = self._texts(index)
            self._of_market[index] = texts[0] if texts else None
        return True

    def reason(self, market: int) -> str | None:
        """Why this market must not be quoted, or None."""
        return self._of_market[market]

    def blocks(self, market: int) -> bool:
        """Must nothing at all be sent for this market but cancels?"""
        return any(
            name in BLOCKING for name, where in self._held if where is None or where == market
        )

    def holds(self, name: str, market: int | None = None) -> bool:
        """Is this one in force, for exactly that market or (None) for the account?"""
        return (name, market) in self._held

    def account(self) -> list[str]:
        """All that is in force for the whole account, oldest first, as texts."""
        return [_text(name, text) for (name, where), text in self._held.items() if where is None]

    def names(self) -> list[tuple[str, int | None]]:
        """Every name in force with its market, oldest first."""
        return list(self._held)

    def _texts(self, market: int) -> list[str]:
        return [
            _text(name, text)
            for (name, where), text in self._held.items()
            if where is None or where == market
        ]


def _text(name: str, text: str) -> str:
    return f"{name}: {text}" if text and text != name else name
