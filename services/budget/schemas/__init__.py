"""What crosses the border: bodies, rows of lists, events said and heard."""
