"""The columns of a posted row: their names, and what each holds."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from chassis.tabular import MARK_PERCENT, Choice, Column, Day, Number, Text, Whole, folded
from services.indicators.domain.actuals.titles import ACTIONS, STATUSES

SAMPLE = "sample"
MAX_TEXT = 4000


class DataStatus(StrEnum):
    """The legal words of the Statistics Law: ước tính, sơ bộ, chính thức."""

    ESTIMATED = "estimated"
    PRELIMINARY = "preliminary"
    OFFICIAL = "official"


class Action(StrEnum):
    """What a row does to the stored figure."""

    SET = "set"
    WITHDRAW = "withdraw"


class Kind(IntEnum):
    """What a stored figure is: one number, a level, a rank, words, or a day of completion."""

    VALUE = 1
    LEVEL = 2
    RANK = 3
    TEXT = 4
    DONE_ON = 5


STATUS_NUMBER = {DataStatus.ESTIMATED: 1, DataStatus.PRELIMINARY: 2, DataStatus.OFFICIAL: 3}
STATUS_OF = {number: status for status, number in STATUS_NUMBER.items()}
FIGURE_COLUMNS = ("value", "numerator", "denominator", "level", "rank", "text", "done_on")


def _words(codes: Mapping[str, str]) -> dict[str, str]:
    """Every word a cell may have for a code: the code itself, and its Vietnamese word."""
    return {folded(word): code for code, words in codes.items() for word in (code, words)}


# What a row is about.
NAMES: tuple[Column, ...] = (
    Text("admin_unit", longest=100),
    Text("commune", longest=100),  # another name of admin_unit
    Text("indicator", longest=400),
    Text("plan_row", longest=100),
    Text("sub_population", longest=MAX_TEXT),
    Text("regime", longest=100),
    Text("period", required=True, longest=100),
)
# What it says of that.
SAYINGS: tuple[Column, ...] = (
    Number("value", marks=frozenset({MARK_PERCENT})),
    Number("numerator"),
    Number("denominator"),
    Whole("level", digits=9),
    Whole("rank", digits=9),
    Text("text", longest=MAX_TEXT),
    Day("done_on"),
    Day("measured_on"),
    Choice("data_status", _words(STATUSES)),
    Text("source", longest=MAX_TEXT),
    Text("evidence_url", longest=MAX_TEXT),
    Text("note", longest=MAX_TEXT),
    Choice("action", _words(ACTIONS)),
    Text("reason", longest=MAX_TEXT),
    Whole("base_version", digits=9),
)
COLUMNS = (*NAMES, *SAYINGS)
