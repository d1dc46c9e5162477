"""What crosses the border of the indicators service: bodies, rows of lists, event data."""
