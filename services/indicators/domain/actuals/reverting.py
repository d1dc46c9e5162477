"""What takes a figure back: its former value as a new version, or, where there was none, its withdrawal."""

import polars as pl

from services.indicators.domain.actuals.columns import Action
from services.indicators.domain.actuals.settling import KEY, STORED, Outcome

_KEPT = ("numerator", "denominator", "words", "done_on", "source", "evidence_url", "note")


def taken_back(former: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Figures as they are to be written, in the form of settled rows (`old_…` is what they supersede).

    Status and day of a withdrawal are those of the figure withdrawn.
    """
    is_withdrawn = pl.col("former_is_withdrawn").fill_null("t") == "t"
    codes = ("admin_unit", "province", "indicator", "sub_population", "regime", "period")
    return former.select(
        *KEY,
        *codes,
        *(f"old_{name}" for name in STORED if name not in KEY),
        *(pl.col(f"former_{name}").alias(name) for name in _KEPT),
        kind=pl.coalesce("former_kind", "old_kind"),
        number="former_value",
        measured_on=pl.coalesce("former_measured_on", "old_measured_on"),
        data_status=pl.coalesce("former_data_status", "old_data_status"),
        is_withdrawn=is_withdrawn,
        action=pl.when(is_withdrawn).then(pl.lit(Action.WITHDRAW.value)).otherwise(pl.lit(Action.SET.value)),
        version=pl.col("old_version") + 1,
        reason=pl.lit(reason),
        outcome=pl.lit(Outcome.UPDATED.value),
    )
