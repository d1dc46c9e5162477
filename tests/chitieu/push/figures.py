"""What tests of pushes send: one figure of one commune, in files of every kind."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chitieu.client import Client

Call = Callable[..., subprocess.CompletedProcess[str]]
HEADER = "Mã đơn vị;Mã chỉ tiêu;Kỳ báo cáo;Giá trị;Ngày số liệu"


def line(value: object, *, unit: str = "26491", code: str = "PUBLIC_WIFI_POINTS", period: str = "2026-Q3") -> str:
    """The figure as a line of a CSV file."""
    return f"{unit};{code};{period};{value};20/09/2026"


def write_csv(folder: Path, *lines: str, name: str = "figures.csv") -> Path:
    """A CSV file of lines."""
    file = folder / name
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return file


def heavy_csv(folder: Path, value: int, megabytes: int) -> Path:
    """A file that is much to send and little to do: the same row over and over, with a long note."""
    heavy = f"{line(value)};{'ghi chú ' * 400}"
    count = megabytes * 1024 * 1024 // len(heavy.encode())
    file = folder / f"heavy-{value}.csv"
    file.write_text(f"{HEADER};Ghi chú\n" + f"{heavy}\n" * count, encoding="utf-8")
    return file


def row(value: float, code: str = "PUBLIC_WIFI_POINTS") -> dict[str, Any]:
    """The figure as an object."""
    return {
        "admin_unit": "26491", "indicator": code, "period": "2026-Q3", "value": value, "measured_on": "2026-09-20",
    }  # fmt: skip


def wifi(client: Client) -> Any:
    """The figure as it is recorded."""
    asked = {"admin_unit": "26491", "indicator": "PUBLIC_WIFI_POINTS", "period": "2026-Q3"}
    return client.read_all("/v1/indicators/actuals", asked)[0]["value"]
