"""The national portal's messages and statuses as values: parse, build, its verdict rule. Pure."""
