"""Early warning: which open dossiers will be late, by when it can still be helped, and why."""
