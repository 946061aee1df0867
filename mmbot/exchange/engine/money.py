"""Money in and out: deposits, withdrawals, transfers between accounts; balances in atoms."""

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine.margin import check_paying_out, margins
from mmbot.exchange.engine.refusals import RefusalError, refuse_unless
from mmbot.exchange.engine.sessions import new_account
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.model import ATOMS_PER_USD, USDC, Transferred, User


def move(turn: Turn, account_id: int, atoms: int) -> None:
    """Change an account's USDC and write it into its history of transfers."""
    turn.pay(account_id, atoms)
    balance = turn.state.accounts[account_id].balances[USDC]
    record = Transferred(turn.now_ns, turn.action_id, account_id, USDC, atoms, balance)
    turn.records.transfers.append(record)


def deposit(turn: Turn, account_id: int, atoms: int) -> None:
    """Credit money from outside."""
    move(turn, account_id, atoms)
    turn.state.deposited_atoms += atoms


def withdraw(turn: Turn, user: User, account_id: int, asked: pb.Withdraw) -> pb.WithdrawResult:
    """Debit money that leaves the venue, and the fee."""
    params = turn.venue.params
    refuse_unless(asked.token_id == USDC, pb.TOKEN_NOT_FOUND)
    refuse_unless(asked.amount > 0, pb.WITHDRAW_AMOUNT_TOO_SMALL)
    unit = params.tokens[USDC].atoms_per_unit
    fee = params.withdraw_fee_usd * ATOMS_PER_USD
    _debit(turn, account_id, asked.amount * unit + fee)
    turn.fees_atoms += fee
    turn.state.withdrawn_atoms += asked.amount * unit
    balance = turn.state.accounts[account_id].balances[USDC]
    return pb.WithdrawResult(
        token_id=USDC,
        amount=asked.amount,
        balance=max(balance, 0) // unit,
        account_id=account_id,
        fee=fee // unit,
        user_pubkey=asked.dest_pubkey if asked.HasField("dest_pubkey") else user.pubkey,
    )


def _debit(turn: Turn, account_id: int, atoms: int) -> None:
    account = turn.account(account_id)
    refuse_unless(account.balances.get(USDC, 0) >= atoms, pb.BALANCE_INSUFFICIENT)
    move(turn, account_id, -atoms)
    check_paying_out(margins(turn.venue, account))


def transfer(turn: Turn, user: User, asked: pb.Transfer) -> pb.Transferred:
    """Pay from one account to another: the user's own, another user's, or a new one."""
    refuse_unless(asked.token_id == USDC, pb.TOKEN_NOT_FOUND)
    refuse_unless(asked.amount > 0, pb.TRANSFER)
    known = asked.from_account_id in turn.state.accounts
    refuse_unless(known, pb.ACCOUNT_NOT_FOUND)
    refuse_unless(asked.from_account_id in user.account_ids, pb.ACCOUNT_INVALID_OWNER)
    atoms = asked.amount * turn.venue.params.tokens[USDC].atoms_per_unit
    target = _recipient(turn, user, asked)
    refuse_unless(target != asked.from_account_id, pb.TRANSFER)
    _debit(turn, asked.from_account_id, atoms)
    created = target is None
    if target is None:
        target = new_account(turn, user).account_id
    move(turn, target, atoms)
    result = pb.Transferred(
        from_account_id=asked.from_account_id,
        token_id=USDC,
        amount=asked.amount,
        account_created=created,
    )
    if target in user.account_ids:
        result.to_account_id.owned.account_id = target
    else:
        result.to_account_id.unowned.account_id = target
    return result


def _recipient(turn: Turn, user: User, asked: pb.Transfer) -> int | None:
    rules = turn.venue.rules
    kind = asked.to_account_id.WhichOneof("kind")
    if kind is None:
        room = len(user.account_ids) < rules.max_accounts
        refuse_unless(room, pb.TOO_MANY_USER_ACCOUNTS)
        return None
    if kind == "special":
        raise RefusalError(pb.ACTION_NOT_ALLOWED)
    owned = kind == "owned"
    to = asked.to_account_id
    account_id = to.owned.account_id if owned else to.unowned.account_id
    exists = account_id in turn.state.accounts and account_id > 0
    refuse_unless(exists, pb.ACCOUNT_NOT_FOUND)
    if account_id not in user.account_ids:
        refuse_unless(not owned, pb.TRANSFER_TO_OWNED_ACCOUNT_WAS_REQUESTED)
        refuse_unless(rules.transfer_to_others, pb.TRANSFER_TO_UNOWNED_ACCOUNT_IS_PROHIBITED)
    return account_id
