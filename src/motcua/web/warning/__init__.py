"""Cảnh báo sớm: open dossiers by how long it can still be helped."""
