"""Every cause of contract §6.3, A to P, in both directions where they exist: a faulty client plays it against the
portal's real server, read-back looks, and the bridge names the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.served import served
from tests.story import Case, at

from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.dossiers.models import AlternativeCode
from motcua.exchange import read_back
from motcua.exchange.models import Difference
from motcua.mirror import door
from motcua.mirror.client import Portal
from motcua.mirror.server import Server
from motcua.oversight import extract, figures
from motcua.oversight.figures import Question
from motcua.wire.profile import Profile
from motcua.wire.verdict import Rule

NOW = at("2026-04-01T09:00")
RECORDS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
#: Received 02/03 08:30, due 09/03 17:00.
ON_TIME, LATE = "2026-03-06T15:00", "2026-03-10T10:00"
ACCEPTED = "20260302083000"
LISTED = Profile(list_service="DanhSachHoSo")


def wire(when: str) -> str:
    """An instant as the contract writes it."""
    return at(when).strftime("%Y%m%d%H%M%S")


class Client:
    """Another software's client: what it sends of one dossier, and how our side holds that dossier."""

    def __init__(self, portal: Portal, case: Case, code: str) -> None:
        self.portal, self.case, self.code = portal, case, code
        self.created: set[str] = set()

    def here(self, **facts: Any) -> None:
        """How the dossier stands in its one-stop software."""
        self.case.dossier(self.code, applicant=f"Người {self.code}", **facts)

    def happened(self, *events: tuple[str, str] | tuple[str, str, dict[str, str]]) -> None:
        """What was done with it there."""
        for kind, when, *more in events:
            self.case.event(self.code, kind, when, **(more[0] if more else {}))

    def record(self, status: int, *, code: str = "", **fields: str) -> None:
        """Sends the record: a create first, an update after."""
        code = code or self.code
        item = {
            "MaHoSo": code, "MaTTHC": "1.000001", "TenTTHC": "Mẫu", "DonViXuLy": "Sở Mẫu",
            "ChuHoSo": f"Người {self.code}", "KenhThucHien": "1", "NgayTiepNhan": ACCEPTED,
            "NgayHenTra": "20260309170000", "TrangThaiHoSo": str(status), **fields,
        }  # fmt: skip
        reply = self.portal.call(RECORDS, isUpdating=str(code in self.created), data=[item])
        if reply.ok:
            self.created.add(code)

    def step(self, status: int, when: str, *, code: str = "", content: str = "x") -> None:
        """Sends a step."""
        item = {"MaHoSo": code or self.code, "NguoiXuLy": "A", "ThoiDiemXuLy": when, "NoiDungXuLy": content,
                "TrangThai": str(status)}  # fmt: skip
        self.portal.call(STEPS, data=[item])

    def accepted(self, **fields: str) -> None:
        """The dossier as it was accepted."""
        self.record(2, **fields)
        self.step(2, ACCEPTED)

    def finished(self, when: str, **fields: str) -> None:
        """Accepted and finished there."""
        self.accepted(**fields)
        self.record(9, **fields)
        self.step(9, when)


# ---- what each client does wrong ------------------------------------------------------------------------------------


def never_left(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME))
    c.accepted()


def stops_after_a_request(c: Client) -> None:
    c.here()
    c.happened(("supplement_requested", "2026-03-03T10:00", {"document": "yes"}))
    c.happened(("supplement_received", "2026-03-05T10:00"), ("finished", "2026-03-20T10:00"))
    c.accepted()
    c.step(5, wire("2026-03-03T10:00"))


def note_too_long(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME))
    c.accepted()
    c.record(9, GhiChu="x" * 2001)


def content_empty(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME))
    c.accepted()
    c.step(9, wire(ON_TIME), content="")


def create_failed(c: Client) -> None:
    c.here()
    c.happened(("finished", LATE))
    c.record(2, MaTTHC="")
    c.step(9, wire(LATE))


def step_lost(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME))
    c.accepted()
    c.record(9)


def only_the_pick_up(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME), ("returned", LATE))
    c.accepted()
    c.record(10)
    c.step(10, wire(LATE))


def extension_not_carried(c: Client) -> None:
    c.here()
    c.happened(("extended", "2026-03-05T10:00", {"due": "2026-03-12T17:00", "document": "yes"}), ("finished", LATE))
    c.finished(wire(LATE))


def suspension_not_carried(c: Client) -> None:
    c.here()
    c.happened(("suspended", "2026-03-03T08:00", {"document": "yes"}), ("resumed", "2026-03-05T08:00"))
    c.happened(("finished", LATE))
    c.finished(wire(LATE))


def supplement_collapsed(c: Client) -> None:
    c.here()
    c.happened(("supplement_requested", "2026-03-03T10:00", {"document": "yes"}))
    c.happened(("supplement_received", "2026-03-05T10:00"), ("finished", LATE))
    c.finished(wire(LATE))


def supplement_told_twice(c: Client) -> None:
    """The steps and a moved due instant: the portal takes the waiting off once more."""
    c.here()
    c.happened(("supplement_requested", "2026-03-03T10:00", {"document": "yes"}))
    c.happened(("supplement_received", "2026-03-05T10:00"), ("finished", "2026-03-13T10:00"))
    moved = {"NgayHenTra": wire("2026-03-12T10:00")}
    c.accepted(**moved)
    c.step(5, wire("2026-03-03T10:00"))
    c.step(4, wire("2026-03-05T10:00"))
    c.record(9, **moved)
    c.step(9, wire("2026-03-13T10:00"))


def asked_twice(c: Client) -> None:
    c.here(due="2026-04-10T17:00")
    c.happened(("supplement_requested", "2026-03-03T10:00", {"document": "yes"}))
    c.happened(("supplement_received", "2026-03-05T10:00"))
    c.happened(("supplement_requested", "2026-03-12T10:00", {"document": "yes"}))
    due = {"NgayHenTra": "20260410170000"}
    c.accepted(**due)
    c.record(5, **due)
    for status, when in ((5, "2026-03-03T10:00"), (4, "2026-03-05T10:00"), (5, "2026-03-12T10:00")):
        c.step(status, wire(when))


def waits_for_a_payment(c: Client) -> None:
    c.here(procedure="1.000004")
    c.happened(("payment_requested", "2026-03-05T10:00", {"document": "yes"}))
    c.accepted(MaTTHC="1.000004")
    c.record(6, MaTTHC="1.000004")
    c.step(6, wire("2026-03-05T10:00"))


def paid_and_due_unmoved(c: Client) -> None:
    c.here(procedure="1.000004")
    c.happened(("payment_requested", "2026-03-05T10:00", {"document": "yes"}), ("paid", "2026-03-11T10:00"))
    c.happened(("finished", "2026-03-12T10:00"))
    c.accepted(MaTTHC="1.000004")
    c.step(6, wire("2026-03-05T10:00"))
    c.step(4, wire("2026-03-11T10:00"))
    c.record(9, MaTTHC="1.000004")
    c.step(9, wire("2026-03-12T10:00"))


def under_a_stored_code(c: Client) -> None:
    """The record under the invented code stays open; the dossier's own is closed."""
    c.here()
    c.happened(("finished", ON_TIME))
    other = c.code.replace("-260302-", "-260302-9")
    AlternativeCode.objects.create(code=other, dossier=c.code)
    c.record(2, code=other)
    c.finished(wire(ON_TIME))


def under_an_invented_code(c: Client) -> None:
    """The same, and nobody stored the code: only the portal's list knows of it."""
    c.here()
    c.happened(("finished", ON_TIME))
    c.record(2, code=c.code.replace("-260302-", "-260302-8"))
    c.finished(wire(ON_TIME))


def under_a_stored_code_alone(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME))
    other = c.code.replace("-260302-", "-260302-7")
    AlternativeCode.objects.create(code=other, dossier=c.code)
    c.record(2, code=other)


def status_unmapped(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME))
    c.accepted()
    c.record(11)


def due_absent(c: Client) -> None:
    """Without a due instant the portal takes the published limit of five days; the slip said ten."""
    c.here(due="2026-03-16T17:00", allotted="10d")
    c.happened(("finished", LATE))
    c.finished(wire(LATE), NgayHenTra="")


def due_absent_and_shorter_here(c: Client) -> None:
    c.here(due="2026-03-05T17:00", allotted="3d")
    c.happened(("finished", ON_TIME))
    c.finished(wire(ON_TIME), NgayHenTra="")


def clock(there: str, here: str, due: str) -> Callable[[Client], None]:
    def play(c: Client) -> None:
        c.here(due=due)
        c.happened(("finished", here))
        c.finished(wire(there), NgayHenTra=wire(due))

    return play


def return_cancelled(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME), ("returned", LATE))
    c.accepted()
    c.record(10)
    c.step(10, wire(LATE))
    c.record(4)
    c.step(4, wire("2026-03-11T10:00"))


def return_cancelled_and_open(c: Client) -> None:
    c.here()
    c.accepted()
    c.record(10)
    c.step(10, wire(ON_TIME))
    c.record(4)
    c.step(4, wire("2026-03-07T10:00"))


def ended_and_not_sent(kind: str) -> Callable[[Client], None]:
    def play(c: Client) -> None:
        c.here()
        c.happened((kind, ON_TIME))
        c.accepted()

    return play


def wrong_procedure(code: str, finish: str) -> Callable[[Client], None]:
    def play(c: Client) -> None:
        c.here()
        c.happened(("finished", finish))
        c.finished(wire(finish), MaTTHC=code, NgayHenTra="")

    return play


def wrong_agency(c: Client) -> None:
    c.here()
    c.happened(("finished", ON_TIME))
    c.finished(wire(ON_TIME), DonViXuLy="Sở Khác")


def pause_sent_as_finish(status: str) -> Callable[[Client], None]:
    """5, 6 or 8 rewritten to 9, dated at reception because nothing has ended yet."""

    def play(c: Client) -> None:
        c.here(procedure="1.000004")
        if status == "stopped":
            c.happened((status, LATE))
        else:
            c.happened((f"{status}_requested", "2026-03-05T10:00", {"document": "yes"}))
            c.happened(("paid" if status == "payment" else f"{status}_received", "2026-03-06T10:00"))
            c.happened(("finished", "2026-03-20T10:00"))
        c.finished(ACCEPTED, MaTTHC="1.000004")

    return play


def finish_rewritten_to_the_due_instant(c: Client) -> None:
    c.here()
    c.happened(("finished", LATE))
    c.finished("20260309170000", NgayKetThucXuLy="20260309170000")


# ---- the table ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """How a fault must be found: its cause in the bridge (`data` for one that changes no verdict) and what read-back
    must have kept of it."""

    play: Callable[[Client], None]
    cause: str
    direction: str
    differs: frozenset[str] = field(default_factory=frozenset)
    sub_cause: str = ""


def _x(play: Any, cause: str, direction: str, *differs: str, sub_cause: str = "") -> Expected:
    return Expected(play, cause, direction, frozenset(differs), sub_cause)


END = ("TrangThaiHoSo", "step -")
CASES: dict[str, Expected] = {
    "A the final update never left": _x(never_left, "update_not_sent", "removed", *END),
    "A the queue stopped after a supplement request": _x(stops_after_a_request, "update_not_sent", "added", *END),
    "B refused, the note too long": _x(note_too_long, "update_refused", "removed", *END),
    "B refused, the content empty": _x(content_empty, "update_refused", "removed", *END),
    "B the create had failed": _x(create_failed, "missing_there", "added", "dossier", sub_cause="refused"),
    "C the step lost": _x(step_lost, "step_lost", "removed", "step -"),
    "D only the return, at the pick-up": _x(only_the_pick_up, "only_return_sent", "removed", "step -"),
    "E an extension not carried": _x(extension_not_carried, "due_not_carried", "removed", "NgayHenTra"),
    "E a suspension not carried": _x(suspension_not_carried, "pause_not_carried", "removed", "NgayHenTra"),
    "F a supplement collapsed": _x(supplement_collapsed, "pause_not_carried", "removed", "NgayHenTra", "step -"),
    "F a supplement told as steps and as a moved due": _x(
        supplement_told_twice, "rule_differs", "added", sub_cause="supplement"
    ),
    "G asked twice without a finish": _x(asked_twice, "rule_differs", "removed", sub_cause="supplement"),
    "H waits for a payment": _x(waits_for_a_payment, "rule_differs", "removed", sub_cause="payment"),
    "H paid, the due instant unmoved": _x(paid_and_due_unmoved, "pause_not_carried", "removed", "NgayHenTra"),
    "I an open record under a stored code": _x(under_a_stored_code, "duplicate_there", "removed", "code "),
    "I an open record under a code nobody stored": _x(under_an_invented_code, "duplicate_there", "removed"),
    "I a record under a stored code alone": _x(under_a_stored_code_alone, "update_not_sent", "removed", *END),
    "J a status without mapping": _x(status_unmapped, "status_unmapped", "removed", *END),
    "K no due instant, the published limit is shorter": _x(due_absent, "due_not_carried", "removed", "NgayHenTra"),
    "K no due instant, the published limit is longer": _x(
        due_absent_and_shorter_here, "due_not_carried", "added", "NgayHenTra"
    ),
    "L seven hours fast": _x(
        clock("2026-03-06T22:00", ON_TIME, "2026-03-06T17:00"), "clock_shift", "removed", "step -", "step +"
    ),
    "L seven hours slow": _x(
        clock("2026-03-06T08:00", ON_TIME, "2026-03-06T10:00"), "clock_shift", "added", "step -", "step +"
    ),
    "L a twelve-hour clock makes the afternoon night": _x(
        clock("2026-03-06T03:00", ON_TIME, "2026-03-06T10:00"), "clock_shift", "added", "step -", "step +"
    ),
    "L a twelve-hour clock makes the night afternoon": _x(
        clock("2026-03-06T20:30", "2026-03-06T08:30", "2026-03-06T17:00"), "clock_shift", "removed", "step -"
    ),
    "N a cancelled return, finished in time": _x(return_cancelled, "only_return_sent", "removed", *END, "step +4"),
    "N a cancelled return, open and overdue": _x(
        return_cancelled_and_open, "closed_early_there", "added", "TrangThaiHoSo", "step +10"
    ),
    "O withdrawn, not sent": _x(ended_and_not_sent("withdrawn"), "update_not_sent", "removed", *END),
    "O stopped, not sent": _x(ended_and_not_sent("stopped"), "update_not_sent", "removed", *END),
    "P a procedure with a shorter limit": _x(
        wrong_procedure("1.000002", ON_TIME), "misplaced_there", "removed", "MaTTHC"
    ),
    "P a procedure with a longer limit": _x(wrong_procedure("1.000003", LATE), "misplaced_there", "added", "MaTTHC"),
    "P another agency": _x(wrong_agency, "unit_differs", "data", "DonViXuLy"),
    "the opposite: a supplement sent as a finish": _x(
        pause_sent_as_finish("supplement"), "closed_early_there", "added", "step -"
    ),
    "the opposite: a payment sent as a finish": _x(
        pause_sent_as_finish("payment"), "closed_early_there", "added", "step -"
    ),
    "the opposite: a stop sent as a finish": _x(
        pause_sent_as_finish("stopped"), "closed_early_there", "added", "TrangThaiHoSo", "step -"
    ),
    "the opposite: the finish rewritten to the due instant": _x(
        finish_rewritten_to_the_due_instant, "closed_early_there", "added", "step -"
    ),
}


@dataclass(frozen=True)
class World:
    """What was found of every case, by its name."""

    sync: dict[str, tuple[str, str, str]]
    record: dict[str, set[str]]
    data: dict[str, set[str]]
    differences: dict[str, set[str]]
    strangers: set[str]


@contextmanager
def _portal(profile: Profile) -> Iterator[Portal]:
    with served(door.application(Server(profile), lambda: NOW)) as url:
        portal = Portal(url, "demo-h99", "demo-password", "H99")
        yield portal
        portal.close()


def _catalogue() -> None:
    for code, allotted in (("1.000001", "5d"), ("1.000002", "1d"), ("1.000003", "20d"), ("1.000004", "5d")):
        Procedure.objects.create(
            code=code, core=code, name=f"Thủ tục {code}", allotted=allotted, payment_pauses=code == "1.000004"
        )
    for code, name, folded in (("H99.12", "Sở Mẫu", "so mau"), ("H99.15", "Sở Khác", "so khac")):
        Agency.objects.create(code=code, name=name, folded=folded)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All cases played at once: one server, one read-back, one extract."""
    from django.core.management import call_command

    folder = tmp_path_factory.mktemp("causes")
    names = {f"H99.12-260302-{number:04}": name for number, name in enumerate(CASES, 1)}
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        try:
            _catalogue()
            case = Case()
            with _portal(LISTED) as portal:
                patch.setenv("NATIONAL_PORTAL_URL", portal.url)  # what was read back is the portal's side
                for code, name in names.items():
                    CASES[name].play(Client(portal, case, code))
                files = case.write(folder)[:2]
                assert import_files(Order(files=files, home=folder, at=NOW)).dossiers == len(names)
                read_back.run(portal=portal, at=NOW, profile=LISTED)
            yield _look(folder, names)
        finally:
            for alias in ("default", "mirror"):
                call_command("flush", verbosity=0, interactive=False, database=alias)


def _look(folder: Any, names: dict[str, str]) -> World:
    extract.run(home=folder, at=NOW)
    found = figures.inspect(folder, Question(), now=NOW)
    world = World({}, {}, {}, {}, set())
    for finding in found["findings"]:
        name = names.get(finding["dossier"], finding["dossier"])
        if finding["leg"] == "record":
            world.record.setdefault(name, set()).add(finding["cause"])
        else:
            sub_cause = finding["evidence"].get("sub_cause", "")
            world.sync[name] = finding["cause"], finding["direction"], sub_cause
    for finding in found["data_findings"]:
        world.data.setdefault(names.get(finding["dossier"], ""), set()).add(finding["check"])
    for row in Difference.objects.filter(closed_at=None):
        world.differences.setdefault(names.get(row.dossier, row.dossier), set()).add(row.name)
        if row.act == Difference.Act.ENTER_HERE:
            world.strangers.add(row.dossier)
    return world


@pytest.mark.parametrize("name", CASES, ids=lambda name: name.replace(" ", "-"))
def test_the_bridge_names_the_cause_after_a_look(name: str, world: World) -> None:
    expected = CASES[name]
    kept = world.differences.get(name, set())
    assert all(any(known.startswith(wanted) for known in kept) for wanted in expected.differs), kept
    if expected.direction == "data":
        assert name not in world.sync and expected.cause in world.data[name]
        return
    cause, direction, sub_cause = world.sync[name]
    assert (cause, direction) == (expected.cause, expected.direction)
    assert not expected.sub_cause or sub_cause == expected.sub_cause


def test_nothing_else_is_found_and_the_list_shows_what_only_the_portal_has(world: World) -> None:
    assert set(world.sync) <= set(CASES) and not world.record
    assert len(world.strangers) == 1


@pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
def test_m_an_open_dossier_is_measured_at_the_periods_end(
    home: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _catalogue()
    case, code = Case(), "H99.12-260302-0001"
    with _portal(Profile(rule=Rule(open_until="period_end"))) as portal:
        monkeypatch.setenv("NATIONAL_PORTAL_URL", portal.url)
        client = Client(portal, case, code)
        client.here()
        client.accepted()
        import_files(Order(files=case.write(tmp_path)[:2], home=home, at=NOW))
        assert read_back.run(portal=portal, at=NOW).differences == {}
    profile = tmp_path / "profile.toml"
    profile.write_text('[rule]\nopen_until = "period_end"\n')
    monkeypatch.setenv("MOTCUA_MIRROR_PROFILE", str(profile))
    extract.run(home=home, at=NOW)
    question = Question(period="2026-03", as_of=at("2026-03-05T09:00"), measure="open")
    [finding] = figures.inspect(home, question, now=NOW)["findings"]
    assert (finding["cause"], finding["direction"], finding["dossier"]) == ("rule_differs", "removed", code)
