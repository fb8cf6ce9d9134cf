"""Pages of the findings: an inspector's day, findings, requests for explanation, agencies, the library of checks."""
