"""RefusalError: the engine says no to an action, with the protocol's error number (5.9)."""

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.errors import MmbotError


class RefusalError(MmbotError):
    """An action that must leave no trace; `code` goes into the receipt."""

    def __init__(self, code: int) -> None:
        super().__init__(f"refused with {code}")
        self.code = code


def refuse_unless(condition: bool, code: "pb.Error.ValueType") -> None:
    """Refuse the action unless the condition holds."""
    if not condition:
        raise RefusalError(code)
