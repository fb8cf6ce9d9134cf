"""A status map is proved before it is used; each kind of break is found with the shortest way to it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.story import at

from motcua.catalogue.models import Procedure, ProcessStep
from motcua.dossiers import reception, result, waiting
from motcua.exchange import deliveries, status_map, status_proof
from motcua.exchange.models import Delivery
from motcua.exchange.status_map import NATIONAL, STANDING, StatusMap
from motcua.exchange.status_proof import BrokenMap, Fault, prove
from motcua.rules.dossier import Dossier, Status, apply
from motcua.rules.events import KINDS
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Actor
from motcua.wire.transitions import LAWFUL, is_lawful, is_terminal

MAPPED = [kind for kind in KINDS if kind not in status_map.RECORD_ONLY]


def _with(**events: Any) -> StatusMap:
    """The built-in map with some events carried otherwise."""
    return replace(NATIONAL, events={**NATIONAL.events, **events})


def _kinds(way: tuple[status_proof.Act, ...]) -> list[str]:
    return [act.kind for act in way]


def test_the_built_in_map_is_sound_and_all_its_exceptions_are_needed() -> None:
    proof = prove(NATIONAL)
    assert proof.holds and set(proof.exceptions_used) == set(NATIONAL.exceptions)
    assert set(NATIONAL.events) == set(MAPPED)


@pytest.mark.parametrize(
    ("rules", "fault", "way"),
    [
        (_with(supplement_requested=Status.FINISHED), Fault.ENDED_THERE, ["registered", "supplement_requested"]),
        (_with(withdrawn=Status.PROCESSING), Fault.OPEN_THERE, ["registered", "withdrawn"]),
        (_with(payment_requested=Status.PROCESSING), Fault.SAYS_OTHERWISE, ["registered", "payment_requested"]),
        (_with(registered=Status.REGISTERED), Fault.SAYS_OTHERWISE, ["registered"]),
        (_with(extended=Status.PROCESSING), Fault.SAYS_OTHERWISE, ["registered", "supplement_requested", "extended"]),
        (_with(leg_returned=Status.PROCESSING), Fault.SAYS_OTHERWISE,
         ["registered", "leg_sent", "supplement_requested", "leg_returned"]),
        (_with(returned=Status.RETURNED), Fault.SAYS_OTHERWISE, ["registered", "refused", "returned"]),
        (_with(refused=Status.STOPPED), Fault.UNLAWFUL, ["registered", "refused"]),
        (replace(NATIONAL, exceptions={}), Fault.UNLAWFUL, ["registered", "returned"]),
        (NATIONAL.without(["stopped"]), Fault.UNMAPPED, ["registered", "stopped"]),
        (NATIONAL.without(["paid"]), Fault.UNMAPPED, ["registered", "payment_requested", "paid"]),
    ],
    ids=["5 sent as 9", "withdrawal never ends there", "payment hidden", "accepted shown as new",
         "an apology ends the waiting", "an opinion ends the waiting", "papers handed back are no result",
         "refused at intake shown as stopped", "10 without 9 undeclared", "one kind forgotten", "forgotten late"],
)  # fmt: skip
def test_a_planted_break_is_found_by_its_shortest_way(rules: StatusMap, fault: Fault, way: list[str]) -> None:
    found = [broken for broken in prove(rules).breaks if broken.fault is fault]
    assert way in [_kinds(broken.way) for broken in found]
    assert min(len(broken.way) for broken in found) == len(way)


def test_a_step_that_means_another_status_is_carried_until_it_is_done() -> None:
    rules = replace(NATIONAL, steps={("", "Chờ nộp phí"): Status.PAYMENT})
    found = prove(rules, steps=["Chờ nộp phí", "Thẩm định"]).breaks
    assert {(broken.before, broken.after) for broken in found} == {(Status.PAYMENT, Status(s)) for s in (5, 9)}
    declared = {(Status(a), Status(b)): "bước chưa xong" for a, b in ((6, 5), (5, 6), (6, 9))}
    assert prove(replace(rules, exceptions={**NATIONAL.exceptions, **declared}), steps=["Chờ nộp phí"]).holds
    in_hand = Dossier(code="a", status=Status.PROCESSING, step="Chờ nộp phí")
    assert rules.national("step_started", in_hand) is Status.PAYMENT
    ended = replace(NATIONAL, steps={("1.000001", "Ký"): Status.FINISHED})
    assert [broken.fault for _, proof in status_proof.proofs(ended) for broken in proof.breaks] != []
    assert not any(proof.breaks for of, proof in status_proof.proofs(ended) if of == ("",))


def test_the_built_in_map_is_sound_for_real_internal_processes(shared: Path) -> None:
    decisions = json.loads((shared / "data" / "processes" / "internal-processes.json").read_text(encoding="utf-8"))
    processes = {
        p["procedure_code"]: [f"{n}. {step['cells'][0][:80]}" for n, step in enumerate(p["steps"], 1) if step["cells"]]
        for decision in decisions
        for p in decision["processes"]
    }
    assert len(processes) >= 30
    assert all(prove(NATIONAL, procedure=code, steps=steps).holds for code, steps in processes.items())
    [(alike, proof)] = status_proof.proofs(NATIONAL, processes)
    assert set(alike) == set(processes) and proof.holds
    code, steps = next((code, steps) for code, steps in processes.items() if len(steps) > 2)
    ended = replace(NATIONAL, steps={(code, steps[-1]): Status.FINISHED})
    broken = {alike: proof for alike, proof in status_proof.proofs(ended, processes) if not proof.holds}
    assert list(broken) == [(code,)]
    first = broken[(code,)].breaks[0]
    assert (first.fault, first.way[-1].named, len(first.way)) == (Fault.ENDED_THERE, steps[-1], 2)


def test_a_dossier_never_waits_for_ever_in_the_proof_and_no_refused_act_is_walked() -> None:
    proof = prove(NATIONAL, steps=["a", "b", "c", "d"])
    assert proof.holds and proof.states < 100 and proof.moves < 1000


statuses = st.one_of(st.just(STANDING), st.sampled_from(list(Status)), st.none())
maps = st.builds(
    lambda changes: replace(
        NATIONAL, events={k: v for k, v in {**NATIONAL.events, **changes}.items() if v is not None}
    ),
    st.dictionaries(st.sampled_from(MAPPED), statuses, max_size=3),
)


def _all_orders(rules: StatusMap, length: int) -> dict[Fault, int]:
    """Every order of acts up to a length, tried one by one: the faults, each with its shortest order."""
    shortest: dict[Fault, int] = {}
    orders: list[tuple[Dossier | None, Status | None]] = [(None, None)]
    for done in range(1, length + 1):
        onward = []
        for dossier, before in orders:
            events = status_proof._begun("") if dossier is None else status_proof._next(dossier, [""])
            for event in events:
                after = apply(dossier or Dossier(code=""), event)
                status = rules.national(event.kind, after)
                fault = None
                if status is None:
                    fault = Fault.UNMAPPED
                elif is_terminal(status) != is_terminal(after.status):
                    fault = Fault.ENDED_THERE if is_terminal(status) else Fault.OPEN_THERE
                elif {int(status), int(after.status)} not in ({2, 4}, {3, 8}) and status is not after.status:
                    fault = Fault.SAYS_OTHERWISE
                elif not is_lawful(before, status) and (before, status) not in rules.exceptions:
                    fault = Fault.UNLAWFUL
                if fault:
                    shortest.setdefault(fault, done)
                else:
                    onward.append((after, status))
        orders = onward
    return shortest


@settings(max_examples=40, deadline=None)
@given(maps)
def test_the_walk_finds_what_trying_every_order_finds_and_none_shorter(rules: StatusMap) -> None:
    tried = _all_orders(rules, 4)
    found: dict[Fault, int] = {}
    for broken in prove(rules).breaks:
        found[broken.fault] = min(len(broken.way), found.get(broken.fault, 99))
    assert {fault: length for fault, length in found.items() if length <= 4} == tried


def test_the_lawful_moves_lead_from_the_beginning_to_every_status_and_never_back_from_an_end() -> None:
    reached = {Status.REGISTERED}
    for _ in Status:
        reached |= {after for before, after in LAWFUL if before in reached}
    assert reached == set(Status)
    ends = [(a, b) for a, b in product(Status, Status) if is_terminal(a) and not is_terminal(b)]
    assert not any(is_lawful(a, b) for a, b in ends)


# ---- files -------------------------------------------------------------------------------------------------------


def _toml(events: dict[str, Any]) -> str:
    lines = [f"{kind} = {json.dumps(v) if isinstance(v, str) and v == STANDING else int(v)}" for kind, v in
             events.items()]  # fmt: skip
    return "\n".join(["[events]", *lines])


def _file(folder: Path, text: str) -> Path:
    path = folder / "tinh.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_and_a_broken_one_refused_with_its_way(tmp_path: Path) -> None:
    exceptions = "".join(
        f'\n[[exceptions]]\nfrom = {int(a)}\nto = {int(b)}\nbecause = "chưa bấm"' for a, b in NATIONAL.exceptions
    )
    good = _file(tmp_path, _toml(dict(NATIONAL.events)) + exceptions)
    assert status_proof.load(good).events == NATIONAL.events
    broken = _file(tmp_path, _toml({**NATIONAL.events, "stopped": 9}) + exceptions)
    with pytest.raises(BrokenMap, match="registered → stopped"):
        status_proof.load(broken)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[events]\nreceived = 11", "received"),
        ("[events]\nreceived = true", "received"),
        ("[events]\nnhan = 2", "nhan"),
        ("[events]\ncorrected = 4", "corrected"),
        ("[[steps]]\nstatus = 4", "names no step"),
        ("[[exceptions]]\nfrom = 4\nto = 10", "because"),
        ('[words]\n"Chờ" = { state = "waiting", status = 5 }', "Chờ"),
        ("[event]\nreceived = 2", "event"),
        ("name = 'x'", "maps nothing"),
        ("[events", "tinh.toml"),
    ],
)
def test_an_unreadable_file_is_refused_by_its_place(text: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=named):
        status_proof.load(_file(tmp_path, text))


WORDS = {
    "Mới đăng ký": ("registered", 1), "Đã tiếp nhận": ("accepted", 2), "Đang thụ lý": ("processing", 4),
    "Chờ bổ sung": ("supplement", 5), "Chờ nộp phí": ("payment", 6), "Có kết quả": ("finished", 9),
    "Đã trả": ("returned", 10),
}  # fmt: skip


def _words(tmp_path: Path, **others: tuple[str, int]) -> Path:
    rows = [f'"{word}" = {{ state = "{state}", status = {status} }}' for word, (state, status) in
            {**WORDS, **others}.items()]  # fmt: skip
    text = "\n".join(["[words]", *rows])
    for before in (2, 4, 5, 6):
        text += f'\n[[exceptions]]\nfrom = {before}\nto = 10\nbecause = "chưa bấm"'
    return _file(tmp_path, text)


def test_the_words_of_a_source_are_walked_likewise(tmp_path: Path) -> None:
    proof = status_proof.audit(status_map.read(_words(tmp_path)))
    assert proof.holds and set(proof.without_word) == {"refused", "withdrawn", "stopped", "suspended"}
    broken = status_proof.audit(status_map.read(_words(tmp_path, Chờ=("supplement", 9))))
    assert [act.named for act in broken.breaks[0].way] == ["Đã tiếp nhận", "Chờ"]
    assert broken.breaks[0].fault is Fault.ENDED_THERE


# ---- the command, and the deliveries that go by the map ------------------------------------------------------------


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    from motcua.cli.main import run

    status = run(["exchange", "status-map", *words])
    said = capsys.readouterr()
    return status, said.out + said.err


@pytest.fixture
def _no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motcua.cli.home.open_home", lambda: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_home")
def test_the_command_says_the_way_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    procedure = Procedure.objects.create(code="1.000001", core="1.000001", name="Mẫu")
    ProcessStep.objects.create(procedure=procedure, order=1, name="Thẩm định")
    status, said = _run(capsys, "check")
    assert status == 0 and "1 quy trình nội bộ" in said
    strange = _file(tmp_path, '[[steps]]\nstep = "Ký"\nstatus = 4\n' + _toml(dict(NATIONAL.events)))
    assert json.loads(_run(capsys, "check", str(strange), "--json")[1])["steps_unknown"] == ["Ký"]
    broken = _file(tmp_path, _toml({**NATIONAL.events, "supplement_requested": 9}))
    status, said = _run(capsys, "check", str(broken))
    assert status == 1 and "đăng ký (2) → yêu cầu bổ sung (9)" in said
    status, said = _run(capsys, "check", str(broken), "--json")
    document = json.loads(said)
    assert status == 1 and document["holds"] is False
    ended = next(b for b in document["breaks"] if b["fault"] == "ended_there")
    assert ended["way"][-1] == {"kind": "supplement_requested", "named": "", "status": 9}
    assert "Yêu cầu bổ sung giấy tờ" in _run(capsys, "show")[1]
    worded = '[words]\n"Chờ \\"bổ sung\\"" = { state = "supplement", status = 5 }\n'
    steps = '[[steps]]\nstep = "Ký"\nstatus = 4\n[[exceptions]]\nfrom = 4\nto = 10\nbecause = "chưa bấm"\n'
    own = _file(tmp_path, steps + worded + _toml(dict(NATIONAL.events)))
    meant = status_map.read(own)
    assert status_map.read(_file(tmp_path, _run(capsys, "show", str(own), "--toml")[1])) == meant


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_home")
def test_words_that_a_source_used_and_the_map_lacks_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = tmp_path / "seen.csv"
    seen.write_text("ma,TrangThai\n1,Đã trả\n2,Trả lại\n3,Trả lại\n4,\n", encoding="utf-8")
    status, said = _run(capsys, "check", str(_words(tmp_path)), "--seen", str(seen), "--column", "TrangThai", "--json")
    assert status == 1 and json.loads(said)["words_unmapped"] == ["Trả lại"]
    assert _run(capsys, "check", str(_words(tmp_path)), "--seen", str(seen), "--column", "x")[0] == 2
    assert _run(capsys, "check", "--seen", str(seen))[0] == 2


@pytest.mark.django_db
def test_deliveries_carry_the_status_in_which_an_event_left_its_dossier() -> None:
    by: dict[str, Any] = {"by": Actor(name="Lê Thị Mẫu", unit="H99.12"), "now": at("2026-03-12T09:00"), "code": "A"}
    reception.submit(procedure="1.000001", agency="H99.12", at=at("2026-03-02T08:00"), allotted="5d", **by)
    reception.receive(at=at("2026-03-02T08:30"), **by)
    waiting.request_supplement(at=at("2026-03-03T08:00"), document=True, **by)
    result.extend(at=at("2026-03-04T08:00"), due_at=at("2026-03-20T08:30"), document=True, **by)
    waiting.receive_supplement(at=at("2026-03-05T08:00"), **by)
    result.withdraw(at=at("2026-03-06T08:00"), **by)
    result.return_result(at=at("2026-03-09T08:00"), skip_finish=True, **by)
    deliveries.plan()
    assert list(Delivery.objects.order_by("seq").values_list("status", flat=True)) == [1, 2, 5, 5, 4, 7, 7]


@pytest.mark.django_db
def test_a_correction_reaches_back_to_the_status_of_what_comes_after_it() -> None:
    by: dict[str, Any] = {"by": Actor(name="Lê Thị Mẫu", unit="H99.12"), "now": at("2026-03-12T09:00"), "code": "A"}
    reception.submit(procedure="1.000001", agency="H99.12", at=at("2026-03-02T08:00"), allotted="5d", **by)
    reception.receive(at=at("2026-03-02T08:30"), **by)
    result.withdraw(at=at("2026-03-03T08:00"), **by)
    result.correct(corrects=3, void=True, by=by["by"], now=by["now"], code="A")
    waiting.send_leg(at=at("2026-03-04T08:00"), to="H99.13", **by)
    deliveries.plan()
    planned = list(Delivery.objects.order_by("seq").values_list("status", "state"))
    assert planned == [(1, "waiting"), (2, "waiting"), (7, "waiting"), (None, "waiting"), (2, "waiting")]


@pytest.mark.django_db
def test_nothing_is_planned_by_a_broken_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_STATUS_MAP", str(_file(tmp_path, _toml({**NATIONAL.events, "stopped": 9}))))
    with pytest.raises(BrokenMap):
        deliveries.plan()
