"""Versioned sets: what changes is kept as it was; what does not is left alone."""

from __future__ import annotations

from chassis.history import SetDiff, compare, content_hash


def test_compare_sorts_keys() -> None:
    current = {"a": b"1", "b": b"2", "c": b"3"}
    incoming = {"a": b"1", "b": b"x", "d": b"4"}
    assert compare(current, incoming, prune=False) == SetDiff(["d"], ["b"], ["a"], [], ["c"])
    assert compare(current, incoming, prune=True) == SetDiff(["d"], ["b"], ["a"], ["c"], [])


def test_a_diff_says_whether_anything_was_written() -> None:
    assert not SetDiff(unchanged=["a"], kept=["b"]).has_changes
    assert SetDiff(removed=["a"]).has_changes
    assert SetDiff(["a"], [], ["b", "c"], [], []).summary() == {
        "created": ["a"],
        "updated": [],
        "unchanged": 2,
        "removed": [],
        "kept": [],
    }


def test_the_order_of_columns_does_not_matter() -> None:
    assert content_hash({"a": 1, "b": None}) == content_hash({"b": None, "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": "1"})
