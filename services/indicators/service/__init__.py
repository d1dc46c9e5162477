"""What happens to indicators: catalogue, regimes, targets and figures, and the verdicts on them."""

from services.indicators.store.visibility import Viewer

__all__ = ["Viewer"]
