"""Every working minute of a dossier has exactly one owner."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.story import at, happened, received

from motcua.rules.events import KINDS
from motcua.rules.minutes import shares
from motcua.rules.verdicts import Terms, our_facts
from motcua.rules.workdays import viet_nam

_KINDS = [kind for kind in KINDS if kind not in ("registered", "corrected", "extended", "received")]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_KINDS), st.integers(0, 40_000)), max_size=12), st.integers(0, 50_000))
def test_the_owners_minutes_sum_to_the_whole(acts: list[tuple[str, int]], until_minutes: int) -> None:
    start = at("2026-03-02T08:30")
    events = [received("2026-03-02T08:30")]
    for seq, (kind, minutes) in enumerate(acts, 2):
        events.append(happened(kind, (start + timedelta(minutes=minutes)).isoformat(), seq))
    events.sort(key=lambda event: (event.at, event.seq))
    until = start + timedelta(minutes=until_minutes)
    facts = our_facts(events, Terms(calendar=viet_nam()))
    found = shares(events, accepted_at=facts.accepted_at, until=until, due_at=facts.default.true, calendar=viet_nam())
    assert sum(share.minutes for share in found) == viet_nam().minutes_between(start, until)
    assert all(0 <= share.late_minutes <= share.minutes for share in found)
