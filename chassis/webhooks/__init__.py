"""Webhooks: the log delivered to whoever asked to be told, signed, in order, at least once."""
