"""JetStream: the log copied into streams for fan-out; a copy, never the source."""
