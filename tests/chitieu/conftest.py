"""Data folders whose databases go with the tests that use them."""

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


@pytest.fixture(scope="module")
def shared_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that the tests of a file go on with, one after the other."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    yield folder
    EmbeddedPostgres(folder).discard()
