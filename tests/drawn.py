"""What tests of properties draw from, and how many examples of bodies they try."""

from __future__ import annotations

import os

from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("CHITIEU_FUZZ_EXAMPLES", "16"))


def signs(without: str = "") -> st.SearchStrategy[str]:
    """Every character a text can hold. It is said by category: what a codec holds takes 1.6 s to find out."""
    return st.characters(exclude_categories=("Cs",), exclude_characters=without)


def texts(longest: int | None = None, *, without: str = "") -> st.SearchStrategy[str]:
    """Any text of at most so many characters."""
    return st.text(signs(without), max_size=longest)
