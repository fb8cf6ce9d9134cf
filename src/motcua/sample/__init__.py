"""Plans an invented province with planted faults, for demos, tests and timing. Pure: it only plans."""
