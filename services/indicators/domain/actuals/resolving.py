"""What the codes of rows stand for: integers by joins against the lists of codes, and every code that stands for
nothing, holds at another time, or is not the sender's to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from chassis.errors import UNIT_NOT_COVERED
from chassis.tabular import Check, Findings, judge
from services.indicators.domain import rules

UNITS = pl.Schema(
    {"admin_unit": pl.String(), "admin_unit_id": pl.Int32(), "province": pl.String(), "default_regime": pl.String()}
)
VALIDITIES = pl.Schema({"admin_unit": pl.String(), "valid_from": pl.Date(), "valid_to": pl.Date()})
INDICATORS = pl.Schema(
    {
        "indicator": pl.String(),
        "indicator_id": pl.Int32(),
        "kind": pl.Int8(),
        "value_type": pl.String(),
        "scale": pl.String(),
        "lowest": pl.Decimal(38, 6),
        "highest": pl.Decimal(38, 6),
        "allows_above_100": pl.Boolean(),
        "owner": pl.String(),
    }
)
SUB_POPULATIONS = pl.Schema(
    {"indicator_id": pl.Int32(), "sub_population": pl.String(), "sub_population_id": pl.Int32()}
)
PERIODS = pl.Schema(
    {
        "regime": pl.String(),
        "period": pl.String(),
        "period_id": pl.Int32(),
        "starts_on": pl.Date(),
        "ends_on": pl.Date(),
        "previous_id": pl.Int32(),
    }
)
PLAN_ROWS = pl.Schema(
    {
        "admin_unit": pl.String(),
        "plan_row": pl.String(),
        "year": pl.String(),
        "named": pl.String(),
        "named_sub": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Codes:
    """The lists of codes that rows are resolved by, as far as the rows name them."""

    units: pl.DataFrame
    validities: pl.DataFrame
    indicators: pl.DataFrame
    sub_populations: pl.DataFrame
    regimes: frozenset[str]
    periods: pl.DataFrame
    plan_rows: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Advice:
    """What may have been meant by words that are no code, by those words: a code, or the nearest one."""

    unit_codes: Mapping[str, str]
    units_near: Mapping[str, str]
    indicator_codes: Mapping[str, str]
    indicators_near: Mapping[str, str]
    sub_populations_near: Mapping[str, str]


def resolve(frame: pl.DataFrame, codes: Codes) -> pl.DataFrame:
    """Rows with the integers and facts of their codes beside them, null where a code stands for nothing.

    A row that names its plan's row instead of an indicator gets that row's indicator and sub-population;
    `plan_rows_found` counts what the words may stand for.
    """
    named = _by_plan_row(frame, codes.plan_rows)
    found = _joined(named, codes.units, "admin_unit").with_columns(
        pl.coalesce("regime", "default_regime").alias("regime")
    )
    found = _joined(found, codes.indicators, "indicator")
    if found["sub_population"].null_count() == found.height:
        found = found.with_columns(sub_population_id=pl.lit(0, pl.Int32))
    else:
        found = _joined(found, codes.sub_populations, "indicator_id", "sub_population").with_columns(
            pl.when(pl.col("sub_population").is_null())
            .then(0)
            .otherwise("sub_population_id")
            .alias("sub_population_id")
        )
    return _with_validity(_joined(found, codes.periods, "regime", "period"), codes.validities)


def _joined(frame: pl.DataFrame, other: pl.DataFrame, *on: str) -> pl.DataFrame:
    return frame.join(other, on=list(on), how="left", maintain_order="left")


def _by_plan_row(frame: pl.DataFrame, plan_rows: pl.DataFrame) -> pl.DataFrame:
    if frame["plan_row"].null_count() == frame.height:
        return frame.with_columns(named=pl.lit(None, pl.String), plan_rows_found=pl.lit(None, pl.UInt32))
    year = pl.col("period").str.slice(0, 4)
    place = frame.select("row", "admin_unit", "plan_row", "indicator", "sub_population", year=year)
    meant = place.join(plan_rows, on=["admin_unit", "plan_row", "year"], how="inner").filter(
        (pl.col("indicator").is_null() | (pl.col("indicator") == pl.col("named")))
        & (pl.col("sub_population").is_null() | (pl.col("sub_population") == pl.col("named_sub")))
    )
    # An indicator named without a part of the population is the whole population's, where the plan has that.
    is_bare = pl.col("indicator").is_not_null() & pl.col("sub_population").is_null()
    is_whole = pl.col("named_sub").is_null()
    by_row = (
        meant.filter(~is_bare | is_whole | ~is_whole.any().over("row"))
        .group_by("row")
        .agg(
            plan_rows_found=pl.struct("named", "named_sub").n_unique().cast(pl.UInt32),
            named=pl.col("named").first(),
            named_sub=pl.col("named_sub").first(),
        )
    )
    found = frame.join(by_row, on="row", how="left", maintain_order="left")
    is_one = pl.col("plan_rows_found") == 1
    return found.with_columns(
        pl.when(is_one).then("named").otherwise("indicator").alias("indicator"),
        pl.when(is_one).then("named_sub").otherwise("sub_population").alias("sub_population"),
        pl.col("plan_rows_found").fill_null(0),
    ).drop("named_sub")


def _with_validity(found: pl.DataFrame, validities: pl.DataFrame) -> pl.DataFrame:
    """Whether each row's unit is there in its period; most units are there in all of them."""
    first, last = found["starts_on"].min(), found["ends_on"].max()
    if first is None or last is None:
        return found.with_columns(is_valid=pl.lit(None, pl.Boolean))
    always = (pl.col("valid_from") <= first) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > last))
    lasting = validities.filter(always)["admin_unit"].unique().implode()
    is_lasting = found.select(pl.col("admin_unit").is_in(lasting)).to_series()
    if is_lasting.all():
        return found.with_columns(is_valid=pl.lit(value=True))
    spans = found.filter(~is_lasting).select("row", "admin_unit", "starts_on", "ends_on")
    holds = (pl.col("valid_from") <= pl.col("ends_on")) & (
        pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("starts_on"))
    )
    there = spans.join(validities, on="admin_unit").filter(holds)["row"].unique().implode()
    return found.with_columns(is_valid=is_lasting | pl.col("row").is_in(there))


def refuse_codes(found: pl.DataFrame, codes: Codes, units: frozenset[str]) -> Findings:
    """Codes that are there but not for these rows: another's unit or indicator, or a unit that is not there then.

    `units` are the codes the sender acts for: communes, provinces for all their communes, "*" for all.
    """
    theirs = sorted(units)
    covered = pl.col("admin_unit").is_in(theirs) | pl.col("province").is_in(theirs) | pl.lit("*" in units)
    is_known = pl.col("admin_unit_id").is_not_null()
    unit = {"admin_unit": pl.col("admin_unit"), "value": pl.col("admin_unit"), "period": pl.col("period")}
    is_lost = pl.col("period").is_not_null() & pl.col("period_id").is_null()
    is_regime = pl.col("regime").is_in(sorted(codes.regimes))
    no_regime = ~is_regime | (is_known & pl.col("regime").is_null())
    regime = {"value": pl.col("regime").fill_null("—")}
    period = {"value": pl.col("period"), "regime": pl.col("regime")}
    return judge(
        found,
        [
            Check(UNIT_NOT_COVERED, "admin_unit", is_known & ~covered, unit),
            Check(rules.ADMIN_UNIT_NOT_VALID, "admin_unit", is_known & ~pl.col("is_valid"), unit),
            Check(
                rules.INDICATOR_OF_ANOTHER_OWNER,
                "indicator",
                (pl.col("owner") != "") & (pl.col("owner") != pl.col("admin_unit")),
                {"value": pl.col("indicator")},
            ),
            Check(rules.REGIME_UNKNOWN, "regime", no_regime, regime),
            Check(rules.PERIOD_UNKNOWN, "period", is_lost & is_regime, period),
            *_plan_row_checks(covered),
        ],
    )


def _plan_row_checks(covered: pl.Expr) -> list[Check]:
    """Told of units the sender acts for only: what others' drafts hold is theirs."""
    said = {"value": pl.col("plan_row"), "indicator": pl.col("indicator"), "found": pl.col("plan_rows_found")}
    is_alone = pl.col("indicator").is_null()
    found = pl.col("plan_rows_found")
    # Without unit or period there is no plan to look into, and that is told of them.
    is_none = (found == 0) & pl.col("plan_row").is_not_null() & pl.col("admin_unit_id").is_not_null()
    is_none = is_none & pl.col("period").is_not_null() & covered
    return [
        Check(rules.PLAN_ROW_UNKNOWN, "plan_row", is_none & is_alone, said),
        Check(rules.PLAN_ROW_CONTRADICTS, "plan_row", is_none & ~is_alone, said),
        Check(rules.PLAN_ROW_AMBIGUOUS, "plan_row", (found > 1) & covered, said),
    ]


def strangers(found: pl.DataFrame) -> tuple[list[str], list[str], list[str]]:
    """Units, indicators and sub-populations, as written, that stand for nothing."""
    return (
        _distinct(found, "admin_unit", pl.col("admin_unit_id").is_null()),
        _distinct(found, "indicator", pl.col("indicator_id").is_null()),
        _distinct(found, "sub_population", _is_stray_sub_population()),
    )


def _is_stray_sub_population() -> pl.Expr:
    return pl.col("indicator_id").is_not_null() & pl.col("sub_population_id").is_null()


def _distinct(found: pl.DataFrame, column: str, is_stray: pl.Expr) -> list[str]:
    return found.filter(is_stray & pl.col(column).is_not_null())[column].unique().sort().to_list()


def refuse_strangers(found: pl.DataFrame, advice: Advice) -> Findings:
    """Codes that stand for nothing, each with what may have been meant."""
    unit, indicator, sub = pl.col("admin_unit"), pl.col("indicator"), pl.col("sub_population")
    no_unit = pl.col("admin_unit_id").is_null() & unit.is_not_null()
    no_indicator = pl.col("indicator_id").is_null() & indicator.is_not_null()
    named_unit, named_indicator = unit.is_in(list(advice.unit_codes)), indicator.is_in(list(advice.indicator_codes))
    codes = {"value": unit, "codes": _told(unit, advice.unit_codes)}
    code = {"value": indicator, "code": _told(indicator, advice.indicator_codes)}
    return judge(
        found,
        [
            Check(rules.ADMIN_UNIT_NAMED_NOT_CODED, "admin_unit", no_unit & named_unit, codes),
            Check(rules.ADMIN_UNIT_UNKNOWN, "admin_unit", no_unit & ~named_unit, _near(unit, advice.units_near)),
            Check(rules.INDICATOR_NAMED_NOT_CODED, "indicator", no_indicator & named_indicator, code),
            Check(
                rules.INDICATOR_UNKNOWN,
                "indicator",
                no_indicator & ~named_indicator,
                _near(indicator, advice.indicators_near),
            ),
            Check(
                rules.SUB_POPULATION_UNKNOWN,
                "sub_population",
                _is_stray_sub_population(),
                _near(sub, advice.sub_populations_near),
            ),
        ],
    )


def _told(words: pl.Expr, meanings: Mapping[str, str]) -> pl.Expr:
    return words.replace_strict(meanings, default="") if meanings else pl.lit("")


def _near(words: pl.Expr, near: Mapping[str, str]) -> dict[str, pl.Expr | str | int]:
    vi = {said: f" Có phải là {code}?" for said, code in near.items()}
    en = {said: f" Did you mean {code}?" for said, code in near.items()}
    return {"value": words, "suggestion_vi": _told(words, vi), "suggestion_en": _told(words, en)}


@dataclass(frozen=True, slots=True)
class Named:
    """The codes that rows name, each once."""

    admin_units: Sequence[str]
    indicators: Sequence[str]
    sub_populations: Sequence[str]
    periods: Sequence[str]
    has_plan_rows: bool


def named_in(frame: pl.DataFrame) -> Named:
    """Which codes rows name."""
    units, indicators, sub_populations, periods = (
        frame[name].drop_nulls().unique().to_list() for name in ("admin_unit", "indicator", "sub_population", "period")
    )
    return Named(units, indicators, sub_populations, periods, frame["plan_row"].null_count() < frame.height)


def ranges_named(frame: pl.DataFrame, codes: Codes, units: Sequence[str]) -> dict[str, list[int]]:
    """The integers of what rows of some units name, before row by row is resolved; for each column in ascending order.

    A row that names no regime means the default of its unit.
    """
    named = codes.units.filter(pl.col("admin_unit").is_in(units))
    regimes = frame["regime"].unique().to_list()
    if None in regimes:
        regimes += named["default_regime"].unique().to_list()
    periods = codes.periods.filter(pl.col("regime").is_in(regimes))
    columns = (named["admin_unit_id"], codes.indicators["indicator_id"], periods["period_id"])
    return {column.name: column.unique().sort().to_list() for column in columns}


@dataclass(frozen=True, slots=True)
class RegimeDefaults:
    """Which regime holds for a unit that names none: its own, else its province's, else everybody's."""

    regimes: Sequence[tuple[str, Sequence[str]]]

    def of(self, unit: str, province: str | None) -> str | None:
        """The key of the regime, None where there is none."""
        ranked = [
            (0 if unit in units else 1 if province in units else 2, key)
            for key, units in self.regimes
            if {unit, province, "*"} & set(units)
        ]
        return min(ranked)[1] if ranked else None
