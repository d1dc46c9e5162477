"""What happens to indicators: catalogue, regimes, targets and figures, and the verdicts on them."""

from services.indicators.service.running_imports import run_imports
from services.indicators.store.visibility import Viewer

__all__ = ["JOBS", "Viewer"]

JOBS = (run_imports,)  # what the service does by itself
