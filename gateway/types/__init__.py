"""What dashboards see: every type written out, with units and sources."""
