"""What the life of a plan allows of what hangs on it: the same steps for targets and for budgets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house import House

# Status and revision of the plan, the revision applied last, the reason of a correction; and what is in the way.
every_step = pytest.mark.parametrize(
    ("status", "revision", "applied", "correction", "obstacle"),
    [
        ("draft", 1, 1, None, None),
        ("issued", 1, None, None, None),
        ("issued", 1, 1, None, "amendment"),
        ("issued", 1, 1, "Nhập sai", None),
        ("amended", 2, 1, None, None),
        ("amended", 2, 2, None, "amendment"),
        ("closed", 2, 1, None, "closed"),
        ("closed", 2, None, "Nhập sai", "closed"),
    ],
)


async def refused(
    house: House, service: str, url: str, content: Any, **params: Any
) -> tuple[int, str, list[tuple[str, str]]]:
    """A declarative write that is refused and writes nothing: status, code, and place and value of every fault."""
    before = await house.rows(service)
    response = await house.client.put(url, json=content, params=params, headers=house.admin)
    assert await house.rows(service) == before
    problem = response.json()
    return problem["status"], problem["code"], [(each["pointer"], each["value"]) for each in problem["errors"]]
