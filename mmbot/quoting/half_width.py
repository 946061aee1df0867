"""Half widths: how far the best quotes stand from fair, by model; and how far inventory shifts.

All in basis points. sigma: bps per root second. gamma: risk aversion per bps and unit of 1,000
USD. A: trades a second and side at no distance; k: their decay per bps. cost: what a fill is known
to cost besides, fee and expected adverse move; the textbooks leave it out, a fill does not.
"""

from math import e, exp, log1p, sqrt


def by_volatility(sigma: float, multiple: float) -> float:
    """So many times the move of a second."""
    return multiple * sigma


def avellaneda(gamma: float, sigma: float, k: float, horizon_s: float, cost: float) -> float:
    """Avellaneda and Stoikov 2008, with a horizon that never ends."""
    return 0.5 * gamma * sigma * sigma * horizon_s + price_of_waiting(gamma, k) + cost


def avellaneda_shift(units: float, gamma: float, sigma: float, horizon_s: float) -> float:
    """Their reservation price less the mid."""
    return -units * gamma * sigma * sigma * horizon_s


def glft(gamma: float, sigma: float, arrivals: tuple[float, float], cost: float) -> float:
    """Gueant, Lehalle, Fernandez-Tapia: the stationary half width of one unit."""
    _, k = arrivals
    return price_of_waiting(gamma, k) + 0.5 * sigma * inventory_slope(gamma, arrivals) + cost


def glft_shift(units: float, gamma: float, sigma: float, arrivals: tuple[float, float]) -> float:
    """Their shift of both quotes for an inventory."""
    return -sigma * inventory_slope(gamma, arrivals) * units


def price_of_waiting(gamma: float, k: float) -> float:
    """log(1 + gamma / k) / gamma, and its limit 1 / k where gamma is next to nothing."""
    return log1p(gamma / k) / gamma if gamma >= 1e-6 * k else 1.0 / k


def inventory_slope(gamma: float, arrivals: tuple[float, float]) -> float:
    """Shift per unit of inventory and of sigma: c2 of the closed form; 0 without risk aversion."""
    a, k = arrivals
    if gamma < 1e-6 * k:
        return sqrt(gamma * e / (2.0 * a * k))
    return sqrt(gamma / (2.0 * a * k) * exp((k / gamma + 1.0) * log1p(gamma / k)))
