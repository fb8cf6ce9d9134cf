"""The same over millions: facts in columns, verdicts, causes, the bridge, checks. Pure."""
