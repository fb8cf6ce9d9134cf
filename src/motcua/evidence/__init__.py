"""Evidence packs: files that prove their content without our server, and their verification."""
