"""The comparison of a run with its replay as lines of text."""

from mmbot.research.run_comparison import RunComparison
from mmbot.research.text import amount, money_column, number, signed


def comparison_lines(found: RunComparison) -> list[str]:
    """Return what a person reads, line by line."""
    live, replayed = found.live, found.replayed
    usd = money_column([live.pnl_usd, replayed.pnl_usd, found.pnl_difference_usd])
    fees = money_column([live.fees_usd, replayed.fees_usd, live.fees_usd - replayed.fees_usd])
    volume = [amount(each.volume_usd) for each in (live, replayed)]
    apart = signed(live.volume_usd - replayed.volume_usd, 2)
    fills = live.fills_count - replayed.fills_count
    lines = _table(
        [
            ["", "live", "replay", "difference"],
            ["fills", f"{live.fills_count:,}", f"{replayed.fills_count:,}", f"{fills:+,}"],
            ["volume USD", *volume, apart],
            ["profit USD", *usd],
            ["fees USD", *fees],
        ]
    )
    bps = signed(found.pnl_difference_bps, 3, " bps of the live volume")
    lines += [
        "",
        f"same fills: {found.matched_volume_pct:.1f} % of the volume of both; profit {bps}",
    ]
    lines += ["", *_parts(found), "", *_quotes(found), "", _latency(found)]
    if found.refused_count:
        lines.append(f"refused or unknown: {found.refused_count} orders")
    lines += [
        f"paused: {name} {seconds:.1f} s, which no tape knows of"
        for name, seconds in found.pauses_s.items()
    ]
    lines += [f"! {note}" for note in found.notes]
    return lines


def _parts(found: RunComparison) -> list[str]:
    usd = money_column([*(part.pnl_usd for part in found.parts), found.pnl_difference_usd])
    rows = [["fills of", "why the other has them not", "fills", "volume USD", "profit USD"]]
    rows += [
        [part.only, part.cause, f"{part.fills_count:,}", amount(part.volume_usd), gain]
        for part, gain in zip(found.parts, usd, strict=False)
    ]
    rows.append(["all", "the difference", "", "", usd[-1]])
    return _table(rows, left=2)


def _quotes(found: RunComparison) -> list[str]:
    rows = [["market", "bids apart", "asks apart", "live two-sided", "replay two-sided"]]
    rows += [
        [
            each.symbol,
            number(each.bid_bps, 3, " bps"),
            number(each.ask_bps, 3, " bps"),
            number(each.live_two_sided_pct, 1, " %"),
            number(each.replayed_two_sided_pct, 1, " %"),
        ]
        for each in found.quotes
    ]
    return _table(rows)


def _latency(found: RunComparison) -> str:
    latency = found.latency
    return (
        f"an order rests after {number(latency.p50_ms, 1, ' ms')} (99 %: "
        f"{number(latency.p99_ms, 1, ' ms')}) over {latency.orders_count:,} orders; the replay "
        f"assumes {latency.assumed_ms:g} ms"
    )


def _table(rows: list[list[str]], left: int = 1) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
