"""What the law says of one dossier: pure functions on small frozen values."""
