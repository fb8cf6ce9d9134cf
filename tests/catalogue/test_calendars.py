"""Calendars of agencies: what a file states, since when it was known, who is moved by it, and the audit of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tests.story import at

from motcua.catalogue import calendar_files, calendars
from motcua.catalogue.calendar_files import Definition
from motcua.catalogue.models import Agency
from motcua.cli.main import run
from motcua.dossiers import reception
from motcua.dossiers.models import DossierRow
from motcua.ledger import audit
from motcua.ledger.models import Change
from motcua.oversight import extract
from motcua.oversight.models import DueChange
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Actor
from motcua.rules.workdays import ALWAYS, viet_nam

databases = pytest.mark.django_db(databases=["default", "mirror"])
CLERK = Actor(name="Lê Thị Mẫu", unit="H99.12")
STORM = '[[days]]\nday = 2026-12-01\nopen = ""\ntitle = "Nghỉ bão"\n'


def _file(folder: Path, text: str, name: str = "lich.toml") -> Path:
    file = folder / name
    file.write_text('name = "riêng"\n' + text, encoding="utf-8")
    return file


def _stated(folder: Path, text: str) -> Definition:
    return calendar_files.parse(_file(folder, text))


def _keep(stated: Definition, known_on: date = ALWAYS) -> Definition:
    before = calendars.definition(stated.name)
    after = calendars.merged(before, stated, known_on=known_on)
    calendars.put(after, instead_of=before, by="kiểm thử", at=at("2026-03-10T09:00"))
    return after


@databases
def test_a_change_is_known_from_its_day_and_what_it_replaces_until_then(tmp_path: Path) -> None:
    _keep(_stated(tmp_path, '[[hours]]\nweekdays = ["mon"]\nopen = "08:00-12:00"\n'))
    _keep(_stated(tmp_path, '[[hours]]\nweekdays = ["mon"]\nopen = "08:00-11:00"\n'), date(2026, 3, 20))
    monday, calendar = date(2026, 3, 23), calendars.load("riêng")
    assert calendar.intervals(monday) == ((480, 660),)
    assert calendar.known_at(date(2026, 3, 19)).intervals(monday) == ((480, 720),)


@databases
def test_stating_the_same_again_changes_nothing_and_what_is_shown_can_be_set(tmp_path: Path) -> None:
    text = STORM + '[[hours]]\nweekdays = ["tue", "sat"]\nopen = "07:00-11:00"\nvalid_from = 2026-04-01\n'
    _keep(_stated(tmp_path, text))
    _keep(_stated(tmp_path, text.replace("11:00", "10:30")), date(2026, 5, 1))
    stored = calendars.definition("riêng")
    assert stored is not None and len(stored.hours) == 4
    shown = tmp_path / "shown.toml"
    shown.write_text(calendar_files.text(stored), encoding="utf-8")
    for file in (shown, _file(tmp_path, text.replace("11:00", "10:30"))):
        again = calendars.merged(stored, calendar_files.parse(file), known_on=date(2026, 6, 1))
        assert calendars.changes(stored, again) == []


@databases
def test_an_own_day_outdoes_the_national_notice_for_it(tmp_path: Path) -> None:
    swapped = date(2026, 1, 2)  # closed by an official letter of 25 December 2025
    assert not viet_nam().is_workday(swapped)
    _keep(_stated(tmp_path, '[[days]]\nday = 2026-01-02\nopen = "full"\n'))
    assert calendars.load("riêng").is_workday(swapped)
    assert calendars.load("riêng").is_workday(date(2026, 1, 5))


@databases
def test_a_national_change_reaches_the_calendars_on_top_of_it(tmp_path: Path) -> None:
    _keep(_stated(tmp_path, '[[hours]]\nweekdays = ["sat"]\nopen = "07:00-11:00"\n'))
    Agency.objects.create(code="H99.12", name="Một", calendar="riêng")
    Agency.objects.create(code="H99.13", name="Hai")
    national = tmp_path / "vn.toml"
    national.write_text('name = "vn"\n' + STORM, encoding="utf-8")
    _keep(calendar_files.parse(national))
    assert not calendars.load("vn").is_workday(date(2026, 12, 1))
    assert not calendars.load("riêng").is_workday(date(2026, 12, 1))
    assert calendars.agencies_of("vn") == ["H99.12", "H99.13"] and calendars.agencies_of("riêng") == ["H99.12"]


@databases
def test_a_calendar_that_was_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    _keep(_stated(tmp_path, STORM))
    with pytest.raises(Unreadable, match="changed meanwhile"):
        calendars.put(_stated(tmp_path, ""), instead_of=None, by="kiểm thử", at=at("2026-03-10T09:00"))
    assert calendars.definition("riêng") == _stated(tmp_path, STORM)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[days]]\nopen = ''\n", "days 1: day is missing"),
        ("[[days]]\nday = 2026-05-04T08:00:00\nopen = ''\n", "days 1: day is not a day"),
        ("[[days]]\nday = 2026-05-04\n", "days 1: open is missing"),
        ("[[days]]\nday = 2026-05-04\nopen = '8h'\n", "days 1: '8h' is not a span"),
        ("[[days]]\nday = 2026-05-04\nopen = ''\nknow_on = 2026-05-01\n", "days 1: there is no 'know_on' here"),
        (STORM + STORM, "days: 2026-12-01 stands there twice"),
        ("[[hours]]\nopen = ''\n", "hours 1: weekdays is missing"),
        ("[[hours]]\nweekdays = ['t2']\nopen = ''\n", "hours 1: 't2' is no weekday"),
        ("base = 'us'\n", "base 'us'"),
        ("hours = 5\n", "hours is not a list"),
        ("days = [", "Invalid value"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_at_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Unreadable, match=r"lich\.toml.*") as refused:
        _stated(tmp_path, text)
    assert told in str(refused.value)


def _in_flight(code: str, agency: str) -> None:
    reception.submit(
        code=code, procedure="1.000001", agency=agency, by=CLERK, at=at("2026-11-26T08:00"), now=at("2026-11-26T08:00"),
        allotted="5d", applicant="Trần Thị Thử",
    )  # fmt: skip
    reception.receive(code=code, by=CLERK, at=at("2026-11-26T08:00"), now=at("2026-11-26T08:00"))


@databases
def test_the_command_tells_which_dossiers_move_writes_when_agreed_and_leaves_an_audit(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Agency.objects.create(code="H99.12", name="Một")
    Agency.objects.create(code="H99.13", name="Hai")
    _in_flight("H99.12-261126-0001", "H99.12")
    _in_flight("H99.13-261126-0001", "H99.13")
    due = DossierRow.objects.get(code="H99.12-261126-0001").due_at
    assert due == at("2026-12-03T08:00")
    extract.run(home=home, at=at("2026-11-27T09:00"))
    # A slip's due instant stands; one that falls on a day of whose closing nobody knew moves to the next opening.
    closed = '[[days]]\nday = 2026-12-03\nopen = ""\ntitle = "Nghỉ bão"\nknown_on = 2026-11-27\n'
    file = _file(tmp_path, closed)
    words = ["calendar", "set", str(file), "--agency", "H99.12", "--by", "Nguyễn Văn Lịch", "--json"]

    assert run(words) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["in_flight"], told["moved"], told["later"], told["written"]) == (1, 1, 1, False)
    assert told["examples"][0]["after"] == "2026-12-04T07:00:00+07:00"
    assert calendars.definition("riêng") is None and not Change.objects.exists()

    assert run([*words, "--yes"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] is True
    assert Agency.objects.get(code="H99.12").calendar == "riêng"
    written = [(c.actor, c.table, c.key) for c in Change.objects.order_by("pk")]
    assert written == [
        ("Nguyễn Văn Lịch", "catalogue_calendar", "riêng"),
        ("Nguyễn Văn Lịch", "catalogue_agency", "H99.12"),
    ]
    assert audit.verify() == {"changes": 2, "faults": [], "ok": True}

    extract.run(home=home, at=at("2026-11-27T10:00"))
    moved = DueChange.objects.get()
    assert (moved.dossier, moved.before_at, moved.after_at) == (
        "H99.12-261126-0001", at("2026-12-03T08:00"), at("2026-12-04T07:00"),
    )  # fmt: skip
    assert run([*words[:3], "--json"]) == 0 and Change.objects.count() == 2


@databases
def test_an_unknown_agency_or_day_is_refused_and_nothing_is_kept(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(_file(tmp_path, STORM))
    assert run(["calendar", "set", file, "--agency", "H00", "--yes"]) == 2
    assert "'H00'" in capsys.readouterr().err
    assert run(["calendar", "set", file, "--known-on", "yesterday", "--yes"]) == 2
    assert run(["calendar", "show", "lạ"]) == 2
    assert "there are: vn" in capsys.readouterr().err
    assert calendars.names() == {"vn"} and not Change.objects.exists()


@databases
def test_a_check_names_what_would_mislead_a_clock(tmp_path: Path) -> None:
    Agency.objects.create(code="H99.12", name="Một", calendar="đã xoá")
    _keep(_stated(tmp_path, 'base = ""\n[[hours]]\nweekdays = ["sun"]\nopen = ""\n'))
    found = "\n".join(calendars.faults(on=date(2026, 11, 24)))
    assert "agency H99.12 works by calendar 'đã xoá'" in found
    assert "calendar 'riêng' has no working day" in found
    assert calendars.faults(on=date(2026, 11, 24)) != [] and "'vn'" not in found
