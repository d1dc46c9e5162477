"""Forms: what they hold, and that they come back filled in without anything else being done to them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from chitieu.client import AsyncClient, Refused
from chitieu.form import COLUMNS_OF, GUIDE, HEADER_ROW, SHEET, Form, title_of, write_form
from chitieu.template import Wanted, gather
from chitieu.troubles import Trouble
from tests.chitieu.forms import fill
from tests.chitieu.test_client import ROW, client, client_of, own_plans
from tests.house import House

__all__ = ["client", "own_plans"]

WANTED = Wanted("26491", "2026Q3")
WIFI = "PUBLIC_WIFI_POINTS"
FIGURES: Mapping[str, Any] = {"value": 1, "level": 3, "rank": 2, "text": "đang làm", "done_on": 46270}  # 05/09/2026


async def made(client: AsyncClient, file: Path, wanted: Wanted = WANTED) -> Form:
    form = await gather(client, wanted)
    write_form(form, file)
    return form


def lines_of(file: Path) -> list[list[Any]]:
    return CalamineWorkbook.from_path(str(file)).get_sheet_by_name(SHEET).to_python()


def place_of(form: Form, number: int, column: str) -> str:
    return f"{chr(ord('A') + form.columns.index(column))}{HEADER_ROW + 1 + number}"


def unfilled(form: Form) -> dict[str, Any]:
    """A figure for every indicator that has none."""
    columns = {number: COLUMNS_OF[row.value_type][0] for number, row in enumerate(form.rows) if not row.figure}
    return {place_of(form, number, column): FIGURES[column] for number, column in columns.items()}


async def test_a_form_holds_the_unit_s_indicators_with_their_targets(own_plans: House, tmp_path: Path) -> None:
    async with client_of(own_plans, scopes="plans:read indicators:read") as reader:
        form = await made(reader, tmp_path / "form.xlsx")
        targets = await reader.read_all("/v1/indicators/targets", {"admin_unit": "26491", "year": 2026})
    assert {(row.indicator, row.sub_population) for row in form.rows} == {
        (target["indicator"], target["sub_population"]) for target in targets
    }
    lines = lines_of(tmp_path / "form.xlsx")
    assert lines[0][0] == "Số liệu thực hiện chỉ tiêu, Đại Phước (26491), Quý III/2026"
    assert lines[1][0].startswith("Kỳ từ 15/06/2026 đến 14/09/2026, hạn nộp báo cáo 14/09/2026.")
    titles = lines[HEADER_ROW - 1]
    assert titles == [title_of(column) for column in form.columns]
    [wifi] = [dict(zip(titles, line, strict=True)) for line in lines[HEADER_ROW:] if WIFI in line]
    assert (wifi["Chỉ tiêu giao"], wifi["Đơn vị tính"], wifi["Mã đơn vị"], wifi["Kỳ báo cáo"]) == (
        "dự kiến 30 điểm", "điểm wifi", "26491", "2026-Q3",
    )  # fmt: skip
    # What is recorded is a sample: it is not offered as a figure, but a real one takes its place.
    assert (wifi["Giá trị"], wifi["Phiên bản"]) == ("", 1)


async def test_sub_populations_have_rows_of_their_own(own_plans: House, tmp_path: Path) -> None:
    async with client_of(own_plans, "*", "indicators:read actuals:write") as admin:
        file = tmp_path / "form.xlsx"
        form = await made(admin, file, Wanted("14161", "2026-S1"))
        parts = [row for row in form.rows if row.sub_population]
        assert len({(row.indicator, row.sub_population) for row in form.rows}) == len(form.rows)
        assert parts
        fill(file, unfilled(form))
        assert (await admin.post_actuals(file)).refused == 0


async def test_a_form_filled_in_is_taken_as_it_is_and_comes_back_with_its_figures(
    client: AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "form.xlsx"
    form = await made(client, file)
    fill(file, unfilled(form))
    posted = await client.post_actuals(file)
    assert (posted.received, posted.written, posted.refused) == (len(form.rows), len(form.rows), 0)

    again = await made(client, file)
    assert [row.version for row in again.rows] == [(row.version or 0) + 1 for row in form.rows]
    untouched = await client.post_actuals(file)
    assert (untouched.received, untouched.unchanged) == (len(form.rows), len(form.rows))


async def test_a_form_filled_in_partly_changes_nothing_else(client: AsyncClient, tmp_path: Path) -> None:
    file = tmp_path / "form.xlsx"
    form = await made(client, file)
    some = dict(list(unfilled(form).items())[:7])
    fill(file, some)
    with pytest.raises(Refused) as refusal:
        await client.post_actuals(file)
    assert refusal.value.faults_total == len(form.rows) - len(some)
    posted = await client.post_actuals(file, on_blank="skip")
    assert (posted.received, posted.written, posted.left_blank) == (7, 7, len(form.rows) - 7)
    through = await client.post_actuals(file, on_blank="skip", dry_run=True)
    assert (through.unchanged, through.left_blank) == (7, len(form.rows) - 7)


async def test_a_figure_changed_since_the_form_was_made_is_not_overwritten(client: AsyncClient, tmp_path: Path) -> None:
    file = tmp_path / "form.xlsx"
    form = await made(client, file)
    fill(file, unfilled(form))
    await client.post_actuals([ROW])
    with pytest.raises(Refused) as refusal:
        await client.post_actuals(file)
    [fault] = refusal.value.faults
    number = next(at for at, row in enumerate(form.rows) if row.indicator == WIFI)
    assert (fault.row, fault.column) == (HEADER_ROW + 1 + number, "base_version")


async def test_numerators_are_filled_in_without_the_value_they_make(client: AsyncClient) -> None:
    code = {"admin_unit": "26491", "indicator": "AGENCIES_IT_EQUIPPED_RATE", "period": "2026-Q3"}
    await client.post_actuals(
        [{**code, "numerator": 19, "denominator": 20, "data_status": "official", "note": "đã rà"}]
    )
    form = await gather(client, WANTED)
    [row] = [row for row in form.rows if row.indicator == "AGENCIES_IT_EQUIPPED_RATE"]
    assert row.figure == {
        "numerator": 19, "denominator": 20, "measured_on": "2026-09-14", "data_status": "official", "note": "đã rà",
    }  # fmt: skip


async def test_lists_to_choose_from_and_a_guide(client: AsyncClient, tmp_path: Path) -> None:
    file = tmp_path / "form.xlsx"
    await made(client, file)
    with zipfile.ZipFile(file) as book:
        text = book.read("xl/worksheets/sheet1.xml").decode()
    lists = re.findall(r"<formula1>(.*?)</formula1>", text)
    assert lists == ['"Ước tính,Sơ bộ,Chính thức"', '"Ghi,Rút"']
    assert 'state="frozen"' in text
    guide = CalamineWorkbook.from_path(str(file)).get_sheet_by_name(GUIDE).to_python()
    assert any("Ghi nhận chưa phải là nộp báo cáo." in str(cell) for line in guide for cell in line)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted("26491", "quý 3"), "is not a period"),
        (Wanted("26491", "2029-Q3"), "no targets in 2029"),
        (Wanted("99999", "2026-Q3"), "no targets"),
        (Wanted("26491", "2026-04-15"), "has no period 2026-04-15"),
    ],
)
async def test_what_no_form_can_be_made_of_is_said(client: AsyncClient, wanted: Wanted, words: str) -> None:
    with pytest.raises(Trouble, match=words):
        await gather(client, wanted)
