"""The life of a dossier: one module per business act; `log` alone writes."""
