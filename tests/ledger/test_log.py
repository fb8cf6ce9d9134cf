"""The log: append-only, gap-free, chained, provable; safe with writers at the same time."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
import rfc8785
from django.db import DatabaseError, connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.story import at

from motcua.dossiers import reception, result, steps, verify
from motcua.dossiers.models import DossierRow
from motcua.ledger import chain, cursors, seals
from motcua.ledger.models import EventRow, PersonalValue
from motcua.rules.moves import Actor, Refused

CLERK = Actor(name="Lê Thị Mẫu", unit="H99.12")
NOW = at("2026-03-10T09:00")
databases = pytest.mark.django_db(databases=["default", "mirror"])
for_real = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)


def _dossier(code: str = "H99.12-260302-0001") -> str:
    reception.submit(
        code=code, procedure="1.000001", agency="H99.12", by=CLERK, at=at("2026-03-02T08:00"), now=NOW, allotted="5d",
        applicant="Trần Thị Thử",
    )  # fmt: skip
    reception.receive(code=code, by=CLERK, at=at("2026-03-02T08:30"), now=NOW)
    steps.start(code=code, step="Thẩm định", by=CLERK, at=at("2026-03-03T08:00"), now=NOW)
    return code


texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), texts)


keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10)
enclosed = st.lists(st.dictionaries(keys, values, max_size=4), max_size=3)


@given(st.dictionaries(keys, st.one_of(values, enclosed), max_size=6))
def test_the_canonical_form_is_that_of_rfc_8785(body: dict[str, Any]) -> None:
    assert chain.canonical(body) == rfc8785.dumps(body)


@databases
def test_a_dossier_is_handled_and_its_row_is_its_replay(tmp_path: Path) -> None:
    code = _dossier()
    steps.finish(code=code, step="Thẩm định", by=CLERK, at=at("2026-03-04T08:00"), now=NOW)
    result.finish(code=code, by=CLERK, at=at("2026-03-05T08:00"), now=NOW)
    result.return_result(code=code, by=CLERK, at=at("2026-03-06T08:00"), now=NOW)
    row = DossierRow.objects.get(code=code)
    assert (row.status, row.due_at) == (10, at("2026-03-09T08:30"))
    assert list(EventRow.objects.values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert verify.verify_projection()["ok"] and verify.verify_log(tmp_path)["ok"]


@databases
@pytest.mark.parametrize("sql", ["UPDATE ledger_event SET actor = 'x'", "DELETE FROM ledger_event"])
def test_the_database_refuses_to_change_the_log(sql: str) -> None:
    _dossier()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@databases
def test_a_persons_data_is_erased_and_the_chain_still_proves(tmp_path: Path) -> None:
    _dossier()
    assert PersonalValue.objects.get().value == "Trần Thị Thử"
    assert "Trần" not in EventRow.objects.get(seq=1).body
    PersonalValue.objects.all().delete()
    assert verify.verify_log(tmp_path)["ok"]


@databases
def test_a_signed_head_proves_what_was_and_a_false_one_is_found(tmp_path: Path) -> None:
    _dossier()
    head = seals.seal(tmp_path, at=NOW)
    assert head is not None and verify.verify_log(tmp_path, {3: bytes(head.root).hex()})["ok"]
    assert not verify.verify_log(tmp_path, {3: "00" * 32})["ok"]
    assert not verify.verify_log(tmp_path, {9: "00" * 32})["ok"]


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_every_leaf_has_a_proof_and_no_other_value_has(leaves: list[bytes], data: Any) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    tree = seals.Tree()
    for each in leaves:
        tree.add(each)
    path = seals.proof(leaves, index)
    assert seals.included(leaves[index], index, len(leaves), path, tree.root())
    assert not seals.included(leaves[index] + b"x", index, len(leaves), path, tree.root())


@databases
@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda c: steps.start(code=c, step="x", by=CLERK, at=NOW, now=NOW), "step.already_started"),
        (lambda c: result.return_result(code=c, by=CLERK, at=NOW, now=NOW), "result.not_finished"),
        (lambda c: result.finish(code=c, by=CLERK, at=at("2026-03-01T08:00"), now=NOW), "act.before_the_last"),
        (lambda c: result.finish(code=c, by=CLERK, at=at("2026-03-11T08:00"), now=NOW), "act.in_the_future"),
        (lambda c: reception.receive(code=c, by=CLERK, at=NOW, now=NOW), "dossier.already_accepted"),
        (lambda c: reception.receive(code="?", by=CLERK, at=NOW, now=NOW), "dossier.unknown"),
    ],
)
def test_the_desk_refuses_what_the_rules_do_not_allow(act: Any, code: str) -> None:
    dossier = _dossier()
    before = EventRow.objects.count()
    with pytest.raises(Refused) as refusal:
        act(dossier)
    assert refusal.value.code == code and EventRow.objects.count() == before


@databases
def test_a_step_after_the_end_is_refused_at_the_desk() -> None:
    code = _dossier()
    result.finish(code=code, by=CLERK, at=at("2026-03-05T08:00"), now=NOW)
    with pytest.raises(Refused, match=r"dossier\.has_ended"):
        steps.start(code=code, step="x", by=CLERK, at=NOW, now=NOW)


def _at_once(*acts: Any) -> list[str]:
    """Runs acts in threads that start together; what each of them came to."""
    barrier, outcomes = Barrier(len(acts)), []

    def run(act: Any) -> None:
        barrier.wait()
        try:
            act()
            outcomes.append("done")
        except Refused as refused:
            outcomes.append(refused.code)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@for_real
def test_two_officials_finish_the_same_step_and_one_wins() -> None:
    code = _dossier()

    def finish() -> None:
        steps.finish(code=code, step="Thẩm định", by=CLERK, at=at("2026-03-04T08:00"), now=NOW)

    assert _at_once(finish, finish) == ["done", "step.already_finished"]
    assert EventRow.objects.filter(dossier=code, kind="step_finished").count() == 1


@for_real
def test_positions_have_no_gap_and_a_reader_misses_nothing_while_many_write() -> None:
    acts = [lambda n=n: _dossier(f"H99.12-260302-{n:04}") for n in range(6)]
    assert _at_once(*acts) == ["done"] * 6
    assert list(EventRow.objects.order_by("position").values_list("position", flat=True)) == list(range(1, 19))
    seen = []
    while events := cursors.read("test", 5):
        seen += [event.position for event in events]
        cursors.advance("test", events[-1].position)
    assert seen == list(range(1, 19))
