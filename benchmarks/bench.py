"""The bench that bulk posts are measured on: the application, the tables behind it, a stopwatch."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import asyncpg
import httpx2

from benchmarks.forms import CONTENT_TYPES, body_of
from benchmarks.rows import FIRST_FILLED_YEAR, LAST_FILLED_YEAR, Batch, rows_of
from benchmarks.stage import Stage, staged
from benchmarks.world import World, plan_targets, settle

ACTUALS = "/v1/indicators/actuals"
COUNTS = ("created", "updated", "unchanged", "stale", "duplicates", "refused")
COMMUNES, INDICATORS, PLANNED = 320, 50, 5
REST_SECONDS, PAUSE_SECONDS = 300.0, 0.02


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds of a COPY, and of a post right after it."""

    copy: float
    post: float

    @property
    def speed(self) -> float:
        """How fast the post is, where the COPY is 1."""
        return self.copy / self.post


@dataclass(slots=True)
class Bench:
    """What every measurement needs."""

    stage: Stage
    world: World
    client: httpx2.AsyncClient
    tables: asyncpg.Connection
    copied: bytes = field(default=b"", repr=False)

    async def learn(self, rows: int) -> None:
        """Post the rows once, warm as the process then is, and keep what they became for the COPY to write again."""
        await self.empty()
        await self.post("csv", body_of("csv", rows_of(Batch(self.world, rows))), {"created": rows})
        kept = io.BytesIO()
        await self.tables.copy_from_table("actual", output=kept, format="csv")
        self.copied = kept.getvalue()
        await self.tables.execute(
            "DROP TABLE IF EXISTS bench_copy, bench_saved; CREATE TABLE bench_copy (LIKE actual INCLUDING ALL);"
            " CREATE TABLE bench_saved AS TABLE actual"
        )

    async def empty(self) -> None:
        """No figures at all."""
        await self.tables.execute("TRUNCATE actual, actual_revision")

    async def put_back(self) -> None:
        """The figures as they were first kept, in a table that has been looked after since."""
        await self.empty()
        await self.tables.execute("INSERT INTO actual SELECT * FROM bench_saved")
        await self.tables.execute("VACUUM (ANALYZE) actual")

    async def rest(self) -> None:
        """Wait until the server has nothing left to do of what was before."""
        for _ in range(int(REST_SECONDS / PAUSE_SECONDS)):
            if not await self.tables.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
                break
            await asyncio.sleep(PAUSE_SECONDS)
        await self.tables.execute("CHECKPOINT")

    async def copy(self) -> float:
        """Seconds of the COPY of the same rows into the identical empty table."""
        await self.tables.execute("TRUNCATE bench_copy")
        await self.rest()
        started = time.perf_counter()
        await self.tables.copy_to_table("bench_copy", source=io.BytesIO(self.copied), format="csv")
        return time.perf_counter() - started

    async def post(self, form: str, body: bytes, wanted: Mapping[str, int], **params: str) -> float:
        """Seconds of a post, from the first byte sent to the last one read.

        Raises:
            RuntimeError: the rows did not become what was wanted.
        """
        headers = {"Content-Type": CONTENT_TYPES[form], "Idempotency-Key": str(uuid.uuid4())}
        await self.rest()
        started = time.perf_counter()
        answer = await self.client.post(ACTUALS, content=body, headers=headers, params=params)
        seconds = time.perf_counter() - started
        expect(answer.json() if answer.status_code in (200, 207) else {}, wanted, answer.text[:1000])
        return seconds

    async def pair(self, form: str, body: bytes, wanted: Mapping[str, int], **params: str) -> Pair:
        """A COPY, then a post."""
        return Pair(await self.copy(), await self.post(form, body, wanted, **params))

    async def make_large(self, rows: int) -> None:
        """A second table of figures, of so many rows of earlier years, in the order of the months as years bring it."""
        await self.tables.execute(
            "CREATE TABLE bench_large (LIKE actual INCLUDING ALL); ALTER TABLE bench_large OWNER TO indicators_owner;"
            " GRANT SELECT, INSERT, UPDATE, DELETE ON bench_large TO indicators"
        )
        await self.tables.execute(await self._filling(rows))
        await self.tables.execute("VACUUM (ANALYZE) bench_large")

    async def _filling(self, rows: int) -> str:
        """Real units and as many invented ones as are needed, with contents that rows of the bench have."""
        columns = await self.tables.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'actual'::regclass AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attnum"
        )
        key = {"admin_unit_id": "u", "indicator_id": "i", "period_id": "p.id", "sub_population_id": "0"}
        chosen = ", ".join(key.get(row["attname"], f"t.{row['attname']}") for row in columns)
        periods = 12 * (LAST_FILLED_YEAR - FIRST_FILLED_YEAR + 1)
        units = -(-rows // (periods * len(self.world.indicators)))
        return (
            f"INSERT INTO bench_large SELECT {chosen} FROM (SELECT id FROM period WHERE period_type = 'month'"
            f" AND year BETWEEN {FIRST_FILLED_YEAR} AND {LAST_FILLED_YEAR} ORDER BY code) p"
            f" CROSS JOIN generate_series(1, {units}) u CROSS JOIN (SELECT DISTINCT indicator_id AS i FROM indicator) c"
            " JOIN (SELECT row_number() OVER () - 1 AS n, * FROM bench_saved LIMIT 997) t"
            f" ON t.n = (u * 31 + i * 7 + p.id) % least(997, {rows}) LIMIT {rows}"
        )

    async def drop_large(self) -> None:
        """Without the large table again."""
        await self.tables.execute("DROP TABLE bench_large")

    async def swap(self) -> None:
        """Let the large table be the service's, or the small one again."""
        await self.tables.execute(
            "ALTER TABLE actual RENAME TO bench_other; ALTER TABLE bench_large RENAME TO actual;"
            " ALTER TABLE bench_other RENAME TO bench_large"
        )


def expect(told: Mapping[str, object], wanted: Mapping[str, int], words: str) -> None:
    """Refuse a measurement of something else than was meant."""
    counts = {name: told.get(name) for name in COUNTS}
    if counts != {**dict.fromkeys(COUNTS, 0), **wanted}:
        raise RuntimeError(f"the rows were to become {wanted}: {words}")


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Bench]:
    """A bench with its world loaded."""
    async with staged() as stage:
        world = World.of(COMMUNES, INDICATORS)
        await settle(stage, world)
        await plan_targets(stage, world, PLANNED)
        tables = await stage.connect("postgres")
        async with stage.client() as client:
            yield Bench(stage, world, client, tables)
        await tables.close()
