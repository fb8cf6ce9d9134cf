"""Thông báo: what a person is told, the alerts of the house, its watchers, and where notices are sent."""
