"""Điểm thu dữ liệu: the collector's traffic and its raw messages."""
