"""Actions: a signed body in, a receipt out; a refusal leaves no trace but its error number."""

from mmbot.adapters.zo.wire import codec
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine import users
from mmbot.exchange.engine.admission import Admitted, admit, remember
from mmbot.exchange.engine.dispatch import perform
from mmbot.exchange.engine.refusals import RefusalError
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import Executed


def act(venue: Venue, body: bytes) -> bytes:
    """Carry out an action. With an error, the receipt shows the next id, which stays free."""
    try:
        admitted = admit(venue, body)
    except RefusalError as refusal:
        return _refused(venue, refusal.code)
    code = venue.rules.forced_error(admitted.kind)
    if code is not None:
        return _failed(venue, admitted, code)
    if admitted.kind == "create_session" and admitted.user is None:
        user = users.ensure(venue, admitted.action.create_session.user_pubkey)
        admitted = admitted._replace(user=user)
    turn = Turn(venue)
    try:
        receipt = perform(turn, admitted)
    except RefusalError as refusal:
        turn.rollback()
        return _failed(venue, admitted, refusal.code)
    turn.records.actions.append(Executed(turn.action_id, turn.now_ns, admitted.raw))
    turn.commit()
    remember(venue, admitted.digest)
    return codec.encode_receipt(receipt, admitted.generation)


def _failed(venue: Venue, admitted: Admitted, code: int) -> bytes:
    if venue.rules.remember_failed:
        remember(venue, admitted.digest)
    return _refused(venue, code)


def _refused(venue: Venue, code: int) -> bytes:
    receipt = pb.Receipt(action_id=venue.state.action_id + 1)
    receipt.err = pb.Error.ValueType(code)
    return codec.encode_receipt(receipt)
