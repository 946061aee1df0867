"""Who may do what, and how often. Deny by default. Pure."""

from collections import deque

from mmbot.domain.control import Role
from mmbot.interfaces.telegram.params import ROLES, TelegramParams
from mmbot.interfaces.telegram.updates import Heard

MOST_KNOWN = 1_000
MINUTE_NS = 60_000_000_000


def role_of(params: TelegramParams, heard: Heard) -> Role | None:
    """Return what the speaker may do there, None for a stranger.

    Both the chat and the person have to be listed. A person is listed in `users`, or by the private
    chat with the bot; whoever is known by that alone may do in a group no more than the group.
    """
    chats = {each.id: ROLES[each.role] for each in params.chats}
    here = chats.get(heard.chat_id)
    if here is None:
        return None
    if heard.user_id in params.users:
        return ROLES[params.users[heard.user_id]]
    own = chats.get(heard.user_id)
    return None if own is None else min(own, here)


def has_admin(params: TelegramParams) -> bool:
    """Whether anybody is configured as an admin: from then on nobody is told their id."""
    own = (ROLES[each.role] for each in params.chats if each.id > 0)
    return Role.ADMIN in own or "admin" in params.users.values()


class Flood:
    """How many commands each person gave in the last minute."""

    def __init__(self) -> None:
        self._given: dict[int, deque[int]] = {}

    def take(self, user_id: int, now_ns: int, most: int) -> bool:
        """Count a command; False when there were too many, and then it does not count."""
        given = self._given.setdefault(user_id, deque(maxlen=most))
        if given.maxlen != most:
            given = self._given[user_id] = deque(given, maxlen=most)
        if len(given) == most and now_ns - given[0] < MINUTE_NS:
            return False
        given.append(now_ns)
        if len(self._given) > MOST_KNOWN:
            del self._given[next(iter(self._given))]
        return True
