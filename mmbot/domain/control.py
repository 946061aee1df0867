"""What a person can ask of a running bot, and what it answers; the same for every face.

Reading is no command: it is `status`, `explain` and `subscribe` of ports.Control.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct


class Verb(StrEnum):
    """A command; what each does to the market is said beside it in `NEEDS`."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL_ALL = "cancel-all"
    FLATTEN = "flatten"
    RELOAD = "reload"
    SET = "set"
    UNSET = "unset"
    ACK = "ack"
    RESET_HALT = "reset-halt"
    RESET_PNL = "reset-pnl"
    LOG_LEVEL = "log-level"
    STOP = "stop"


class Role(IntEnum):
    """What somebody may do; a higher role may do all that a lower one may."""

    VIEWER = 0
    OPERATOR = 1
    ADMIN = 2


# Who may give a command: operators reduce risk and end their pauses, admins change what holds.
NEEDS: dict[Verb, Role] = {
    Verb.PAUSE: Role.OPERATOR,
    Verb.RESUME: Role.OPERATOR,
    Verb.CANCEL_ALL: Role.OPERATOR,
    Verb.FLATTEN: Role.OPERATOR,
    Verb.ACK: Role.OPERATOR,
    Verb.RELOAD: Role.ADMIN,
    Verb.SET: Role.ADMIN,
    Verb.UNSET: Role.ADMIN,
    Verb.RESET_HALT: Role.ADMIN,
    Verb.RESET_PNL: Role.ADMIN,
    Verb.LOG_LEVEL: Role.ADMIN,
    Verb.STOP: Role.ADMIN,
}
# Safe however old the wish is, and asked back about by no face.
REDUCING = frozenset({Verb.PAUSE, Verb.CANCEL_ALL})


class Who(Struct, frozen=True):
    """Who speaks, through which face: `cli`, `telegram`, `api` or `signal`."""

    face: str
    user: str
    role: Role

    def __str__(self) -> str:
        """The name that pauses and overrides are shown with."""
        return f"{self.face}:{self.user}"


# A signal has no answer.
SIGNAL_FACE = "signal"
# Those on the machine itself: they could edit the file as well.
LOCAL_FACES = frozenset({"cli", SIGNAL_FACE})
# How long an override holds when nobody says so.
DEFAULT_FOR_S = 3_600.0


class OperatorCommand(Struct, frozen=True):
    """One command. `market` None: all of them; `key`, `value`: of SET, UNSET, ACK and LOG_LEVEL.

    `value` of FLATTEN: bps beyond the best price, instead of what the settings allow.
    for_s: how long an override holds, seconds. dry_run: only say what would change.
    """

    verb: Verb
    who: Who
    issued_ns: int
    reason: str = ""
    market: str | None = None
    key: str | None = None
    value: str | None = None
    for_s: float | None = None
    dry_run: bool = False


class Result(StrEnum):
    """OK: done and seen to be done. REFUSED: nothing was done. UNKNOWN: not seen to be done."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Change(Struct, frozen=True):
    """A setting that differs; None where it is not there. `live`: applies without a restart."""

    key: str
    old: str | None
    new: str | None
    live: bool

    def __str__(self) -> str:
        """The key, what it was and what it is."""
        old, new = ("-" if each is None else each for each in (self.old, self.new))
        return f"{self.key}: {old} -> {new}" + ("" if self.live else "  [restart]")


class Answer(Struct, frozen=True):
    """What became of a command. `message` is for a person, `facts` are its numbers by name.

    before, after: the mode of the bot, with what stops it. exit_code: of a verb of the command
    line. changes: settings that differ, for RELOAD, SET and UNSET.
    """

    result: Result
    message: str
    before: str = ""
    after: str = ""
    facts: dict[str, int | float | str] = {}
    changes: tuple[Change, ...] = ()
    exit_code: int = 0


def refused(message: str, exit_code: int = 1) -> Answer:
    """Say that nothing was done, and why."""
    return Answer(Result.REFUSED, message, exit_code=exit_code)


class Override(Struct, frozen=True):
    """A setting in force until a moment; `value` and `old` are YAML on one line."""

    key: str
    value: str
    old: str
    until_ns: int
    by: str
