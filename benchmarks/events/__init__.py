"""The event log and its four deliveries, measured: `make bench-events`. One module is one part."""
