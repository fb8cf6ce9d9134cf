"""How days and figures are written. Django's own Vietnamese formats read 03/04/2026 as the 4th of March."""
