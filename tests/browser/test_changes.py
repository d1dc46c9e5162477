"""The page /changes in real Chromium: what is written shows at once, a cut line loses nothing, nothing runs as code."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from chassis import outbox
from chassis.outbox import Event
from tests.browser.devtools import Page, chromium
from tests.conftest import TEMPLATE
from tests.gateway.merging import Door, before
from tests.house import open_house
from tests.lines import Line, line_to

CHROMIUM = shutil.which("chromium")
ROWS = "[...document.querySelectorAll('#changes tr')]"
ISSUED = "vn.chitieu.plans.plan.issued.v1"
APPLIED = "vn.chitieu.budget.lines.applied.v1"

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (.ci/run installs it)"),
    pytest.mark.slow,
]


@dataclass
class Watching:
    """The page in a browser, the line between them, and the house whose changes it shows."""

    page: Page
    door: Door
    line: Line

    async def begin(self, token: str = "", query: str = "") -> None:
        """Open the page and press the button; returns when it listens to all three services."""
        self.page.complaints.clear()
        await self.page.open(f"{self.line.address}/changes{query}")
        await self.page.wait_for("document.querySelector('#status').dataset.state === 'idle'")
        await self.page.run(f"document.forms.asked.elements.token.value = {json.dumps(token)}")
        await self.page.run("document.forms.asked.requestSubmit()")

    async def state(self, name: str) -> str:
        """The words beside a state, once it is reached."""
        script = f"document.querySelector('#status[data-state={name}]')?.textContent"
        return str(await self.page.wait_for(script))

    async def heard(self, number: int) -> str:
        """The words beside the state once so many changes were heard."""
        script = f"document.querySelector('#status[data-heard=\"{number}\"]')?.textContent"
        return str(await self.page.wait_for(script))

    async def subjects(self) -> list[str]:
        """What the rows are about, newest first."""
        rows: list[str] = await self.page.run(f"{ROWS}.map(row => row.cells[3].textContent)")
        return rows

    async def write(self, kind: str, subject: str, **more: Any) -> None:
        service = kind.split(".")[2]
        async with self.door.house.database(service).write() as db:
            heads = await outbox.lock(db, [subject])
            await outbox.append(db, heads, [Event(kind, subject, more.pop("data", {}), **more)])
        await self.door.house.sequence()

    async def click(self, name: str) -> None:
        await self.page.run(f"document.getElementById({name!r}).click()")


@pytest.fixture(scope="module")
async def watching(
    admin_url: str, signing_key: OKPKey, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watching]:
    assert CHROMIUM
    async with (
        open_house(admin_url, signing_key, template=TEMPLATE) as house,
        before(house, apart=False) as door,
        line_to(str(door.client.base_url).rstrip("/")) as line,
        chromium(CHROMIUM, tmp_path_factory.mktemp("profile")) as page,
    ):
        yield Watching(page, door, line)


async def test_what_is_written_shows_at_once(watching: Watching) -> None:
    await watching.begin()
    assert await watching.state("listening") == "Đang theo dõi. Đã nghe 0 thay đổi."
    await watching.write(ISSUED, "kế hoạch 1", province="75", commune="26491", data={"title": "<b>đậm</b>"})
    await watching.write(APPLIED, "<img src=x onerror=alert(1)>")
    assert await watching.heard(2) == "Đang theo dõi. Đã nghe 2 thay đổi."
    assert await watching.subjects() == ["<img src=x onerror=alert(1)>", "kế hoạch 1"]
    cells = await watching.page.run(f"[...{ROWS}.at(-1).cells].map(cell => cell.textContent)")
    assert cells[1] == "Kế hoạch"
    assert cells[2] == "Kế hoạch được ban hành"
    assert '"title": "<b>đậm</b>"' in cells[4]
    assert await watching.page.run("document.querySelectorAll('#changes :is(img, b)').length") == 0
    assert watching.page.complaints == []


async def test_a_cut_line_is_mended_and_nothing_is_missed(watching: Watching) -> None:
    await watching.begin()
    await watching.state("listening")
    await watching.write(ISSUED, "trước")
    await watching.heard(1)
    watching.line.is_up = False
    watching.line.cut()
    assert "nối lại" in await watching.state("connecting")
    await watching.write(ISSUED, "trong lúc mất")
    await watching.write(APPLIED, "trong lúc mất 2")
    watching.line.is_up = True
    words = await watching.heard(3)
    assert sorted(await watching.subjects()) == ["trong lúc mất", "trong lúc mất 2", "trước"]
    assert "Đã nối lại" in words


async def test_the_screen_can_rest_while_the_page_listens(watching: Watching) -> None:
    await watching.begin()
    await watching.state("listening")
    await watching.click("pause")
    await watching.write(ISSUED, "giữ lại")
    assert await watching.heard(1) == "Đang theo dõi. Đã nghe 1 thay đổi. Đang giữ 1 thay đổi."
    assert await watching.subjects() == []
    await watching.click("pause")
    assert await watching.subjects() == ["giữ lại"]
    await watching.click("stop")
    assert await watching.state("idle") == "Đã dừng. Đã nghe 1 thay đổi."


async def test_filters_and_a_token_decide_what_is_heard(watching: Watching) -> None:
    token = watching.door.house.headers("changes:read", ["26491"])["Authorization"]
    await watching.begin(token, f"?services=plans&commune=26491&types={ISSUED}")
    await watching.state("listening")
    assert await watching.page.run("location.search") == f"?services=plans&commune=26491&types={ISSUED}"
    place = {"province": "75", "commune": "26491"}
    await watching.write(APPLIED, "dịch vụ khác", **place)
    await watching.write(ISSUED, "xã khác", province="75", commune="25378")
    await watching.write("vn.chitieu.plans.plan.closed.v1", "loại khác", **place)
    await watching.write(ISSUED, "của xã", is_public=False, **place)
    await watching.heard(1)
    assert await watching.subjects() == ["của xã"]


async def test_a_refusal_is_shown_and_not_asked_again(watching: Watching) -> None:
    await watching.begin("made.up")
    assert await watching.state("refused") == "Dừng: Kế hoạch: Mã truy cập không hợp lệ hoặc đã hết hạn."
    assert await watching.page.run("follower === null")
    (complaint,) = watching.page.complaints
    assert "401" in complaint
    await watching.begin("mã lạ")
    assert await watching.state("refused") == "Dừng: Mã truy cập có ký tự lạ; hãy chép lại."
