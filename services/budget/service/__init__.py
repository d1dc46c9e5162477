"""What happens in the budget service: one function per verb; nobody here commits."""
