"""Pages and papers of evidence packs: making one, checking one, the cover that people read."""
