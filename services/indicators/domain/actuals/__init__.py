"""Actuals: how a posted row is read, judged against what is known, and settled against what is stored."""
