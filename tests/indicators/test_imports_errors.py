"""Refused rows come back with what stood in them and why: as pages, CSV, and workbook."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import httpx2
import pytest
from python_calamine import CalamineWorkbook

from chassis.tabular import json_text
from services.indicators.domain import import_errors
from services.indicators.service import gathering, import_run
from services.indicators.service.terms import PostTerms
from tests.house import House
from tests.indicators.given import ACTUALS, items, row
from tests.indicators.importing import IMPORTS, counted, lines, run_import, table

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SOUND = row(note="")
ABOVE = row(admin_unit="26434", value=101, note="=1+1")
UNKNOWN = row(admin_unit="2643", value=50, note="xa")
BAD = [SOUND, ABOVE, UNKNOWN]


async def errors(house: House, import_id: str, accept: str, language: str = "en", **params: Any) -> httpx2.Response:
    asked = {**house.admin, "Accept": accept, "Accept-Language": language}
    response = await house.client.get(f"{IMPORTS}/{import_id}/errors", headers=asked, params=params)
    assert response.status_code == 200, response.text
    return response


async def test_a_refused_import_says_why_and_gives_its_rows_back(stocked: House) -> None:
    found = await run_import(stocked, table(BAD), content_type="text/csv")
    assert (found["state"], found["result"]) == ("refused", None)
    assert found["progress"] == {"rows_read": 3, "rows_checked": 3, "rows_written": 0}
    problem = found["problem"]
    assert (problem["status"], problem["code"], problem["errors_total"]) == (422, "actuals_refused", 2)
    assert problem["detail"] == "Nothing was written: 2 of 3 rows are refused."
    assert [(each["row"], each["column"], each["code"]) for each in problem["errors"]] == [
        (3, "value", "value_above_100"),
        (4, "admin_unit", "admin_unit_unknown"),
    ]
    page = (await errors(stocked, found["import_id"], "application/json")).json()
    assert page["next"] is None
    assert page["items"][0] == {
        "row": 3,
        "cells": {
            "admin_unit": "26434",
            "indicator": "VNEID_ACCOUNT_RATE",
            "period": "2026-Q3",
            "value": "101",
            "note": "=1+1",
        },
        "errors": [
            {
                "code": "value_above_100",
                "column": "value",
                "value": "101",
                "message": "101 % is above 100 %, which this indicator does not allow.",
            }
        ],
        "message": "101 % is above 100 %, which this indicator does not allow.",
    }


async def test_a_partial_import_keeps_the_rows_it_refused(stocked: House) -> None:
    found = await run_import(stocked, lines(*BAD), mode="partial")
    assert (found["state"], found["problem"]) == ("done", None)
    assert counted(found["result"]) == {"received": 3, "created": 1, "refused": 2}
    assert found["result"]["errors_total"] == 2
    page = (await errors(stocked, found["import_id"], "application/json")).json()
    assert [each["row"] for each in page["items"]] == [2, 3]


@pytest.fixture
def small_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are read and judged by twos."""
    monkeypatch.setattr(json_text, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(import_run, "LOT_ROWS", 2)


@pytest.mark.usefixtures("small_lots")
@pytest.mark.parametrize("mode", ["atomic", "partial"])
async def test_an_import_of_too_many_faults_stops_and_keeps_those_it_read(
    stocked: House, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(import_run, "PostTerms", partial(PostTerms, most_faults=2))
    found = await run_import(stocked, lines(*BAD, ABOVE, *[SOUND] * 10), mode=mode)
    assert (found["state"], found["result"]) == ("refused", None)
    assert found["progress"] == {"rows_read": 4, "rows_checked": 4, "rows_written": 0}
    problem = found["problem"]
    assert (problem["status"], problem["code"], problem["errors_total"]) == (422, "faults_too_many", 3)
    assert problem["detail"].startswith("Stopped, and nothing was written: 3 of the first 4 rows have more than 2 ")
    page = (await errors(stocked, found["import_id"], "application/json")).json()
    assert [(each["row"], each["cells"]["value"]) for each in page["items"]] == [(2, "101"), (3, "50"), (4, "101")]


@pytest.mark.usefixtures("small_lots")
@pytest.mark.parametrize("mode", ["atomic", "partial"])
async def test_an_import_of_too_many_rows_of_a_unit_is_refused_before_anything_is_written(
    stocked: House, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(gathering, "MOST_OF_UNIT", 3)
    rows = [row(admin_unit="26434"), *[SOUND] * 4, ABOVE, row(admin_unit="26434", period="2026-Q2")]
    found = await run_import(stocked, lines(*rows), mode=mode)
    assert (found["state"], found["result"], await items(stocked, ACTUALS)) == ("refused", None, [])
    assert found["progress"] == {"rows_read": 7, "rows_checked": 7, "rows_written": 0}
    problem = found["problem"]
    assert (problem["status"], problem["code"], problem["errors_total"]) == (422, "actuals_too_many_of_unit", 1)
    assert problem["detail"].startswith("Unit 26491 has 4 rows; one import takes at most 3 rows of each unit.")
    page = (await errors(stocked, found["import_id"], "application/json")).json()
    assert [each["row"] for each in page["items"]] == [6]
    monkeypatch.setattr(gathering, "MOST_OF_UNIT", 4)
    found = await run_import(stocked, lines(*rows), mode="partial")
    assert counted(found["result"]) == {"received": 7, "created": 3, "duplicates": 3, "refused": 1}


async def test_refused_rows_as_csv_cannot_run_in_a_spreadsheet(stocked: House) -> None:
    found = await run_import(stocked, table(BAD), content_type="text/csv")
    response = await errors(stocked, found["import_id"], "text/csv", "vi")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == f'attachment; filename="errors-{found["import_id"]}.csv"'
    assert response.content.decode() == (
        "\ufeffrow,admin_unit,indicator,period,value,note,message\r\n"
        "3,26434,VNEID_ACCOUNT_RATE,2026-Q3,101,'=1+1,101 % vượt 100 % mà chỉ tiêu này không cho phép.\r\n"
        "4,2643,VNEID_ACCOUNT_RATE,2026-Q3,50,xa,Không có đơn vị hành chính mã 2643. Có phải là 26434?\r\n"
    )


async def test_refused_rows_as_a_workbook(stocked: House) -> None:
    found = await run_import(stocked, lines(*BAD))
    response = await errors(stocked, found["import_id"], XLSX)
    assert response.headers["Content-Type"] == XLSX
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(response.content)).get_sheet_by_index(0)
    assert sheet.to_python() == [
        ["row", "admin_unit", "indicator", "period", "value", "note", "message"],
        [
            2.0,
            "26434",
            "VNEID_ACCOUNT_RATE",
            "2026-Q3",
            "101",
            "=1+1",
            "101 % is above 100 %, which this indicator does not allow.",
        ],
        [
            3.0,
            "2643",
            "VNEID_ACCOUNT_RATE",
            "2026-Q3",
            "50",
            "xa",
            "There is no administrative unit 2643. Did you mean 26434?",
        ],
    ]


async def test_the_file_of_refused_rows_can_be_mended_and_sent_again(stocked: House) -> None:
    refused = await run_import(stocked, table(BAD), content_type="text/csv")
    file = (await errors(stocked, refused["import_id"], "text/csv")).content
    mended = file.replace(b",101,", b",99,").replace(b",2643,", b",26491,")
    found = await run_import(stocked, mended, content_type="text/csv")
    assert counted(found["result"]) == {"received": 2, "created": 2}


async def test_a_row_that_cannot_be_read_has_no_cells(stocked: House) -> None:
    content = lines(SOUND) + b"{not json\n" + lines(ABOVE)
    found = await run_import(stocked, content, mode="partial")
    page = (await errors(stocked, found["import_id"], "application/json")).json()
    assert [(each["row"], each["cells"] is None) for each in page["items"]] == [(2, True), (3, False)]


async def test_pages_of_refused_rows_follow_each_other(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_errors, "PART_ROWS", 4)
    bad = [row(period="2026-Q1", value=101 + number) for number in range(9)]
    found = await run_import(stocked, lines(*bad))
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await errors(stocked, found["import_id"], "application/json", limit=3, **cursor)).json()
        seen += [each["row"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == list(range(1, 10))
    file = await errors(stocked, found["import_id"], "text/csv")
    assert len(file.content.splitlines()) == 10
    assert (await stocked.rows("indicators"))["import_error_part"] == 3


async def test_pages_of_long_rows_are_short_and_end_with_the_last(
    stocked: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_errors, "PART_BYTES", 1)
    found = await run_import(stocked, lines(*(row(period="2026-Q1", value=101 + number) for number in range(5))))
    assert (await stocked.rows("indicators"))["import_error_part"] == 5
    pages = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await errors(stocked, found["import_id"], "application/json", limit=50, **cursor)).json()
        pages.append([each["row"] for each in page["items"]])
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert pages == [[1, 2], [3, 4], [5]]
    file = await errors(stocked, found["import_id"], "text/csv")
    assert len(file.content.splitlines()) == 6


async def test_cells_of_refused_rows_are_kept_up_to_a_limit(stocked: House) -> None:
    found = await run_import(stocked, lines(row(value=101, note="á" * 2000), row(value=102, note="á" * 2001)))
    page = (await errors(stocked, found["import_id"], "application/json")).json()
    assert [each["cells"]["note"] for each in page["items"]] == ["á" * 2000, "á" * 2000 + "…"]


@pytest.mark.parametrize("cursor", ["9223372036854775808", str(2**62 + 1), "-1", "x"])
async def test_a_cursor_that_is_none_of_ours_is_refused(stocked: House, cursor: str) -> None:
    found = await run_import(stocked, lines(SOUND))
    path = f"{IMPORTS}/{found['import_id']}/errors"
    response = await stocked.client.get(path, headers=stocked.admin, params={"cursor": cursor})
    assert response.status_code == 422


async def test_an_import_without_faults_has_none(stocked: House) -> None:
    found = await run_import(stocked, lines(SOUND))
    page = (await errors(stocked, found["import_id"], "application/json")).json()
    assert page == {"items": [], "next": None}
    assert (await errors(stocked, found["import_id"], "text/csv")).content.decode() == "\ufeffrow,message\r\n"


async def test_too_many_refused_rows_are_no_workbook(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.indicators.api.import_results.SHEET_PARTS", 0)
    found = await run_import(stocked, lines(ABOVE))
    asked = {**stocked.admin, "Accept": XLSX}
    response = await stocked.client.get(f"{IMPORTS}/{found['import_id']}/errors", headers=asked)
    assert (response.status_code, response.json()["code"]) == (413, "import_errors_too_many")
    asked = {**stocked.admin, "Accept": "image/png"}
    response = await stocked.client.get(f"{IMPORTS}/{found['import_id']}/errors", headers=asked)
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


async def test_a_thousand_faults_are_listed_and_all_are_counted(stocked: House) -> None:
    bad = [row(period=f"2026-Q{number % 3 + 1}", value=101 + number) for number in range(1100)]
    found = await run_import(stocked, lines(*bad))
    assert (len(found["problem"]["errors"]), found["problem"]["errors_total"]) == (1000, 1100)
    file = await errors(stocked, found["import_id"], "text/csv")
    assert len(file.content.splitlines()) == 1101
