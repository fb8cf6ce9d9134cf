"""How the synchronisation stands: what is told is what was planted; tickets are closed and reopened by the data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.exchange import desk, planted
from tests.exchange.planted import EQUAL, NOT_SHOWN, NOW, PRESSING, REFUSED
from tests.story import Case, at

from motcua.cli.main import run
from motcua.dossiers.importing.run import Order, import_files
from motcua.exchange import alerts, deliver, looked_up, overview, read_back, resend, senders, tickets
from motcua.exchange.looked_up import Verdict
from motcua.exchange.models import Alert, Delivery, Looked, Ticket
from motcua.mirror.client import Portal
from motcua.mirror.load import load
from motcua.mirror.models import Record, Step
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def portal(home: Path) -> Iterator[Portal]:
    """The mirror's server over HTTP, after a day with one of each."""
    with planted.portal(planted.faults()) as client:
        planted.happen(client)
        yield client


def _verdicts(*codes: str) -> list[Verdict]:
    return [line.verdict for line in looked_up.compare(codes)]


# ---- what there is ---------------------------------------------------------------------------------------------------


def test_the_report_tells_what_was_planted(portal: Portal) -> None:
    planted.silence()
    report = overview.report(now=NOW)
    assert report["waiting"] == 1 and [e["count"] for e in report["errors"]] == [1]
    assert report["errors"][0] == {"message": planted.WORDS, "count": 1, "remedy": "map_procedure"}
    assert [row["dossier"] for row in report["late_because_of_us"]] == [PRESSING]
    assert report["today"]["refused"] == 1 and report["today"]["in_vain"] == 0
    assert report["today"]["rate"] == report["today"]["taken"] / (report["today"]["taken"] + 1)
    assert report["oldest_waiting_s"] == 3600
    assert report["read_back"]["known"] == 3 and report["read_back"]["dossiers_differing"] == 2


def test_a_day_without_messages_has_no_rate(home: Path) -> None:
    assert overview.today(now=NOW)["rate"] is None


def test_a_sender_is_silent_by_its_own_habit_in_working_time(home: Path) -> None:
    planted.silence()
    [source] = senders.listed(now=NOW)
    assert source["silent"] and source["silence_worked_minutes"] == 270
    assert source["usual_per_hour"] == 26.7  # 120 messages in four and a half hours of work
    [source] = senders.listed(now=at("2026-03-11T15:00"))
    assert source["silent"] is False
    [source] = senders.listed(now=at("2026-03-12T06:50"))  # the night is no silence
    assert source["silence_worked_minutes"] == 150


def test_one_that_sends_once_a_day_is_not_silent_at_noon(home: Path) -> None:
    for day in ("09", "10", "11"):
        last = at(f"2026-03-{day}T07:30")
        planted.Message.objects.bulk_create(
            planted.Message(received_at=last - timedelta(seconds=n), sender="H99.20", service=planted.STEPS, body=b"")
            for n in range(50)
        )
    [source] = senders.listed(now=at("2026-03-11T16:00"))
    assert source["silent"] is False
    [source] = senders.listed(now=at("2026-03-13T10:00"))
    assert source["silent"]


# ---- codes that a person pastes --------------------------------------------------------------------------------------


def test_pasted_codes_are_read_however_they_were_copied() -> None:
    pasted = looked_up.read(f' {EQUAL},{REFUSED};\r\n"{EQUAL}"\t{NOT_SHOWN}.')
    assert (pasted.codes, pasted.repeated) == ([EQUAL, REFUSED, NOT_SHOWN], 1)
    assert looked_up.read(" \n").codes == []


def test_codes_become_a_table_of_both_sides(portal: Portal) -> None:
    refused, not_shown, equal, nowhere = looked_up.compare([REFUSED, NOT_SHOWN, EQUAL, "H99-000000-0000"])
    assert (equal.verdict, equal.here, equal.there) == (Verdict.EQUAL, 10, 10)
    assert refused.verdict is Verdict.DIFFERS and refused.last is not None
    assert {found.why for found in not_shown.found} == {"not_shown"}
    assert [found.name for found in not_shown.found] == ["step -7"]
    assert nowhere.verdict is Verdict.NOWHERE
    assert (equal.last and equal.last.state) == "delivered"


def test_what_was_sent_since_the_copy_was_taken_is_not_called_a_difference(portal: Portal) -> None:
    resend.send_again([NOT_SHOWN], at=NOW + HOUR)
    deliver.Deliverer(portal).run(at=NOW + HOUR)
    assert _verdicts(NOT_SHOWN) == [Verdict.OUTDATED]
    ticket = _ticket(NOT_SHOWN)
    read_back.run(portal=portal, at=NOW + 2 * HOUR, codes=[NOT_SHOWN])
    assert _verdicts(NOT_SHOWN) == [Verdict.EQUAL]
    assert tickets.settle(at=NOW + 2 * HOUR) == 1, "its evidence showed a difference, which the look ended"
    assert _history(ticket) == ["opened", "agreed", "closed_by_data"]


def test_sending_again_does_what_each_needs(portal: Portal) -> None:
    done = resend.send_again([REFUSED, NOT_SHOWN, EQUAL, PRESSING], at=NOW)
    assert (done.replayed, done.again, done.equal, done.first, done.not_ours) == (1, 1, 1, 1, 0)
    deliver.Deliverer(portal).run(at=NOW)
    assert desk.differences([REFUSED, NOT_SHOWN, EQUAL, PRESSING]) == []


def test_a_group_of_one_error_goes_again_and_leaves_the_others(portal: Portal) -> None:
    other = Delivery.objects.filter(dossier=EQUAL).last()
    Delivery.objects.filter(pk=other.pk).update(state="dead", error=f"Hồ sơ {EQUAL}: Thiếu NoiDungXuLy")
    assert resend.of_error(planted.WORDS) == [REFUSED]
    assert resend.replay_error(planted.WORDS, at=NOW) == 1
    assert Delivery.objects.filter(state="dead").values_list("dossier", flat=True).get() == EQUAL


def test_sending_first_ends_a_pause(portal: Portal) -> None:
    Delivery.objects.filter(dossier=PRESSING, state="waiting").update(next_at=NOW + HOUR)
    assert resend.send_first([PRESSING, EQUAL], at=NOW) == 1
    assert deliver.Deliverer(portal).run(at=NOW).delivered == 1


def test_what_is_to_be_looked_at_soon_goes_first(portal: Portal) -> None:
    Looked.objects.update(fresh=False)
    assert resend.look_soon([EQUAL, EQUAL], at=NOW + HOUR) == 1
    assert read_back.chosen(1, at=NOW + HOUR, passed=set()) == [EQUAL]


# ---- tickets ---------------------------------------------------------------------------------------------------------


def _ticket(*codes: str, **more: Any) -> Ticket:
    facts = {"owner_kind": "internal", "owner": "", "cause": "mất bước 9", "by": "quan-tri", "at": NOW} | more
    return tickets.open_(codes=codes, **facts)


def _history(ticket: Ticket) -> list[str]:
    return [line["act"] for line in tickets.shown(ticket.pk, now=NOW)["history"]]


def test_read_back_closes_a_ticket_and_data_opens_it_again(portal: Portal) -> None:
    ticket = _ticket(NOT_SHOWN)
    assert tickets.settle(at=NOW + HOUR) == 0 and _history(ticket) == ["opened"]
    resend.send_again([NOT_SHOWN], at=NOW + HOUR)
    deliver.Deliverer(portal).run(at=NOW + HOUR)
    assert tickets.settle(at=NOW + HOUR) == 0  # sent is not yet shown
    read_back.run(portal=portal, at=NOW + 2 * HOUR, codes=[NOT_SHOWN])
    assert tickets.settle(at=NOW + 2 * HOUR) == 1
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at) == ("closed", NOW + 2 * HOUR)
    assert tickets.settle(at=NOW + 3 * HOUR) == 0  # once
    Step.objects.filter(side="held", code=NOT_SHOWN, status="9").delete()
    read_back.run(portal=portal, at=NOW + 4 * HOUR, codes=[NOT_SHOWN])
    tickets.settle(at=NOW + 4 * HOUR)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at) == ("open", None)
    assert _history(ticket) == ["opened", "agreed", "closed_by_data", "differed", "reopened_by_data"]


def test_what_no_comparison_showed_is_not_closed_by_one(portal: Portal) -> None:
    ticket = _ticket(EQUAL)
    assert tickets.settle(at=NOW + HOUR) == 0
    ticket.refresh_from_db()
    assert ticket.state == "open"


def test_a_ticket_that_a_person_closed_stays_closed(portal: Portal) -> None:
    ticket = _ticket(NOT_SHOWN)
    tickets.close(ticket.pk, by="quan-tri", at=NOW, note="Cổng xác nhận bằng điện thoại")
    assert tickets.settle(at=NOW + HOUR) == 0
    with pytest.raises(Unreadable):
        tickets.close(ticket.pk, by="quan-tri", at=NOW)
    assert tickets.reopen(ticket.pk, by="quan-tri", at=NOW).state == "open"


def test_a_new_message_of_a_vendor_closes_its_ticket(home: Path, tmp_path: Path) -> None:
    case = Case()
    code = "H99.12-260302-0009"
    case.dossier(code)
    case.event(code, "finished", "2026-03-06T10:00")
    case.record(code, 2, updating=False)
    dossiers, events, messages = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    assert resend.send_again([code], at=NOW).not_ours == 1
    [line] = looked_up.compare([code])
    assert line.verdict is Verdict.DIFFERS and (line.here, line.there) == (9, 2)
    ticket = _ticket(code, owner_kind="vendor", owner="Công ty Mẫu")
    record = Record.objects.get(side="held", code=code)
    body = json.loads(record.body) | {"TrangThaiHoSo": "9", "NgayKetThucXuLy": "20260306100000"}
    ours = looked_up.Reader().load([code])[code]
    body |= {name: value for name, value in ours.record.items() if name in ("NgayHenTra", "MaTTHC", "DonViXuLy")}
    Record.objects.filter(pk=record.pk).update(body=json.dumps(body, ensure_ascii=False), stored_at=NOW + HOUR)
    for seq, step in ours.steps.items():
        told = {"status": step["TrangThai"], "body": json.dumps(step), "digest": bytes([seq]) * 16}
        Step.objects.create(side="held", code=code, stored_at=NOW + HOUR, **told)
    assert [found.name for line in looked_up.compare([code]) for found in line.found] == []
    assert tickets.settle(at=NOW + HOUR) == 1
    assert _history(ticket) == ["opened", "agreed", "closed_by_data"]


@pytest.mark.parametrize(
    "wrong",
    [{"cause": " "}, {"owner_kind": "nobody"}, {"days": 0}, {"codes": ("H99-000000-0000",)}],
    ids=["no cause", "no such owner", "no time", "no such dossier"],
)
def test_a_ticket_without_sense_is_refused(portal: Portal, wrong: dict[str, Any]) -> None:
    codes = wrong.pop("codes", (EQUAL,))
    with pytest.raises(Unreadable):
        _ticket(*codes, **wrong)
    assert not Ticket.objects.exists()


# ---- alerts ----------------------------------------------------------------------------------------------------------


def _standing() -> set[tuple[str, str]]:
    return set(Alert.objects.filter(over_at=None).values_list("kind", "subject"))


def test_alerts_are_raised_once_acknowledged_by_name_and_over_when_the_cause_is(portal: Portal) -> None:
    planted.silence()
    ticket = _ticket(NOT_SHOWN, days=1)
    now = NOW + timedelta(days=1, hours=9)
    wanted = {("oldest_waiting", ""), ("dead_letters", planted.WORDS), ("silent_sender", "H99.15"),
              ("ticket_overdue", str(ticket.pk))}  # fmt: skip
    count = alerts.evaluate(now=now)
    assert wanted <= _standing() and Alert.objects.count() == count
    assert alerts.evaluate(now=now + HOUR) == count == Alert.objects.count()
    [dead] = [row for row in alerts.listed() if row["kind"] == "dead_letters"]
    alerts.acknowledge(dead["alert"], by="quan-tri", at=now)
    assert alerts.listed()[-1]["acknowledged_by"] == "quan-tri"
    resend.replay_error(planted.WORDS, at=now)
    deliver.Deliverer(portal).run(at=now)
    alerts.evaluate(now=now + 2 * HOUR)
    assert ("dead_letters", planted.WORDS) not in _standing()
    Delivery.objects.filter(dossier=EQUAL, kind="finished").update(state="dead", error=planted.WORDS)
    alerts.evaluate(now=now + 3 * HOUR)  # it comes back: a new alert that nobody knows of
    assert Alert.objects.get(kind="dead_letters", over_at=None).acknowledged_by == ""


def test_an_open_circuit_is_an_alert_until_the_portal_answers(home: Path) -> None:
    desk.returned(EQUAL)
    from motcua.exchange import deliveries
    from motcua.exchange.breaker import Breaker

    deliveries.plan()
    away = Portal("http://127.0.0.1:1", "demo-h99", "demo-password", "H99")
    for minute in range(4):
        deliver.Deliverer(away).run(at=NOW + timedelta(minutes=30 * minute))
    alerts.evaluate(now=NOW + 2 * HOUR)
    assert ("breaker_open", away.url) in _standing()
    Breaker(away.url).answered(NOW + 3 * HOUR)
    alerts.evaluate(now=NOW + 3 * HOUR)
    assert ("breaker_open", away.url) not in _standing()
    away.close()


# ---- the same from a terminal ----------------------------------------------------------------------------------------


def test_the_terminal_tells_the_same(portal: Portal, capsys: Any, tmp_path: Path) -> None:
    assert run(["exchange", "status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["errors"][0]["message"] == planted.WORDS and "sources" in told and "tickets" in told
    assert run(["exchange", "status"]) == 0
    assert planted.WORDS in capsys.readouterr().out
    codes = tmp_path / "codes.txt"
    codes.write_text(f"{NOT_SHOWN}\nH99-000000-0000\n")
    opened = ["exchange", "tickets", "open", "--file", str(codes), "--owner-kind", "vendor", "--cause", "mất bước 9"]
    assert run([*opened, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["dossiers"], document["not_known"]) == (1, ["H99-000000-0000"])
    number = str(document["ticket"])
    assert run(["exchange", "tickets", "show", number]) == 0
    assert "Cổng thiếu bước “Đã xử lý xong”" in capsys.readouterr().out
    assert run(["exchange", "tickets", "close", number, "--note", "xong"]) == 0
    capsys.readouterr()
    assert run(["exchange", "tickets", "list", "--state", "closed", "--json"]) == 0
    assert [row["ticket"] for row in json.loads(capsys.readouterr().out)["tickets"]] == [int(number)]
    assert run(["exchange", "tickets", "show", "999"]) == 2
    capsys.readouterr()
    assert run(["exchange", "alerts", "--json"]) == 1
    alert = json.loads(capsys.readouterr().out)["alerts"][0]
    assert run(["exchange", "alerts", "--acknowledge", str(alert["alert"])]) in (0, 1)
    assert Alert.objects.get(pk=alert["alert"]).acknowledged_by.endswith("(terminal)")
