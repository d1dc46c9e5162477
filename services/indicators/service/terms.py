"""How rows are posted, how far a post has come, and what is known of its rows so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from chassis.tabular import Findings, FirstFindings, NumberStyle
from services.indicators.service.applying import CatchUp
from services.indicators.service.gathering import LOT_ROWS

# Of one post or import; each takes about 250 bytes until the end, and nobody reads so many.
MOST_FAULTS = 500_000


class Mode(StrEnum):
    """All or nothing, or what is good."""

    ATOMIC = "atomic"
    PARTIAL = "partial"


class OnStale(StrEnum):
    """What happens to a row that is older than what is stored."""

    REFUSE = "refuse"
    SKIP = "skip"


class OnBlank(StrEnum):
    """What happens to a row that names a figure and says nothing of it, as unfilled rows of a form do."""

    REFUSE = "refuse"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a post has come, in rows."""

    rows_read: int = 0
    rows_checked: int = 0
    rows_written: int = 0


async def _untold(_progress: Progress) -> None:
    return None


@dataclass(frozen=True, slots=True)
class PostTerms:
    """How rows are posted, who fetches news of units, and what an import adds to it."""

    catch_up: CatchUp | None
    takes_samples: bool
    mode: Mode = Mode.ATOMIC
    on_stale: OnStale = OnStale.REFUSE
    on_blank: OnBlank = OnBlank.REFUSE
    style: NumberStyle | None = None
    sha256: bytes | None = None
    import_id: UUID | None = None
    reverts: UUID | None = None
    lot_rows: int = LOT_ROWS
    most_faults: int = MOST_FAULTS
    progress: Callable[[Progress], Awaitable[None]] = _untold


@dataclass(slots=True)
class Tally:
    """What is known of a post so far: its rows by outcome, every fault, the first warnings."""

    received: int = 0
    blank: int = 0
    duplicates: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    faults: list[Findings] = field(default_factory=list)
    warnings: FirstFindings = field(default_factory=FirstFindings)

    def begin_again(self) -> None:
        """Forget everything."""
        self.received = self.blank = self.duplicates = 0
        self.outcomes, self.faults, self.warnings = {}, [], FirstFindings()

    def refuse(self, *findings: Findings) -> None:
        """Note faults."""
        self.faults += [one for one in findings if one.total]

    @property
    def faults_total(self) -> int:
        """How many faults there are."""
        return sum(one.total for one in self.faults)

    @property
    def errors(self) -> Findings:
        """Every fault."""
        return Findings.together(self.faults)

    def counts(self) -> dict[str, int]:
        """received = created + updated + unchanged + stale + duplicates + refused."""
        outcomes = ("created", "updated", "unchanged", "stale")
        refused = len(self.errors.rows)
        settled = {name: self.outcomes.get(name, 0) for name in outcomes}
        return {"received": self.received, **settled, "duplicates": self.duplicates, "refused": refused}
