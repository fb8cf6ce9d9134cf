"""The target of unanswered explanations: folded from the acts, the same whenever it is asked, list equal to figure."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.findings import small
from tests.findings.small import NOW

from motcua.directives import orders, progress, targets, unanswered
from motcua.findings import record, requests
from motcua.findings.models import Act, Finding
from motcua.inspection import life
from motcua.inspection.life import ASKED, Person

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
INSPECTOR = Person(name="thanh-tra", role="inspector")
HOUR = timedelta(hours=1)


def _head(agency: str) -> Person:
    return Person(name="lanh-dao", role="unit_head", agency=agency)


@pytest.fixture
def sent(home: Path, tmp_path: Path) -> Path:
    """Two wards are asked about all that a scan saw of them: one dossier of the first with two questions at least."""
    small.province(home, tmp_path, more=3)
    small.scanned(home)
    twice = Finding.objects.filter(kind="dossier", agency="H99.12").first()
    assert twice is not None
    twice.pk, twice.check_code, twice.digest = None, "another_check", "x"
    twice.state, twice.seq = "new", 0
    with_act = life.opened(agency="H99.12", at=twice.opened_at, evidence={})
    twice.save()
    record.project(twice, life.apply(life.Life(), with_act))
    twice.save()
    Act.objects.bulk_create([record.as_row(twice.pk, with_act)])
    requests.send(list(Finding.objects.values_list("pk", flat=True)), by=INSPECTOR, at=NOW + HOUR)
    return home


def _by_replay(at: object) -> dict[str, int]:
    """What waited at an instant, by the whole history of each finding."""
    found: dict[str, set[str]] = {}
    for row in Finding.objects.filter(kind="dossier"):
        acts = [act for act in record.history(row.pk) if act.at <= at]  # type: ignore[operator]
        if life.replay(acts).state in ASKED:
            found.setdefault(row.agency, set()).add(row.subject)
    return {agency: len(codes) for agency, codes in found.items()}


def test_the_figure_is_the_replay_and_its_list_at_every_instant(sent: Path) -> None:
    first, second, *_ = [row.pk for row in Finding.objects.filter(agency="H99.12").order_by("pk")]
    body = {"reason": "admitted", "text": "đã nhắc cán bộ bấm ngay", "remedy": "bấm ngay khi xong"}
    for n, (number, kind, by, said) in enumerate((
        (first, "drafted", _head("H99.12"), body), (first, "answered", _head("H99.12"), None),
        (second, "recalled", INSPECTOR, {"note": "gửi nhầm"}), (second, "noted", INSPECTOR, {"note": "đã gọi điện"}),
    ), 2):  # fmt: skip
        record.act(number, kind, by=by, at=NOW + n * HOUR, body=said)
    requests.ask_again([first], by=INSPECTOR, at=NOW + 7 * HOUR, note="chưa rõ")
    record.act(first, "concluded", by=INSPECTOR, at=NOW + 8 * HOUR, body={"outcome": "excused", "note": "đúng"})
    seen = set()
    for n in range(10):
        at = NOW + n * HOUR
        found = targets.measured(sent, "unanswered", cause="", period="", agencies=None, at=at)
        assert {key: value.value for key, value in found.parts.items()} == _by_replay(at), n
        listed = targets.dossiers(sent, "unanswered", cause="", period="", agencies=None, at=at, limit=100)
        assert found.whole.value == listed["total"] == len(listed["rows"]), n
        for agency, part in found.parts.items():
            own = targets.dossiers(sent, "unanswered", cause="", period="", agencies=frozenset({agency}), at=at)
            assert own["total"] == part.value, (n, agency)
        seen.add(found.whole.value)
    assert len(seen) > 2, "the figure moved"
    codes = set(Finding.objects.filter(kind="dossier").values_list("subject", flat=True))
    asked = unanswered.counts(period="", agencies=None, at=NOW + HOUR)
    assert sum(asked.values()) == len(codes) < Finding.objects.count(), "two questions about a dossier are one dossier"
    assert unanswered.counts(period="2026-03", agencies=None, at=NOW + HOUR) == {}, "opened in April"
    assert unanswered.counts(period="2026-04", agencies=None, at=NOW + HOUR) == asked


def test_a_page_follows_a_page_and_a_dossier_without_facts_is_listed_by_its_code(sent: Path) -> None:
    Finding.objects.filter(agency="H99.13").update(subject="H99.13-260302-9999")
    codes: list[str] = []
    after = None
    while True:
        part = unanswered.dossiers(sent, period="", agencies=None, at=NOW + HOUR, after=after, limit=2)
        codes += [row["dossier"] for row in part["rows"]]
        after = part["next"]
        if after is None:
            break
    assert codes == sorted(set(codes)) and len(codes) == part["total"] and codes[-1] == "H99.13-260302-9999"
    assert part["rows"][-1]["agency_name"] == "Phường Khác"


def test_a_task_of_answers_is_kept_and_computed_again(sent: Path) -> None:
    task = orders.give(title="Trả lời hết", metric="unanswered", target=0, agencies=["H99.12", "H99.13"],
                       due_on=date(2026, 4, 10), by="chu-tich", at=NOW)  # fmt: skip
    kept = progress.look(sent, task.pk, at=NOW + 2 * HOUR)
    assert kept.value > 1 and set(kept.parts) == {"H99.12", "H99.13"}
    for row in Finding.objects.filter(agency="H99.13"):
        record.act(row.pk, "recalled", by=INSPECTOR, at=NOW + 3 * HOUR, body={"note": "gửi nhầm"})
    assert progress.verify(sent, task.pk)[1] == [], "as it was known then"
    assert set(progress.measured(sent, task, at=NOW + 4 * HOUR).parts) == {"H99.12"}
