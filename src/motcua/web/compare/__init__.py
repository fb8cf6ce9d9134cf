"""Đối chiếu khác: procedures, online services and online payment, province and portal side by side."""
