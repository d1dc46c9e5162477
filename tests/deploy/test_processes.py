"""The very commands of the compose file, in its order and with its settings, as plain processes on this machine."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chassis.postgres import EmbeddedPostgres
from chitieu.places import ensure_database
from tests.chitieu.processes import free_port
from tests.deploy.composition import PASSWORDS, ROOT, environment, services

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
PROCESSES = ("plans", "indicators", "budget", "gateway")
PATIENCE_SECONDS = 60
FIVE_COMMUNES = ["14161", "25345", "25378", "26434", "26491"]


def json_line(keyword: str) -> list[str]:
    found = re.search(rf"{keyword}\s+(\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    words: list[str] = json.loads(found[1])
    return words


class Machine:
    """One machine instead of containers: names become ports, the volume a folder, PostgreSQL the embedded one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services = services()
        self.database = EmbeddedPostgres(folder / "postgres")
        self.ports = {name: free_port() for name in PROCESSES}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, name: str) -> dict[str, str]:
        image = dict(re.findall(r"(CHITIEU_[A-Z_]+)=(\S+)", DOCKERFILE))
        image |= {"CHITIEU_DATA_DIR": str(self.folder / "keys"), "CHITIEU_HOST": "127.0.0.1"}
        image |= {"CHITIEU_PORT": str(self.ports.get(name, 0))}
        given = environment(self.services[name], {**PASSWORDS, "CHITIEU_ENVIRONMENT": "demo"})
        return {"PATH": os.environ["PATH"], **image, **{key: self.placed(value) for key, value in given.items()}}

    def placed(self, text: str) -> str:
        if database := re.fullmatch(r"postgresql://(\w+):(\w+)@postgres:5432/(\w+)", text):
            role, password, name = database.groups()
            return self.database.url(role, password, name) if role != "postgres" else self.owner_url(name)
        return re.sub(r"http://(\w+):8000", lambda m: f"http://127.0.0.1:{self.ports[m[1]]}", text)

    def owner_url(self, name: str) -> str:
        return self.database.admin_url.replace("/postgres?", f"/{name}?")

    def command(self, name: str, *words: str) -> list[str]:
        entry = Path(sys.executable).with_name(json_line("ENTRYPOINT")[0])
        return [str(entry), *map(self.placed, words or self.services[name]["command"])]

    def run(self, name: str, *words: str) -> str:
        """A job's own command, or other words in its container, to the end."""
        command, env = self.command(name, *words), self.environment(name)
        done = subprocess.run(
            command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        assert done.returncode == 0, f"{name}: {done.stderr}"
        return done.stdout

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                self.command(name), env=self.environment(name), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_until_healthy(self, name: str) -> None:
        probe, log = [sys.executable, *json_line("CMD")[1:]], self.folder / f"{name}.log"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "is ready at" not in log.read_text():
            assert self.running[name].poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        asked = subprocess.run(probe, env=self.environment(name), capture_output=True, timeout=10, check=False)
        assert asked.returncode == 0, asked.stderr.decode()

    def stop(self) -> dict[str, int]:
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(PATIENCE_SECONDS) for name, process in self.running.items()}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("machine"))
    made.database.start()
    try:
        asyncio.run(ensure_database(made.database))  # POSTGRES_DB does it in a container
        yield made
    finally:
        for process in made.running.values():
            process.kill()
            process.wait()
        made.database.stop()
        made.database.discard()


def waves(services: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Services as compose starts them: together, once those they depend on are there."""
    started: set[str] = set()
    found: list[list[str]] = []
    while len(started) < len(services):
        found.append([n for n, s in services.items() if n not in started and set(s.get("depends_on", ())) <= started])
        started |= set(found[-1])
    return found


@pytest.mark.slow
@pytest.mark.long
def test_the_commands_of_the_compose_file_serve_the_five_plans(machine: Machine) -> None:
    assert waves(machine.services) == [
        ["postgres", "keys"],
        ["migrate"],
        ["plans", "indicators", "budget"],
        ["gateway"],
        ["demo"],
    ]
    machine.run("keys")
    machine.run("migrate")
    for wave in (PROCESSES[:3], PROCESSES[3:]):
        for name in wave:
            machine.start(name)
        for name in wave:
            machine.wait_until_healthy(name)
    assert "changed: 0" not in machine.run("demo").splitlines()[-1]

    # The processes are those of the compose file, so reading needs a token unless CHITIEU_PUBLIC_READ is set.
    door = f"http://127.0.0.1:{machine.ports['gateway']}"
    assert httpx2.get(f"{door}/v1/plans").status_code == 401
    scopes = "plans:read indicators:read budget:read"
    token = machine.run("keys", "token", "--scope", scopes, "--admin-unit", "*").strip()
    with httpx2.Client(base_url=door, headers={"Authorization": f"Bearer {token}"}) as client:
        plans = client.get("/v1/plans").json()["items"]
        assert sorted(plan["admin_unit"] for plan in plans) == FIVE_COMMUNES
        asked = {"query": "{communes {nodes {code plan {planKey} budget {lines {key}}}}}"}
        communes = client.post("/graphql", json=asked).json()["data"]["communes"]["nodes"]
    assert len([one for one in communes if one["plan"]]) == 5
    assert sum(len(one["budget"]["lines"]) for one in communes) == 29
    assert machine.stop() == dict.fromkeys(PROCESSES, 0)
