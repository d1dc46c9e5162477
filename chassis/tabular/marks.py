"""What a spreadsheet says of its cells beside their values: which are percents, which are errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chassis.errors import TooLarge
from chassis.tabular.rules import COLUMNS_TOO_MANY, ROWS_TOO_MANY

PERCENT_FORMATS = frozenset({9, 10})  # built into every spreadsheet: 0% and 0.00%
MOST_CELLS = 8_000_000  # readers lay a sheet out from its first to its last cell
MOST_SHEET_COLUMNS = 16_384
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')


def is_percent(number_format: str) -> bool:
    """Whether a number format shows hundredths: a % that is neither quoted nor escaped."""
    return "%" in _LITERAL.sub("", number_format)


@dataclass(slots=True)
class Marks:
    """Of one sheet: its height and width, and its percent and error cells as (row, place), both from 0."""

    height: int = 0
    width: int = 0
    percents: set[tuple[int, int]] = field(default_factory=set)
    errors: set[tuple[int, int]] = field(default_factory=set)

    def reach(self, row: int, place: int) -> None:
        """Count a cell into the sheet's extent."""
        self.height = max(self.height, row + 1)
        self.width = max(self.width, place + 1)

    def check(self, limit_rows: int) -> None:
        """Refuse a sheet too large to be laid out.

        Raises:
            TooLarge: more rows, or more cells, than are read ("rows_too_many", "columns_too_many").
        """
        if self.height > limit_rows:
            raise TooLarge(ROWS_TOO_MANY, limit_rows=limit_rows)
        if self.width > MOST_SHEET_COLUMNS or self.height * self.width > MOST_CELLS:
            raise TooLarge(COLUMNS_TOO_MANY, limit_columns=MOST_CELLS // max(self.height, 1))
