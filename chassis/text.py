"""Vietnamese words as values: one normal form, search without accents, dictionary order, spelling advice."""

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_WORD_ADVISED = 100  # difflib is quadratic in the length of a word

# The 29 letters of the Vietnamese alphabet in their order, with f, j, w and z where Latin has them.
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_LETTER_CODES = {letter: chr(ord("A") + i) if i < 26 else chr(ord("a") + i - 26) for i, letter in enumerate(_ALPHABET)}
_LETTER_MARKS = "\u0302\u0306\u031b"  # circumflex, breve, horn: they make another letter
_TONE_CODES = {"\u0300": "2", "\u0309": "3", "\u0303": "4", "\u0301": "5", "\u0323": "6"}
_LEVEL_TONE = "1"

# Signs which TCVN3 (ABC) uses for Vietnamese vowels and đ; in Unicode none of them stands inside a word.
_TCVN3 = re.compile(
    r"[a-zà-ÿ][µ¸¶·¹¨»¾¼½©®ª«¬][a-zà-ÿ]|[a-z][µ¸¶·](?!\w)|(?<!\w)[®¨][a-zà-ÿ]",
    re.IGNORECASE,
)
# VNI writes a vowel and, after it, a second character for its mark; these pairs do not occur in Vietnamese.
_VNI = re.compile(r"[aeou][øûå]|a[âêùõáàãéèú]|e[âùõáà]|o[âù]", re.IGNORECASE)


def nfc(text: str) -> str:
    """The one normal form of every stored string (composed Unicode, NFC)."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """The form for searching: lower case, no accents, đ as d, single spaces ("Hoà Bình" = "hòa bình").

    Never a key: Lộc Thạnh and Lộc Thành, two communes of one province, fold to the same words.
    """
    plain = _decomposed(text).replace("đ", "d")
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def contains_pattern(words: str) -> str:
    r"""A LIKE pattern (escape \) that finds the words anywhere in a folded column."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", fold(words)) + "%"


def sort_key(text: str) -> str:
    """A key whose bytewise order is that of a Vietnamese dictionary, in ASCII letters, digits and spaces.

    Syllable by syllable: first the letters (a ă â b c d đ e ê …), then the tone in the usual
    order ngang, huyền, hỏi, ngã, sắc, nặng; a whole number counts as a number (Ấp 2 before Ấp 10).
    Case, punctuation and the place of the tone mark (hòa, hoà) make no difference, so a list
    that must be stable needs a code after it.
    """
    return "".join(map(_syllable_key, _syllables(_decomposed(text))))


def suggest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant, compared without accents and case; None if none is near."""
    by_fold: dict[str, str] = {}
    for candidate in candidates:
        by_fold.setdefault(fold(candidate), candidate)
    near = get_close_matches(fold(word[:LONGEST_WORD_ADVISED]), by_fold, n=1)
    return by_fold[near[0]] if near else None


def legacy_font(text: str) -> str | None:
    """The old font code a text was typed in, "TCVN3" or "VNI", judged by its signs; None for Unicode."""
    if _TCVN3.search(text):
        return "TCVN3"
    return "VNI" if _VNI.search(nfc(text)) else None


def has_legacy_font(text: str) -> bool:
    """Whether a text was typed in an old font code (TCVN3 or VNI), so that its letters cannot be trusted."""
    return legacy_font(text) is not None


def _decomposed(text: str) -> str:
    # Lower case between two decompositions: signs such as № and ℃ hide capital letters.
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def _syllables(decomposed: str) -> list[str]:
    # \w keeps no combining mark, so marks are named; digits are syllables of their own.
    return re.findall(r"\d+|(?:[^\W\d_][\u0300-\u036f]*)+", decomposed)


def _syllable_key(syllable: str) -> str:
    if syllable[0].isdigit():
        return _number_key(syllable)
    tone = next((_TONE_CODES[c] for c in syllable if c in _TONE_CODES), _LEVEL_TONE)
    letters = re.findall(r"[^\u0300-\u036f][\u0300-\u036f]*", syllable)
    # The space ends the letters below every other sign: "ta" stands before "tan" whatever their tones.
    return "".join(map(_letter_key, letters)) + " " + tone


def _letter_key(letter: str) -> str:
    marks = "".join(c for c in letter[1:] if c in _LETTER_MARKS)
    base = letter[0]
    composed = nfc(base + marks)
    known = _LETTER_CODES.get(composed) or _LETTER_CODES.get(base)
    return known or f"z{ord(base):06x}"  # other scripts stand after the alphabet, in Unicode's order


def _number_key(digits: str) -> str:
    plain = "".join(str(unicodedata.digit(c, 0)) for c in digits).lstrip("0")
    size = len(plain)
    # The length goes first, so that 2 < 10; "9" repeats so that no length is too long.
    return "9" * (size // 9) + str(size % 9) + plain
