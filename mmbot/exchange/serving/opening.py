"""Put a trading floor together around an operation and its faults."""

from mmbot.exchange.faults.answers import AnswerFaults
from mmbot.exchange.faults.engine import EngineFaults
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.faults.sockets import SocketFaults
from mmbot.exchange.faults.streams import Outgoing
from mmbot.exchange.running.operation import Operation
from mmbot.exchange.running.sockets import Hub
from mmbot.exchange.serving.floor import Floor
from mmbot.exchange.serving.reference import Reference


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
