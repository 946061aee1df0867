"""The slowest correct reading of raw captures: json, Decimal, lists, sorted."""

import json
from decimal import Decimal
from typing import Any

Row = tuple[int, int, int, int, int, int]

EXCH, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
LOWEST, HIGHEST = 0, 1 << 62


def arrival_rows(
    lines: list[str], tick: Decimal, lot: Decimal, *, offset_ns: int, chained: bool
) -> list[Row]:
    """Return the rows of a capture in arrival order, by the exchange's rule or as they come."""
    events = [(int(line[:19]) + offset_ns, json.loads(line[20:])) for line in lines]
    return _Reader(tick, lot).chained(events) if chained else _Reader(tick, lot).plain(events)


def sequenced(rows: list[Row]) -> list[Row]:
    """Merge the two stable sorts; a row first in both is written once, with both bits."""
    by_exch = sorted(rows, key=lambda row: row[0])
    by_local = sorted(rows, key=lambda row: row[1])
    merged: list[Row] = []
    while by_exch or by_local:
        exch = by_exch[0][:2] if by_exch else (1 << 63, 0)
        local = by_local[0][:2] if by_local else (1 << 63, 0)
        bits = (EXCH if exch <= local else 0) | (LOCAL if local <= exch else 0)
        row = (by_exch if exch <= local else by_local)[0]
        merged.append((*row[:4], row[4] | bits, row[5]))
        del by_exch[: int(exch <= local)]
        del by_local[: int(local <= exch)]
    return merged


class _Reader:
    def __init__(self, tick: Decimal, lot: Decimal) -> None:
        self.tick = tick
        self.lot = lot

    def plain(self, events: list[tuple[int, dict[str, Any]]]) -> list[Row]:
        rows: list[Row] = []
        for local, message in events:
            data = message.get("data", message)
            if "lastUpdateId" in data:
                rows += self.snapshot(data, local)
            elif data["e"] == "depthUpdate":
                rows += self.diff(data, local)
            elif data["e"] == "trade":
                rows += self.trade(data, local)
        return rows

    def chained(self, events: list[tuple[int, dict[str, Any]]]) -> list[Row]:
        rows: list[Row] = []
        coming = sum("lastUpdateId" in message for _, message in events)
        waiting: list[dict[str, Any]] | None = [] if coming else None
        last: int | None = None
        joining = False
        for local, message in events:
            data = message.get("data", message)
            if data.get("e") == "trade":
                rows += self.trade(data, local)
                continue
            todo: list[dict[str, Any]] = []
            if "lastUpdateId" in data:
                coming -= 1
                if waiting is None and last is not None and data["lastUpdateId"] <= last:
                    continue
                rows += self.snapshot(data, local)
                last, joining, todo, waiting = data["lastUpdateId"], True, waiting or [], None
            else:
                todo = [data]
            for diff in todo:
                if waiting is not None:
                    waiting.append(diff)
                    continue
                if last is not None and diff["u"] <= last:
                    continue
                if last is not None and not _follows(diff, last, joining):
                    at = (diff["T"] * 1_000_000, local)
                    rows.append((*at, LOWEST, 0, CLEAR | BUY, 0))
                    rows.append((*at, HIGHEST, 0, CLEAR | SELL, 0))
                    last = None
                    if coming:
                        waiting = [diff]
                        continue
                joining = False
                last = diff["u"]
                rows += self.diff(diff, local)
        return rows

    def levels(self, levels: list[list[str]], flags: int, at: tuple[int, int]) -> list[Row]:
        return [
            (*at, self.steps(price, self.tick), self.steps(size, self.lot), flags, 0)
            for price, size in levels
        ]

    def diff(self, data: dict[str, Any], local: int) -> list[Row]:
        at = (data["T"] * 1_000_000, local)
        return [
            *self.levels(data["b"], DEPTH | BUY, at),
            *self.levels(data["a"], DEPTH | SELL, at),
        ]

    def trade(self, data: dict[str, Any], local: int) -> list[Row]:
        if data.get("X", "MARKET") != "MARKET":
            return []
        at = (data["T"] * 1_000_000, local)
        side = SELL if data["m"] else BUY
        return self.levels([[data["p"], data["q"]]], TRADE | side, at)

    def snapshot(self, data: dict[str, Any], local: int) -> list[Row]:
        at = (data["T"] * 1_000_000, local)
        rows: list[Row] = []
        for name, side in (("bids", BUY), ("asks", SELL)):
            if data[name]:
                worst = self.steps(data[name][-1][0], self.tick)
                rows.append((*at, worst, 0, CLEAR | side, 0))
                rows += self.levels(data[name], SNAPSHOT | side, at)
        return rows

    @staticmethod
    def steps(text: str, step: Decimal) -> int:
        return int(Decimal(text) / step)


def _follows(diff: dict[str, Any], last: int, joining: bool) -> bool:
    if joining:
        return bool(diff["U"] <= last + 1 or diff["pu"] <= last)
    return bool(diff["pu"] == last)
