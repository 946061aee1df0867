"""Presets: whole sets of a market's settings by one name; every key that is set wins over them."""

from collections.abc import Mapping

from mmbot.config.sources import merge
from mmbot.config.strict_yaml import Node, Place

Sections = Mapping[str, Mapping[str, str | float | bool]]

# What the strategy study found to matter, docs/models.md.
RECOMMENDED: Sections = {
    "fair_price": {"source": "blend"},
    "spread": {"model": "markout", "min_bps": 3.0, "max_bps": 120.0},
    "inventory": {"model": "linear"},
    "levels": {"count": 1},
    "requote": {"price_tolerance_bps": 0.3, "tolerance_growth": 2.0},
    "hedge": {"enabled": True, "band": "optimal"},
}
PRESETS: Mapping[str, Sections] = {"seed": {}, "recommended": RECOMMENDED}


def on_preset(market: Node) -> Node:
    """Lay a market's settings on those of the preset it names; a wrong name is found later."""
    sections = market.value
    named = sections.get("preset") if isinstance(sections, dict) else None
    name = named.value if named is not None else None
    if not isinstance(name, str) or name not in PRESETS:
        return market
    place = Place(f"preset {name}")
    base: dict[str, Node] = {}
    for section, keys in PRESETS[name].items():
        values = {key: Node(value, place, place) for key, value in keys.items()}
        base[section] = Node(values, place, place)
    return merge(Node(base, place, place), market)
