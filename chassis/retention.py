"""How long the log is kept: partitions ahead, archives behind."""
