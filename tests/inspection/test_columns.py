"""The columns give what the rules give, for any history."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.story import at, happened, received

from motcua.inspection.columns import MISSING
from motcua.inspection.ours import KIND_CODES, Catalogue, Events, Headers, ProcedureFacts, ours
from motcua.inspection.theirs import Records, Steps, theirs
from motcua.rules.dossier import replay
from motcua.rules.events import to_body
from motcua.rules.instants import to_microseconds
from motcua.rules.workdays import viet_nam

CATALOGUE = Catalogue(
    procedures={"1.000001": ProcedureFacts(code="1.000001", core="1.000001", limit="5d")},
    agency_calendars={},
    calendars={"vn": viet_nam()},
)
START = at("2026-03-02T08:30")
_KINDS = ["step_started", "step_finished", "finished", "returned", "supplement_requested", "supplement_received",
          "suspended", "resumed", "withdrawn", "stopped", "extended", "leg_sent"]  # fmt: skip
acts = st.lists(
    st.tuples(st.sampled_from(_KINDS), st.integers(0, 20_000), st.one_of(st.none(), st.integers(0, 20_000)),
              st.sampled_from([None, True, False])),
    max_size=7,
)  # fmt: skip


History = list[tuple[str, int, int | None, bool | None]]


def _columns(histories: list[History]) -> tuple[Headers, Events]:
    rows = []
    dossiers = []
    for number, history in enumerate(histories):
        events = [received("2026-03-02T08:30", due="2026-03-09T17:00" if number % 2 else None)]
        for seq, (kind, minutes, evidence, document) in enumerate(history, 2):
            facts = {}
            if kind in ("step_finished", "finished", "returned") and evidence is not None:
                facts["evidence_at"] = START + timedelta(minutes=evidence)
            if kind in ("supplement_requested", "suspended", "extended"):
                facts["document"] = document
            if kind == "extended":
                facts["due_at"] = START + timedelta(minutes=(evidence or 0) + 8_000)
            events.append(happened(kind, (START + timedelta(minutes=minutes)).isoformat(), seq, **facts))
        dossiers.append(replay(str(number), events))
        rows += [(number, event) for event in events]
    n = len(histories)
    headers = Headers(
        code=[str(k) for k in range(n)], procedure=["1.000001"] * n, agency=["H99"] * n, source=[""] * n,
        channel=["desk"] * n, origin=[""] * n, owner=[""] * n, allotted=["5d"] * n,
        status=np.array([int(d.status) for d in dossiers]), submitted_at=np.full(n, MISSING),
        accepted_at=np.array([to_microseconds(START)] * n),
        slip_due_at=np.array([to_microseconds(d.slip_due_at) if d.slip_due_at else MISSING for d in dossiers]),
    )  # fmt: skip
    instants = np.array([to_microseconds(event.at) for _, event in rows])
    events = Events(
        dossier=np.array([k for k, _ in rows], np.int32), seq=np.array([e.seq for _, e in rows], np.int32),
        kind=np.array([KIND_CODES[e.kind] for _, e in rows], np.int8), at=instants, recorded_at=instants,
        stored_at=instants, actor=np.zeros(len(rows), np.int32), unit=np.zeros(len(rows), np.int32),
        step=np.zeros(len(rows), np.int32), names=[""],
        bodies={row: json.dumps(body) for row, (_, e) in enumerate(rows) if (body := to_body(e))},
    )  # fmt: skip
    return headers, events


@settings(max_examples=80, deadline=None)
@given(st.lists(acts, min_size=1, max_size=6))
def test_our_facts_over_columns_equal_the_rules(
    histories: list[list[tuple[str, int, int | None, bool | None]]],
) -> None:
    headers, events = _columns(histories)
    fast, slow = ours(headers, events, CATALOGUE), ours(headers, events, CATALOGUE, by_rules=True)
    for name, column in slow.items():
        assert np.ma.filled(fast[name], MISSING).tolist() == np.ma.filled(column, MISSING).tolist(), name


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(1, 10), st.integers(0, 30_000)), max_size=8), min_size=1, max_size=5))
def test_the_portals_facts_over_columns_equal_its_rule(logs: list[list[tuple[int, int]]]) -> None:
    n = len(logs)
    rows = [
        (k, status, to_microseconds(START + timedelta(minutes=m))) for k, log in enumerate(logs) for status, m in log
    ]
    when = np.array([to_microseconds(START)] * n)
    nothing = np.full(n, MISSING)
    records = Records(
        code=[str(k) for k in range(n)], procedure=["1.000001"] * n, unit=[""] * n, unit_name=[""] * n,
        sender=[""] * n, owner=[""] * n, channel=["1"] * n, status=np.array([4] * n), submitted_at=when,
        received_at=when, due_at=when, finished_at=nothing, returned_at=nothing, stored_at=when, supplements={},
    )  # fmt: skip
    steps = Steps(
        record=np.array([r[0] for r in rows], np.int64), status=np.array([r[1] for r in rows], np.int64),
        at=np.array([r[2] for r in rows], np.int64), arrived_at=np.full(len(rows), MISSING),
    )  # fmt: skip
    fast, slow = theirs(records, steps, CATALOGUE), theirs(records, steps, CATALOGUE, by_rules=True)
    for name, column in slow.items():
        assert np.ma.filled(fast[name], MISSING).tolist() == np.ma.filled(column, MISSING).tolist(), name
