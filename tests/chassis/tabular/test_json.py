"""JSON and NDJSON: numbers in their own digits, strict rows, every broken row by its number."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Unreadable
from chassis.tabular import Body, Kind, Limits, Number, Titles, read, read_cells
from chassis.tabular.json_text import read_array
from tests.chassis.tabular import bodies
from tests.chassis.tabular.bodies import COLUMNS, CSV, JSON, NDJSON, TITLES, cells, found, kinds, ndjson, refusal
from tests.drawn import texts

ROW = {"admin_unit": "26491", "indicator": "DX_01", "value": 85.75, "note": "Số liệu quý II"}


@pytest.mark.parametrize("content_type", [JSON, NDJSON])
@pytest.mark.parametrize(
    "digits",
    [
        "0.70",
        "1.670",
        "1e3",
        "1E-2",
        "-0.0",
        "9007199254740993",
        "18446744073709551617",
        "99999999999999.999999",
        "12345678901234567890123456789012.123456",
        "0.1234567890123456789",
    ],
)
def test_numbers_keep_their_every_digit(content_type: str, digits: str) -> None:
    row = f'{{"admin_unit": "26491", "value": {digits}}}'
    table = bodies.read((f"[{row}]" if content_type == JSON else row).encode(), content_type)
    assert cells(table, "admin_unit", "value") == [(1, "26491", digits)]
    assert kinds(table, "value") == [Kind.NUMBER]
    assert kinds(table, "admin_unit") == [Kind.TEXT]
    assert table.is_strict


@given(st.lists(st.tuples(st.decimals(allow_nan=False, allow_infinity=False), texts(), st.booleans(), st.none())))
@pytest.mark.parametrize("content_type", [JSON, NDJSON])
def test_what_json_says_is_what_is_read(content_type: str, rows: list[tuple[Decimal, str, bool, None]]) -> None:
    titles = Titles(("number", "text", "flag", "nothing"))
    # One row in three has its keys the other way round, one in five leaves some out: shapes of their own.
    texts, meant = [], []
    for at, row in enumerate(rows, start=1):
        pairs = list(zip(titles.columns, row, strict=True))
        pairs = pairs[: 1 + at % 5 // 4 * 2 or 4] if at % 5 == 0 else pairs
        pairs = pairs[::-1] if at % 3 == 0 else pairs
        written = [f"{json.dumps(k)}:{f'{v}' if isinstance(v, Decimal) else json.dumps(v)}" for k, v in pairs]
        texts.append("{" + ", ".join(written) + "}")
        sent = dict(pairs)
        number, text, flag = sent.get("number"), sent.get("text"), sent.get("flag")
        shown = (None if number is None else str(number), text, None if flag is None else str(flag).lower(), None)
        meant.append((at, *shown))
    body = "[" + ",\n".join(texts) + "]" if content_type == JSON else "\n".join(texts)
    try:
        body_bytes = body.encode()
    except UnicodeEncodeError:
        return
    table = bodies.read(body_bytes, content_type, titles)
    assert found(table) == []
    assert cells(table) == meant
    assert table.received == len(rows)


def test_wrapped_array_and_bare_array_are_the_same() -> None:
    bare = bodies.read(json.dumps([ROW, ROW]).encode(), JSON)
    wrapped = bodies.read(json.dumps({"actuals": [ROW, ROW]}).encode(), JSON, name="actuals")
    assert cells(wrapped) == cells(bare)
    assert cells(bare, "admin_unit", "value", "note") == [
        (1, "26491", "85.75", "Số liệu quý II"),
        (2, "26491", "85.75", "Số liệu quý II"),
    ]
    pretty = bodies.read(b"\xef\xbb\xbf" + json.dumps({"actuals": [ROW, ROW]}, indent=2).encode(), JSON)
    assert cells(pretty) == cells(bare)


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b"5", b'"x"', b'{"a": 1}', b"\xff\xfe[\x00]", b'{"other": []}'])
def test_what_is_no_array_is_unreadable(body: bytes) -> None:
    error = refusal(body, JSON, name="actuals")
    assert (error.status, error.rule.code) == (400, "body_unreadable")


@pytest.mark.parametrize(
    ("body", "content_type"), [(b"[]", JSON), (b'{"x": []}', JSON), (b"", NDJSON), (b"\n \n", NDJSON)]
)
def test_no_rows_is_an_empty_table(body: bytes, content_type: str) -> None:
    table = bodies.read(body, content_type)
    assert table.cells.columns == ["row", *COLUMNS]
    assert (table.cells.height, table.received, table.findings.total) == (0, 0, 0)


def test_lines_keep_their_numbers_past_blank_ones() -> None:
    body = b"\xef\xbb\xbf" + b"\r\n\n".join(ndjson(ROW).splitlines() * 3) + b"\r\n  \r\n"
    table = bodies.read(body, NDJSON)
    assert [row for row, *_ in cells(table)] == [1, 3, 5]
    assert table.received == 3


def test_every_bad_line_is_named_and_the_rest_is_read() -> None:
    lines = [
        json.dumps(ROW).encode(),
        b'{"admin_unit": "26491"',
        b"[1, 2]",
        b'{"admin_unit": "26491", "valeu": 1, "value": 2}',
        b'{"admin_unit": "26491", "admin_unit": "26434"}',
        b'{"admin_unit": ["26491"]}',
        b'{"note": "\xff"}',
        b'{"note": "\\ud800", "value": 1}',
        b'{"value": 01}',
        b'{"value": NaN}',
        b'{"note": "a\tb"}',
        b"null",
        b"{}",
        b'{"note": "\\ud83d\\ude00 \\u0110\\u1ea1i \\"x\\" \\\\"}',
    ]
    table = bodies.read(b"\n".join(lines), NDJSON)
    assert found(table) == [
        (2, None, "row_unreadable"),
        (3, None, "row_unreadable"),
        (4, "valeu", "field_unknown"),
        (5, "admin_unit", "field_twice"),
        (6, "admin_unit", "cell_nested"),
        (7, None, "row_not_utf8"),
        (8, "note", "text_not_unicode"),
        (9, None, "row_unreadable"),
        (10, None, "row_unreadable"),
        (11, None, "row_unreadable"),
        (12, None, "row_unreadable"),
    ]
    assert table.received == len(lines)
    assert [row for row, *_ in cells(table)] == [1, 4, 5, 6, 8, 13, 14]
    assert cells(table, "note")[-1] == (14, '😀 Đại "x" \\')
    assert cells(table, "admin_unit", "value")[1] == (4, "26491", "2")
    unknown = table.findings.listed()[2]
    assert unknown.rule.sentence("vi", unknown.values) == "Không có trường valeu. Có phải là value?"


@pytest.mark.parametrize("wrap", ["[%s]", ' {"actuals": [ %s ] } '])
def test_what_breaks_a_row_of_an_array_breaks_no_other(wrap: str) -> None:
    text = wrap % '{"value": 1}, {"note": "\\ud800"}, {"value": 2}'
    table = bodies.read(text.encode(), JSON, name="actuals")
    assert (found(table), table.received) == ([(2, "note", "text_not_unicode")], 3)
    alone = bodies.read((wrap % '{"note": "\\ud800"}').encode(), JSON, name="actuals")
    assert (found(alone), alone.received) == ([(1, "note", "text_not_unicode")], 1)


@pytest.mark.parametrize("text", ['[{"value": 1},]', '[{"value": 1}]}', '{"actuals": [{"value": 1}]'])
def test_an_array_that_ends_otherwise_is_told_after_its_rows(text: str) -> None:
    table = bodies.read(text.encode(), JSON, name="actuals")
    assert (found(table), table.received) == ([(2, None, "row_unreadable")], 2)
    assert cells(table, "value") == [(1, "1")]


def test_a_half_sign_among_escapes_costs_its_own_cell_only() -> None:
    rows = [{**ROW, "note": f"Đợt {at} ế"} for at in range(500)]
    lines = [json.dumps(row) for row in rows]
    lines[7] = lines[7].replace("\\u1ebf", "\\udc00")
    table = bodies.read("\n".join(lines).encode(), NDJSON)
    assert found(table) == [(8, "note", "text_not_unicode")]
    notes = dict(cells(table, "note"))
    assert notes.pop(8) is None
    assert notes == {at + 1: row["note"] for at, row in enumerate(rows) if at != 7}


@pytest.mark.parametrize(
    ("text", "rows", "faults"),
    [
        ('[{"value":1},{"value":},{"value":3}]', [1, 3], [(2, None, "row_unreadable")]),
        ('[{"value":1} {"value":2},{"value":3}]', [2, 3], [(1, None, "row_unreadable")]),
        ('[{"value":1}\n{"value":2}{"value":3}]', [3], [(1, None, "row_unreadable"), (2, None, "row_unreadable")]),
        ('[{"value":1} x,{"value":2},{"value":3}]', [2, 3], [(1, None, "row_unreadable")]),
        ('[{"value":1},{"value":2},]', [1, 2], [(3, None, "row_unreadable")]),
        ('[{"value":1},{"value":2}', [1], [(2, None, "row_unreadable"), (3, None, "row_unreadable")]),
        ('[{"value":1},{"val', [1], [(2, None, "row_unreadable"), (3, None, "row_unreadable")]),
        ('[{"value":1}] x', [1], [(2, None, "row_unreadable")]),
        ('{"x":[{"value":1}],"y":1}', [1], [(2, None, "row_unreadable")]),
        ('[{"note":"}, {"},5,{"note":"],"}]', [1, 3], [(2, None, "row_unreadable")]),
        ("[", [], [(1, None, "row_unreadable")]),
    ],
)
def test_a_broken_array_is_read_between_its_breaks(
    text: str, rows: list[int], faults: list[tuple[int, None, str]]
) -> None:
    table = bodies.read(text.encode(), JSON)
    assert [row for row, *_ in cells(table)] == rows
    assert found(table) == faults


def test_a_missing_comma_is_named_and_costs_the_row_before_it_only() -> None:
    table = bodies.read(b'[{"value":1},{"value":2} {"value":3},{"value":4}]', JSON)
    (fault,) = table.findings.listed()
    assert (fault.row, fault.value) == (2, '{"value":3},{"value":4}]')
    assert fault.rule.sentence("vi", fault.values) == "Không đọc được dòng này: thiếu dấu phẩy sau dòng."
    assert fault.rule.sentence("en", fault.values) == "Unreadable row: no comma after the row."
    assert (cells(table, "value"), table.received) == ([(1, "1"), (3, "3"), (4, "4")], 4)


def test_what_stands_after_an_array_is_said_and_shown() -> None:
    (fault,) = bodies.read(b'{"actuals":[{"value":1}],"mode":"partial"}', JSON, name="actuals").findings.listed()
    assert (fault.value, fault.values["reason"]) == ('],"mode":"partial"}', "something stands after the array")


def test_bytes_that_are_no_utf8_cost_their_row_of_an_array() -> None:
    table = bodies.read(b'[{"note":"a"},{"note":"\xff"},{"note":"c"}]', JSON)
    assert cells(table, "note") == [(1, "a"), (3, "c")]
    assert found(table) == [(2, None, "row_not_utf8")]
    broken = bodies.read(b'[{"note":"a"},{"note":"\xff"},{"note":}]', JSON)
    assert found(broken)[:2] == [(2, None, "row_not_utf8"), (3, None, "row_unreadable")]


def test_nesting_beyond_reason_is_one_bad_row() -> None:
    deep = b'{"note":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert found(bodies.read(deep + b"\n" + ndjson(ROW), NDJSON)) == [(1, None, "row_unreadable")]
    assert (2, None, "row_unreadable") in found(bodies.read(b"[" + ndjson(ROW) + b"," + deep + b"]", JSON))


def test_wide_rows_and_many_shapes_read_alike() -> None:
    titles = Titles(tuple(f"column_{at}" for at in range(40)))
    rows = [{name: at * 100 + place for place, name in enumerate(titles.columns)} for at in range(300)]
    rows += [{name: str(at) for name in titles.columns[: at % 35 + 1]} for at in range(300)]
    table = bodies.read(ndjson(*rows), NDJSON, titles)
    assert found(table) == []
    assert cells(table) == [
        (at, *(None if name not in row else str(row[name]) for name in titles.columns))
        for at, row in enumerate(rows, start=1)
    ]
    assert {Kind(kind) for kind in table.kinds.row(0)} == {Kind.NUMBER}
    assert {Kind(kind) for kind in table.kinds.row(300)} == {Kind.TEXT}


def test_a_file_is_read_in_pieces_of_which_no_row_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"admin_unit": f"{at:05d}", "value": at, "note": "},{ ]" * (at % 7)} for at in range(2000)]
    array, lines = tmp_path / "a.json", tmp_path / "a.ndjson"
    array.write_bytes(b"\xef\xbb\xbf" + json.dumps({"actuals": rows}).encode())
    lines.write_bytes(ndjson(*rows) + b"\n")
    monkeypatch.setattr("chassis.tabular.pieces.pieces.__defaults__", (4096,))
    for path, content_type, number in ((array, JSON, 34), (lines, NDJSON, 32)):
        tables = list(read(Body(path, content_type, TITLES)))
        assert len(tables) == number
        got = [row for table in tables for row in cells(table, "admin_unit", "value", "note")]
        meant = [(at + 1, row["admin_unit"], str(row["value"]), row["note"]) for at, row in enumerate(rows)]
        assert got == meant


def test_a_row_longer_than_a_piece_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.tabular.pieces.pieces.__defaults__", (64,))
    rows = [{"note": "x" * 1000}, {"note": "y"}]
    for table in (bodies.read(json.dumps(rows).encode(), JSON), bodies.read(ndjson(*rows), NDJSON)):
        assert cells(table, "note") == [(1, "x" * 1000), (2, "y")]
    assert len(list(read_array(json.dumps(rows * 20).encode(), TITLES))) == 26


@pytest.mark.parametrize(
    ("content_type", "start", "more", "rows"),
    [
        (JSON, b'[{"note":"x" "y":1}', b',{"note":"x"}', 1002),
        (NDJSON, b'{"note":"', b"x" * 13, 1),
        (CSV, b"note\n", b"x" * 13, 1),
    ],
)
def test_a_body_in_which_no_row_ends_is_not_held_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content_type: str, start: bytes, more: bytes, rows: int
) -> None:
    monkeypatch.setattr("chassis.tabular.pieces.pieces.__defaults__", (4096,))
    monkeypatch.setattr("chassis.tabular.pieces.MOST_HELD_MIB", 1 / 64)
    path = tmp_path / "rows"
    path.write_bytes(start + more * 1000)
    assert sum(table.received for table in read(Body(path, content_type, TITLES))) == rows
    path.write_bytes(start + more * 2000)
    with pytest.raises(Unreadable) as refused:
        list(read(Body(path, content_type, TITLES)))
    assert refused.value.rule.code == "file_unreadable"


def test_a_line_that_looks_packed_is_not_unpacked() -> None:
    import gzip  # noqa: PLC0415

    table = bodies.read(gzip.compress(ndjson(ROW)), NDJSON)
    assert table.cells.height == 0
    assert set(table.findings.totals()) <= {"row_not_utf8", "row_unreadable"}


def test_more_rows_than_allowed_are_refused() -> None:
    error = refusal(ndjson(*[ROW] * 11), NDJSON, limits=Limits(rows=10))
    assert (error.status, error.rule.code, error.values) == (413, "rows_too_many", {"limit_rows": 10})
    assert bodies.read(ndjson(*[ROW] * 10), NDJSON, limits=Limits(rows=10)).received == 10


def test_a_hundred_thousand_unknown_names_are_counted_in_time() -> None:
    table = bodies.read(b"\n".join([b'{"valeu":1}'] * 50_000), NDJSON)
    assert table.findings.totals() == {"field_unknown": 50_000}
    values = read_cells(table, (Number("value"),))
    assert values.frame["value"].null_count() == 50_000
