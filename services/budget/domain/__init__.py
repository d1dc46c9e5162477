"""What is true of budgets: refusals, lines and their sums, and the rules that plans set for themselves."""
