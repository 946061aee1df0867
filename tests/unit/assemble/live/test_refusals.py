"""Starts that are refused: one clear line each, with its exit code."""

from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import SessionFolder, StoredSession
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import AccountView, Catalog, Listing, Margins, User
from mmbot.assemble.live.places import locked_account
from mmbot.assemble.live.refusals import (
    KNOWN_KEYS,
    Allowance,
    account_of,
    refuse_account,
    refuse_clock,
    refuse_session,
    refuse_settings,
    refuse_slow_stop,
    session_of,
    wanted_markets,
)
from mmbot.config.schema import Config
from mmbot.errors import ConfigError, InUse, MmbotError, SecretError, Unfit
from tests.keys import keypair

LOCAL = Origin("http", "127.0.0.1", 8001)
MAINNET = Origin("https", "zo-mainnet.n1.xyz", 443)
BTC = Listing(0, "BTCUSD", 1, 5, 1, 0, Decimal("0.02"), Decimal("0.01"), Decimal("0.015"))
CATALOG = Catalog((BTC,), ())


def session(venue: str, user: str = "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM") -> StoredSession:
    return StoredSession(venue, user, 5, keypair(9), EngineSeconds(10**9), EngineSeconds(1))


def config(**risk: object) -> Config:
    return Config.model_validate(
        {
            "risk": {"loss": {"daily_limit_usd": 100}},
            "defaults": {"market_risk": {"max_position_usd": 1000}},
        }
        | risk
    )


def test_a_market_that_is_not_listed_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"DOGEUSD: the venue has no such market, only BTCUSD"):
        wanted_markets(config(), ["DOGEUSD"], CATALOG)
    with pytest.raises(ConfigError, match="name at least one market"):
        wanted_markets(config(), [], CATALOG)
    assert wanted_markets(config(), ["BTCUSD"], CATALOG) == (BTC,)


def test_limits_that_can_lose_money_have_no_default() -> None:
    with pytest.raises(ConfigError) as refused:
        refuse_settings(Config(), [BTC], Allowance())
    assert len(refused.value.problems) == 2
    assert refused.value.exit_code == 3
    refuse_settings(config(), [BTC], Allowance())


def test_literal_skew_has_to_be_accepted() -> None:
    risky = config(
        defaults={
            "market_risk": {"max_position_usd": 1000},
            "inventory": {"direction": "literal"},
        }
    )
    with pytest.raises(ConfigError, match="--accept-literal-skew"):
        refuse_settings(risky, [BTC], Allowance())
    refuse_settings(risky, [BTC], Allowance(literal_skew=True))


def test_a_stop_that_may_take_longer_than_it_is_granted_is_no_start() -> None:
    slow = config(runtime={"stop_timeout_s": 30})
    with pytest.raises(ConfigError, match="stop_timeout_s"):
        refuse_slow_stop(slow, [BTC])
    refuse_slow_stop(config(runtime={"stop_timeout_s": 30}, venue={"action_lifetime_s": 5}), [BTC])


def test_a_session_belongs_to_one_venue() -> None:
    refuse_session(session("http://127.0.0.1:8001"), LOCAL)
    for theirs, here in (("https://zo-mainnet.n1.xyz", LOCAL), ("http://127.0.0.1:8001", MAINNET)):
        with pytest.raises(SecretError, match="is bound to") as refused:
            refuse_session(session(theirs), here)
        assert refused.value.exit_code == 4


@pytest.mark.parametrize("key", sorted(KNOWN_KEYS))
def test_published_keys_are_for_this_machine_only(key: str) -> None:
    with pytest.raises(SecretError, match="published test key"):
        refuse_session(session("https://zo-mainnet.n1.xyz", key), MAINNET)
    refuse_session(session("http://127.0.0.1:8001", key), LOCAL)


@pytest.mark.parametrize(("off_s", "side"), [(301, "ahead of"), (-301, "behind")])
def test_a_clock_minutes_off_is_no_start(off_s: int, side: str) -> None:
    with pytest.raises(Unfit, match=rf"301\.0 s {side} the venue's") as refused:
        refuse_clock(off_s * 10**9)
    assert refused.value.exit_code == 6
    refuse_clock((off_s - 1 if off_s > 0 else off_s + 1) * 10**9)


def test_without_a_session_the_way_to_one_is_told(tmp_path: Path) -> None:
    kept = SessionFolder(tmp_path / "sessions")
    with pytest.raises(SecretError, match="session create"):
        session_of(kept, LOCAL)
    kept.save(session("http://127.0.0.1:8001"))
    assert session_of(kept, LOCAL).session_id == 5
    with pytest.raises(SecretError, match="session create"):
        session_of(kept, MAINNET)


def view(usd: int, *, bankrupt: bool = False) -> AccountView:
    money = usd * 10**6
    return AccountView(1, (), (), {}, Margins(money, money, 0, 0, 0, 0, 0, bankrupt))


def test_an_account_has_to_be_there_and_have_money() -> None:
    for user in (None, User((), ())):
        with pytest.raises(Unfit, match="deposit first"):
            account_of(config(), user, "wallet")
    assert account_of(config(), User((7, 8), ()), "wallet") == 7
    with pytest.raises(ConfigError, match="account_id"):
        account_of(config(instance={"account_id": 9}), User((7, 8), ()), "wallet")
    refuse_account(config(), 7, view(1000))
    for poor in (None, view(0), view(50), view(1000, bankrupt=True)):
        with pytest.raises(Unfit) as refused:
            refuse_account(config(), 7, poor)
        assert refused.value.exit_code == 6


def test_one_bot_an_account(tmp_path: Path) -> None:
    venue = str(LOCAL)
    with locked_account(tmp_path, venue, 7), locked_account(tmp_path, venue, 8):
        with pytest.raises(InUse) as refused, locked_account(tmp_path, venue, 7):
            pass
        assert refused.value.exit_code == 7
    with locked_account(tmp_path, venue, 7):
        pass


def test_every_refusal_is_one_of_ours() -> None:
    assert all(issubclass(each, MmbotError) for each in (ConfigError, SecretError, Unfit, InUse))
