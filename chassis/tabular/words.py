"""Texts of cells: one normal form, trimmed, no control signs, no old font codes."""

from __future__ import annotations

import polars as pl

from chassis.tabular.findings import Check, Findings, judge
from chassis.tabular.rules import TEXT_CONTROL_SIGN, TEXT_EXPECTED, TEXT_LONG, TEXT_OLD_FONT
from chassis.tabular.table import ROW, Kind
from chassis.text import legacy_font

# Signs whose texts are in NFC as they stand: ASCII, Latin letters, Vietnamese letters, common punctuation.
_SOUND = "\u00a1-\u00ac\u00ae-\u02ff\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20ab"
_TIDY = rf"^[!-&(-~{_SOUND}](?:[ -~{_SOUND}]*[!-~{_SOUND}])?$"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_SPACES = r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_UNSEEN = r"[\u00ad\u200b\u2060\ufeff]"
_GUARD = r"^'(\s*[=+\-@＝＋－＠])"  # our own CSV puts it before what a spreadsheet would run
# Whatever chassis.text.legacy_font finds has one of these signs.
_SUSPICIOUS = "[\u00a1-\u00bf\u039c\u03bc]|[AEOUaeou][ØøÛûÅåÂâÊêÙùÕõÁáÀàÃãÉéÈèÚú]"
_CODE = r"^[0-9]{1,18}$"
_SAMPLE, _FEW = 1000, 200


def read_words(cells: pl.DataFrame, name: str, *, longest: int, is_strict: bool) -> tuple[pl.Series, Findings]:
    """The texts of a column (frame: row, the column, kind), and the cells that hold none."""
    if cells["kind"].max() in (None, Kind.TEXT) and _are_sound(distinct(cells[name]), longest):
        return cells[name], Findings.none()
    tidy = _tidied(cells[name], is_strict=is_strict)
    read = cells.with_columns(tidy.alias("tidy"))
    is_text = pl.col("kind") == Kind.TEXT
    if not is_strict:
        # In a sheet a code or a year is often a number; leading zeros it lost make it unknown, never another code.
        is_text = is_text | ((pl.col("kind") == Kind.NUMBER) & pl.col("tidy").str.contains(_CODE))
    checks = [
        Check(TEXT_EXPECTED, name, pl.col("tidy").is_not_null() & ~is_text),
        Check(TEXT_CONTROL_SIGN, name, pl.col("tidy").str.contains(_CONTROL)),
        Check(TEXT_LONG, name, pl.col("tidy").str.len_chars() > longest, {"limit": longest}),
    ]
    findings = Findings.together([judge(read, checks), _old_fonts(read, name)])
    return without(tidy, cells[ROW], findings).alias(name), findings


def distinct(texts: pl.Series) -> pl.Series:
    """Each text once where the first rows repeat a few (a status, a source); else the texts as they are."""
    return texts.unique() if texts.head(_SAMPLE).n_unique() <= _FEW else texts


def without(values: pl.Series, rows: pl.Series, findings: Findings) -> pl.Series:
    """The values of a column with those at fault empty."""
    if not findings.total:
        return values
    return values.clone().scatter(rows.is_in(findings.rows.implode()).arg_true(), None)


def without_blanks(texts: pl.Series) -> pl.Series:
    """The texts of a column with those of mere space empty."""
    return texts.clone().scatter(texts.str.contains(r"^\s*$").fill_null(value=False).arg_true(), None)


def _are_sound(texts: pl.Series, longest: int) -> bool:
    """Whether texts can be taken as they are; most can, and are not looked at again."""
    sizes, lengths = texts.str.len_bytes(), texts.str.len_chars()
    is_ascii = (sizes == lengths).all()
    return (
        (lengths <= longest).all()
        and texts.str.contains(_TIDY).all()
        and (is_ascii or not texts.str.contains(_SUSPICIOUS).any())
    )


def _tidied(texts: pl.Series, *, is_strict: bool) -> pl.Series:
    """NFC, trimmed, plain spaces, null for nothing."""
    places = (~texts.str.contains(_TIDY)).fill_null(value=False).arg_true()
    if places.is_empty():
        return texts
    some = texts.gather(places)
    if not is_strict:
        some = some.str.replace(_GUARD, "${1}")
    tidy = some.str.replace_all(_UNSEEN, "").str.replace_all(_SPACES, " ").str.strip_chars().str.normalize("NFC")
    return texts.clone().scatter(places, tidy.scatter((tidy == "").arg_true(), None))


def _old_fonts(read: pl.DataFrame, name: str) -> Findings:
    texts = read["tidy"].filter(read["tidy"].str.contains(_SUSPICIOUS).fill_null(value=False)).unique()
    fonts = {text: font for text in texts if (font := legacy_font(text))}
    if not fonts:
        return Findings.none()
    named = read.with_columns(
        font=pl.col("tidy").replace_strict(fonts, default=None, return_dtype=pl.String),
    )
    return judge(named, [Check(TEXT_OLD_FONT, name, pl.col("font").is_not_null(), {"font": pl.col("font")})])
