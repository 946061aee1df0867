"""Tells people from the command line: every chat, and the webhook, each as far as it is set."""

import os
from html import escape
from typing import NamedTuple

import msgspec

from mmbot.config.schema import Config
from mmbot.errors import SecretError
from mmbot.interfaces.telegram.outlet import LineError, Sending
from mmbot.interfaces.webhook.params import host_of
from mmbot.interfaces.webhook.posting import Posted
from mmbot.interfaces.webhook.sending import outside_session, send
from mmbot.secrets.params import SecretName
from mmbot.secrets.redaction import KNOWN
from mmbot.secrets.resolving import resolve

MOST_LETTERS = 3_500


class Told(NamedTuple):
    """A place that people were told at; `why` it was not taken there, None when it was."""

    place: str
    why: str | None


async def tell(config: Config, body: Posted, story: str = "") -> list[Told]:
    """Tell everybody; `story` are lines of equal letters that go along. Empty: nobody is set."""
    found = await _chats(config, body.text, story) if config.telegram.chats else []
    url = config.alerts.url(config.alerts.webhook_url)
    if url is not None:
        KNOWN.add_text(url)
        content = f"{body.text}\n{story}" if story else body.text
        whole = msgspec.structs.replace(body, text=content, content=content)
        async with outside_session() as session:
            why = await send(session, url, msgspec.json.encode(whole))
        found.append(Told(f"webhook at {host_of(url)}", why))
    return found


async def _chats(config: Config, text: str, story: str) -> list[Told]:
    # Takes half a second and 20 MB.
    from mmbot.interfaces.telegram.line import Line

    places = {each.id: f"chat {each.id} ({each.role})" for each in config.telegram.chats}
    try:
        token = resolve(config.secrets, SecretName.TELEGRAM_TOKEN, os.environ, _nobody)
    except SecretError as error:
        return [Told(place, str(error)) for place in places.values()]
    line = Line(token.reveal(), config.telegram.api_base_url)
    found = []
    try:
        for chat in config.telegram.chats:
            sending = Sending(chat.id, _html(text, story), thread_id=chat.topic_id)
            try:
                await line.send(sending)
            except LineError as error:
                found.append(Told(places[chat.id], str(error)))
            else:
                found.append(Told(places[chat.id], None))
    finally:
        await line.close()
    return found


def _html(text: str, story: str) -> str:
    head = escape(text, quote=False)
    if not story:
        return head
    # The last lines say most.
    room = MOST_LETTERS - len(head)
    letters = escape(story, quote=False)
    tail = letters if len(letters) <= room else f"...{letters[-room:].partition(chr(10))[2]}"
    return f"{head}\n<pre>{tail}</pre>"


def _nobody(_text: str) -> None:
    """Say nothing of where a token comes from: that is what `secrets check` is for."""
