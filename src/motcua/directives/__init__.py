"""Directives: tasks with a measurable target, whose progress the data report."""
