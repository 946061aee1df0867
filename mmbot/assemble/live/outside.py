"""Wires what a live bot sends outside by itself: alerts to a webhook, a heartbeat to a watcher."""

from collections.abc import Callable
from functools import partial

from mmbot.config.schema import Config
from mmbot.interfaces.webhook.params import WebhookParams
from mmbot.interfaces.webhook.posting import Webhook
from mmbot.interfaces.webhook.pulse import HeartbeatUrl
from mmbot.ports import Control
from mmbot.runtime.live import MarketMakerLive


class Outward:
    """The addresses in force; `follow` is told of settings that were applied."""

    def __init__(self, config: Config) -> None:
        self.params: WebhookParams = config.alerts

    def follow(self, config: Config) -> None:
        """Take on other addresses."""
        self.params = config.alerts

    def join(self, live: MarketMakerLive, control: Control, warn: Callable[[str], None]) -> None:
        """Have alerts and heartbeats sent as long as the bot runs."""
        posting = Webhook(lambda: self.params, warn)
        beating = HeartbeatUrl(lambda: self.params, warn)
        live.around.append(("webhook", partial(posting.run, control)))
        live.around.append(("heartbeat address", partial(beating.run, control)))
