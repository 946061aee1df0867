"""Dispatch: an admitted action is carried out by its kind and answered with a receipt."""

from collections.abc import Callable
from typing import Any

from mmbot.adapters.zo.wire.codec import Generation
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine import limits, money, orders, sessions, triggers
from mmbot.exchange.engine.admission import Admitted
from mmbot.exchange.engine.refusals import RefusalError, refuse_unless
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.model import User


def perform(turn: Turn, admitted: Admitted) -> pb.Receipt:
    """Do what the action asks within the turn; RefusalError when it may not be done."""
    todo = _KINDS.get(admitted.kind)
    if todo is None:
        raise RefusalError(pb.ACTION_NOT_ALLOWED)
    receipt = pb.Receipt(action_id=turn.action_id)
    todo(turn, admitted, receipt)
    return receipt


def account_of(turn: Turn, user: User, message: Any, field: str) -> int:
    """Return the account an action names, or the user's first; it must be the user's own."""
    if not message.HasField(field):
        refuse_unless(bool(user.account_ids), pb.ACCOUNT_NOT_FOUND)
        return user.account_ids[0]
    account_id = int(getattr(message, field))
    refuse_unless(account_id in turn.state.accounts, pb.ACCOUNT_NOT_FOUND)
    refuse_unless(account_id in user.account_ids, pb.ACCOUNT_INVALID_OWNER)
    return account_id


def _user(admitted: Admitted) -> User:
    if admitted.user is None:
        raise RefusalError(pb.USER_NOT_FOUND)
    return admitted.user


def _create_session(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    session_id = sessions.create(turn, _user(admitted), admitted.action.create_session)
    receipt.create_session_result.session_id = session_id


def _revoke_session(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    sessions.revoke(turn, _user(admitted), admitted.action.revoke_session.session_id)
    receipt.session_revoked.SetInParent()


def _place_order(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    order = admitted.action.place_order
    refuse_unless(not order.HasField("delegator_account_id"), pb.ACTION_NOT_ALLOWED)
    account_id = account_of(turn, _user(admitted), order, "sender_account_id")

    def work() -> None:
        asked = limits.asked_order(order)
        result = orders.place(turn, account_id, asked, order.session_id)
        receipt.trade_or_place.CopyFrom(result)

    orders.guarded(turn, account_id, work)


def _cancel_by_id(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    asked, user = admitted.action.cancel_order_by_id, _user(admitted)
    refuse_unless(not asked.HasField("delegator_account_id"), pb.ACTION_NOT_ALLOWED)
    accounts = user.account_ids
    if asked.HasField("sender_account_id"):
        accounts = [account_of(turn, user, asked, "sender_account_id")]
    done = orders.cancel_by_id(turn, accounts, asked.order_id)
    receipt.cancel_order_result.CopyFrom(done)


def _cancel_by_client_id(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    asked = admitted.action.cancel_order_by_client_id
    account_id = account_of(turn, _user(admitted), asked, "sender_account_id")
    done = orders.cancel_by_client_id(turn, account_id, asked.client_order_id)
    receipt.cancel_order_result.CopyFrom(done)


def _atomic(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    batch = admitted.action.atomic
    account_id = account_of(turn, _user(admitted), batch, "account_id")
    if all(part.HasField("cancel_order") for part in batch.actions):
        receipt.atomic.CopyFrom(orders.atomic(turn, account_id, batch))
        return

    def work() -> None:
        receipt.atomic.CopyFrom(orders.atomic(turn, account_id, batch))

    orders.guarded(turn, account_id, work)


def _add_trigger(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    asked = admitted.action.add_trigger
    account_id = account_of(turn, _user(admitted), asked, "account_id")
    triggers.add(turn, account_id, asked)
    receipt.trigger_added.SetInParent()


def _remove_trigger(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    asked = admitted.action.remove_trigger
    account_id = account_of(turn, _user(admitted), asked, "account_id")
    triggers.remove(turn, account_id, asked)
    receipt.trigger_removed.SetInParent()


def _withdraw(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    user = _user(admitted)
    refuse_unless(bool(user.account_ids), pb.ACCOUNT_NOT_FOUND)
    done = money.withdraw(turn, user, user.account_ids[0], admitted.action.withdraw)
    receipt.withdraw_result.CopyFrom(done)


def _transfer(turn: Turn, admitted: Admitted, receipt: pb.Receipt) -> None:
    asked = admitted.action.transfer
    if admitted.generation is Generation.S1 and asked.to_account_id.HasField("owned"):
        # The legacy form does not say whose the account is.
        asked.to_account_id.unowned.account_id = asked.to_account_id.owned.account_id
    receipt.transferred.CopyFrom(money.transfer(turn, _user(admitted), asked))


_KINDS: dict[str, Callable[[Turn, Admitted, pb.Receipt], None]] = {
    "create_session": _create_session,
    "revoke_session": _revoke_session,
    "place_order": _place_order,
    "cancel_order_by_id": _cancel_by_id,
    "cancel_order_by_client_id": _cancel_by_client_id,
    "atomic": _atomic,
    "add_trigger": _add_trigger,
    "remove_trigger": _remove_trigger,
    "withdraw": _withdraw,
    "transfer": _transfer,
}
