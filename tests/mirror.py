"""A client that mirrors a province from outside: list once, then follow, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import httpx2

Row = Mapping[str, Any]
Key = tuple[Any, ...]
PLAN = ("status", "title_vi", "revision", "document_number", "issued_on")
TARGET = ("indicator", "comparator", "value", "raw_target")
FIGURE = ("value", "data_status", "measured_on")
FIGURE_KEY = ("admin_unit", "indicator", "sub_population", "regime", "period")
LINE = ("amount_vnd", "expenditure_kind", "pillar")


def _values(row: Row, names: tuple[str, ...]) -> Key:
    return tuple(row.get(name) for name in names)


class Copy:
    """What the mirror holds of one service: its rows by their keys."""

    def __init__(self) -> None:
        self.rows: dict[Key, Key] = {}
        self.cursors: list[str] = []
        self._versions: dict[str, int] = {}

    def take(self, event: Row) -> None:
        """Apply an event; one that was heard before changes nothing."""
        subject, version = event["subject"], event["data"]["version"]
        if version > self._versions.get(subject, 0):
            self._versions[subject] = version
            APPLIES[event["type"].removeprefix("vn.chitieu.")](self, event["data"])

    def put(self, key: Key, values: Key | None) -> None:
        """A row as it is now; None: it is gone."""
        if values is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = values


def _plan(copy: Copy, data: Row) -> None:
    copy.put(("plan", data["plan_key"]), _values(data, PLAN))


def _targets(copy: Copy, data: Row) -> None:
    for change in data["changes"]:
        new = change["new"]
        copy.put(("target", data["plan_key"], change["key"]), new and _values(new, TARGET))


def _figures(copy: Copy, data: Row) -> None:
    for change in data["changes"]:
        key = _values({**change, "admin_unit": data["admin_unit"]}, FIGURE_KEY)
        copy.put(("figure", *key), change["new"] and _values(change["new"], FIGURE))


def _lines(copy: Copy, data: Row) -> None:
    for change in data["changes"]:
        if change["set"] == "lines":
            new = change["new"]
            copy.put(("line", data["plan_key"], change["key"]), new and _values(new, LINE))


def _ignore(_copy: Copy, _data: Row) -> None:
    """Of no interest to this mirror."""


APPLIES: Mapping[str, Callable[[Copy, Row], None]] = {
    "plans.plan.recorded.v1": _plan,
    "plans.plan.issued.v1": _plan,
    "plans.plan.amended.v1": _plan,
    "plans.plan.closed.v1": _plan,
    "plans.office.changed.v1": _ignore,
    "plans.admin_unit.changed.v1": _ignore,
    "indicators.targets.applied.v1": _targets,
    "indicators.actuals.posted.v1": _figures,
    "budget.lines.applied.v1": _lines,
}
LISTS: Mapping[str, Mapping[str, Callable[[Row], tuple[Key, Key]]]] = {
    "plans": {"/v1/plans": lambda row: (("plan", row["plan_key"]), _values(row, PLAN))},
    "indicators": {
        "/v1/indicators/targets": lambda row: (("target", row["plan_key"], row["key"]), _values(row, TARGET)),
        "/v1/indicators/actuals": lambda row: (("figure", *_values(row, FIGURE_KEY)), _values(row, FIGURE)),
    },
    "budget": {"/v1/budget/lines": lambda row: (("line", row["plan_key"], row["key"]), _values(row, LINE))},
}


class Mirror:
    """A copy of everything one token may see of a province."""

    def __init__(self, client: httpx2.AsyncClient, headers: Mapping[str, str], province: str) -> None:
        self._client = client
        self._headers = headers
        self._province = province
        self._random = Random(4)
        self.copies = {service: Copy() for service in LISTS}

    async def list_all(self) -> None:
        """Read every list; the first one of a service says where to follow from."""
        for service, lists in LISTS.items():
            for path, keyed in lists.items():
                await self._list(self.copies[service], path, keyed)

    async def _list(self, copy: Copy, path: str, keyed: Callable[[Row], tuple[Key, Key]]) -> None:
        cursor: str | None = ""
        while cursor is not None:
            params = {"province": self._province, "limit": "50", **({"cursor": cursor} if cursor else {})}
            page = await self._get(path, params)
            copy.cursors = copy.cursors or [page.headers["Changes-Cursor"]]
            copy.rows.update(keyed(row) for row in page.json()["items"])
            cursor = page.json()["next"]

    async def follow(self, writing: asyncio.Event) -> None:
        """Follow every service until writing has ended and nothing is left to hear."""
        await asyncio.gather(*(self._follow(service, writing) for service in LISTS))

    async def _follow(self, service: str, writing: asyncio.Event) -> None:
        copy = self.copies[service]
        while True:
            is_over = writing.is_set()
            params = {"province": self._province, "after": copy.cursors[-1], "limit": "7", "wait": "0.2"}
            page = (await self._get(f"/v1/{service}/changes", params)).json()
            for event in page["items"]:
                copy.take(event)
            copy.cursors.append(page["next"])
            if is_over and page["next"] == page["head"]:
                return
            if self._random.random() < 0.1:  # as after a crash before the cursor was kept
                copy.cursors.append(self._random.choice(copy.cursors))

    async def _get(self, path: str, params: Mapping[str, str]) -> httpx2.Response:
        answer = await self._client.get(path, params=params, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer
