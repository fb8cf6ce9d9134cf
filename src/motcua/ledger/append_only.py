"""Tables whose rows are only ever added: the database refuses the rest, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.migrations import RunPython


@dataclass(frozen=True)
class AppendOnly:
    """The triggers of one table, for its migration."""

    table: str

    def operation(self) -> RunPython:
        """What its migration does, and undoes."""
        return RunPython(lambda _apps, editor: self.add(editor), lambda _apps, editor: self.drop(editor))

    def add(self, editor: Any) -> None:
        """From now on updating, deleting and (on PostgreSQL) truncating the table raises."""
        for statement in self._sqlite() if editor.connection.vendor == "sqlite" else self._postgres():
            editor.execute(statement, params=None)

    def drop(self, editor: Any) -> None:
        """The table is as any other."""
        if editor.connection.vendor == "sqlite":
            for act in ("update", "delete"):
                editor.execute(f"DROP TRIGGER {self.table}_no_{act}")
        else:
            editor.execute(f"DROP FUNCTION {self.table}_refuse() CASCADE")

    def _sqlite(self) -> list[str]:
        return [
            f"CREATE TRIGGER {self.table}_no_{act} BEFORE {act.upper()} ON {self.table} "
            f"BEGIN SELECT RAISE(ABORT, '{self.table} is append-only'); END"
            for act in ("update", "delete")
        ]

    def _postgres(self) -> list[str]:
        return [
            f"CREATE FUNCTION {self.table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{self.table} is append-only'; END $$",
            f"CREATE TRIGGER {self.table}_append_only BEFORE UPDATE OR DELETE ON {self.table} "
            f"FOR EACH ROW EXECUTE FUNCTION {self.table}_refuse()",
            f"CREATE TRIGGER {self.table}_no_truncate BEFORE TRUNCATE ON {self.table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {self.table}_refuse()",
        ]
