"""What happens in the plans service: one function per verb; nobody here commits."""
