"""What the national portal holds and shows: raw messages, `held`, `seen`, its HTTP door and client.

It has a database of its own (alias `mirror`), so the stand-in shares neither our transactions nor our
write lock. It imports `rules` and `wire`, never `dossiers`.
"""
