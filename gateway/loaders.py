"""Batches of one operation: what is asked in one layer of a query travels in one call per list of a service."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from strawberry.dataloader import DataLoader

from gateway.clients import Row, Services

Value = str | int | tuple[str, ...] | None
Filters = tuple[tuple[str, Value], ...]
KEYS_OF_ONE_CALL = 500
_Key = tuple[str, Filters]
_Rows = list[Row]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of a service that takes many keys at once: `by` names both the filter and the field of a row."""

    service: str
    path: str
    by: str
    filter: str = ""

    @property
    def asked_by(self) -> str:
        """The name of the filter that takes the keys."""
        return self.filter or self.by


UNITS = ListOf("plans", "/v1/plans/admin-units", "code")
COMMUNES_OF_PROVINCE = ListOf("plans", "/v1/plans/admin-units", "province_code", "province")
OFFICES = ListOf("plans", "/v1/plans/offices", "admin_unit")
PLANS = ListOf("plans", "/v1/plans", "plan_key")
PLANS_OF_UNIT = ListOf("plans", "/v1/plans", "admin_unit")
TASKS = ListOf("plans", "/v1/plans/tasks", "plan_key")
LEGAL_BASES = ListOf("plans", "/v1/plans/legal-bases", "plan_key")
REPORTING_DUTIES = ListOf("plans", "/v1/plans/reporting-duties", "plan_key")
BUDGET_RULES = ListOf("plans", "/v1/plans/budget-rules", "plan_key")
PRIOR_YEAR_RESULTS = ListOf("plans", "/v1/plans/prior-year-results", "plan_key")
RECIPIENTS = ListOf("plans", "/v1/plans/recipients", "plan_key")
EXTERNAL_SYSTEMS = ListOf("plans", "/v1/plans/external-systems", "plan_key")
DISCREPANCIES = ListOf("plans", "/v1/plans/discrepancies", "plan_key")
INDICATORS = ListOf("indicators", "/v1/indicators/catalogue", "code")
TARGETS = ListOf("indicators", "/v1/indicators/targets", "plan_key")
SCORECARDS = ListOf("indicators", "/v1/indicators/scorecards", "admin_unit")
SCORECARDS_OF_PLAN = ListOf("indicators", "/v1/indicators/scorecards", "plan_key")
ACTUALS = ListOf("indicators", "/v1/indicators/actuals", "admin_unit")
RANKINGS = ListOf("indicators", "/v1/indicators/rankings", "province")
BUDGET_LINES = ListOf("budget", "/v1/budget/lines", "admin_unit")
BUDGET_LINES_OF_PLAN = ListOf("budget", "/v1/budget/lines", "plan_key")
BUDGET_GROUPS = ListOf("budget", "/v1/budget/groups", "admin_unit")
BUDGET_GROUPS_OF_PLAN = ListOf("budget", "/v1/budget/groups", "plan_key")
BUDGET_TOTALS = ListOf("budget", "/v1/budget/totals", "admin_unit")
BUDGET_TOTALS_OF_PLAN = ListOf("budget", "/v1/budget/totals", "plan_key")
BUDGET_CHECKS = ListOf("budget", "/v1/budget/checks", "admin_unit")
BUDGET_CHECKS_OF_PLAN = ListOf("budget", "/v1/budget/checks", "plan_key")


class Loaders:
    """The lists one operation has asked, each key once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._batches: dict[ListOf, DataLoader[_Key, _Rows]] = {}

    async def rows(self, source: ListOf, key: str, **filters: Value) -> _Rows:
        """The rows of one key, asked together with every other key of this layer.

        The load is shielded: a sibling that fails cancels its neighbours, and must not cancel what others wait for.
        """
        return await asyncio.shield(self._batch(source).load((key, _frozen(filters))))

    async def first(self, source: ListOf, key: str, **filters: Value) -> Row | None:
        """The only row of one key."""
        rows = await self.rows(source, key, **filters)
        return rows[0] if rows else None

    def prime(self, source: ListOf, key: str, rows: _Rows, **filters: Value) -> None:
        """Say that the rows of a key are known already."""
        self._batch(source).prime((key, _frozen(filters)), rows)

    def _batch(self, source: ListOf) -> DataLoader[_Key, _Rows]:
        if source not in self._batches:

            async def load(keys: list[_Key]) -> Sequence[_Rows | BaseException]:
                return await self._load(source, keys)

            self._batches[source] = DataLoader(load_fn=load)
        return self._batches[source]

    async def _load(self, source: ListOf, keys: list[_Key]) -> list[_Rows | BaseException]:
        groups: dict[Filters, list[str]] = defaultdict(list)
        for key, filters in keys:
            groups[filters].append(key)
        found: dict[_Key, _Rows | BaseException] = {}
        calls = [self._ask(source, some, filters) for filters, all_keys in groups.items() for some in _chunks(all_keys)]
        for answered in await asyncio.gather(*calls):
            found.update(answered)
        return [found[key] for key in keys]

    async def _ask(self, source: ListOf, keys: list[str], filters: Filters) -> dict[_Key, _Rows | BaseException]:
        try:
            rows = await self._services.rows(source.service, source.path, {source.asked_by: keys, **dict(filters)})
        except Exception as error:
            return {(key, filters): error for key in keys}
        grouped: dict[str, _Rows] = defaultdict(list)
        for row in rows:
            grouped[row[source.by]].append(row)
        return {(key, filters): grouped.get(key, []) for key in keys}


def _frozen(filters: dict[str, Value]) -> Filters:
    return tuple(sorted((name, value) for name, value in filters.items() if value is not None))


def _chunks(keys: list[str]) -> list[list[str]]:
    return [keys[at : at + KEYS_OF_ONE_CALL] for at in range(0, len(keys), KEYS_OF_ONE_CALL)]
