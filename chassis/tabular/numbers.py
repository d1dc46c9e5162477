"""Numbers as people write them in files: read when the style is declared or cannot be mistaken, else refused.

"1.670.000.000", "1.670 triệu", "200,000,000" and "85,75%" all occur, so does "1.670", which is one thing in Việt Nam
and another in English. Each style is a grammar; a text that both read, differently, has two readings and is refused.
"""

from __future__ import annotations

from decimal import Context, Decimal
from enum import StrEnum

import polars as pl

MARK_PERCENT, MARK_VND = "percent", "vnd"
READ, AMBIGUOUS, OTHER_STYLE, NO_NUMBER = "read", "ambiguous", "other_style", "no_number"


class NumberStyle(StrEnum):
    """How a file writes numbers: 1.670,5 (vi), 1,670.5 (en) or 1670.5 (plain)."""

    VI = "vi"
    EN = "en"
    PLAIN = "plain"


_BLANKS = "[\u00a0\u2000-\u200a\u202f\u205f\u3000 \t]+"
_MINUS = "[\u2212\u2013]"
_GROUPS = r"(?:[0-9]+|[1-9][0-9]{{0,2}}(?:{0}[0-9]{{3}})+|[1-9][0-9]{{0,2}}(?: [0-9]{{3}})+)"
_GRAMMARS = {
    NumberStyle.VI: rf"^{_GROUPS.format('[.]')}(?:,[0-9]+)?$",
    NumberStyle.EN: rf"^{_GROUPS.format(',')}(?:[.][0-9]+)?$",
    NumberStyle.PLAIN: r"^[0-9]+(?:[.][0-9]+)?$",
}
_PARTS = r"^(-?) ?([0-9](?:[0-9., ]{0,60}[0-9])?) ?(%|nghìn|ngàn|triệu|tỷ|tỉ)? ?(?:(đồng|đ|₫|vnđ|vnd)[.]?)?$"
_EXACT = Context(prec=100)  # more than a text of 62 signs can ask for
_POWERS = {"nghìn": 3, "ngàn": 3, "triệu": 6, "tỷ": 9, "tỉ": 9}


def read_numbers(texts: pl.Series, style: NumberStyle | None) -> pl.DataFrame:
    """Texts as numbers: `number` (plain digits with a point), `mark`, `outcome`, and both readings of the ambiguous.

    Columns: number, mark ("percent", "vnd" or null), outcome, as_vi, as_en. Without a style only what both styles read
    alike, or just one of them reads, is read.
    """
    is_easy = texts.str.contains(_easy(style, digits=60, places=30))
    number = texts.str.replace(",", ".", literal=True)
    nothing = pl.repeat(None, len(texts), dtype=pl.String, eager=True)
    read = pl.repeat(READ, len(texts), dtype=pl.String, eager=True)
    easy = {"number": number, "mark": nothing, "outcome": read, "as_vi": nothing, "as_en": nothing}
    others = (~is_easy.fill_null(value=False)).arg_true()
    if others.is_empty():
        return pl.DataFrame(easy)
    hard = _read_hard(texts.gather(others), style)
    return pl.DataFrame({name: column.clone().scatter(others, hard[name]) for name, column in easy.items()})


def easily_read(texts: pl.Series, style: NumberStyle | None, digits: int, places: int) -> pl.Series | None:
    """The numbers where every text is an easy one of so many digits and decimal places at most; else None."""
    if not texts.str.contains(_easy(style, digits, places)).all():
        return None
    has_commas = texts.str.contains(",", literal=True).any()
    return texts.str.replace(",", ".", literal=True) if has_commas else texts


def _easy(style: NumberStyle | None, digits: int, places: int) -> str:
    """Texts that a style reads in one way only and without any marks, as most are: digits, perhaps a decimal sign."""
    fraction = rf"[0-9]{{1,{places}}}"
    if style is None:  # three digits after a sign may be thousands
        fraction = rf"(?:[0-9]{{1,{min(places, 2)}}}" + (rf"|[0-9]{{4,{places}}})" if places > 3 else ")")
    sign = {None: "[.,]", NumberStyle.VI: ","}.get(style, "[.]")
    return rf"^-?[0-9]{{1,{digits}}}(?:{sign}{fraction})?$" if places else rf"^-?[0-9]{{1,{digits}}}$"


def _read_hard(texts: pl.Series, style: NumberStyle | None) -> pl.DataFrame:
    tidy = (
        pl.col("text")
        .str.normalize("NFC")
        .str.to_lowercase()
        .str.replace_all(_BLANKS, " ")
        .str.strip_chars(" ")
        .str.replace_all(_MINUS, "-")
    )
    parts = pl.DataFrame({"text": texts}).select(tidy.str.extract_groups(_PARTS)).to_series().struct.unnest()
    split = parts.rename({"1": "sign", "2": "body", "3": "word", "4": "currency"})
    readings = split.with_columns(_reading(one).alias(one.value) for one in NumberStyle)
    judged = readings.with_columns(_chosen(style).alias("number"), _outcome(style).alias("outcome"))
    percent = pl.when(pl.col("word") == "%").then(pl.lit(MARK_PERCENT))
    mark = percent.when(pl.col("currency").is_not_null()).then(pl.lit(MARK_VND)).otherwise(None)
    return _scaled(judged.with_columns(mark=mark)).select("number", "mark", "outcome", as_vi="vi", as_en="en")


def _reading(style: NumberStyle) -> pl.Expr:
    """The body in plain digits as one style reads it, null where it does not."""
    body = pl.col("body")
    fits = body.str.contains(_GRAMMARS[style])
    if style is NumberStyle.VI:
        plain = body.str.replace_all("[. ]", "").str.replace(",", ".", literal=True)
    else:
        plain = body.str.replace_all("[, ]", "")
    return pl.when(fits).then(pl.col("sign") + plain).otherwise(None)


def _chosen(style: NumberStyle | None) -> pl.Expr:
    if style is not None:
        return pl.col(style.value)
    vi, en = pl.col("vi"), pl.col("en")
    return pl.when(vi.is_null()).then(en).when(en.is_null() | (vi == en)).then(vi).otherwise(None)


def _outcome(style: NumberStyle | None) -> pl.Expr:
    chosen = _chosen(style).is_not_null()
    readable = pl.any_horizontal(pl.col(one.value).is_not_null() for one in NumberStyle)
    other = AMBIGUOUS if style is None else OTHER_STYLE
    return pl.when(chosen).then(pl.lit(READ)).when(readable).then(pl.lit(other)).otherwise(pl.lit(NO_NUMBER))


def _scaled(read: pl.DataFrame) -> pl.DataFrame:
    """Numbers before a word of magnitude, written out: 1,67 tỷ is 1670000000."""
    places = read["word"].is_in(list(_POWERS)).fill_null(value=False).arg_true()
    if places.is_empty():
        return read
    words = read["word"].gather(places).to_list()
    shifted = read.clone()
    for name in ("number", "vi", "en"):
        texts = [_shift(text, word) for text, word in zip(read[name].gather(places), words, strict=True)]
        shifted = shifted.with_columns(read[name].scatter(places, pl.Series(texts, dtype=pl.String)))
    return shifted


def _shift(text: str | None, word: str) -> str | None:
    if text is None:
        return None
    shifted = f"{_EXACT.scaleb(Decimal(text), _POWERS[word]):f}"
    return shifted.rstrip("0").rstrip(".") if "." in shifted else shifted


def without_idle_zeros(number: pl.Expr) -> pl.Expr:
    """Plain digits without zeros that say nothing: 0070 is 70, 85.7500 is 85.75, -0 is 0."""
    short = number.str.replace(r"^(-?)0+([0-9])", "${1}${2}")
    trimmed = pl.when(short.str.contains(".", literal=True)).then(short.str.replace(r"[.]?0+$", "")).otherwise(short)
    return pl.when(trimmed == "-0").then(pl.lit("0")).otherwise(trimmed)
