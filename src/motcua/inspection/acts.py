"""What an act of ours carries beyond who did what when, in columns: its document, due instant, reason, correction.

A reason is kept as a digest and a length: enough to see that the same text was written a hundred times, or none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from motcua.inspection.columns import MISSING, Columns, masked
from motcua.inspection.ours import KIND_CODES, KIND_NAMES, Events

#: Columns of an act, with their types in the facts. Instants are seconds UTC.
TYPES = {
    "document": "BOOLEAN", "due_at": "BIGINT", "evidence_at": "BIGINT", "reason": "VARCHAR", "reason_length": "BIGINT",
    "corrects": "BIGINT", "void": "BOOLEAN", "true_at": "BIGINT",
}  # fmt: skip
_INSTANTS = ("due_at", "evidence_at", "true_at")
_REGISTERED = KIND_CODES["registered"]
_DOCUMENTS = {None: -1, False: 0, True: 1}


def columns(events: Events) -> Columns:
    """The columns of TYPES, a row an event; what an event does not say is absent."""
    n = len(events)
    instants = {name: np.full(n, MISSING) for name in _INSTANTS}
    document = np.full(n, -1, np.int64)
    reason = np.full(n, "", object)
    length, corrects, void = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, bool)
    kinds = events.kind
    for row, text in events.bodies.items():
        if kinds[row] == _REGISTERED:
            continue
        body: dict[str, Any] = json.loads(text)
        for name in _INSTANTS:
            if (value := body.get(name)) is not None:
                instants[name][row] = value // 1_000_000
        document[row] = _DOCUMENTS[body.get("document")]
        corrects[row], void[row] = body.get("corrects", 0), body.get("void", False)
        said = " ".join(word for word in (body.get("reason"), body.get("note")) if word)
        if said:
            reason[row], length[row] = digest(said), len(said.strip())
    return {
        **{name: masked(values) for name, values in instants.items()},
        "document": np.ma.masked_equal(document, -1),
        "reason": reason,
        "reason_length": length,
        "corrects": corrects,
        "void": void,
    }


def papers(
    events: Events, codes: Sequence[str], *, as_of: int | None = None, known_at: int | None = None
) -> Iterator[tuple[str, str, str, str, str, bool, bool]]:
    """What our acts enclose: (dossier, role, component, title, file, digitised, reused) of each paper and result.

    Of those stated by `as_of` and entered by `known_at`, in microseconds; None: all.
    Names and addresses are private and not read; what is digitised, and every result, counts as having its file.
    """
    for row, text in events.bodies.items():
        if '"papers"' not in text and '"results"' not in text:
            continue
        if (as_of is not None and events.at[row] > as_of) or (
            known_at is not None and events.recorded_at[row] > known_at
        ):
            continue
        body, code = json.loads(text), codes[events.dossier[row]]
        role = "supplement" if KIND_NAMES[events.kind[row]] == "supplement_received" else "handed_in"
        for n, paper in enumerate(body.get("papers", ())):
            digitised = bool(paper.get("digitised"))
            file = digest(f"{code}/{events.seq[row]}/{n}") if digitised else ""
            yield code, role, paper.get("component", ""), "", file, digitised, bool(paper.get("reused"))
        for n, result in enumerate(body.get("results", ())):
            yield code, "result", result.get("code", ""), "", digest(f"{code}/{events.seq[row]}/r{n}"), True, False


def digest(text: str) -> str:
    """A text as it can be compared without being kept: letters of any case, whatever the spaces."""
    return hashlib.blake2b(" ".join(text.casefold().split()).encode(), digest_size=8).hexdigest()
