"""Rows as files, both ways: bodies of rows read exactly and judged set-wise, rows written as NDJSON and CSV."""

from chassis.tabular.cells import Values, read_cells
from chassis.tabular.columns import Choice, Column, Day, Flag, Number, Text, Whole
from chassis.tabular.findings import LISTED_FAULTS, Check, Findings, FirstFindings, judge
from chassis.tabular.forms import ACCEPTED, FILE_TYPES, Form, Unpacking, form_of, require_readable, unpack, unpacking
from chassis.tabular.numbers import MARK_PERCENT, MARK_VND, NumberStyle
from chassis.tabular.reading import Body, read, read_whole
from chassis.tabular.table import ROW, Kind, Limits, Table, Titles, folded
from chassis.tabular.writing import BOM, CHUNK_CHARACTERS, csv, csv_cell, ndjson, ndjson_line

__all__ = [
    "ACCEPTED",
    "BOM",
    "CHUNK_CHARACTERS",
    "FILE_TYPES",
    "LISTED_FAULTS",
    "MARK_PERCENT",
    "MARK_VND",
    "ROW",
    "Body",
    "Check",
    "Choice",
    "Column",
    "Day",
    "Findings",
    "FirstFindings",
    "Flag",
    "Form",
    "Kind",
    "Limits",
    "Number",
    "NumberStyle",
    "Table",
    "Text",
    "Titles",
    "Unpacking",
    "Values",
    "Whole",
    "csv",
    "csv_cell",
    "folded",
    "form_of",
    "judge",
    "ndjson",
    "ndjson_line",
    "read",
    "read_cells",
    "read_whole",
    "require_readable",
    "unpack",
    "unpacking",
]
