"""Presets: whole sets of a market's settings by one name; every key that is set wins over them."""

from collections.abc import Mapping

from mmbot.config.sources import merge
from mmbot.config.strict_yaml import Node, Place

Settings = Mapping[str, object]

# What the strategy study found to matter, docs/models.md.
RECOMMENDED: Settings = {
    "fair_price": {"source": "blend"},
    "spread": {"model": "markout", "min_bps": 3.0, "max_bps": 120.0},
    "inventory": {"model": "linear"},
    "levels": {"count": 1},
    "requote": {"price_tolerance_bps": 0.3},
}
PRESETS: Mapping[str, Settings] = {"seed": {}, "recommended": RECOMMENDED}


def on_preset(market: Node) -> Node:
    """Lay a market's settings on those of the preset it names; a wrong name is found later."""
    sections = market.value
    named = sections.get("preset") if isinstance(sections, dict) else None
    name = named.value if named is not None else None
    if not isinstance(name, str) or name not in PRESETS:
        return market
    return merge(_node(PRESETS[name], Place(f"preset {name}")), market)


def _node(value: object, place: Place) -> Node:
    if isinstance(value, Mapping):
        return Node({name: _node(each, place) for name, each in value.items()}, place, place)
    return Node(value, place, place)
