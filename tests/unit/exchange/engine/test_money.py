"""Withdrawals, transfers and deposits to the unit."""

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.proto import nord_s1_pb2 as s1
from mmbot.exchange.exchange import Exchange
from tests.unit.exchange.traders import IOC, USD, Trader, error, opened


def withdraw(trader: Trader, amount: int, token: int = 0) -> pb.Receipt:
    asked = pb.Withdraw(session_id=trader.session_id, token_id=token, amount=amount)
    return trader.send(pb.Action(withdraw=asked))


def transfer(trader: Trader, amount: int, **to: int) -> pb.Receipt:
    asked = pb.Transfer(
        session_id=trader.session_id, from_account_id=trader.account_id, amount=amount
    )
    for kind, account_id in to.items():
        getattr(asked.to_account_id, kind).account_id = account_id
    return trader.send(pb.Action(transfer=asked))


def scene() -> tuple[Exchange, Trader, Trader]:
    exchange = opened(usd=100)
    return exchange, Trader(exchange, 1), Trader(exchange, 2)


def test_withdrawing() -> None:
    exchange, trader, _ = scene()
    done = withdraw(trader, 40_000_001).withdraw_result
    assert (done.amount, done.balance, done.fee) == (40_000_001, 59_999_999, 0)
    assert (done.account_id, done.user_pubkey) == (1, trader.pubkey)
    assert error(withdraw(trader, 60_000_000)) == pb.BALANCE_INSUFFICIENT
    assert error(withdraw(trader, 0)) == pb.WITHDRAW_AMOUNT_TOO_SMALL
    assert error(withdraw(trader, 1, token=1)) == pb.TOKEN_NOT_FOUND
    assert error(withdraw(trader, 59_999_999)) is None
    assert trader.atoms == 0
    assert exchange.state.withdrawn_atoms == 100 * USD
    assert [entry.atoms for entry in exchange.state.transfers if entry.account_id == 1] == [
        100 * USD,
        -40_000_001 * 10**6,
        -59_999_999 * 10**6,
    ]


def test_a_withdrawal_fee_goes_to_the_vault() -> None:
    exchange = opened(usd=100, withdraw_fee_usd=1)
    trader = Trader(exchange, 1)
    assert error(withdraw(trader, 99_000_001)) == pb.BALANCE_INSUFFICIENT
    assert withdraw(trader, 99_000_000).withdraw_result.fee == 1_000_000
    assert (trader.atoms, exchange.state.fee_vault_atoms) == (0, USD)
    assert exchange.violations() == []


def test_money_at_stake_stays() -> None:
    _, trader, other = scene()
    other.place(pb.ASK, 1000, 5_000)
    trader.place(pb.BID, 0, 5_000, IOC)
    # 500 USD of position need more than 50; 0.175 were paid as a fee.
    assert error(withdraw(trader, 49_825_000)) == pb.RISK_OMF_LESS_THAN_OR_EQUAL_IMF
    assert error(transfer(trader, 49_825_000, unowned=2)) == pb.RISK_OMF_LESS_THAN_OR_EQUAL_IMF
    assert error(withdraw(trader, 49_824_999)) is None


def test_transfers() -> None:
    exchange, trader, other = scene()
    receipt = transfer(trader, 25_500_000).transferred
    assert receipt.account_created
    assert receipt.to_account_id.owned.account_id == 3
    assert exchange.state.users[trader.pubkey].account_ids == [1, 3]
    assert exchange.state.accounts[3].balances[0] == 25_500_000 * 10**6
    assert transfer(trader, 1, owned=3).transferred.to_account_id.owned.account_id == 3
    assert transfer(trader, 1, unowned=2).transferred.to_account_id.unowned.account_id == 2
    assert other.atoms == 100 * USD + 10**6
    assert trader.place(pb.BID, 900, 1, sender_account_id=3).trade_or_place.posted.account_id == 3


@pytest.mark.parametrize(
    ("amount", "to", "code"),
    [
        (0, {"unowned": 2}, pb.TRANSFER),
        (1, {"owned": 1}, pb.TRANSFER),
        (1, {"owned": 2}, pb.TRANSFER_TO_OWNED_ACCOUNT_WAS_REQUESTED),
        (1, {"unowned": 9}, pb.ACCOUNT_NOT_FOUND),
        (1, {"unowned": 0}, pb.ACCOUNT_NOT_FOUND),
        (100_000_001, {"unowned": 2}, pb.BALANCE_INSUFFICIENT),
        (100_000_001, {}, pb.BALANCE_INSUFFICIENT),
        (2**64 - 1, {"unowned": 2}, pb.BALANCE_INSUFFICIENT),
    ],
)
def test_refused_transfers(amount: int, to: dict[str, int], code: int) -> None:
    exchange, trader, _ = scene()
    before = exchange.dump()
    assert error(transfer(trader, amount, **to)) == code
    assert exchange.dump() == before


def test_transfers_to_others_and_new_accounts_can_be_forbidden() -> None:
    exchange, trader, _ = scene()
    exchange.rules.transfer_to_others, exchange.rules.max_accounts = False, 1
    code = pb.TRANSFER_TO_UNOWNED_ACCOUNT_IS_PROHIBITED
    assert error(transfer(trader, 1, unowned=2)) == code
    assert error(transfer(trader, 1)) == pb.TOO_MANY_USER_ACCOUNTS


def test_the_legacy_transfer_is_answered_in_its_own_words() -> None:
    exchange, trader, _ = scene()
    old = s1.Action(current_timestamp=exchange.state.now_s)
    old.transfer.session_id, old.transfer.from_account_id = trader.session_id, 1
    old.transfer.amount, old.transfer.to_account_id = 5, 2
    body = trader.body(pb.Action.FromString(old.SerializeToString()))
    receipt = s1.Receipt.FromString(exchange.act(body)[1:])
    assert (receipt.transferred.to_user_account, receipt.transferred.amount) == (2, 5)


def test_the_account_of_another_wallet_cannot_be_emptied() -> None:
    _, trader, other = scene()
    trader.account_id = other.account_id
    assert error(transfer(trader, 1, unowned=1)) == pb.ACCOUNT_INVALID_OWNER


def test_deposits() -> None:
    exchange, trader, _ = scene()
    exchange.fund(1, 7)
    assert trader.atoms == 100 * USD + 7
    with pytest.raises(ValueError, match="negative"):
        exchange.fund(1, -1)
    with pytest.raises(KeyError):
        exchange.fund(77, 1)
    assert exchange.violations() == []
    assert opened(usd=0).ensure_user(bytes(32)) is None
    assert opened(usd=1).ensure_user(b"short") is None
