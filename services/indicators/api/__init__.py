"""What can come in over HTTP: routes only; no rule, no SQL."""

from services.indicators.api import (
    actuals,
    catalogue,
    import_results,
    imports,
    periods,
    rankings,
    scorecards,
    targets,
)
from services.indicators.api.router import DESCRIPTION, TITLE, router

__all__ = [
    "DESCRIPTION",
    "TITLE",
    "actuals",
    "catalogue",
    "import_results",
    "imports",
    "periods",
    "rankings",
    "router",
    "scorecards",
    "targets",
]
