"""Words as values: normal form, folding, dictionary order, advice, old fonts."""

import random
import unicodedata

import pytest
from hypothesis import given

from chassis import text
from tests.drawn import texts


def test_nfc_composes_what_a_mac_sent_in_pieces() -> None:
    pieces = unicodedata.normalize("NFD", "Tân Hưng, Đại Phước")
    assert pieces != "Tân Hưng, Đại Phước"
    assert text.nfc(pieces) == "Tân Hưng, Đại Phước"


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("hòa", "hoa"),
        ("hoà", "hoa"),
        ("Hoà  Bình\u00a0", "hoa binh"),
        ("ĐẠI PHƯỚC", "dai phuoc"),
        ("Đắk Lắk", "dak lak"),
        (unicodedata.normalize("NFD", "Xuân Thành"), "xuan thanh"),
        ("Quý II/2026", "quy ii/2026"),
        ("№ 5 ℃", "no 5 °c"),
        ("Straße", "strasse"),
        ("", ""),
    ],
)
def test_fold_finds_words_however_they_are_accented(written: str, folded: str) -> None:
    assert text.fold(written) == folded


def test_fold_is_no_key() -> None:
    assert text.fold("Lộc Thạnh") == text.fold("Lộc Thành")


@given(texts())
def test_fold_twice_is_fold_once(written: str) -> None:
    once = text.fold(written)
    assert text.fold(once) == once


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("Hoà Bình", "%hoa binh%"),
        ("100%", r"%100\%%"),
        ("a_b", r"%a\_b%"),
        ("a\\b", r"%a\\b%"),
        ("", "%%"),
    ],
)
def test_contains_pattern_escapes_what_like_would_read(words: str, pattern: str) -> None:
    assert text.contains_pattern(words) == pattern


# Each list stands in the order of a Vietnamese dictionary.
ORDERED = {
    "the alphabet": list("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"),
    "the six tones": ["ma", "mà", "mả", "mã", "má", "mạ"],
    "tones on marked letters": ["an", "àn", "án", "ăn", "ằn", "ắn", "ân", "ần", "ấn", "ận"],
    "letters before tones": ["tà", "tan", "tạn", "tang"],
    "syllable by syllable": ["ba", "ba ba", "ba mươi", "bà", "bà ba", "bá"],
    "names of communes": ["Tân Hưng", "Tân Lợi", "Tân Thành", "Tấn Tài"],
    "d and đ": ["Dầu Tiếng", "Du", "Đại Phước", "Đồng Nai", "Em"],
    "numbers as numbers": ["Ấp 1", "Ấp 2", "Ấp 10", "Ấp 010b", "Ấp 100", "Ấp Bắc"],
    "numbers before letters": ["1", "9", "12345678", "123456789", "1234567890", "9876543210", "a"],
    "horns": ["co", "cô", "cơ", "cu", "cư"],
    "other scripts at the end": ["zo", "журнал", "中文"],
    "nothing first": ["", "a"],
}


@pytest.mark.parametrize("ordered", ORDERED.values(), ids=ORDERED)
def test_sort_key_orders_like_a_dictionary(ordered: list[str]) -> None:
    shuffled = ordered.copy()
    random.Random(7).shuffle(shuffled)
    assert sorted(shuffled, key=text.sort_key) == ordered
    keys = [text.sort_key(word) for word in ordered]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hòa", "hoà"),
        ("thủy", "thuỷ"),
        ("TÂN HƯNG", "tân hưng"),
        ("VH-XH", "vh xh"),
        ("Ấp 02", "ấp 2"),
        (unicodedata.normalize("NFD", "Đại Phước"), "Đại Phước"),
    ],
)
def test_sort_key_does_not_see_case_punctuation_or_the_place_of_the_tone(one: str, other: str) -> None:
    assert text.sort_key(one) == text.sort_key(other)


def test_sort_key_puts_a_mark_that_vietnamese_lacks_with_its_letter() -> None:
    assert text.sort_key("ĉa") == text.sort_key("ca")


@given(texts())
def test_sort_key_is_plain_ascii(written: str) -> None:
    assert set(text.sort_key(written)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("admin_untis", "admin_units"),
        ("Dai Phuoc", "Đại Phước"),
        ("indicators", "indicator"),
        ("xyz", None),
        ("", None),
        ("admin_units" * 50, None),
    ],
)
def test_suggest_names_what_was_probably_meant(word: str, meant: str | None) -> None:
    assert text.suggest(word, ["admin_units", "Đại Phước", "indicator"]) == meant


def test_suggest_keeps_the_first_of_two_that_fold_alike() -> None:
    assert text.suggest("loc thanh", ["Lộc Thạnh", "Lộc Thành"]) == "Lộc Thạnh"


@pytest.mark.parametrize(
    ("typed", "font"),
    [
        ("ñy ban nh©n d©n x· T©n H­ng", "TCVN3"),
        ("KÕ ho¹ch chuyÓn ®æi sè", "TCVN3"),
        ("x·", "TCVN3"),
        ("®iÓm", "TCVN3"),
        ("Uûy ban nhaân daân xaõ Taân Höng", "VNI"),
        ("Keá hoaïch", "VNI"),
        ("TAÂN LÔÏI", "VNI"),
        ("Ủy ban nhân dân xã Tân Hưng", None),
        ("hoà, thuỷ, khoá, tuân, quá, xoong", None),
        ("«Đúng, đủ, sạch, sống» © 2026, 25 m², Windows® 11", None),
        (unicodedata.normalize("NFD", "Kế hoạch của xã Đại Phước"), None),
        ("plan 2026", None),
        ("", None),
    ],
)
def test_legacy_font_names_the_old_code(typed: str, font: str | None) -> None:
    assert text.legacy_font(typed) == font
    assert text.has_legacy_font(typed) is (font is not None)
