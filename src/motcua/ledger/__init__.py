"""The event log: append-only, gap-free, chained. Everything else is read from it."""
