"""The documents that a dossier's verdicts rest on, by their SHA-256: lists, letters, what units handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from motcua.oversight.models import PublishedRow
from motcua.rules.instants import iso

Document = dict[str, Any]


def _published(dossier: str) -> Iterable[Document]:
    """Lists in which the portal, or a letter, states its verdict of the dossier."""
    for row in PublishedRow.objects.filter(code=dossier, list__withdrawn_at=None).select_related("list").order_by("pk"):
        yield {
            "kind": "published_list",
            "name": row.list.document or row.list.file,
            "sha256": row.list.digest,
            "at": iso(row.list.dated_at),
            "row": row.row,
        }


#: Whoever keeps documents of dossiers, in this order; rooms further down the river add theirs when they are ready.
KEEPERS: list[Callable[[str], Iterable[Document]]] = [_published]


def about(dossier: str) -> list[Document]:
    """Every document of a dossier: kind, name, SHA-256 of its bytes, instant."""
    return [document for keeper in KEEPERS for document in keeper(dossier)]
