"""Where it is decided what became of orders: the parts that answers and snapshots act on."""

from mmbot.adapters.zo.trading.hindrances import Hindrances
from mmbot.adapters.zo.trading.joins import Joins
from mmbot.adapters.zo.trading.known_orders import KnownOrders
from mmbot.adapters.zo.trading.settling import Settling


class Evidence:
    """Orders, their two names, what snapshots prove, and what forbids quoting."""

    def __init__(
        self, orders: KnownOrders, joins: Joins, settling: Settling, hindrances: Hindrances
    ) -> None:
        self.orders = orders
        self.joins = joins
        self.settling = settling
        self.hindrances = hindrances
