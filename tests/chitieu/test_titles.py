"""The titles our forms use are those the service publishes."""

from __future__ import annotations

from chassis.tabular import folded
from chitieu.form import COLUMNS_OF
from chitieu.titles import ACTIONS, LEFT_OUT, STATUSES, TITLES, known_titles
from services.indicators.domain.actuals.columns import COLUMNS, Action, DataStatus
from services.indicators.domain.actuals.columns import TITLES as PUBLISHED
from services.indicators.domain.actuals.judging import KIND_OF


def test_the_titles_are_those_of_the_service() -> None:
    assert known_titles().known() == PUBLISHED.known()
    assert tuple(TITLES) == PUBLISHED.columns
    assert known_titles().spanning == PUBLISHED.spanning
    assert {folded(title) for title in LEFT_OUT} == {title for title, name in PUBLISHED.known().items() if name is None}


def test_the_words_of_lists_are_those_of_the_service() -> None:
    words = {column.name: column.words for column in COLUMNS if column.name in ("data_status", "action")}  # type: ignore[union-attr]
    assert {code: words["data_status"][folded(word)] for code, word in STATUSES.items()} == {s: s for s in DataStatus}
    assert {code: words["action"][folded(word)] for code, word in ACTIONS.items()} == {a: a for a in Action}


def test_every_kind_of_figure_has_its_column() -> None:
    assert {kind: columns[0] for kind, columns in COLUMNS_OF.items()} == {
        kind.value: stored.name.lower() for kind, stored in KIND_OF.items()
    }
