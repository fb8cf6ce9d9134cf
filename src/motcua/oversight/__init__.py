"""Inspection as a service: brings the facts up to date, runs the bridge and the checks over them."""
