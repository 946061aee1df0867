"""Settings as text a person reads: the merged YAML, one value, and the report of check-config."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal

from pydantic import SecretStr

from mmbot.config.checks import quoted, remarks, resting_orders, worst_stop_s
from mmbot.config.keys import unit_of, values
from mmbot.config.loader import Loaded
from mmbot.config.paths import is_section, section_at
from mmbot.config.problems import unknown
from mmbot.config.schema import Config
from mmbot.config.strict_yaml import as_text
from mmbot.domain.params import HIDDEN, Params
from mmbot.errors import ConfigError

Path = tuple[str, ...]

COLUMN = 44
# Of a batch at the venue.
MOST_PARTS = 4


def show(loaded: Loaded, origin: bool = False, defaults: bool = False) -> str:
    """Return the merged configuration as YAML that loads to the same settings.

    `origin` adds a comment with each value's origin, `defaults` the values nobody set.
    """
    lines = [
        (path, value, f"# {loaded.origin('.'.join(path))}" if origin else "")
        for path, value in values(loaded.config)
        if defaults or ".".join(path) in loaded.origins
    ]
    return "".join(f"{line}\n" for line in _nested(lines))


def effective(config: Config) -> str:
    """Return every value in force as YAML that loads to the same settings."""
    lines = [(path, value, "") for path, value in values(config)]
    return "".join(f"{line}\n" for line in _nested(lines))


def get(loaded: Loaded, key: str) -> str:
    """Return the value of a dotted key as YAML, the whole section when it is one.

    Raises ConfigError when there is no such key.
    """
    path = tuple(key.split("."))
    found = [(at, value) for at, value in values(loaded.config) if at[: len(path)] == path]
    if found and found[0][0] == path:
        return scalar(found[0][1]) + "\n"
    # Named sections may be empty (`markets: {}`), every other section has keys.
    if not found and (section_at(path) is not None or not is_section(path)):
        raise ConfigError([f"{key}: {unknown(path)}"])
    lines = [(at[len(path) :], value, "") for at, value in found]
    return "".join(f"{line}\n" for line in _nested(lines)) or "{}\n"


def check(loaded: Loaded) -> list[str]:
    """Return the report of a valid configuration: effective settings, derived figures, doubts."""
    config = loaded.config
    return [
        "settings",
        *_settings(loaded),
        "derived",
        *(f"  {line}" for line in derived(config)),
        *(
            f"warning: {remark.key} ({loaded.origin(remark.key)}): {remark.text}"
            for remark in remarks(config)
        ),
    ]


def derived(config: Config) -> list[str]:
    """Return what the settings amount to: orders, requote interval, worst cases of what counts."""
    markets, orders = quoted(config), resting_orders(config)
    rates, risk = config.rate_limits, config.risk
    if not markets:
        return ["no market is enabled: nothing is quoted"]
    levels = [market.levels.count for market in markets.values()]
    interval_ms = rates.requote_interval_ms(levels, MOST_PARTS)
    asked_ms = min(market.requote.min_interval_ms for market in markets.values())
    exposure_pct = min(
        sum(market.market_risk.max_market_exposure_pct for market in markets.values()),
        risk.max_total_exposure_pct,
    )
    exposure_usd = config.backtest.initial_equity_usd * Decimal(str(exposure_pct)) / 100
    return [
        f"{_count(len(markets), 'market')} quoted, {_count(orders, 'order')} at full depth",
        f"requote of every order at most every {interval_ms:,.0f} ms within the rate limits"
        f" (shortest min_interval_ms: {asked_ms:,})",
        f"worst-case exposure {exposure_pct:g} % of equity: {exposure_usd:,.2f} USD of"
        f" {config.backtest.initial_equity_usd:,.2f} USD",
        f"halts after {risk.loss.daily_limit_usd:,.2f} USD lost in a day or a fall of"
        f" {risk.loss.drawdown_from_peak_pct:g} % from the equity peak",
        f"a stop may take {worst_stop_s(config, orders):.0f} s when trading live, of"
        f" {config.runtime.stop_timeout_s:g} s granted",
    ]


def scalar(value: object) -> str:
    """Return a setting's value as YAML on one line."""
    if isinstance(value, tuple):
        return f"[{', '.join(scalar(entry) for entry in value)}]"
    if isinstance(value, SecretStr):
        return as_text(HIDDEN)
    if isinstance(value, Params):
        return scalar({at[-1]: below for at, below in values(value)})
    if isinstance(value, dict):
        return f"{{{', '.join(f'{scalar(key)}: {scalar(each)}' for key, each in value.items())}}}"
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(value)


def _settings(loaded: Loaded) -> Iterator[str]:
    shared = dict(values(loaded.config.defaults))
    for path, value in values(loaded.config):
        if path[0] == "markets" and value == shared[path[2:]] and path[2:] != ("enabled",):
            continue
        key, unit = ".".join(path), unit_of(path[-1])
        left = f"  {key:<52} {scalar(value)} {unit if value is not None else ''}".rstrip()
        origin = loaded.origin(key)
        yield left if origin == "default" else f"{left:<76} # {origin}"


def _nested(lines: Iterable[tuple[Path, object, str]]) -> Iterator[str]:
    above: Path = ()
    for path, value, comment in lines:
        shared = 0
        while shared < len(path) - 1 and path[shared : shared + 1] == above[shared : shared + 1]:
            shared += 1
        for depth in range(shared, len(path) - 1):
            yield f"{'  ' * depth}{scalar(path[depth])}:"
        text = f"{'  ' * (len(path) - 1)}{path[-1]}: {scalar(value)}"
        yield f"{text:<{COLUMN}}  {comment}" if comment else text
        above = path


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
