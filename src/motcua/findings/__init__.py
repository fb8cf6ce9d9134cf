"""Findings: signs that the checks see, from opening through explanation to a person's conclusion."""
