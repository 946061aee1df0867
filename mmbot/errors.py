"""The one exception tree, sorted by what the caller must do next.

MmbotError
  ConfigError          fix the configuration; lists every problem at once (exit 3)
  UsageError           call the command with other arguments (exit 2)
  DataError            fix or replace an input file; names file and place (exit 1)
  InUse                another process holds what is needed (exit 7)
  NotRunning           no bot answers: start one, or do without (exit 9)
  WireError            bytes are no message of the venue's protocol; what they meant is unknown
  ActionError          an action breaks a rule of the venue or the signer; nothing was sent
  SecretError          a key is missing, damaged or refused (exit 4)
  Unfit                a person has to put something right before trading can begin (exit 6)
  VenueError           the venue cannot be used right now, as the subclass says
    Unavailable        could not reach it, nothing was sent; wait and try again (exit 5)
    RateLimited        slow down; wait for `retry_after_s` first (exit 5)
    OutcomeUnknown     it may have happened; look at the venue's truth before anything else (exit 8)
    SessionExpired     the venue no longer knows our session; make a new one (exit 4)
    ProtocolViolation  we do not understand the venue; stop and look (exit 1)
  BuildError           build the native kernels (exit 1)
  InvariantViolation   our bug; let it end the process (exit 1)
"""

from collections.abc import Sequence


class MmbotError(Exception):
    """Anything mmbot raises on purpose; `exit_code` is what the process ends with."""

    exit_code = 1


class ConfigError(MmbotError):
    """The configuration is unreadable or invalid; `problems` has one line per mistake."""

    exit_code = 3

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class UsageError(MmbotError):
    """The arguments of a command do not make sense together."""

    exit_code = 2


class DataError(MmbotError):
    """An input file is missing, damaged or out of order; names place and expectation."""


class InUse(MmbotError):  # noqa: N818 - like its neighbours
    """Another process holds what is needed; wait for its end, or end it."""

    exit_code = 7


class NotRunning(MmbotError):  # noqa: N818 - like its neighbours
    """No bot of this instance answers, or it has just gone."""

    exit_code = 9


class WireError(MmbotError):
    """Bytes are no message of the venue's protocol: of a reply, the outcome is unknown.

    `number` is the error a venue answers when the bytes were an action (protocol 5.9).
    """

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(reason)
        self.number = number


class ActionError(MmbotError, ValueError):
    """An action breaks a rule of the venue or of the signer; nothing was signed or sent."""


class SecretError(MmbotError):
    """A key is missing, damaged or refused; the message never contains any of it."""

    exit_code = 4


class Unfit(MmbotError):  # noqa: N818 - a state of things
    """Trading cannot begin until a person has put something right, such as an empty account."""

    exit_code = 6


class VenueError(MmbotError):
    """The venue cannot be used right now; the subclass says what to do next."""


class Unavailable(VenueError):  # noqa: N818 - the architecture's name
    """The venue could not be reached and nothing was sent; wait and try again."""

    exit_code = 5


class RateLimited(VenueError):  # noqa: N818 - the architecture's name
    """The venue asks for fewer requests; `retry_after_s` is its wish, None when it has none."""

    exit_code = 5

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class OutcomeUnknown(VenueError):  # noqa: N818 - the architecture's name
    """A request may or may not have taken effect; read the venue's truth before acting again."""

    exit_code = 8


class SessionExpired(VenueError):  # noqa: N818 - the architecture's name
    """The venue does not know the session any more; create a new one."""

    exit_code = 4


class ProtocolViolation(VenueError):  # noqa: N818 - the architecture's name
    """The venue said something that cannot be understood; names endpoint and field, not content."""


class BuildError(MmbotError):
    """The native kernels are missing or belong to another build."""


class InvariantViolation(MmbotError):  # noqa: N818 - the architecture's name
    """Something that cannot happen happened; stopping is the only safe answer."""
