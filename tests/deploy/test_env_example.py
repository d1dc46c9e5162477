"""`deploy/env.example` names every setting, with its unit and its default, and nothing else."""

import re
from enum import Enum
from pathlib import Path

import pytest

from chassis.settings import Settings, read_settings

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "env.example"
TEXT = EXAMPLE.read_text(encoding="utf-8")
# One or more lines of comment, then the setting, commented out at its default.
BLOCKS = re.findall(r"((?:^# .*\n)+)#(CHITIEU_[A-Z0-9_]+)=(.*)$", TEXT, re.MULTILINE)
UNITS = {"seconds": "seconds", "bytes": "bytes"}


def words(comment: str) -> str:
    return " ".join(line.removeprefix("# ") for line in comment.splitlines())


def written(default: object) -> str:
    if default is None or default == []:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default.value if isinstance(default, Enum) else default)


def test_every_setting_stands_there_once_and_nothing_else() -> None:
    assert [name for _, name, _ in BLOCKS] == [f"CHITIEU_{name.upper()}" for name in Settings.model_fields]
    assert len(re.findall(r"^#?CHITIEU_[A-Z0-9_]+=", TEXT, re.MULTILINE)) == len(BLOCKS)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_shows_its_words_its_unit_and_its_default(name: str) -> None:
    field = Settings.model_fields[name]
    comment, _, default = next(block for block in BLOCKS if block[1] == f"CHITIEU_{name.upper()}")
    description = field.description or "has no description"
    assert words(comment) == f"{description[0].upper()}{description[1:]}."
    assert default == written(field.default)
    unit = UNITS.get(name.rsplit("_", 1)[-1])
    assert unit is None or unit in description


def test_the_example_taken_as_it_stands_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = read_settings()
    for _, name, default in BLOCKS:
        if default:
            monkeypatch.setenv(name, default)
    assert read_settings() == defaults
