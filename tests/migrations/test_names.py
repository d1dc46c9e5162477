"""The migrations read like a diary: dated names that say before or after the code, one line of history each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from chassis.settings import SERVICES
from chitieu.migrate import MIGRATIONS, config_of, head_of

NAME = re.compile(r"\d{4}_\d{2}_\d{2}_\d{4}_(pre|post)(_[a-z0-9]+)+\.py")


def files_of(service: str) -> list[Path]:
    return sorted((MIGRATIONS / service / "versions").glob("*.py"))


@pytest.mark.parametrize("service", SERVICES)
def test_names_say_when_and_whether_before_or_after_the_code(service: str) -> None:
    files = files_of(service)
    assert files
    assert [file.name for file in files if not NAME.fullmatch(file.name)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_one_head_and_one_line(service: str) -> None:
    scripts = ScriptDirectory.from_config(config_of(service))
    assert scripts.get_heads() == [head_of(service)]
    walked = list(scripts.walk_revisions())
    assert len(walked) == len(files_of(service))
    assert [script.revision for script in walked if script.is_merge_point or script.is_branch_point] == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_order_of_names_is_the_order_of_history(service: str) -> None:
    scripts = ScriptDirectory.from_config(config_of(service))
    history = [Path(script.path).name for script in scripts.walk_revisions()]
    assert history == sorted(history, reverse=True)
