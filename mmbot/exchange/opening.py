"""Put a trading floor together around an operation and its faults."""

from mmbot.exchange.fault_answers import AnswerFaults
from mmbot.exchange.fault_engine import EngineFaults
from mmbot.exchange.fault_sockets import SocketFaults
from mmbot.exchange.fault_streams import Outgoing
from mmbot.exchange.faults import Faults
from mmbot.exchange.floor import Floor
from mmbot.exchange.operation import Operation
from mmbot.exchange.reference import Reference
from mmbot.exchange.sockets import Hub


def open_floor(operation: Operation, faults: Faults, pongs: bool = True) -> Floor:
    """Put a floor together around an operation."""
    exchange, pace = operation.exchange, operation.pace
    hub = Hub()
    markets = {market.symbol: place for place, market in enumerate(exchange.params.markets)}
    return Floor(
        operation=operation,
        hub=hub,
        faults=faults,
        outgoing=Outgoing(exchange, hub, faults, pace),
        reference=Reference(exchange, operation.background, hub, faults, pace),
        answers=AnswerFaults(exchange, faults, pace),
        engine_faults=EngineFaults(operation, faults),
        socket_faults=SocketFaults(hub, faults, markets),
        pongs=pongs,
    )
