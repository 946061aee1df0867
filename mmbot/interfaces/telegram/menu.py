"""The commands of the chat: who may give each, what it takes, what it does."""

from typing import NamedTuple

from mmbot.domain.control import Role, Verb


class Item(NamedTuple):
    """A command: the role it needs, its arguments, what it does, and the verb that does it."""

    role: Role
    arguments: str
    words: str
    verb: Verb | None = None


MENU: dict[str, Item] = {
    "status": Item(Role.VIEWER, "[market]", "how it stands"),
    "pnl": Item(Role.VIEWER, "[1d|7d|30d]", "profit and where it came from"),
    "positions": Item(Role.VIEWER, "", "what is held"),
    "orders": Item(Role.VIEWER, "", "orders that rest"),
    "fills": Item(Role.VIEWER, "[n]", "the latest trades"),
    "balance": Item(Role.VIEWER, "", "equity, margin, fees"),
    "risk": Item(Role.VIEWER, "", "limits: used, limit, left"),
    "explain": Item(Role.VIEWER, "[market]", "why the quotes are what they are"),
    "health": Item(Role.VIEWER, "", "feeds, latencies, session"),
    "alerts": Item(Role.VIEWER, "", "what is open"),
    "config": Item(Role.OPERATOR, "[key]", "settings in force"),
    "pause": Item(Role.OPERATOR, "[market] [reason]", "stop quoting, cancel", Verb.PAUSE),
    "cancelall": Item(
        Role.OPERATOR, "[market] [reason]", "cancel until nothing is left, pause", Verb.CANCEL_ALL
    ),
    "resume": Item(Role.OPERATOR, "[market]", "quote again", Verb.RESUME),
    "flatten": Item(Role.OPERATOR, "[market]", "cancel, give the position back", Verb.FLATTEN),
    "ack": Item(Role.OPERATOR, "[id]", "an alert is seen to, or all", Verb.ACK),
    "mute": Item(Role.OPERATOR, "[info|warning] 30m", "tell only what is critical for a while"),
    "unmute": Item(Role.OPERATOR, "", "tell everything again"),
    "set": Item(
        Role.ADMIN, "KEY VALUE [for 30m | persist]", "override a setting, or write it", Verb.SET
    ),
    "unset": Item(Role.ADMIN, "KEY", "end an override", Verb.UNSET),
    "reload": Item(Role.ADMIN, "", "read the settings again", Verb.RELOAD),
    "reset_halt": Item(Role.ADMIN, "REASON", "leave a halt", Verb.RESET_HALT),
    "reset_pnl": Item(Role.ADMIN, "REASON", "count losses anew", Verb.RESET_PNL),
    "stop": Item(Role.ADMIN, "", "take the orders off and end", Verb.STOP),
    "logs": Item(Role.ADMIN, "[n] [warning]", "the latest of the journal"),
    "bundle": Item(Role.ADMIN, "", "an archive about an incident"),
    "help": Item(Role.VIEWER, "", "this list"),
    "version": Item(Role.VIEWER, "", "version of the program"),
}
_KEYBOARD = (("status", "pnl", "risk"), ("pause", "cancelall"), ("resume", "help"))


def allowed(role: Role) -> dict[str, Item]:
    """Return what a role may use."""
    return {name: item for name, item in MENU.items() if role >= item.role}


def keyboard(role: Role) -> tuple[tuple[str, ...], ...]:
    """Return the keys below the chat, row by row."""
    may = allowed(role)
    rows = (tuple(f"/{name}" for name in row if name in may) for row in _KEYBOARD)
    return tuple(row for row in rows if row)


def help_lines(role: Role) -> list[str]:
    """Return the list for a role."""
    return [
        f"/{name} {item.arguments}".rstrip() + f" - {item.words}"
        for name, item in allowed(role).items()
    ]
