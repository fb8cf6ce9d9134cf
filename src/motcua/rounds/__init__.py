"""Inspection rounds: plan, sealed sample, reading, minutes, conclusions, requests, follow-up."""
