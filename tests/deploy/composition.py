"""`deploy/compose.yaml` as data: merged, with variables filled in, so that tests can check and run what it says."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "compose.yaml"
PASSWORDS = {
    "POSTGRES_PASSWORD": "ownerOfTheTest1",
    "PLANS_PASSWORD": "plansOfTheTest1",
    "INDICATORS_PASSWORD": "indicatorsOfTheTest1",
    "BUDGET_PASSWORD": "budgetOfTheTest1",
}
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def services(variables: Mapping[str, str] = PASSWORDS) -> dict[str, dict[str, Any]]:
    """The services of the compose file.

    Raises:
        LookupError: a variable that must be set is not.
    """
    text = "".join(line for line in COMPOSE.read_text(encoding="utf-8").splitlines(True) if not line.startswith("#"))
    found: dict[str, dict[str, Any]] = yaml.safe_load(_VARIABLE.sub(lambda m: _value(m, variables), text))["services"]
    return found


def environment(service: Mapping[str, Any], variables: Mapping[str, str] = PASSWORDS) -> dict[str, str]:
    """What a container of the service gets: a name without a value is passed on from outside, or not at all."""
    given = service.get("environment", {})
    return {name: variables.get(name, value) for name, value in given.items() if variables.get(name, value) is not None}


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if value := variables.get(match["name"]):
        return value
    if match["kind"] == "?":
        raise LookupError(match["rest"])
    return match["rest"] or ""
