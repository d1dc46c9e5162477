"""Figures as exact numbers: six places, rounded once and half up, in one plain form."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

SIX_PLACES = Decimal("0.000001")
_MILLION = 10**6


def plain(value: Decimal) -> Decimal:
    """The same number without zeros at its end and never in powers of ten: 80, 85.75."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """A quotient at six places, half up, rounded once from its exact value."""
    return six_places(Fraction(numerator) / Fraction(denominator))


def six_places(exact: Fraction) -> Decimal:
    """An exact number at six places, half up."""
    whole, rest = divmod(abs(exact.numerator) * _MILLION, exact.denominator)
    if 2 * rest >= exact.denominator:
        whole += 1
    return _scaled(whole if exact >= 0 else -whole)


def shown(exact: Fraction, threshold: Decimal | None, places: int = 2) -> Decimal:
    """A number as people read it, rounded half up, but never so that it crosses or touches a threshold."""
    if threshold is None:
        return plain(_rounded(exact, places))
    for digits in (places, 6):
        rounded = _rounded(exact, digits)
        if _side(Fraction(rounded), threshold) == _side(exact, threshold):
            return plain(rounded)
    return plain(threshold + (SIX_PLACES if exact > threshold else -SIX_PLACES))


def _rounded(exact: Fraction, digits: int) -> Decimal:
    return six_places(exact).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _side(value: Fraction, threshold: Decimal) -> int:
    return (value > threshold) - (value < threshold)


def cut_at_six_places(exact: Fraction) -> Decimal:
    """A number from 0 upwards at six places, the rest left off."""
    return _scaled(exact.numerator * _MILLION // exact.denominator)


def _scaled(millionths: int) -> Decimal:
    return (Decimal(millionths) * SIX_PLACES).quantize(SIX_PLACES, rounding=ROUND_HALF_UP)
