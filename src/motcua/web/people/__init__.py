"""Pages about people: the accounts of a unit, activation, signing in, and everybody's own page."""
