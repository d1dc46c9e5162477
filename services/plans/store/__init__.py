"""What the plans service keeps, and how it is asked: tables and every SQL statement."""

from services.plans.store.item_tables import ITEM_TABLES
from services.plans.store.tables import Base

__all__ = ["ITEM_TABLES", "Base"]
