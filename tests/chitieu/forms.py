"""Forms filled in as a spreadsheet program would."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape


def fill(file: Path, cells: Mapping[str, Any]) -> None:
    """Fill cells as a spreadsheet program would: their format stays."""
    with zipfile.ZipFile(file) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    text = parts[name].decode()
    for place, value in cells.items():
        inline = f't="inlineStr"><is><t>{escape(str(value))}</t></is></c>'
        content = inline if isinstance(value, str) else f"><v>{value}</v></c>"
        text, found = re.subn(rf'<c r="{place}" s="(\d+)"(?:/>|[^/]*?</c>)', rf'<c r="{place}" s="\1" {content}', text)
        assert found == 1, place
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for part, content_bytes in {**parts, name: text.encode()}.items():
            book.writestr(part, content_bytes)
