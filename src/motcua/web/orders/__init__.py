"""Chỉ đạo: the board of tasks, one task, its dossiers, the form that gives one; the leader's phone page."""
