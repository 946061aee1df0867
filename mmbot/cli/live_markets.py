"""Which markets `test-live` looks at, and whether they are what the settings take them for."""

from collections.abc import Sequence

from mmbot.adapters.zo.rest.answers import Catalog, Listing
from mmbot.assemble import instrument
from mmbot.config.schema import Config
from mmbot.errors import MmbotError


class CheckFailed(MmbotError):  # noqa: N818 - a finding, told as one
    """The venue answered well, and the answer is not what is needed."""


def wanted_listings(asked: Sequence[str], config: Config, catalog: Catalog) -> list[Listing]:
    """Return the markets asked for, else those of the settings, else the venue's first.

    CheckFailed when one is not listed, or its tick or lot is not what the settings say.
    """
    enabled = [name for name, market in config.markets.items() if market.enabled]
    symbols = list(dict.fromkeys(asked)) or enabled or _first(catalog)
    return [_listing(symbol, config, catalog) for symbol in symbols]


def grid_words(listing: Listing) -> str:
    """Describe a market's grid."""
    market = listing.market(0)
    return f"{listing.symbol} tick {market.tick} lot {market.lot}"


def _first(catalog: Catalog) -> list[str]:
    if not catalog.listings:
        raise CheckFailed("the venue lists no market")
    return [catalog.listings[min(catalog.listings)].symbol]


def _listing(symbol: str, config: Config, catalog: Catalog) -> Listing:
    listing = catalog.by_symbol(symbol)
    if listing is None:
        known = ", ".join(sorted(each.symbol for each in catalog.listings.values()))
        raise CheckFailed(f"{symbol} is not listed; there are: {known}")
    given = config.backtest.instruments.get(symbol)
    if given is not None:
        ours, theirs = instrument(symbol, given), listing.market(0)
        if (ours.tick, ours.lot) != (theirs.tick, theirs.lot):
            raise CheckFailed(
                f"{symbol}: the settings say tick {ours.tick} and lot {ours.lot}, "
                f"the venue {theirs.tick} and {theirs.lot}"
            )
    return listing
