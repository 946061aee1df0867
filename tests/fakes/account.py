"""An account at the venue: its orders and position with their history, told as frames."""

import json
from random import Random

Orders = dict[int, int]
Told = dict[str, dict[str, object]]


class FakeAccount:
    """Trades one market with the venue's decimals; numbers are actions, linked, not consecutive."""

    def __init__(self, account_id: int, decimals: tuple[int, int], rng: Random) -> None:
        self.account_id = account_id
        self.decimals = decimals
        self.rng = rng
        self.update_id = rng.randrange(1, 1000)
        self.sides: dict[int, int] = {}
        self.orders: Orders = {}
        self.position = 0
        self.next_order = 1
        self.history: dict[int, tuple[int, Orders]] = {}
        self.note()

    def note(self) -> None:
        self.history[self.update_id] = (self.position, dict(self.orders))

    def act(self) -> bytes:
        """Place, fill or cancel something; the frame that tells of it."""
        last = self.update_id
        self.update_id += self.rng.randint(1, 4)
        told: Told = {"fills": {}, "places": {}, "cancels": {}}
        for _ in range(self.rng.randint(1, 2)):
            kind = self.rng.choice("ppffc") if self.orders else "p"
            if kind == "p":
                self.place(told)
            else:
                order_id = self.rng.choice(list(self.orders))
                if str(order_id) in told["places"] or str(order_id) in told["fills"]:
                    continue
                if kind == "f":
                    self.fill(order_id, told)
                else:
                    told["cancels"][str(order_id)] = self.order(order_id)
                    del self.orders[order_id]
        self.note()
        inner = {
            "last_update_id": last,
            "update_id": self.update_id,
            "account_id": self.account_id,
            **told,
            "balances": {"0": 12.5},
        }
        return json.dumps({"account": inner}).encode()

    def place(self, told: Told) -> None:
        order_id = self.next_order
        self.next_order += 1
        self.sides[order_id] = self.rng.choice([1, -1])
        self.orders[order_id] = self.rng.randint(1, 60)
        if self.rng.random() < 0.3:
            # It takes what it meets and rests with the remainder.
            self.fill(order_id, told, once=True)
        if order_id in self.orders:
            told["places"][str(order_id)] = self.order(order_id)

    def fill(self, order_id: int, told: Told, *, once: bool = False) -> None:
        lots = 0
        executions = 1 if once else self.rng.choice([1, 1, 2])
        for _ in range(executions):
            if not self.orders[order_id]:
                break
            lots = self.rng.randint(1, self.orders[order_id])
            self.orders[order_id] -= lots
            self.position += lots * self.sides[order_id]
        # Of several executions the map by order id tells the last only.
        told["fills"][str(order_id)] = {
            "side": "bid" if self.sides[order_id] > 0 else "ask",
            "quantity": lots / 10 ** self.decimals[1],
            "remaining": self.orders[order_id] / 10 ** self.decimals[1],
            "price": 10.5,
            "order_id": str(order_id),
            "market_id": 0,
            "maker_id": self.account_id,
            "taker_id": 99,
            "sender_tracking_id": None,
        }
        if not self.orders[order_id]:
            del self.orders[order_id]

    def order(self, order_id: int) -> dict[str, object]:
        return {
            "side": "bid" if self.sides[order_id] > 0 else "ask",
            "current_size": self.orders[order_id] / 10 ** self.decimals[1],
            "price": 10.5,
            "market_id": 0,
        }


def merged(first: bytes, second: bytes) -> list[bytes]:
    """Two frames as the one a busy venue sends, if the second follows the first."""
    one, other = (json.loads(frame)["account"] for frame in (first, second))
    if other["last_update_id"] != one["update_id"]:
        return [first, second]
    for order_id, fill in other["fills"].items():
        if order_id in one["places"]:
            fill["quantity"] = one["places"][order_id]["current_size"] - fill["remaining"]
        if order_id in one["fills"]:
            fill["quantity"] += one["fills"][order_id]["quantity"]
    for name in ("fills", "places", "cancels"):
        one[name].update(other[name])
    one["update_id"] = other["update_id"]
    return [json.dumps({"account": one}).encode()]
