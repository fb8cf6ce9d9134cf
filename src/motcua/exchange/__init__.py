"""Our side of the synchronisation: events become deliveries, deliveries messages; everything is read back."""
