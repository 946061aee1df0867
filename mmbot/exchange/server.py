"""The exchange on the network: one port for REST, actions, streams, the reference and /_ctl/.

Requests are told apart by hand, below aiohttp's router: an action costs no more than it must.
Whatever the engine raises is a bug and ends the server; a client cannot cause it.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from mmbot.exchange import fault_actions, fault_answers, rest, stream_names
from mmbot.exchange.connections import Connections, Patience
from mmbot.exchange.control import MAX_BODY, Control, ControlError
from mmbot.exchange.fault_actions import ActionFaults, Reply
from mmbot.exchange.fault_answers import AnswerFaults, Told
from mmbot.exchange.floor import Floor
from mmbot.exchange.pacing import TICK_NS
from mmbot.exchange.upgrade import Upgrade
from mmbot.exchange.stream_names import Refused

MAX_ACTION = 1024
OCTETS = "application/octet-stream"
JSON = "application/json"
TEXT = "text/plain"


class ExchangeServer:
    """Serves a floor until `stop`; `failed` is done when the engine broke."""
