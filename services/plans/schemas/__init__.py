"""What crosses the border of the plans service: bodies in, rows out."""
