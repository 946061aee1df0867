"""Answers and explanations as text, the same for every face. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mmbot.domain.control import Answer
from mmbot.domain.explained import Explanation, Term
from mmbot.interfaces.status_block import signed


def answer_lines(answer: Answer) -> list[str]:
    """Return what became of a command: a line, and one for each setting that differs."""
    lines = [answer.message]
    lines += [f"  {each}" for each in answer.changes]
    if answer.after and answer.after != answer.before:
        lines.append(f"  {answer.before} -> {answer.after}")
    return lines


def explain_lines(explained: Sequence[Explanation]) -> list[str]:
    """Return why the last quotes are what they are."""
    return [line for each in explained for line in _explained(each)]


def _explained(each: Explanation) -> Iterator[str]:
    gate = "quoted" if each.gate is None else f"gate: {each.gate}"
    yield f"{each.symbol}  {gate}"
    for line in each.learned:
        yield f"  learned: {line}"
    if each.fair is None:
        return
    yield f"  fair {_price(each.fair)} ({each.fair_source}), mid {_price(each.mid)}"
    if each.half_width_bps is not None:
        bound = "" if each.bound is None else f", at its {each.bound}imum"
        terms = _terms(each.half_width)
        yield f"  half width {each.half_width_bps:.2f} bps = {terms}{bound}"
    ratio = 0.0 if each.position_ratio is None else each.position_ratio
    held = "0" if each.position is None else signed(each.position)
    shift = _terms(each.shift) if each.shift else "none"
    yield f"  shift {shift}: position {held}, {ratio:+.0%} of its limit"
    yield f"  reservation price {_price(each.reservation)}"
    for quote in each.quotes:
        price, size = f"{quote.price:,f}", f"{quote.size:f}"
        where = f"fair {quote.from_fair_bps:+.2f} bps, level {quote.level}"
        yield f"  {quote.side} {price} x {size} = {where}"
    cut = f"size cut {each.size_cut_pct:.0f} %" if each.size_cut_pct >= 0.5 else "size not cut"
    room = f"room for {_size(each.room_bid)} more bid, {_size(each.room_ask)} more ask"
    yield f"  {cut}; {room}"


def _terms(terms: Sequence[Term]) -> str:
    text = f"{terms[0].name} {terms[0].bps:+.2f}".replace("+", "", 1) if terms else ""
    for term in terms[1:]:
        sign = "-" if term.bps < 0 else "+"
        text += f" {sign} {term.name} {abs(term.bps):.2f}"
    return text


def _price(price: Decimal | None) -> str:
    return "-" if price is None else f"{price.normalize():,f}"


def _size(size: Decimal | None) -> str:
    return "-" if size is None else f"{size:f}"
