"""Papers: letters, minutes and reports as Word, PDF and Excel. `paper` says what one is, `word` and `pdf` make it."""
