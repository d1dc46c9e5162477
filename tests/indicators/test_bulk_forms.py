"""Posts of figures in every form: the same rows come to the same figures, and what is unclear is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import polars as pl
import pytest
import zstandard
from joserfc.jwk import OKPKey

from tests.chassis.tabular.bodies import CSV, JSON, NDJSON, PARQUET, XLSX, Sheet, ndjson, parquet
from tests.house import House, open_house
from tests.indicators.forms import FORMS, KEPT, PACKINGS, ROWS, outcomes, said, send
from tests.indicators.given import ACTUALS, items, row

FIGURE = ("value", "numerator", "denominator", "level", "rank", "text", "done_on")
HEADER = "admin_unit;indicator;period;value\n"


async def figures(house: House) -> list[tuple[Any, ...]]:
    """Unit, indicator, period and figure of everything in force."""
    return [
        (each["admin_unit"], each["indicator"], each["period"], {n: each[n] for n in FIGURE if each[n] is not None})
        for each in await items(house, ACTUALS)
    ]


@pytest.mark.parametrize("form", FORMS)
async def test_the_same_rows_in_every_form_and_packing_are_the_same_figures(stocked: House, form: str) -> None:
    content_type, made = FORMS[form]
    body = made(ROWS)
    first = await send(stocked, body, content_type)
    assert (first.status_code, outcomes(first)) == (200, {"received": 8, "created": 8}), first.text
    assert await figures(stocked) == KEPT
    for encoding, pack in PACKINGS.items():
        again = await send(stocked, pack(body), content_type, headers={"Content-Encoding": encoding})
        assert (again.status_code, outcomes(again)) == (200, {"received": 8, "unchanged": 8}), again.text
    kept = {(each["indicator"], each["period"]): each for each in await items(stocked, ACTUALS)}
    noted = kept["VNEID_ACCOUNT_RATE", "2026-Q3"]
    assert (noted["note"], noted["measured_on"], noted["data_status"]) == ('a "x"; ữ', "2026-09-14", "preliminary")
    stated = kept["CASHLESS_RATE", "2026-07"]
    assert (stated["note"], stated["measured_on"], stated["data_status"]) == (None, "2026-07-10", "official")


async def test_a_file_called_otherwise_is_known_by_its_beginning(stocked: House) -> None:
    assert outcomes(await send(stocked, FORMS["xlsx"][1](ROWS), CSV)) == {"received": 8, "created": 8}
    assert outcomes(await send(stocked, FORMS["csv"][1](ROWS), "application/vnd.ms-excel")) == {
        "received": 8,
        "unchanged": 8,
    }


async def test_types_of_parquet_say_what_cells_are(stocked: House) -> None:
    sound = pl.DataFrame(
        {
            "admin_unit": pl.Series(["26491", "26434"], dtype=pl.Categorical),
            "indicator": ["VNEID_ACCOUNT_RATE", "WIFI_POINTS"],
            "period": [202607, 202608],
            "value": [85.75, 3.0],
            "measured_on": [datetime(2026, 7, 10), datetime(2026, 8, 11)],  # noqa: DTZ001 - a day
        }
    )
    assert outcomes(await send(stocked, parquet(sound), PARQUET)) == {"received": 2, "created": 2}
    assert [(each["period"], each["value"], each["measured_on"]) for each in await items(stocked, ACTUALS)] == [
        ("2026-08", 3, "2026-08-11"),
        ("2026-07", 85.75, "2026-07-10"),
    ]
    odd = sound.with_columns(
        admin_unit=pl.Series([26491, 26434]), value=pl.Series(["85", "1.670"]), measured_on=pl.Series([True, False])
    )
    assert said(await send(stocked, parquet(odd), PARQUET)) == [
        (number, column, code)
        for number in (1, 2)
        for column, code in (
            ("admin_unit", "text_expected"),
            ("value", "number_expected"),
            ("measured_on", "day_expected"),
        )
    ]


async def test_a_workbook_as_communes_keep_it(stocked: House) -> None:
    sheet = Sheet("Biểu 1").rows(
        ("UBND TỈNH ĐỒNG NAI",),
        ("BÁO CÁO CHỈ TIÊU QUÝ III NĂM 2026",),
        (),
        ("STT", "Mã xã", "Tên đơn vị", "Mã chỉ tiêu", "Kỳ", "Kết quả", "Ghi chú"),
        (1, "26491", "Đại Phước", "VNEID_ACCOUNT_RATE", "2026-Q3"),
        (2, None, None, "DTI_SCORE", "2026-Q3"),
        (3, None, None, "WIFI_POINTS", "2026-Q3", 27),
        (4, 26434, "Xuân Thành", "CASHLESS_RATE", 202607),
    )
    sheet.sheet.merge_range("A1:G1", "UBND TỈNH ĐỒNG NAI")
    sheet.sheet.merge_range("B5:B7", "26491")
    sheet.write(4, 5, 0.8575, "0.00%").write(5, 5, 0.7, "0%").write(7, 5, "1.204,5%")
    response = await send(stocked, sheet.body(), XLSX, mode="partial", number_style="vi")
    assert outcomes(response) == {"received": 4, "created": 4}, response.text
    assert [each["code"] for each in response.json()["warnings"]] == ["above_100_allowed"]
    assert await figures(stocked) == [
        ("26434", "CASHLESS_RATE", "2026-07", {"value": 1204.5}),
        ("26491", "DTI_SCORE", "2026-Q3", {"value": 0.7}),
        ("26491", "VNEID_ACCOUNT_RATE", "2026-Q3", {"value": 85.75}),
        ("26491", "WIFI_POINTS", "2026-Q3", {"value": 27}),
    ]


async def test_bad_cells_of_a_workbook_keep_their_place(stocked: House) -> None:
    sheet = Sheet().rows(
        ("BÁO CÁO",),
        ("Mã xã", "Mã chỉ tiêu", "Kỳ", "Kết quả"),
        ("26491", "WIFI_POINTS", "2026-Q3"),
        ("26491", "LATE_COUNT", "2026-Q3", "1.670"),
        ("26491", "DTI_SCORE", "2026-Q3"),
        ("26491", "VNEID_ACCOUNT_RATE", "2026-Q3", 85),
    )
    sheet.write(2, 3, 0.5, "0%").write(4, 3, 0.7012345, "0.00000%")
    sheet.sheet.write_formula(5, 3, "=1/0", None, "#DIV/0!")
    response = await send(stocked, sheet.body(), XLSX)
    assert said(response) == [
        (3, "value", "number_mark_unexpected"),
        (4, "value", "number_ambiguous"),
        (5, "value", "value_too_precise"),
        (6, "value", "cell_error"),
    ]
    assert [each["value"] for each in response.json()["errors"]] == ["50", "1.670", "70.12345", None]


async def test_a_sheet_is_named_where_several_hold_tables(stocked: House) -> None:
    sheet = Sheet("Quý II").rows(("Mã xã", "Mã chỉ tiêu", "Kỳ", "Kết quả"), ("26491", "WIFI_POINTS", "2026-Q2", 1))
    other = sheet.workbook.add_worksheet("Quý III")
    for at, cells in enumerate([("Mã xã", "Mã chỉ tiêu", "Kỳ", "Kết quả"), ("26491", "WIFI_POINTS", "2026-Q3", 2)]):
        other.write_row(at, 0, cells)
    body = sheet.body()
    several = await send(stocked, body, XLSX)
    assert (several.status_code, several.json()["code"]) == (422, "sheets_several")
    assert "Quý II, Quý III" in several.json()["detail"]
    unknown = await send(stocked, body, XLSX, sheet="Quý IV")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "sheet_unknown")
    assert outcomes(await send(stocked, body, XLSX, sheet="Quý III")) == {"received": 1, "created": 1}
    assert await figures(stocked) == [("26491", "WIFI_POINTS", "2026-Q3", {"value": 2})]


@pytest.mark.parametrize(
    ("style", "text", "value"),
    [
        (None, "1.670.000", 1670000),
        (None, "200,000,000", 200000000),
        (None, "1.670 triệu", None),
        ("vi", "1.670", 1670),
        ("vi", "1.670 triệu", 1670000000),
        ("en", "1,670", 1670),
        ("en", "1.670", None),
        ("plain", "1670", 1670),
        ("plain", "1.670", None),
        ("vi", "1,670.5", None),
        (None, "1.670", None),
        (None, "0,70", None),
    ],
)
async def test_numbers_are_read_in_the_declared_style_or_where_they_are_clear(
    stocked: House, style: str | None, text: str, value: int | None
) -> None:
    params = {"number_style": style} if style else {}
    response = await send(stocked, f"{HEADER}26491;WIFI_POINTS;2026-Q3;{text}\n".encode(), CSV, **params)
    assert (response.status_code == 200) is (value is not None), response.text
    assert [each["value"] for each in await items(stocked, ACTUALS)] == ([value] if value is not None else [])


async def test_an_ambiguous_number_is_refused_with_both_readings(stocked: House) -> None:
    response = await send(stocked, f"{HEADER}26491;WIFI_POINTS;2026-Q3;1.670\n".encode(), CSV)
    (fault,) = response.json()["errors"]
    assert (fault["row"], fault["column"], fault["code"], fault["value"]) == (2, "value", "number_ambiguous", "1.670")
    assert fault["message"] == (
        "“1.670” has two readings: 1670 (style vi) or 1.67 (style en); declare number_style=vi or en."
    )


async def test_an_unknown_number_style_is_refused(stocked: House) -> None:
    response = await send(stocked, HEADER.encode(), CSV, number_style="fr")
    assert (response.status_code, response.json()["code"]) == (422, "body_invalid")


async def test_text_of_another_old_font_is_named(stocked: House) -> None:
    body = "admin_unit;indicator;period;text\n26491;BUDGET_WORDS;2026-Q3;Thò traán Taân Lôïi\n".encode()
    response = await send(stocked, body, CSV)
    assert said(response) == [(2, "text", "text_old_font")]
    assert "VNI" in response.json()["errors"][0]["message"]


async def test_text_of_an_old_font_is_refused_with_advice(stocked: House) -> None:
    body = "admin_unit;indicator;period;text;note\n26491;BUDGET_WORDS;2026-Q3;§óng, ®ñ;ThÞ trÊn T©n Lîi\n".encode()
    response = await send(stocked, body, CSV, headers={"Accept-Language": "vi"})
    assert said(response) == [(2, "text", "text_old_font"), (2, "note", "text_old_font")]
    assert response.json()["errors"][0]["message"] == (
        "Văn bản gõ bằng phông TCVN3, không phải Unicode; hãy chuyển mã sang Unicode "
        "(UniKey: Ctrl+Shift+F6, nguồn TCVN3, đích Unicode) rồi gửi lại."
    )


async def test_a_file_of_too_many_rows_is_refused_with_the_limit_before_it_is_unpacked(stocked: House) -> None:
    frame = pl.DataFrame({"admin_unit": ["26491"] * 200_001})
    response = await send(stocked, parquet(frame, compression="zstd"), PARQUET, mode="partial")
    assert (response.status_code, response.json()["code"]) == (413, "actuals_too_many"), response.text
    assert "200000" in response.json()["detail"]
    assert "/v1/indicators/imports" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"[]", "application/xml", 415, "media_unsupported"),
        (b"[]", "text/csv; charset=koi8-r", 415, "media_unsupported"),
        (b"not a workbook", XLSX, 400, "file_unreadable"),
        (b"<html><table></table></html>", XLSX, 400, "file_unreadable"),
        (b"PAR1 nothing PAR1", PARQUET, 400, "file_unreadable"),
        (b"{", JSON, 400, "body_unreadable"),
        (b"a;b\n1;2\n", CSV, 422, "body_invalid"),
        (b"admin_unit;indicator;period;vaule\n", CSV, 422, "body_invalid"),
        ("Mã xã;Mã đơn vị;indicator;period\n".encode(), CSV, 422, "body_invalid"),
        (parquet(pl.DataFrame({"admin_unit": [["26491"]]})), PARQUET, 422, "body_invalid"),
    ],
)
async def test_bodies_that_hold_no_rows_are_refused_as_a_whole(
    stocked: House, body: bytes, content_type: str, status: int, code: str
) -> None:
    response = await send(stocked, body, content_type, mode="partial")
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


@pytest.mark.parametrize("name", ["gzip", "zstd"])
async def test_broken_packings_are_refused(stocked: House, name: str) -> None:
    packed = PACKINGS[name](FORMS["ndjson"][1](ROWS))
    for body in (packed[:-5], packed[:20] + b"\xff\xff\xff\xff" + packed[24:], b"plain", b""):
        response = await send(stocked, body, NDJSON, headers={"Content-Encoding": name})
        assert (response.status_code, response.json()["code"]) == (400, "content_encoding_broken")
    assert await items(stocked, ACTUALS) == []


async def test_other_packings_are_not_taken(stocked: House) -> None:
    response = await send(stocked, b"", NDJSON, headers={"Content-Encoding": "br"})
    assert (response.status_code, response.json()["code"]) == (415, "media_unsupported")


@pytest.fixture
async def narrow(admin_url: str, signing_key: OKPKey, stocked_template: str) -> AsyncIterator[House]:
    """A house that takes small bodies only."""
    async with open_house(
        admin_url, signing_key, template=stocked_template, max_bulk_bytes=1000, max_unpacked_bytes=5000
    ) as house:
        yield house


async def test_a_body_over_the_limit_is_refused_with_it(narrow: House) -> None:
    fitting = json.dumps([row()]).encode().ljust(1000)
    assert (await send(narrow, fitting, JSON)).status_code == 200
    large = await send(narrow, fitting + b" ", JSON)
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    assert "1000" in large.json()["detail"]

    async def undeclared() -> AsyncIterator[bytes]:
        yield fitting
        yield b" "

    headers = {**narrow.admin, "Content-Type": JSON}
    streamed = await narrow.client.post(ACTUALS, content=undeclared(), headers=headers)
    assert (streamed.status_code, streamed.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
async def test_a_body_that_unpacks_beyond_the_limit_is_refused_with_it(narrow: House, encoding: str, pack: Any) -> None:
    fitting = json.dumps([row()]).encode().ljust(5000)
    assert (await send(narrow, pack(fitting), JSON, headers={"Content-Encoding": encoding})).status_code == 200
    response = await send(narrow, pack(fitting + b" "), JSON, headers={"Content-Encoding": encoding})
    assert (response.status_code, response.json()["code"]) == (413, "unpacked_too_large")
    assert "5000" in response.json()["detail"]


async def test_texts_with_every_sign_come_back_as_they_were(stocked: House) -> None:
    signs = [
        '"',
        "\\",
        "\\N",
        "\\.",
        ",",
        ";",
        "a\nb",
        "a\r\nb",
        "a\rb",
        "\n\\.\n",
        "'",
        "“”",
        "😀",
        '""',
        "a\tb",
        "null",
    ]
    notes = {f"2026-{month:02d}": sign + "ữ" + sign for month, sign in enumerate(signs[:11], 1)}
    notes |= {f"2025-{month:02d}": f"x{sign}" for month, sign in enumerate(signs[11:], 8)}
    rows = [row(period=period, note=note, source=note) for period, note in notes.items()]
    first = await send(stocked, ndjson(*rows), NDJSON)
    assert outcomes(first) == {"received": len(rows), "created": len(rows)}, first.text
    kept = {each["period"]: each["note"] for each in await items(stocked, ACTUALS)}
    assert kept == {period: note.strip() for period, note in notes.items()}
    again = await send(stocked, ndjson(*rows), NDJSON)
    assert outcomes(again) == {"received": len(rows), "unchanged": len(rows)}
