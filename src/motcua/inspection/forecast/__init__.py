"""Forecasts: which open dossiers will be late, how sure that is, and when they will be done; learned from history.

Nothing here knows who does the work: no person is a feature, an answer or a reason.
"""
