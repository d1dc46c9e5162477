"""Cut connections, killed pushes, servers that are away: what is sent again has one effect."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chitieu.client import Client, NotReached, Patience
from tests.chitieu.processes import PATIENCE_SECONDS, environment
from tests.chitieu.proxies import REFUSE, SWALLOW, Proxy, answer
from tests.chitieu.push.figures import Call, line, row, write_csv

pytestmark = pytest.mark.slow


def test_cut_connections_are_tried_again_and_have_one_effect(push: Call, proxy: Proxy, tmp_path: Path) -> None:
    proxy.plans = [REFUSE, 300, SWALLOW]
    done = push(str(write_csv(tmp_path, line(61))), "--json", at=proxy.url)
    [found] = json.loads(done.stdout)["files"]
    # The third try was recorded although its answer was lost: the fourth got the same answer, not "unchanged".
    assert (done.returncode, found["result"]["updated"], found["result"]["unchanged"]) == (0, 1, 0)
    assert proxy.connections >= 4


def test_a_push_that_was_killed_is_finished_with_the_same_key(
    push: Call, proxy: Proxy, token: str, tmp_path: Path
) -> None:
    file = write_csv(tmp_path, line(62))
    proxy.plans = [SWALLOW, *[REFUSE] * 1000]
    place = environment(XDG_STATE_HOME=str(tmp_path / "state"), CHITIEU_TOKEN=token, CHITIEU_URL=proxy.url)
    with subprocess.Popen([sys.executable, "-m", "chitieu", "push", str(file)], env=place) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while proxy.connections < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    proxy.plans = []
    done = push(str(file), "--json", at=proxy.url)
    [found] = json.loads(done.stdout)["files"]
    assert (done.returncode, found["result"]["updated"]) == (0, 1)
    assert "tiếp tục lần gửi dở" in done.stderr
    assert json.loads(push(str(file), "--json", at=proxy.url).stdout)["files"][0]["result"]["unchanged"] == 1


def test_the_library_waits_out_a_server_that_is_away(proxy: Proxy, token: str) -> None:
    proxy.plans = [REFUSE] * 5
    waits: list[str] = []
    with Client(proxy.url, token, patience=Patience(seconds=20, first_wait=0.02)) as client:
        posted = client.post_actuals([row(63)], report=lambda step: waits.append(step.phase))
    assert posted.updated == 1
    assert waits.count("waiting") == 5


def test_the_library_waits_as_long_as_it_is_told_to(proxy: Proxy, token: str) -> None:
    proxy.plans = [answer("503 Away", Retry_After="1"), answer("429 Too Many", "<html>", Retry_After="1")]
    waits: list[float] = []
    with Client(proxy.url, token, patience=Patience(seconds=20, first_wait=0.02)) as client:
        client.post_actuals([row(64)], report=lambda step: waits.append(step.done) if step.phase == "waiting" else None)
    assert waits == [1, 1]
    proxy.plans = [answer("503 Away", Retry_After="60")]
    with Client(proxy.url, token, patience=Patience(seconds=20)) as client, pytest.raises(NotReached):
        client.post_actuals([row(64)])


@pytest.mark.parametrize("stranger", [answer("200 OK", "<html>"), answer("404 Not Found", "<html>")])
def test_what_is_not_the_service_counts_as_not_reached(proxy: Proxy, token: str, stranger: bytes) -> None:
    proxy.plans = [stranger]
    with Client(proxy.url, token) as client, pytest.raises(NotReached, match="is not chitieu"):
        client.post_actuals([row(64)])


def test_a_gateway_that_takes_no_such_body_leads_to_an_import(proxy: Proxy, token: str) -> None:
    proxy.plans = [answer("413 Too Large", "<html>")]
    with Client(proxy.url, token) as client:
        assert client.post_actuals([row(65)]).through is not None


def test_the_library_gives_up_when_told_to(token: str) -> None:
    with Client("http://127.0.0.1:1", token, patience=Patience(seconds=0)) as client, pytest.raises(NotReached):
        client.post_actuals([row(63)])
