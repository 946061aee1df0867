"""What can be made to go wrong: the table of knobs, their schedule, their effects."""

from mmbot.exchange.faults.answers import AnswerFaults
from mmbot.exchange.faults.engine import EngineFaults
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.faults.sockets import SocketFaults
from mmbot.exchange.faults.streams import Outgoing

__all__ = ["AnswerFaults", "EngineFaults", "Faults", "Outgoing", "SocketFaults"]
