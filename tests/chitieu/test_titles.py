"""The titles our forms use are those the service reads."""

from __future__ import annotations

from chitieu.form import COLUMNS_OF
from services.indicators.domain.actuals.columns import COLUMNS, Action, DataStatus
from services.indicators.domain.actuals.judging import KIND_OF
from services.indicators.domain.actuals.titles import ACTIONS, STATUSES, WORDS


def test_every_column_has_its_titles() -> None:
    assert tuple(WORDS) == tuple(column.name for column in COLUMNS)


def test_every_word_of_a_list_has_its_code() -> None:
    assert tuple(STATUSES) == tuple(DataStatus)
    assert tuple(ACTIONS) == tuple(Action)


def test_every_kind_of_figure_has_its_column() -> None:
    assert {kind: columns[0] for kind, columns in COLUMNS_OF.items()} == {
        kind.value: stored.name.lower() for kind, stored in KIND_OF.items()
    }
