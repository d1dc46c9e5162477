"""What the budget service keeps, and every statement that asks for it."""

from services.budget.store.tables import Base

__all__ = ["Base"]
