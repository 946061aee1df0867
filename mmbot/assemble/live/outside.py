"""Wires what a live bot sends outside by itself: alerts to a webhook, a heartbeat to a watcher."""

from collections.abc import Callable
from functools import partial

from mmbot.config.schema import Config
from mmbot.interfaces.webhook.params import WebhookParams
from mmbot.interfaces.webhook.posting import Webhook
from mmbot.interfaces.webhook.pulse import HeartbeatUrl
from mmbot.ports import Control
from mmbot.runtime.live import MarketMakerLive
from mmbot.secrets.redaction import KNOWN


class Outward:
    """The addresses in force; `follow` is told of settings that were applied."""

    def __init__(self, config: Config) -> None:
        self.params: WebhookParams
        self.follow(config)

    def follow(self, config: Config) -> None:
        """Take on other addresses, and have no output show them."""
        self.params = config.alerts
        for secret in (self.params.webhook_url, self.params.heartbeat_url):
            url = self.params.url(secret)
            if url is not None:
                KNOWN.add_text(url)

    def join(self, live: MarketMakerLive, control: Control, warn: Callable[[str], None]) -> None:
        """Have alerts and heartbeats sent as long as the bot runs."""
        posting = Webhook(lambda: self.params, warn)
        beating = HeartbeatUrl(lambda: self.params, warn)
        live.around.append(("webhook", partial(posting.run, control)))
        live.around.append(("heartbeat address", partial(beating.run, control)))
