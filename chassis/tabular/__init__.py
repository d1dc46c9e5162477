"""Rows as files, both ways: bodies of rows read exactly and judged set-wise, rows written as NDJSON and CSV."""

from chassis.tabular.writing import BOM, CHUNK_CHARACTERS, csv, csv_cell, ndjson, ndjson_line

__all__ = ["BOM", "CHUNK_CHARACTERS", "csv", "csv_cell", "ndjson", "ndjson_line"]
