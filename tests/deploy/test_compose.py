"""The compose file: four processes, PostgreSQL 18, one migrate job, nothing unknown, and a real client reads it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from chassis.settings import SERVICES, Settings
from tests.deploy.composition import COMPOSE, PASSWORDS, environment, services

EXAMPLE = COMPOSE.with_name("compose.env.example").read_text(encoding="utf-8")
PROCESSES = (*SERVICES, "gateway")


def test_it_runs_the_four_processes_on_postgresql_18_after_one_migrate_job() -> None:
    found = services()
    assert sorted(found) == sorted([*PROCESSES, "postgres", "keys", "migrate", "demo"])
    assert found["postgres"]["image"] == "postgres:18"
    assert found["postgres"]["volumes"] == ["database:/var/lib/postgresql"]
    assert found["migrate"]["command"] == ["migrate"]
    assert found["keys"]["command"] == ["keys"]
    for name in PROCESSES:
        assert found[name]["command"] == ["serve", name]
    for name in SERVICES:
        waits = {service: how["condition"] for service, how in found[name]["depends_on"].items()}
        assert waits == dict.fromkeys(("keys", "migrate"), "service_completed_successfully")


def test_every_setting_in_it_is_a_setting() -> None:
    known = {f"CHITIEU_{name.upper()}" for name in Settings.model_fields}
    for service in services().values():
        named = {name for name in service.get("environment", {}) if name.startswith("CHITIEU_")}
        assert named <= known


def test_each_service_knows_its_own_password_only() -> None:
    found = services()
    for name in PROCESSES:
        seen = [password for password in PASSWORDS.values() if password in str(environment(found[name]))]
        assert seen == ([PASSWORDS[f"{name.upper()}_PASSWORD"]] if name in SERVICES else [])


def test_only_the_gateway_is_reachable_and_only_from_this_machine_unless_said() -> None:
    ports = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert ports == {"gateway": ["127.0.0.1:8000:8000"]}
    wide = services({**PASSWORDS, "CHITIEU_LISTEN": "0.0.0.0:80"})
    assert wide["gateway"]["ports"] == ["0.0.0.0:80:8000"]


def test_processes_run_without_rights() -> None:
    found = services()
    for name in (*PROCESSES, "keys", "migrate", "demo"):
        assert found[name]["cap_drop"] == ["ALL"]
        assert found[name]["read_only"] is True
        assert found[name]["security_opt"] == ["no-new-privileges:true"]
    assert [name for name in found if "keys:/var/lib/chitieu" in found[name].get("volumes", [])] == ["keys"]


@pytest.mark.parametrize("missing", PASSWORDS)
def test_a_missing_password_is_named(missing: str) -> None:
    with pytest.raises(LookupError, match=f"set {missing} in deploy/.env"):
        services({name: value for name, value in PASSWORDS.items() if name != missing})


def test_its_own_example_names_every_variable_it_reads() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    read = set(re.findall(r"\$\{([A-Z_]+)", text))
    shown = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    passed_on = {name for name, value in yaml.safe_load(text)["x-settings"].items() if value is None}
    assert read <= shown <= read | passed_on


def client() -> list[str] | None:
    """A compose client that works without an engine: the plugin, or the older command."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            continue
        answer = subprocess.run([*command, "version"], capture_output=True, timeout=60, check=False)
        if answer.returncode == 0:
            return command
    return None


def test_a_real_client_accepts_it(tmp_path: Path) -> None:
    command = client()
    if command is None:
        pytest.skip("no docker compose client here (the docker command alone has none)")
    file = tmp_path / "compose.yaml"
    text = COMPOSE.read_text(encoding="utf-8")
    # The older command does not know the project's name yet.
    file.write_text(text if command[-1] == "compose" else re.sub(r"^name: .*\n", "", text, flags=re.MULTILINE))
    call = [*command, "--project-directory", str(COMPOSE.parent), "-f", str(file), "config"]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **PASSWORDS}
    read = subprocess.run(call, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert read.returncode == 0, read.stderr
    resolved = yaml.safe_load(read.stdout)["services"]
    assert {name: service["command"] for name, service in resolved.items() if name in PROCESSES} == {
        name: ["serve", name] for name in PROCESSES
    }
    refused = subprocess.run(call, env={**env, "PLANS_PASSWORD": ""}, capture_output=True, timeout=60, check=False)
    assert refused.returncode != 0
