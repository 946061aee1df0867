from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.actions import Place
from mmbot.domain.events import AccountSnapshot
from mmbot.domain.market import Contract, Market
from mmbot.domain.order import FillMode, Side
from mmbot.risk.limits import Denial, Exposure, MarketRiskParams, RiskManager, RiskParams

USD = 10**6
SECOND = 10**9
BID, ASK = Side.BID, Side.ASK
# One lot at 100 USD is worth 1 USD: 1,000 ticks of 0.1 and a lot of 0.01; marks in half ticks.
MARK = 2000


def market(index: int = 0, **changes: Any) -> Market:
    return Market(f"M{index}", Decimal("0.1"), Decimal("0.01"), index=index, **changes)


def account(now_ns: int = 0, **changes: Any) -> AccountSnapshot:
    """Equity 1,000 USD, nothing held."""
    figures: dict[str, Any] = {
        "mf_uusd": 1000 * USD,
        "omf_uusd": 1000 * USD,
        "imf_uusd": 0,
        "pn_uusd": 0,
        "bankruptcy": False,
    }
    return AccountSnapshot(now_ns, now_ns, **(figures | changes))


def risk(count: int = 1, equity_usd: int = 1000, **changes: Any) -> RiskManager:
    """30 % a market and 60 % in all of 1,000 USD: 300 and 600 lots of 1 USD."""
    own = {
        name: changes.pop(name) for name in list(changes) if name in MarketRiskParams.model_fields
    }
    markets = [market(index) for index in range(count)]
    manager = RiskManager(RiskParams(**changes), markets, [MarketRiskParams(**own)] * count)
    manager.take_account(account(mf_uusd=equity_usd * USD))
    return manager


def hold(manager: RiskManager, lots: int, bids: int = 0, asks: int = 0, index: int = 0) -> None:
    manager.take_exposure(index, Exposure(lots, bids, asks, (bids > 0) + (asks > 0), MARK))


def order(side: Side, lots: int, index: int = 0, reduce_only: bool = False) -> Place:
    return Place(index, 1, side, 1000, lots, FillMode.POST_ONLY, reduce_only)


def sides(manager: RiskManager, index: int = 0) -> tuple[int, int]:
    """Room of both sides of a market, lots."""
    room = manager.room(index)
    return room.bid_lots, room.ask_lots


@pytest.mark.parametrize(
    ("position", "room"),
    [
        (0, (300, 300)),
        (100, (200, 400)),
        (-100, (400, 200)),
        (300, (0, 600)),
        (-300, (600, 0)),
        # Beyond the limit only back, and no further than flat.
        (301, (0, 301)),
        (-301, (301, 0)),
    ],
)
def test_room_by_sign_of_the_position(position: int, room: tuple[int, int]) -> None:
    manager = risk()
    hold(manager, position)
    assert sides(manager) == room


def test_resting_orders_of_the_market_itself_do_not_take_its_room() -> None:
    manager = risk()
    hold(manager, 0, bids=120, asks=80)
    assert sides(manager) == (300, 300)


def test_other_markets_leave_less_of_the_total() -> None:
    manager = risk(count=3)
    hold(manager, 0, index=2)
    # Worst cases: |100 + 150| and |-200 - 50|, 250 USD each: 100 of 600 are left.
    hold(manager, 100, bids=150, asks=20, index=0)
    hold(manager, -200, bids=10, asks=50, index=1)
    assert manager.worst_uusd == 500 * USD
    assert sides(manager, 2) == (100, 100)
    # For the first market 600 - 250 = 350 are left: its own limit of 300 binds.
    assert sides(manager) == (200, 400)


def test_a_total_that_is_exceeded_lets_positions_shrink() -> None:
    manager = risk(count=3)
    for index in range(3):
        hold(manager, 250, index=index)
    assert sides(manager) == (0, 250)


def test_an_absolute_cap_binds_when_it_is_lower() -> None:
    manager = risk(max_position_usd=Decimal(80))
    hold(manager, 0)
    assert sides(manager) == (80, 80)
    manager = risk(max_position_usd=Decimal(800))
    hold(manager, 0)
    assert sides(manager) == (300, 300)


def test_no_price_no_account_or_no_equity_leave_no_room() -> None:
    manager = RiskManager(RiskParams(), [market()], [MarketRiskParams()])
    hold(manager, 0)
    assert sides(manager) == (0, 0)
    assert manager.permit(order(BID, 1)) is Denial.NO_ACCOUNT
    assert manager.free_uusd is None
    manager.take_account(account())
    assert sides(manager) == (300, 300)
    for usd in (0, -5):
        assert sides(risk(equity_usd=usd)) == (0, 0)
    assert sides(risk()) == (0, 0)


def test_a_position_without_a_price_closes_every_market() -> None:
    manager = risk(count=2)
    hold(manager, 0, index=1)
    manager.take_exposure(0, Exposure(5, 0, 0, 0, 0))
    assert sides(manager, 1) == (0, 0)
    assert sides(manager) == (0, 5)
    assert manager.free_uusd is None
    assert manager.position_ratio(0) == 1.0
    hold(manager, 5, index=0)
    assert sides(manager, 1) == (300, 300)
    # A mark of 0 keeps the last one.
    manager.take_exposure(0, Exposure(5, 0, 0, 0, 0))
    assert sides(manager, 1) == (300, 300)
    assert manager.worst_uusd == 5 * USD


def test_permit_counts_all_that_may_still_fill() -> None:
    manager = risk()
    hold(manager, 50, bids=200, asks=340)
    assert manager.permit(order(BID, 50)) is None
    assert manager.permit(order(BID, 51)) is Denial.MARKET_EXPOSURE
    assert manager.permit(order(ASK, 10)) is None
    assert manager.permit(order(ASK, 11)) is Denial.MARKET_EXPOSURE


def test_permit_names_the_limit_that_binds() -> None:
    manager = risk(count=3)
    for index in (0, 1):
        hold(manager, 250, index=index)
    hold(manager, 0, index=2)
    assert manager.permit(order(BID, 100, 2)) is None
    assert manager.permit(order(BID, 101, 2)) is Denial.TOTAL_EXPOSURE


def test_beyond_the_limit_only_orders_back_to_flat_pass() -> None:
    manager = risk()
    hold(manager, -400, bids=150)
    assert manager.permit(order(ASK, 1)) is Denial.MARKET_EXPOSURE
    assert manager.permit(order(BID, 250)) is None
    assert manager.permit(order(BID, 251)) is Denial.MARKET_EXPOSURE


@pytest.mark.parametrize(
    ("position", "side", "lots", "denial"),
    [
        (100, ASK, 100, None),
        (100, ASK, 101, Denial.NOT_REDUCING),
        (100, BID, 1, Denial.NOT_REDUCING),
        (-100, BID, 100, None),
        (-100, ASK, 1, Denial.NOT_REDUCING),
        (0, BID, 1, Denial.NOT_REDUCING),
        (400, ASK, 120, None),
    ],
)
def test_reduce_only_orders_reduce(
    position: int, side: Side, lots: int, denial: Denial | None
) -> None:
    manager = risk()
    hold(manager, position)
    assert manager.permit(order(side, lots, reduce_only=True)) is denial


def test_open_orders_are_counted_over_all_markets() -> None:
    manager = risk(count=2, max_open_orders_count=3)
    manager.take_exposure(0, Exposure(0, 1, 1, 2, MARK))
    hold(manager, 0, index=1)
    assert manager.permit(order(BID, 1, 1)) is None
    manager.take_exposure(1, Exposure(0, 1, 0, 1, MARK))
    assert manager.permit(order(BID, 1, 1)) is Denial.OPEN_ORDERS
    manager.take_exposure(0, Exposure(0, 1, 0, 1, MARK))
    assert manager.permit(order(BID, 1, 1)) is None


def test_free_collateral_is_that_without_our_orders() -> None:
    manager = risk(count=2)
    # 5 % of 200 + 100 USD are 15.
    hold(manager, 200, bids=50)
    hold(manager, -100, asks=50, index=1)
    assert manager.free_uusd == 985 * USD
    hold(manager, 0, index=1)
    assert manager.free_uusd == 990 * USD
    manager.take_exposure(0, Exposure(200, 0, 0, 0, 2 * MARK))
    assert manager.free_uusd == 980 * USD
    assert risk(equity_usd=-3).free_uusd == 0


def test_margin_is_rounded_up() -> None:
    markets = [market(imf=Fraction(1, 3))]
    manager = RiskManager(RiskParams(), markets, [MarketRiskParams()])
    manager.take_account(account())
    hold(manager, 1)
    assert manager.free_uusd == 1000 * USD - 333_334


@pytest.mark.parametrize(
    ("lots", "ratio"), [(0, 0.0), (150, 0.5), (-150, -0.5), (300, 1.0), (900, 1.0), (-900, -1.0)]
)
def test_position_ratio_is_signed_and_clamped(lots: int, ratio: float) -> None:
    manager = risk()
    hold(manager, lots)
    assert manager.position_ratio(0) == ratio


def test_position_ratio_without_equity_is_full() -> None:
    manager = risk(equity_usd=0)
    hold(manager, -1)
    assert manager.position_ratio(0) == -1.0


def test_inverse_contracts_are_worth_their_quote() -> None:
    # 10 USD a contract at any price: 300 USD are 30 lots.
    inverse = Market(
        "INV",
        Decimal("0.5"),
        Decimal(1),
        contract=Contract.INVERSE,
        contract_size=Decimal(10),
    )
    manager = RiskManager(RiskParams(), [inverse], [MarketRiskParams()])
    manager.take_account(account())
    manager.take_exposure(0, Exposure(7, 0, 0, 0, 12345))
    assert sides(manager) == (23, 37)


def verdict(snapshot: AccountSnapshot | None, now_ns: int = 0, **changes: Any) -> str | None:
    manager = RiskManager(RiskParams(**changes), [], [])
    if snapshot is not None:
        manager.take_account(snapshot)
    return manager.account.verdict(now_ns)


def test_good_figures_pass() -> None:
    assert verdict(account()) is None
    # Margin fraction 180 / 1,000 is just 18 %.
    assert verdict(account(mf_uusd=180 * USD, pn_uusd=1000 * USD)) is None
    assert verdict(account(imf_uusd=900 * USD)) is None
    assert verdict(account(), now_ns=10 * SECOND) is None


@pytest.mark.parametrize("name", ["mf_uusd", "omf_uusd", "imf_uusd", "pn_uusd"])
@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_missing_figure_denies(name: str, value: float | None) -> None:
    figures: dict[str, Any] = {name: value}
    assert verdict(account(**figures)) == "a figure of the account is missing"


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"bankruptcy": True}, "the account is bankrupt"),
        ({"mf_uusd": 0}, "equity 0.00 USD is not positive"),
        ({"mf_uusd": -1}, "equity -0.01 USD is not positive"),
        (
            {"mf_uusd": 180 * USD - 1, "pn_uusd": 1000 * USD},
            "margin fraction 17.99 % is below 18.00 %",
        ),
        ({"imf_uusd": 900 * USD + 1}, "free collateral 99.99 USD is below 100.00 USD"),
        ({"imf_uusd": 5000 * USD}, "free collateral 0.00 USD is below 100.00 USD"),
    ],
)
def test_bad_figures_deny(figures: dict[str, Any], reason: str) -> None:
    assert verdict(account(**figures)) == reason


def test_no_and_old_snapshots_deny() -> None:
    assert verdict(None) == "no account snapshot"
    old = verdict(account(), now_ns=10 * SECOND + 1)
    assert old == "account snapshot older than 10000 ms"


def test_percentages_are_read_as_written() -> None:
    # 0.29 x 10,000 is 2899.99... in binary floating point.
    manager = risk(max_total_exposure_pct=28.9999)
    hold(manager, 0)
    assert manager.room(0).bid_lots == 289
    manager = risk(max_market_exposure_pct=29.3)
    hold(manager, 0)
    assert manager.room(0).bid_lots == 293


EXPOSURES = st.tuples(
    st.integers(-700, 700), st.integers(0, 400), st.integers(0, 400), st.integers(1, 5000)
)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 2), EXPOSURES), max_size=12),
    st.sampled_from([BID, ASK]),
    st.integers(1, 500),
)
def test_permitted_orders_keep_the_worst_case_within_limits(
    steps: list[tuple[int, tuple[int, int, int, int]]], side: Side, lots: int
) -> None:
    manager = risk(count=3)
    known: dict[int, tuple[int, int, int, int]] = dict.fromkeys(range(3), (0, 0, 0, MARK))
    for index in known:
        hold(manager, 0, index=index)
    for index, (q, bids, asks, mark) in steps:
        known[index] = (q, bids, asks, mark)
        manager.take_exposure(index, Exposure(q, bids, asks, 1, mark))

    def worst(index: int) -> Fraction:
        # A lot is 0.01, a half tick 0.05: 500 micro-USD a lot and half tick.
        q, bids, asks, mark = known[index]
        return Fraction(max(abs(q + bids), abs(q - asks)) * mark * 500)

    assert manager.worst_uusd == sum(worst(index) for index in known)
    q, bids, asks, mark = known[0]
    allowed = manager.permit(order(side, lots)) is None
    known[0] = (q, bids + lots, asks, mark) if side is BID else (q, bids, asks + lots, mark)
    reach = q + bids + lots if side is BID else asks + lots - q
    total = (bids if side is BID else asks) + lots
    within = (
        max(abs(q), reach) * mark * 500 <= 300 * USD
        and max(abs(q), reach) * mark * 500 + worst(1) + worst(2) <= 600 * USD
    )
    back = side * q < 0 and total <= abs(q)
    assert allowed is (within or back)


STEPS = st.one_of(
    st.tuples(st.just("exposure"), st.integers(0, 2), EXPOSURES),
    st.tuples(st.just("unpriced"), st.integers(0, 2), st.integers(-5, 5)),
    st.tuples(st.just("order"), st.integers(0, 2), st.sampled_from([BID, ASK]), st.integers(1, 99)),
    st.tuples(st.just("equity"), st.integers(0, 3)),
)


@settings(max_examples=200)
@given(st.lists(STEPS, max_size=15))
def test_what_was_asked_before_changes_no_answer(steps: list[tuple[Any, ...]]) -> None:
    # One manager is asked all the time; the other, told the same, only at the end of each step.
    manager = risk(count=3)
    for count, step in enumerate(steps, 1):
        tell(manager, step)
        fresh = risk(count=3)
        for earlier in steps[:count]:
            tell(fresh, earlier)
        for index in range(3):
            assert manager.room(index) == fresh.room(index)
        assert manager.worst_uusd == fresh.worst_uusd
        assert manager.free_uusd == fresh.free_uusd


def tell(manager: RiskManager, step: tuple[Any, ...]) -> None:
    match step:
        case ("exposure", index, (q, bids, asks, mark)):
            manager.take_exposure(index, Exposure(q, bids, asks, 1, mark))
        case ("unpriced", index, q):
            manager.take_exposure(index, Exposure(q, 0, 0, 0, 0))
        case ("order", index, side, lots):
            manager.add_order(order(side, lots, index))
        case ("equity", thousands):
            manager.take_account(account(mf_uusd=thousands * 1000 * USD))


@settings(max_examples=100)
@given(EXPOSURES, st.sampled_from([BID, ASK]), st.integers(1, 99))
def test_an_order_added_counts_like_one_told(
    exposure: tuple[int, int, int, int], side: Side, lots: int
) -> None:
    q, bids, asks, mark = exposure
    added, told = (risk(count=2, max_open_orders_count=2) for _ in range(2))
    for manager in (added, told):
        hold(manager, 0, index=1)
    added.take_exposure(0, Exposure(q, bids, asks, 1, mark))
    added.add_order(order(side, lots))
    more = (bids + lots, asks) if side is BID else (bids, asks + lots)
    told.take_exposure(0, Exposure(q, *more, 2, mark))
    assert added.worst_uusd == told.worst_uusd
    for index in (0, 1):
        assert added.room(index) == told.room(index)
        assert added.permit(order(side, 1, index)) is Denial.OPEN_ORDERS
    for manager in (added, told):
        manager.take_exposure(0, Exposure(q, *more, 1, mark))
    for size in (1, 50, 300):
        assert added.permit(order(side, size)) is told.permit(order(side, size))
