"""Server-sent events over a feed: one reader of the log per process, many listeners."""
