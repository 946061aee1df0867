"""The comparison of a run with its replay as lines of text."""

from mmbot.research.run_comparison import RunComparison
from mmbot.research.text import amount, money_column, number, signed


def comparison_lines(found: RunComparison) -> list[str]:
    """Return what a person reads, line by line."""
    lines = [*_totals(found), "", *_verdict(found), "", *_parts(found), "", *_quotes(found), ""]
    lines += _delays(found)
    if found.refused_count:
        lines.append(f"refused or unknown: {found.refused_count} orders")
    lines += [
        f"paused: {name} {seconds:.1f} s, which no tape knows of"
        for name, seconds in found.pauses_s.items()
    ]
    lines += [f"! {note}" for note in found.notes]
    return lines


def _totals(found: RunComparison) -> list[str]:
    runs = [found.live, found.same_orders.figures, found.replayed]
    usd = money_column([each.pnl_usd for each in runs])
    fees = money_column([each.fees_usd for each in runs])
    return _table(
        [
            ["", "live", "same orders", "replay"],
            ["fills", *(f"{each.fills_count:,}" for each in runs)],
            ["volume USD", *(amount(each.volume_usd) for each in runs)],
            ["profit USD", *usd],
            ["fees USD", *fees],
        ]
    )


def _verdict(found: RunComparison) -> list[str]:
    """The exchange's model and the decisions, each by itself; the profits add up."""
    usd = money_column([found.model_usd, found.decisions_usd, found.pnl_difference_usd])
    pct = [found.same_orders.matched_volume_pct, found.matched_volume_pct]
    bps = signed(found.pnl_difference_bps, 3, " bps of the live volume")
    return [
        *_table(
            [
                ["what differs", "same fills", "profit USD"],
                ["fills of the same orders (live - same orders)", number(pct[0], 1, " %"), usd[0]],
                ["decisions (same orders - replay)", "", usd[1]],
                ["all (live - replay)", number(pct[1], 1, " %"), usd[2]],
            ]
        ),
        f"profit {bps}",
    ]


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


def _delays(found: RunComparison) -> list[str]:
    latency, measured = found.latency, found.measured
    lines = [
        f"an order rests after {number(latency.p50_ms, 1, ' ms')} (99 %: "
        f"{number(latency.p99_ms, 1, ' ms')}) over {latency.orders_count:,} orders, word of a fill "
        f"comes after {number(latency.fill_p50_ms, 1, ' ms')}; the replay assumes "
        f"{latency.assumed_ms:g} ms both ways"
    ]
    if measured is not None:
        figures = measured.figures
        lines.append(
            f"replayed with {measured.entry_ms:.1f} ms there and {measured.response_ms:.1f} ms "
            f"back: same fills {measured.matched_volume_pct:.1f} %, {figures.fills_count:,} fills, "
            f"profit {signed(figures.pnl_usd, 4)} USD"
        )
    return lines


def _table(rows: list[list[str]], left: int = 1) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
