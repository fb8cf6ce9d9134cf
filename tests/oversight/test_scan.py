"""A scan gives every check's signs with their proof, and says what each check looked at."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.story import Case, at

from motcua.catalogue.models import Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.mirror.load import load
from motcua.mirror.models import Pulled
from motcua.oversight import extract, figures, scan, thresholds
from motcua.oversight.figures import Question
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "mirror"])
NOW = at("2026-04-01T08:00")
LATE = "H99.12-260302-0001"


@pytest.fixture
def small(home: Path, tmp_path: Path) -> Path:
    """Two dossiers: one clicked late and not sent, one honest."""
    Procedure.objects.create(code="1.000001", core="1.000001", name="Mẫu", allotted="5d")
    case = Case()
    for number in (1, 2):
        code = f"H99.12-260302-000{number}"
        case.dossier(code)
        case.record(code, 2, updating=False)
    case.event(LATE, "finished", "2026-03-12T09:00", recorded="2026-03-16T10:00", evidence="2026-03-06T15:00")
    case.event("H99.12-260302-0002", "finished", "2026-03-06T15:00")
    case.record("H99.12-260302-0002", 9)
    case.step("H99.12-260302-0002", 9, "20260306150000")
    dossiers, events, messages = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)
    return home


def test_a_scan_sees_what_the_bridge_explains(small: Path) -> None:
    found = scan.scan(small, Question(), now=NOW, checks=("late_entry", "update_not_sent"))
    told = figures.inspect(small, Question(), now=NOW, checks=("late_entry", "update_not_sent"))["findings"]
    assert {sign.key for sign in found.signs} == {(f["check"], f["dossier"]) for f in told} == {("late_entry", LATE)}
    assert found.signs[0].evidence["evidence_at"] == "2026-03-06T15:00:00+07:00"
    assert (found.looked("late_entry").looked_at, found.looked("late_entry").found) == (2, 1)
    assert found.looked("update_not_sent").state == "scanned"
    assert found.looked("update_not_sent").found == 0


def test_a_check_is_asked_for_by_code_or_by_number(small: Path) -> None:
    assert scan.scan(small, Question(), now=NOW, checks=("v-11",)).codes == {"over_promised"}
    with pytest.raises(Unreadable, match="motcua checks"):
        scan.scan(small, Question(), now=NOW, checks=("made_up",))


def test_what_a_measure_does_not_ask_is_not_scanned_and_not_zero(small: Path) -> None:
    found = scan.scan(small, Question(measure="reception"), now=NOW)
    assert found.looked("over_promised").state == "not_scanned"
    assert found.looked("update_not_sent").state == "scanned"


def test_papers_come_from_our_own_acts_where_the_portal_names_none(home: Path, tmp_path: Path) -> None:
    heads, acts = tmp_path / "dossiers.csv", tmp_path / "events.csv"
    heads.write_text(
        "dossier,procedure,agency,channel,applicant,submitted_at,received_at,allotted,due_at,paper_component,"
        "paper_digitised\n"
        "H99.12-260302-0001,1.000001,H99.12,desk,A,,2026-03-02T08:30,5d,2026-03-09T17:00,GT-1|GT-2,yes|no\n"
        "H99.12-260302-0002,1.000001,H99.12,desk,B,,2026-03-02T08:30,5d,2026-03-09T17:00,GT-1|GT-2,yes|yes\n"
        "H99.12-260302-0003,1.000001,H99.12,desk,C,,2026-03-02T08:30,5d,2026-03-09T17:00,,\n",
        encoding="utf-8",
    )
    acts.write_text("dossier,kind,at,recorded_at,unit,actor,step,due_at,evidence_at,document,note\n", encoding="utf-8")
    import_files(Order(files=(heads, acts), home=home, at=NOW, create_missing=True))
    extract.run(home=home, at=NOW)
    found = scan.scan(home, Question(), now=NOW, checks=("not_digitised",))
    assert [sign.key for sign in found.signs] == [("not_digitised", "H99.12-260302-0001")]
    looked = found.looked("not_digitised")
    assert (looked.state, looked.looked_at, looked.missing) == ("partly", 2, {"papers": 1})


def test_a_scan_runs_with_the_parameters_that_were_in_force_and_known_then(small: Path) -> None:
    check, code = scan.library()["entered_late"], "entered_late"
    for minutes, since, told in (
        (60, "2026-03-20T00:00", "2026-03-20T08:00"),
        (6_000, "2026-03-25T00:00", "2026-03-30T08:00"),
    ):
        assert thresholds.choose(check, "minutes", minutes, by="mai", at=at(told), note="thử", valid_from=at(since))
    assert not thresholds.choose(check, "minutes", 6_000, by="mai", at=NOW, note="thử"), "it was so already"

    def minutes(as_of: str, known_at: str = "") -> object:
        chosen = thresholds.in_force(as_of=at(as_of), known_at=at(known_at) if known_at else None)
        return thresholds.values(chosen).get(code, {}).get("minutes")

    assert minutes("2026-03-19T08:00") is None
    assert minutes("2026-03-26T08:00") == 6_000
    assert minutes("2026-03-26T08:00", known_at="2026-03-29T08:00") == 60
    asked = Question(as_of=at("2026-03-26T08:00"), known_at=at("2026-03-29T08:00"))
    [sign] = scan.scan(small, asked, now=NOW, checks=(code,)).signs
    assert (sign.values["minutes"], sign.own) == (60, ("minutes",))
    assert not scan.scan(small, Question(), now=NOW, checks=(code,)).signs, "6 000 minutes allowed"
    thresholds.choose(check, "minutes", None, by="mai", at=NOW, note="thôi")
    assert minutes("2026-04-02T08:00") is None
    for name, value, note in (("minutes", "0", "x"), ("nothing", "1", "x"), ("minutes", "5", " ")):
        with pytest.raises(Unreadable):
            thresholds.choose(check, name, value, by="mai", at=NOW, note=note)


def test_a_scan_of_the_past_knows_the_papers_and_the_catalogue_of_then(small: Path, tmp_path: Path) -> None:
    listed = {"TENGIAYTO": "Đơn", "MAGIAYTO": "GT-1", "TENMAUDON": "Mẫu"}
    whole = {"THANHPHANHOSO": [{"GIAYTO": [listed]}], "TENTTHC": "Mẫu"}
    added = {"THANHPHANHOSO": [{"GIAYTO": [listed, {"TENGIAYTO": "Bản vẽ", "MAGIAYTO": "GT-2"}]}], "TENTTHC": "Mẫu"}
    pulled = Pulled.objects.create(
        kind="procedure", code="1.000001", listed="{}", listed_at=NOW, pulled_at=NOW, body=json.dumps(whole)
    )

    def papers(*names: str) -> list[dict[str, str]]:
        return [{"MaThanhPhanHoSo": name, "TenTepDinhKem": "x", "IsDeleted": "False"} for name in names]

    def unlisted(**then: datetime) -> list[tuple[str, object]]:
        found = scan.scan(small, Question(**then), now=NOW + timedelta(days=9), checks=("paper_not_published",))
        return [(sign.subject, sign.evidence["unlisted_n"]) for sign in found.signs]

    case = Case()
    case.record(LATE, 2, TaiLieuNop=papers("GT-1", "GT-2"))  # type: ignore[arg-type]
    _, _, messages = case.write(tmp_path)
    load([messages], at=NOW)
    extract.run(home=small, at=NOW)
    case = Case()
    case.record(LATE, 2, TaiLieuNop=papers("GT-1", "GT-3", "GT-4"))  # type: ignore[arg-type]
    _, _, messages = case.write(tmp_path)
    later = NOW + timedelta(days=2)
    load([messages], at=later)
    pulled.before, pulled.body, pulled.changed_at = pulled.body, json.dumps(added), later
    pulled.save()
    extract.run(home=small, at=NOW + timedelta(days=3))
    assert unlisted() == [(LATE, 2)], "other papers, and GT-2 is published now"
    for then in ({"as_of": NOW + timedelta(days=1)}, {"known_at": NOW + timedelta(days=1)}):
        assert unlisted(**then) == [(LATE, 1)], "GT-2 was handed in and not published then"
