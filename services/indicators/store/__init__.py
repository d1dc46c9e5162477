"""What the indicators service keeps, and every statement that asks for it."""

from services.indicators.store.import_tables import Import, ImportChunk, ImportErrorPart
from services.indicators.store.tables import Base

__all__ = ["Base", "Import", "ImportChunk", "ImportErrorPart"]
