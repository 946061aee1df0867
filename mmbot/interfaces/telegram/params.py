"""Settings of the chat: who may speak, what is asked back about, what is told and how loudly."""

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from mmbot.domain.control import Role
from mmbot.domain.params import Params
from mmbot.interfaces.webhook.params import WebhookParams

RoleName = Literal["viewer", "operator", "admin"]
Loudness = Literal["loud", "silent", "none"]
UserId = Annotated[int, Field(ge=1, lt=1 << 52)]
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
ROLES: dict[RoleName, Role] = {
    "viewer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "admin": Role.ADMIN,
}


class ChatParams(Params):
    """A chat the bot speaks in; a group's role limits its members, it gives them none."""

    id: Annotated[
        int, Field(gt=-(1 << 52), lt=1 << 52, description="of the chat; a group's is negative")
    ]
    role: Annotated[RoleName, Field(description="what may be done there at most")] = "viewer"
    topic_id: Annotated[
        int | None, Field(ge=1, description="topic of a forum that is written into")
    ] = None


class ConfirmParams(Params):
    """Which commands are asked back about; others that add risk always are."""

    resume: Annotated[bool, Field(description="quote again")] = True
    set: Annotated[bool, Field(description="override a setting")] = True
    flatten: Annotated[bool, Field(description="give the position back")] = True
    stop: Annotated[bool, Field(description="end the run; the name is typed")] = True
    cancelall: Annotated[bool, Field(description="take all orders off")] = False


class NotifyParams(Params):
    """How loudly each kind of news is told: loud, silent (no sound) or none."""

    startup: Annotated[Loudness, Field(description="a run has begun")] = "loud"
    shutdown: Annotated[Loudness, Field(description="a run ends")] = "loud"
    fill: Annotated[Loudness, Field(description="each trade, within a second")] = "none"
    fill_digest: Annotated[Loudness, Field(description="trades of the last minutes")] = "silent"
    daily_report: Annotated[Loudness, Field(description="the day before, with its curve")] = "loud"
    risk: Annotated[Loudness, Field(description="limits, positions, what is unexpected")] = "loud"
    halt: Annotated[Loudness, Field(description="a protection has acted")] = "loud"
    connection: Annotated[Loudness, Field(description="feeds, books, the venue")] = "silent"
    order_error: Annotated[Loudness, Field(description="orders refused or not known")] = "silent"
    config: Annotated[Loudness, Field(description="settings changed, commands given")] = "loud"
    hedge: Annotated[Loudness, Field(description="hedges")] = "silent"
    lease: Annotated[Loudness, Field(description="who owns the account")] = "loud"


class TelegramParams(Params):
    """The bot in a chat; who is not listed is not answered. Its token: `secrets.telegram_token`."""

    enabled: Annotated[bool, Field(description="speak and listen there")] = False
    api_base_url: Annotated[
        str, Field(description="https://, or http:// to a Bot API server on this machine")
    ] = "https://api.telegram.org"
    chats: Annotated[
        tuple[ChatParams, ...],
        Field(max_length=50, description="where the bot speaks; ids, never @names"),
    ] = ()
    users: Annotated[
        dict[UserId, RoleName],
        Field(max_length=200, description="role by user id, in private and in groups"),
    ] = {}  # noqa: RUF012 - the model copies it
    confirm: ConfirmParams = ConfirmParams()
    confirm_timeout_s: Annotated[
        float, Field(ge=1, le=300, description="a question is good for so long")
    ] = 30.0
    command_max_age_s: Annotated[
        float,
        Field(ge=5, le=3_600, description="older commands are refused, but pause and cancelall"),
    ] = 60.0
    commands_per_minute: Annotated[
        int, Field(ge=1, le=600, description="by one user; pause and cancelall do not count")
    ] = 20
    quiet_hours_utc: Annotated[
        str | None,
        Field(
            pattern=f"^{_TIME}-{_TIME}$",
            description='such as "22:00-06:00": only what is critical makes a sound',
        ),
    ] = None
    notify: NotifyParams = NotifyParams()
    fill_digest_s: Annotated[
        float, Field(ge=10, le=86_400, description="how often trades are summed up")
    ] = 300.0
    daily_report_utc: Annotated[
        str, Field(pattern=f"^{_TIME}$", description="when the day before is reported")
    ] = "00:05"

    @field_validator("api_base_url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("api_base_url is a plain address, without user, query or fragment")
        if parts.scheme == "https" and parts.hostname:
            return url
        if parts.scheme == "http" and parts.hostname and _is_this_machine(parts.hostname):
            return url
        raise ValueError("api_base_url is https://, or http:// to this machine")

    @field_validator("chats")
    @classmethod
    def _are_listed_once(cls, chats: tuple[ChatParams, ...]) -> tuple[ChatParams, ...]:
        if len({each.id for each in chats}) < len(chats):
            raise ValueError("chats has the same id twice")
        return chats


class AlertParams(WebhookParams):
    """How alerts are folded together, when they are told again, and where besides the chat."""

    dedupe_window_s: Annotated[
        float, Field(ge=1, le=86_400, description="the same again: one message, with a count")
    ] = 300.0
    max_per_minute_count: Annotated[
        int, Field(ge=1, le=60, description="more messages are folded into one")
    ] = 12


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
