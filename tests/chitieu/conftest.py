"""A data folder whose database goes with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.postgres import EmbeddedPostgres


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """An empty data folder."""
    folder = tmp_path / "data"
    yield folder
    EmbeddedPostgres(folder).discard()
