"""Parameters of several values: repeated, separated by commas, and never empty."""

import pytest

from chassis.errors import Refused
from chassis.pages import chosen, many


def test_values_are_repeated_or_separated_by_commas() -> None:
    assert many(["25378,25345", " 26491 ", "25378", ","]) == ["25378", "25345", "26491"]
    assert chosen(["25378"]) == ("25378",)


def test_a_filter_left_out_is_no_filter() -> None:
    assert many([]) == []
    assert chosen(None) == ()


@pytest.mark.parametrize("given", [[""], [","], [" ", ""], [" , "]])
def test_a_filter_that_names_nothing_is_refused(given: list[str]) -> None:
    for read in (many, chosen):
        with pytest.raises(Refused) as refused:
            read(given)
        assert refused.value.rule.code == "list_empty"
