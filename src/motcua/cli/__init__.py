"""The same verbs from a terminal or a timer."""
