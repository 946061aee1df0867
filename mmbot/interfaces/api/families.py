"""The families of metrics: what each is called outside, what it says, and its labels."""

from typing import NamedTuple

PREFIX = "mmbot_"


class Family(NamedTuple):
    """A family as in operations 7.2; a counter's name is without `_total`."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


BUILD = Family(
    "build",
    "Build and configuration of the instance, always 1.",
    ("version", "git", "python", "config_sha", "mode"),
)
_MARKET = ("market",)
COUNTERS = (
    Family("state_transitions", "Changes of state.", ("from_state", "to_state", "reason")),
    Family("orders_placed", "Orders the venue has taken.", ("market", "side")),
    Family("orders_cancelled", "Orders taken off.", ("market", "side", "reason")),
    Family("order_failures", "Order actions refused or not sent.", ("market", "action", "reason")),
    Family("order_races", "New orders refused: the market was faster.", ("market", "reason")),
    Family("order_retries", "Actions sent again, byte for byte.", ("action",)),
    Family("orders_unknown", "Orders whose outcome was not known for a while.", ("action",)),
    Family("fills", "Fills.", ("market", "side", "liquidity")),
    Family("traded_notional_usd", "Worth of our fills.", ("market", "side", "liquidity")),
    Family("fees_usd", "Fees paid; rebates are counted separately.", ("market", "liquidity")),
    Family("rebates_usd", "Rebates received.", _MARKET),
    Family("markout_samples", "Fills after which the price was seen.", ("market", "horizon")),
    Family("risk_rejects", "Orders a limit did not let out.", ("market", "gate")),
    Family("hedges", "Hedge orders by their end.", ("market", "result")),
    Family("ws_reconnects", "Connections made anew.", ("stream",)),
    Family("ws_messages", "Messages of streams.", ("stream",)),
    Family("book_resyncs", "Order books read anew.", ("market", "reason")),
    Family("http_requests", "Requests to the venue.", ("endpoint", "outcome")),
    Family("rate_limit_waits", "Actions held back by our own limits.", ("bucket",)),
    Family("rate_limit_rejections", "Rate limit answers of a server.", ("service",)),
    Family("alerts", "Alerts by level and delivery.", ("level", "channel", "result")),
    Family("commands", "Commands of operators.", ("command", "frontend", "result")),
    Family("log_records", "Lines of the log that were written.", ("level",)),
    Family("log_records_suppressed", "Lines that are only in the count of a later one."),
    Family("log_records_dropped", "Lines lost: the queue was full, or the disk refused them."),
)
GAUGES = (
    Family("start_time_seconds", "Unix time of the start of this run."),
    Family("state", "1 for the state the instance is in.", ("state",)),
    Family("quoting", "1 while orders of ours rest in the market.", _MARKET),
    Family("open_orders", "Orders that rest.", ("market", "side")),
    Family("quoted_spread_basis_points", "Own best bid to own best ask.", _MARKET),
    Family("market_spread_basis_points", "Best bid to best ask of the venue.", _MARKET),
    Family("skew_basis_points", "Shift of the quotes by inventory, signed.", _MARKET),
    Family("book_imbalance_ratio", "Depth imbalance, -1 to 1.", _MARKET),
    Family("fair_price_usd", "Fair price.", _MARKET),
    Family(
        "quote_uptime_ratio",
        "Share of the last hour with both sides resting within spread.max_bps.",
        _MARKET,
    ),
    Family(
        "markout_basis_points",
        "Price after our last 200 fills against theirs, positive is good.",
        ("market", "horizon", "stat"),
    ),
    Family("shadow_fills", "Fills of virtual quotes, old ones less.", ("market", "depth_bps")),
    Family(
        "shadow_markout_basis_points",
        "Price 5 s after fills of virtual quotes against theirs.",
        ("market", "depth_bps", "stat"),
    ),
    Family("shadow_half_width_basis_points", "Half width that virtual quotes ask for.", _MARKET),
    Family("no_depth_pays", "1 while virtual quotes lose at every depth.", _MARKET),
    Family("pnl_usd", "Profit since 00:00 UTC by component.", ("market", "component")),
    Family("equity_usd", "Equity of the account."),
    Family("equity_peak_usd", "Peak equity of the drawdown stop."),
    Family("drawdown_ratio", "Drawdown from the peak."),
    Family("free_collateral_usd", "Free collateral."),
    Family("margin_fraction_ratio", "Margin fraction of the account."),
    Family("position_base", "Signed position in base units.", _MARKET),
    Family("position_notional_usd", "Signed worth of the position.", _MARKET),
    Family("exposure_ratio", "Worth of the position by equity.", _MARKET),
    Family("total_exposure_ratio", "Worth of all positions by equity."),
    Family("limit_ratio", "Limits in force, for lines in charts.", ("limit",)),
    Family("limit_usd", "Limits in force, for lines in charts.", ("limit",)),
    Family("feed_age_seconds", "Time since a stream last proved itself right.", ("stream",)),
    Family("rate_limit_tokens", "What may still be sent.", ("bucket",)),
    Family("session_expiry_timestamp_seconds", "Unix time at which the trading session expires."),
    Family("clock_offset_seconds", "Engine time less local time."),
    Family("hedge_error_usd", "Worth of the last hedge that was not done.", _MARKET),
    Family("lease_held", "1 while this process may trade the account."),
    Family("lease_fencing_token", "Number of the run; later runs have larger ones."),
    Family("ledger_queue_depth", "Rows waiting for the ledger."),
    Family("resident_memory_bytes", "Memory the process holds."),
    Family("recorder_bytes_written", "Size of what this run has recorded."),
)
TIMES = (
    Family("tick_to_order_seconds", "What a decision answers, received, to order bytes written."),
    Family("order_ack_seconds", "Order action written to its answer read.", ("action",)),
    Family("cancel_all_seconds", "Cancel-all asked for to the venue showing no order."),
    Family("feed_delay_seconds", "Stamp of the venue to receipt.", ("stream",)),
    Family("event_loop_lag_seconds", "How late the loop wakes up."),
    Family("gc_pause_seconds", "Pauses of the garbage collector.", ("generation",)),
)
