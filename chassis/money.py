"""Money and figures as values: whole đồng, exact decimals, and how Vietnamese and English write them."""

from decimal import ROUND_HALF_UP, Context, Decimal

# JSON readers that hold numbers as 64-bit floats (browsers, spreadsheets) keep whole numbers up to here.
MAX_VND = 2**53

_EXACT = Context(prec=100)  # the default 28 digits are too few for a numeric(38, 6)


class AmountError(ValueError):
    """An amount that is not whole đồng within the range every reader keeps exactly."""


def vnd(value: object) -> int:
    """An amount in whole đồng, at most 2^53 on either side of zero; a correction may be negative.

    Raises AmountError for floats, decimals, booleans and text: the đồng has no minor unit, and our
    totals must equal the treasury's to the last đồng.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise AmountError(f"not whole đồng: {value!r}")
    if abs(value) > MAX_VND:
        raise AmountError(f"more than {MAX_VND} đồng: {value}")
    return value


def format_vnd(amount: int) -> str:
    """An amount as people read it: 1.670.000.000 ₫."""
    return f"{_grouped(str(vnd(amount)))} ₫"


def format_vnd_en(amount: int) -> str:
    """An amount in English: 1,670,000,000 VND."""
    return f"{vnd(amount):,} VND"


def format_decimal_en(value: Decimal | int) -> str:
    """A figure with decimal point and grouping commas: 1,234.5; every digit is shown, zeros at the end dropped."""
    whole, _, fraction = _plain(Decimal(value), None).partition(".")
    grouped = _grouped(whole).replace(".", ",")
    return f"{grouped}.{fraction}" if fraction else grouped


def format_percent_en(value: Decimal | int) -> str:
    """A percentage on the scale 0-100 in English: 85.75 %."""
    return f"{format_decimal_en(value)} %"


def format_decimal_vi(value: Decimal | int, *, places: int | None = None) -> str:
    """A figure with decimal comma and grouping points: 1.234,5.

    Without places every digit is shown and zeros at the end are dropped, so nothing is rounded
    across a threshold; with places it is rounded half up.
    """
    whole, _, fraction = _plain(Decimal(value), places).partition(".")
    return f"{_grouped(whole)},{fraction}" if fraction else _grouped(whole)


def format_percent_vi(value: Decimal | int, *, places: int | None = None) -> str:
    """A percentage on the scale 0-100 as people read it: 85,75 %."""
    return f"{format_decimal_vi(value, places=places)} %"


def _plain(value: Decimal, places: int | None) -> str:
    if not value.is_finite():
        raise ValueError(f"not a finite figure: {value}")
    if places is not None:
        return _unsigned_zero(f"{_rounded(value, places):f}")
    text = f"{value:f}"
    return _unsigned_zero(text.rstrip("0").rstrip(".") if "." in text else text)


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_EXACT)


def _unsigned_zero(text: str) -> str:
    return text.removeprefix("-") if not text.strip("-0.") else text


def _grouped(whole: str) -> str:
    return f"{int(whole):,}".replace(",", ".") if whole != "-0" else "-0"
