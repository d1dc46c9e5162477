"""The tables and statements themselves: columns match what is promised, history cannot be rewritten."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import ProgrammingError

from services.indicators.schemas.actuals import ActualHistoryRow, ActualRow
from services.indicators.schemas.catalogue import IndicatorRow
from services.indicators.schemas.periods import PeriodRow, RegimeRow
from services.indicators.schemas.targets import TargetRow
from services.indicators.store import Base, catalogue, figures, periods, targets
from services.indicators.store.visibility import Viewer, covered, units
from tests.house import House
from tests.indicators.given import post, row


@pytest.mark.parametrize(
    ("columns", "model"),
    [
        (catalogue.COLUMNS, IndicatorRow),
        (periods.REGIME_COLUMNS, RegimeRow),
        (periods.PERIOD_COLUMNS, PeriodRow),
        (targets.COLUMNS, TargetRow),
        (figures.COLUMNS, ActualRow),
        (figures.HISTORY_COLUMNS, ActualHistoryRow),
    ],
)
def test_lists_answer_what_their_models_promise(columns: tuple[str, ...], model: Any) -> None:
    assert sorted(columns) == sorted(model.model_fields)


def test_large_tables_begin_with_the_commune() -> None:
    for name in ("target", "actual", "actual_revision"):
        assert next(iter(Base.metadata.tables[f"indicators.{name}"].primary_key.columns)).name == "admin_unit_id"


async def test_what_was_superseded_can_be_read_but_never_changed(stocked: House) -> None:
    await post(stocked, row())
    await post(stocked, row(value=86))
    for statement in (
        "UPDATE actual_revision SET value = 1",
        "DELETE FROM actual_revision",
        "UPDATE posting SET client_id = 'x'",
        "DELETE FROM posting",
        "UPDATE audit SET client_id = 'x'",
    ):
        async with stocked.database("indicators").engine.connect() as connection:
            with pytest.raises(ProgrammingError, match="permission denied"):
                await connection.exec_driver_sql(statement)


async def test_every_figure_knows_its_post(stocked: House) -> None:
    posted = (await post(stocked, row(), row(period="2026-Q2"))).json()
    async with stocked.database("indicators").engine.connect() as connection:
        found = await connection.exec_driver_sql(
            "SELECT p.import_id::text, p.client_id, p.received, count(*) FROM actual a"
            " JOIN posting p ON p.id = a.posting_id GROUP BY 1, 2, 3"
        )
        assert [tuple(each) for each in found] == [(posted["import_id"], "tester", 2, 2)]


def test_who_covers_nothing_sees_no_unit_as_its_own(house: House) -> None:
    nobody = house.caller(admin_units=[])
    assert str(covered(nobody, units.c.code, units.c.province_code)) == "false"
    assert Viewer(nobody, shows_samples=False).is_anonymous is False
