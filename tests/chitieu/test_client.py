"""The client library against the whole application: typed results, typed refusals, the same again is harmless."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import os
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from joserfc.jwk import OKPKey

from chassis.receipts import verify_receipt
from chitieu.client import (
    AsyncClient,
    FileTrouble,
    Forbidden,
    NotReached,
    Patience,
    Refused,
    Step,
    Unauthenticated,
    body_of,
    type_of,
)
from chitieu.client.imports import create_import, look_at, upload
from chitieu.client.wire import Wire, quietly
from tests.house import House, open_house

KEY = {"admin_unit": "26491", "indicator": "PUBLIC_WIFI_POINTS", "period": "2026-Q3"}
ROW = {**KEY, "value": 31, "measured_on": "2026-09-14"}
OTHER = {"admin_unit": "26491", "indicator": "AGENCIES_IT_EQUIPPED_RATE", "period": "2026-Q3"}


def client_of(house: House, units: str = "26491", scopes: str = "actuals:write indicators:read") -> AsyncClient:
    token = house.headers(scopes, [units])["Authorization"].removeprefix("Bearer ")
    transport = httpx2.ASGITransport(app=house.composition.door)
    return AsyncClient("http://door", token, transport=transport, patience=Patience(seconds=10))


@pytest.fixture
async def own_plans(admin_url: str, signing_key: OKPKey, reference_template: str) -> AsyncIterator[House]:
    """A house with the five plans that a test may write to."""
    async with open_house(admin_url, signing_key, template=reference_template) as opened:
        yield opened


@pytest.fixture
async def client(own_plans: House) -> AsyncIterator[AsyncClient]:
    """A commune's client of a house with the five plans."""
    async with client_of(own_plans) as made:
        yield made


async def test_rows_are_posted_with_counts_and_the_same_again_is_unchanged(client: AsyncClient) -> None:
    rows = [ROW, {**OTHER, "numerator": 19, "denominator": 20}]
    first = await client.post_actuals(rows)
    assert (first.received, first.written, first.unchanged, first.refused) == (2, 2, 0, 0)
    assert first.is_whole
    assert first.import_id is not None
    assert first.write_token
    assert first.receipt is not None
    said = verify_receipt(first.receipt, await client.receipt_keys())
    assert (said.import_id, said.counts["updated"], said.cursor) == (first.import_id, 2, first.write_token)
    again = await client.post_actuals(rows)
    assert (again.received, again.written, again.unchanged, again.import_id) == (2, 0, 2, None)


async def test_exact_decimals_and_days_are_sent_as_they_are(client: AsyncClient) -> None:
    await client.post_actuals([{**OTHER, "value": Decimal("85.123456"), "measured_on": date(2026, 9, 20)}])
    [figure] = await client.read_all("/v1/indicators/actuals", {**OTHER, "fields": "value,measured_on"})
    assert figure == {"value": 85.123456, "measured_on": "2026-09-20"}


async def test_a_dry_run_writes_nothing(client: AsyncClient) -> None:
    shown = await client.post_actuals([ROW], dry_run=True)
    assert (shown.dry_run, shown.written) == (True, 1)
    assert (await client.post_actuals([ROW])).written == 1


async def test_one_key_has_one_effect(client: AsyncClient) -> None:
    first = await client.post_actuals([ROW], key="one")
    again = await client.post_actuals([ROW], key="one")
    assert again == first


async def test_two_at_once_with_one_key_have_one_effect_and_one_answer(client: AsyncClient) -> None:
    one, other = await asyncio.gather(*(client.post_actuals([ROW], key="twice") for _ in range(2)))
    assert one == other
    assert one.updated == 1


async def test_refused_rows_are_typed_faults(client: AsyncClient) -> None:
    rows = [ROW, {**ROW, "admin_unit": "26434"}, {**ROW, "indicator": "NOPE"}]
    with pytest.raises(Refused) as refusal:
        await client.post_actuals(rows)
    found = refusal.value
    assert (found.status, found.code, found.faults_total) == (422, "actuals_refused", 2)
    assert [(fault.row, fault.column, fault.code, fault.value) for fault in found.faults] == [
        (2, "admin_unit", "unit_not_covered", "26434"),
        (3, "indicator", "indicator_unknown", "NOPE"),
    ]
    assert found.faults[0].message == "Mã truy cập này không được làm thay đơn vị 26434."
    partial = await client.post_actuals(rows, mode="partial")
    assert (partial.written, partial.refused, partial.is_whole, len(partial.errors)) == (1, 2, False, 2)


async def test_who_may_not_is_told_so(house: House) -> None:
    async with client_of(house, scopes="indicators:read") as reader:
        with pytest.raises(Forbidden) as refusal:
            await reader.post_actuals([ROW])
    assert refusal.value.code == "scope_missing"
    transport = httpx2.ASGITransport(app=house.composition.door)
    async with AsyncClient("http://door", "nonsense", transport=transport) as stranger:
        with pytest.raises(Unauthenticated):
            await stranger.post_actuals([ROW])


async def test_a_token_may_be_made_for_each_request(house: House) -> None:
    made: list[str] = []

    def fresh() -> str:
        made.append("x")
        return house.admin["Authorization"].removeprefix("Bearer ")

    async with AsyncClient("http://door", fresh, transport=httpx2.ASGITransport(app=house.composition.door)) as client:
        await client.read("/v1/indicators/meta")
        await client.read("/v1/plans/meta")
    assert made == ["x", "x"]


async def test_nobody_there_is_waited_for_as_long_as_said() -> None:
    steps: list[Step] = []
    async with AsyncClient("http://127.0.0.1:1", "x", patience=Patience(seconds=0.2, first_wait=0.02)) as client:
        with pytest.raises(NotReached):
            await client.post_actuals([ROW], report=steps.append)
    assert {step.phase for step in steps} == {"waiting"}
    assert sum(step.done for step in steps) <= 0.2


async def test_files_are_taken_by_their_names(client: AsyncClient, tmp_path: Path) -> None:
    file = tmp_path / "figures.ndjson.gz"
    file.write_bytes(gzip.compress(json.dumps(ROW).encode()))
    steps: list[Step] = []
    posted = await client.post_actuals(file, report=steps.append)
    assert posted.written == 1
    size = file.stat().st_size
    assert steps == [Step(phase="sending", done=size, total=size), Step(phase="working")]


async def test_a_body_knows_its_digest_and_at_most_how_many_rows(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a;b\n1;2\n")
    with await body_of(file) as body:
        assert (body.size, body.lines, body.content_type, body.name) == (8, 3, "text/csv", "a.csv")
        assert body.sha256 == hashlib.sha256(b"a;b\n1;2\n").hexdigest()
        assert body.read(4, 2) == b"1;"
    with await body_of(io.BytesIO(b"[]"), "application/json") as body:
        assert (body.size, body.lines, body.read(0, 9)) == (2, None, b"[]")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", ("text/csv", None)),
        ("a.b.JSONL", ("application/x-ndjson", None)),
        ("a.parquet.zst", ("application/vnd.apache.parquet", "zstd")),
        ("a.xls.gz", ("application/vnd.ms-excel", "gzip")),
    ],
)
def test_the_type_is_told_by_the_name(name: str, kind: tuple[str, str | None]) -> None:
    assert type_of(Path(name)) == kind


@pytest.mark.parametrize("name", ["figures", "a.gz", "a.docx", "csv"])
def test_an_unknown_name_is_refused_with_what_is_known(name: str) -> None:
    with pytest.raises(FileTrouble, match="parquet"):
        type_of(Path(name))


async def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble, match=r"none\.csv"):
        await body_of(tmp_path / "none.csv")
    with pytest.raises(FileTrouble, match="content type"):
        await body_of(b"[]")
    with pytest.raises(FileTrouble, match="JSON"):
        await body_of([{"value": object()}])


class Cut(httpx2.ASGITransport):
    """A way that loses the end of the first piece, and the answers to it and to the third."""

    pieces = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.pieces += request.method == "PATCH"
        if self.pieces == 1:
            request.headers.pop("Upload-Complete", None)
        answer = await super().handle_async_request(request)
        if request.method == "PATCH" and self.pieces in (1, 3):
            raise httpx2.ReadError("cut")
        return answer


async def test_an_upload_whose_last_answers_are_lost_is_complete(own_plans: House) -> None:
    headers = own_plans.headers("actuals:write", ["26491"])
    token = headers["Authorization"].removeprefix("Bearer ")
    cut = Cut(app=own_plans.composition.door)
    async with httpx2.AsyncClient(transport=cut, base_url="http://door") as http:
        wire = Wire(http, token, "en", Patience(seconds=10, first_wait=0.01))
        with await body_of([ROW]) as body:
            made = await create_import(wire, body, {}, "once", quietly)
            await upload(wire, body, made.import_id, quietly)
            found = await look_at(wire, made.import_id, quietly)
    assert (cut.pieces, found.state, found.received_bytes) == (4, "queued", body.size)


class Torn(httpx2.AsyncBaseTransport):
    """A server whose long answer breaks off at the first try; notes how much of it lies in a file after each piece."""

    def __init__(self, part: Path) -> None:
        self._part = part
        self.kept: list[list[int]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.kept.append([])
        return httpx2.Response(200, content=self._pieces(), request=request)

    async def _pieces(self) -> AsyncIterator[bytes]:
        for place in range(4):
            yield bytes([place]) * 65_536
            self.kept[-1].append(self._part.stat().st_size // 65_536)
            if len(self.kept) == 1 and place == 1:
                raise httpx2.ReadError("cut")


async def test_a_long_answer_goes_to_its_file_as_it_comes_and_anew_when_it_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "errors.csv"
    file.write_text("of the last time", encoding="utf-8")
    torn = Torn(tmp_path / "errors.csv.part")
    patience = Patience(seconds=10, first_wait=0.01)
    async with AsyncClient("http://door", "token", transport=torn, patience=patience) as client:
        await client.save_errors("one", file)
    assert torn.kept == [[1, 2], [1, 2, 3, 4]]
    assert file.read_bytes() == b"".join(bytes([place]) * 65_536 for place in range(4))
    assert os.listdir(tmp_path) == ["errors.csv"]
