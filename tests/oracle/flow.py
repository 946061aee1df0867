"""The synthetic flow in plain Python, following the model's text one step after another.

Same random numbers, same formulas: the kernel must give these rows to the last lot.
"""

import math
from collections.abc import Iterable, Mapping

DT = 0.05
SUBSTEP_NS = 50_000_000
WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
BUY, SELL = 0x20000000, 0x10000000
DEPTH, TAKE = 0xC0000001, 0x80000005

Row = tuple[int, int, int, int, int, int]
Levels = dict[int, int]


def mixed(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
    return z ^ (z >> 31)


class Stream:
    """xoshiro256++ seeded by splitmix64."""

    def __init__(self, seed: int, number: int) -> None:
        z = mixed(seed + GOLDEN & WORD) ^ mixed(number * GOLDEN & WORD)
        self.words = [mixed(z + i * GOLDEN & WORD) for i in (1, 2, 3, 4)]
        self.spare: float | None = None

    def uniform(self) -> float:
        a, b, c, d = self.words
        drawn = a + d & WORD
        drawn = ((drawn << 23 | drawn >> 41) + a) & WORD
        c, d, shifted = c ^ a, d ^ b, b << 17 & WORD
        b, a, c = b ^ c, a ^ d, c ^ shifted
        self.words = [a, b, c, (d << 45 | d >> 19) & WORD]
        return ((drawn >> 12) + 0.5) / 2**52

    def normal(self) -> float:
        if self.spare is not None:
            found, self.spare = self.spare, None
            return found
        s = 0.0
        while not 0.0 < s < 1.0:
            u, v = 2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0
            s = u * u + v * v
        factor = math.sqrt(-2.0 * math.log(s) / s)
        self.spare = v * factor
        return u * factor

    def exponential(self) -> float:
        return -math.log(self.uniform())

    def sign(self) -> float:
        return 1.0 if self.uniform() < 0.5 else -1.0


def nearest(x: float) -> int:
    """Halves go away from zero, as in C."""
    return math.floor(x + 0.5) if x >= 0 else math.ceil(x - 0.5)


class Flow:
    """The market's state; sides are 0 for bids and 1 for asks."""

    def __init__(
        self, params: Mapping[str, float], *, seed: int, market: int, clock: tuple[int, int, int]
    ) -> None:
        self.p = dict(params)
        self.market = market
        self.clock = clock
        self.path, self.noise, self.informed = (Stream(seed, n) for n in (1, 2, 3))
        if self.path.uniform() < 0.5:
            self.p["drift"] *= -1
        self.state = dict.fromkeys(
            ("value", "makers", "log_vol", "alpha", "log_spread", "bounce", "hawkes", "ref"), 0.0
        )
        self.state["noise_sign"] = 1.0
        self.index = 0
        self.empty = (0, 0)
        self.queues = [0.0, 0.0]
        self.anchors = [1e18, 1e18]
        self.books: tuple[Levels, Levels] = ({}, {})

    @property
    def reference(self) -> float:
        return self.p["price_ticks"] + self.state["ref"] * self.p["ticks_per_bps"]

    def substep(
        self, best_bid: int | None, best_ask: int | None, prints: Iterable[tuple[int, ...]]
    ) -> list[Row]:
        bids, asks = self.books
        own_bid = best_bid if best_bid and (not bids or best_bid > max(bids)) else 0
        own_ask = best_ask if best_ask and (not asks or best_ask < min(asks)) else 0
        announced = self.react(list(prints))
        factors = self.move_value()
        bid, ask = self.move_makers(*factors)
        books = (self.lay(0, bid, factors[1]), self.lay(1, ask, factors[1]))
        rows = self.withdrawn(books)
        if own_ask and books[0] and bid >= own_ask:
            rows.append(self.row(TAKE | BUY, bid, 10**12))
            own_ask = 0
        if own_bid and books[1] and ask <= own_bid:
            rows.append(self.row(TAKE | SELL, ask, 10**12))
            own_bid = 0
        rows += self.announced(books, announced)
        self.books = books
        rows += self.noise_takers(bid, ask)
        rows += self.informed_takers(max(bid, own_bid), min(ask, own_ask) if own_ask else ask)
        self.index += 1
        return rows

    def react(self, prints: list[tuple[int, ...]]) -> tuple[set[int], set[int]]:
        """Impact of every taker, and which levels must be announced again."""
        stale: tuple[set[int], set[int]] = (set(), set())
        groups: list[tuple[int, int, list[int]]] = []
        for ns, side, ticks, lots in prints:
            if not groups or groups[-1][:2] != (ns, side):
                groups.append((ns, side, []))
            groups[-1][2].append(lots)
            hit = 1 if side > 0 else 0
            book = self.books[hit]
            if ticks in book:
                stale[hit].add(ticks)
                if ticks == (min(book) if hit else max(book)):
                    self.queues[hit] -= 0.5 * min(1.0, lots / book[ticks])
        for _, side, sizes in groups:
            size = math.sqrt(sum(lots / self.p["lots_per_unit"] for lots in sizes))
            self.state["makers"] += side * self.p["temporary_impact"] * size
            self.state["value"] += side * self.p["permanent_impact"] * size
        return stale

    def move_value(self) -> tuple[float, float]:
        p, s, step = self.p, self.state, math.sqrt(DT)
        s["log_vol"] += (
            -p["vol_return"] * s["log_vol"] * DT + p["volvol"] * step * self.path.normal()
        )
        move = p["sigma"] * math.exp(s["log_vol"]) * step * self.path.normal() + p["drift"] * DT
        if self.path.uniform() < p["jump_rate"] * DT:
            jump = p["jump_mean"] * self.path.exponential()
            move += jump * self.path.sign()
        s["alpha"] += -p["alpha_return"] * s["alpha"] * DT
        s["alpha"] += p["alpha_sd"] * math.sqrt(2 * p["alpha_return"]) * step * self.path.normal()
        move += (s["alpha"] - p["reversion"] * s["value"]) * DT
        crash, spread, depth = self.crash()
        move += crash
        s["ref"] = s["value"]
        s["value"] = max(-9000.0, s["value"] + move)
        s["ref"] += p["reference_noise"] * self.path.normal()
        return spread, depth

    def crash(self) -> tuple[float, float, float]:
        """Move of this sub-step in bps, factor of the spread, factor of the depth."""
        p = self.p
        since = self.index * DT - p["crash_start"]
        if p["crash_fall"] == 0 or since < 0 or since >= p["crash_s"] + p["rebound_s"]:
            return 0.0, 1.0, 1.0
        if since < p["crash_s"]:
            return -(p["crash_fall"] * DT / p["crash_s"]), p["crash_spread"], p["crash_depth"]
        share = (since - p["crash_s"]) / p["rebound_s"]
        back = p["crash_fall"] * p["rebound"] * DT / p["rebound_s"]
        spread = p["crash_spread"] + (1.0 - p["crash_spread"]) * share
        return back, spread, p["crash_depth"] + (1.0 - p["crash_depth"]) * share

    def move_makers(self, spread_factor: float, _: float) -> tuple[int, int]:
        p, s, step = self.p, self.state, math.sqrt(DT)
        s["makers"] += (s["value"] - s["makers"]) * (1.0 - math.exp(-DT / p["maker_lag"]))
        s["log_spread"] += -0.5 * s["log_spread"] * DT
        s["log_spread"] += p["half_spread_noise"] * step * self.path.normal()
        s["bounce"] += -4.0 * s["bounce"] * DT
        s["bounce"] += p["bounce"] * math.sqrt(8.0) * step * self.path.normal()
        half = p["half_spread"] * math.exp(s["log_spread"]) * spread_factor
        half *= 1.0 + p["half_spread_vol"] * (math.exp(s["log_vol"]) - 1.0)
        centre = p["price_ticks"] + (s["makers"] + s["bounce"]) * p["ticks_per_bps"]
        bid = math.floor(centre - half * p["ticks_per_bps"])
        ask = max(bid + 1, math.ceil(centre + half * p["ticks_per_bps"]))
        tilt = 0.3 * max(-3.0, min(3.0, (s["value"] - s["makers"]) / max(half, 0.2)))
        if p["alpha_sd"] > 0.0:
            tilt += p["tilt"] * s["alpha"] / p["alpha_sd"]
        for side, target in ((0, 0.5 * tilt), (1, -0.5 * tilt)):
            self.queues[side] += 2.0 * (target - self.queues[side]) * DT
            self.queues[side] += 1.2 * step * self.path.normal()
        self.one_sided()
        return bid, ask

    def one_sided(self) -> None:
        left, side = self.empty
        if left > 0:
            self.empty = (left - 1, side)
        elif self.p["one_sided"] > 0.0 and self.path.uniform() < self.p["one_sided"] * DT:
            left = 1 + int(self.path.uniform() * 2.0 / DT)
            self.empty = (left, 0 if self.path.sign() > 0.0 else 1)

    def lay(self, side: int, touch: int, depth_factor: float) -> Levels:
        """Levels of a side; prices seen from outside, so that farther is always greater."""
        if self.empty[0] > 0 and self.empty[1] == side:
            return {}
        gap = max(1, nearest(self.p["gap"] * self.p["ticks_per_bps"]))
        outward = 1 if side else -1
        x = outward * touch
        if abs(x - self.anchors[side]) > gap:
            self.anchors[side] = float(x)
        unit = self.p["depth"] * depth_factor * self.p["lots_per_unit"]
        levels = {touch: max(1, nearest(unit * math.exp(self.queues[side])))}
        first = math.ceil(x / gap + 0.5)
        for grid in range(first, first + int(self.p["levels"])):
            rank = max(1, nearest((grid * gap - self.anchors[side]) / gap))
            size = unit * 0.7 * (1.0 + 0.3 * rank)
            wobble = 0.7 + 0.6 * ((mixed(grid * GOLDEN & WORD) >> 11) / 2**53)
            levels[outward * grid * gap] = max(1, nearest(size * wobble))
        return levels

    def withdrawn(self, books: tuple[Levels, Levels]) -> list[Row]:
        rows = []
        for side, flag in ((0, BUY), (1, SELL)):
            rows += [
                self.row(DEPTH | flag, ticks, 0)
                for ticks in self.books[side]
                if ticks not in books[side]
            ]
        return rows

    def announced(
        self, books: tuple[Levels, Levels], stale: tuple[set[int], set[int]]
    ) -> list[Row]:
        rows = []
        for side, flag in ((0, BUY), (1, SELL)):
            rows += [
                self.row(DEPTH | flag, ticks, lots)
                for ticks, lots in books[side].items()
                if ticks in stale[side] or self.books[side].get(ticks) != lots
            ]
        return rows

    def noise_takers(self, bid: int, ask: int) -> list[Row]:
        p = self.p
        rows: list[Row] = []
        self.state["hawkes"] *= math.exp(-p["noise_decay"] * DT)
        none = math.exp(-(p["noise_rate"] + self.state["hawkes"]) * DT)
        room = self.noise.uniform()
        while room > none and len(rows) < 64:
            if self.noise.uniform() >= p["noise_persistence"]:
                self.state["noise_sign"] = self.noise.sign()
            size = p["noise_min_size"] * self.noise.uniform() ** (-1.0 / p["noise_tail"])
            limit = 0.5 * (bid + ask) + self.state["noise_sign"] * 60.0 * p["ticks_per_bps"]
            rows.append(self.take(self.state["noise_sign"], min(size, 2000.0), limit))
            self.state["hawkes"] += p["noise_branching"] * p["noise_decay"]
            room *= self.noise.uniform()
        return rows

    def informed_takers(self, best_bid: int, best_ask: int) -> list[Row]:
        p = self.p
        fair = p["price_ticks"] + self.state["value"] * p["ticks_per_bps"]
        edge = p["informed_edge"] * p["ticks_per_bps"]
        direction = 1.0 if fair > best_ask + edge else -1.0 if fair < best_bid - edge else 0.0
        if not direction or self.informed.uniform() <= math.exp(-p["informed_rate"] * DT):
            return []
        size = p["informed_size"] * math.exp(0.8 * self.informed.normal())
        return [self.take(direction, size, fair - direction * edge)]

    def take(self, direction: float, size: float, limit: float) -> Row:
        lots = max(1, nearest(size * self.p["lots_per_unit"]))
        if direction > 0.0:
            return self.row(TAKE | BUY, math.floor(limit), lots)
        return self.row(TAKE | SELL, math.ceil(limit), lots)

    def row(self, flags: int, ticks: int, lots: int) -> Row:
        start_ns, latency_ns, _ = self.clock
        exch_ns = start_ns + self.index * SUBSTEP_NS
        return (exch_ns, exch_ns + latency_ns, ticks, lots, flags, self.market)
