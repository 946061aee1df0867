"""What a bot writes down: trades and money, orders, events, halts; and how it is read again."""

from mmbot.ledger.ledger import Ledger
from mmbot.ledger.opening import open_ledger
from mmbot.ledger.params import StorageParams

__all__ = ["Ledger", "StorageParams", "open_ledger"]
