"""Faults of rows as a table: found set-wise, counted truly, worded only where they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import polars as pl

from chassis.errors import RULES, Fault, Rule

SHOWN_CHARACTERS = 200
LISTED_FAULTS = 1000
SCHEMA = pl.Schema(
    {"row": pl.UInt32(), "column": pl.String(), "code": pl.String(), "value": pl.String(), "values": pl.String()}
)
_NOTHING = pl.DataFrame(schema=SCHEMA)


@dataclass(frozen=True, slots=True)
class Check:
    """A named rule as an expression: true where a row breaks it; unknown (null) breaks nothing.

    `column` names the cell at fault and is shown unless `shown` says otherwise; `values` fill the rule's sentence.
    """

    rule: Rule
    column: str | None
    broken: pl.Expr
    values: Mapping[str, pl.Expr | str | int] = field(default_factory=dict)
    shown: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Every fault found: row, column, code, the value seen, and what fills the sentence (JSON)."""

    frame: pl.DataFrame

    @classmethod
    def none(cls) -> Findings:
        """No fault."""
        return cls(_NOTHING)

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> Findings:
        """Faults found one by one."""
        if not faults:
            return cls.none()
        return cls(pl.DataFrame([_record(fault) for fault in faults], schema=SCHEMA, orient="row"))

    @classmethod
    def together(cls, several: Iterable[Findings]) -> Findings:
        """All of several."""
        frames = [one.frame for one in several if one.total]
        return cls(pl.concat(frames)) if frames else cls.none()

    @property
    def total(self) -> int:
        """How many faults, listed or not."""
        return self.frame.height

    @property
    def rows(self) -> pl.Series:
        """The numbers of the rows at fault, each once, ascending."""
        return self.frame["row"].drop_nulls().unique().sort()

    def totals(self) -> dict[str, int]:
        """How many faults of each code."""
        counted = self.frame["code"].value_counts().sort("code")
        return dict(counted.iter_rows())

    def listed(self, limit: int = LISTED_FAULTS) -> list[Fault]:
        """The first faults in the order of their rows, for showing."""
        first = self.frame.sort("row", maintain_order=True).head(limit)
        return [
            Fault(RULES[code], _filled(column, value, values), row=row, column=column, value=value)
            for row, column, code, value, values in first.iter_rows()
        ]


@dataclass(slots=True)
class FirstFindings:
    """Of findings that come one after another the first by row, for showing, and how many there were; no more."""

    total: int = 0
    first: Findings = field(default_factory=Findings.none)

    def add(self, findings: Findings) -> None:
        """Count findings, and keep those that are among the first; of one row in the order in which they came."""
        if not findings.total:
            return
        self.total += findings.total
        seen = pl.concat([self.first.frame, findings.frame]).sort("row", maintain_order=True).head(LISTED_FAULTS)
        # Copied, for a slice of a frame holds all of what it was cut from.
        self.first = Findings(pl.DataFrame(seen.rows(), schema=SCHEMA, orient="row"))

    def listed(self) -> list[Fault]:
        """The first in the order of their rows."""
        return self.first.listed()


def judge(frame: pl.DataFrame, checks: Sequence[Check]) -> Findings:
    """Judge every row by every check at once; `frame` has the column "row"."""
    if not checks or frame.is_empty():
        return Findings.none()
    masks = frame.select(check.broken.fill_null(value=False).alias(str(i)) for i, check in enumerate(checks))
    return Findings.together(
        _found(frame.filter(masks[str(i)]), check) for i, check in enumerate(checks) if masks[str(i)].any()
    )


def _found(frame: pl.DataFrame, check: Check) -> Findings:
    column = check.column
    own = pl.col(column) if column in frame.columns else pl.lit(None)
    shown = own if check.shown is None else check.shown
    value = shown.cast(pl.String, strict=False).str.slice(0, SHOWN_CHARACTERS)
    # The column and the value shown fill sentences, too; what is kept anyway is not kept twice.
    filled = {name: given for name, given in check.values.items() if not _is_shown(name, given, shown)}
    texts = [_text(given).alias(name) for name, given in filled.items()]
    values = pl.struct(*texts).struct.json_encode() if texts else pl.lit(None, pl.String)
    return Findings(
        frame.select(
            pl.col("row").cast(pl.UInt32),
            column=pl.lit(column, pl.String),
            code=pl.lit(check.rule.code),
            value=value,
            values=values,
        )
    )


def _is_shown(name: str, given: pl.Expr | str | int, shown: pl.Expr) -> bool:
    return name == "value" and isinstance(given, pl.Expr) and given.meta.eq(shown)


def _filled(column: str | None, value: str | None, values: str | None) -> dict[str, object]:
    """What fills the sentence of a fault."""
    told: dict[str, object] = {} if column is None else {"column": column}
    if value is not None:
        told["value"] = value
    return {**told, **msgspec.json.decode(values or "{}")}


def _text(given: pl.Expr | str | int) -> pl.Expr:
    if isinstance(given, pl.Expr):
        return given.cast(pl.String, strict=False).str.slice(0, SHOWN_CHARACTERS)
    return pl.lit(str(given))


def _record(fault: Fault) -> tuple[int | None, str | None, str, str | None, str]:
    value = None if fault.value is None else str(fault.value)[:SHOWN_CHARACTERS]
    values = {name: str(given)[:SHOWN_CHARACTERS] for name, given in fault.values.items()}
    return fault.row, fault.column, fault.rule.code, value, msgspec.json.encode(values).decode()
