"""Notices: each thing told once to whom it concerns, by page, letter and hook; muted, handed over, quiet at night."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.directives import ward
from tests.directives.ward import NOW
from tests.notices.letterbox import Letterbox, letterbox
from tests.served import served
from tests.story import at

from motcua.accounts.models import User
from motcua.directives import orders, progress
from motcua.exchange import alerts
from motcua.jobs.models import Job
from motcua.notices import reading, sending, telling, timetable
from motcua.notices.models import Hook, Notice, Sending
from motcua.rules.instants import Unreadable
from motcua.web.notices import outbox, words

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
Kind = Notice.Kind


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The small province, built once for this file."""
    with ward.kept(django_db_blocker, tmp_path_factory.mktemp("ward")) as folder:
        yield folder


@pytest.fixture
def province(built: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small province on the Monday morning of every clock of the web."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return ward.lent(built, home)


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Letterbox]:
    settings.EMAIL_BACKEND = "motcua.web.training.post.Backend"
    with letterbox() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.MAIL_FROM = "motcua@mau.example.vn"
        monkeypatch.setenv("MOTCUA_ADDRESS", "https://motcua.example.vn")
        yield server


def _people(kind: str) -> list[tuple[str, str]]:
    return sorted(Notice.objects.filter(kind=kind).values_list("person", "agency"))


# ---- when ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "kinds"),
    [
        ("2026-03-16T06:59", set()), ("2026-03-16T07:00", {"morning", "week"}), ("2026-03-17T09:00", {"morning"}),
        ("2026-03-17T16:30", {"evening"}), ("2026-03-21T09:00", set()), ("2026-04-30T09:00", set()),
        ("2026-05-04T09:00", {"morning", "week"}),
    ],
    ids=["before opening", "Monday", "Tuesday", "before closing", "Saturday", "holiday", "after a holiday"],
)  # fmt: skip
def test_digests_are_due_on_working_days_at_their_hour(now: str, kinds: set[str]) -> None:
    assert set(timetable.due(at(now))) == kinds


def test_nothing_is_sent_in_quiet_hours() -> None:
    for text, quiet in (("2026-03-16T06:29", True), ("2026-03-16T06:30", False), ("2026-03-16T17:59", False),
                        ("2026-03-16T18:00", True), ("2026-03-15T10:00", True)):  # fmt: skip
        assert timetable.is_quiet(at(text)) is quiet, text
    timetable.choose_hours("08:00", "12:00", by="van-hanh", at=NOW)
    assert timetable.is_quiet(at("2026-03-16T13:00"))
    for wrong in (("8 giờ", "12:00"), ("12:00", "08:00")):
        with pytest.raises(Unreadable, match="hours"):
            timetable.choose_hours(*wrong, by="x", at=NOW)


# ---- who is told what ------------------------------------------------------------------------------------------------


def test_each_head_is_told_once_what_to_do_today_in_order(province: Path) -> None:
    assert telling.run(province, now=NOW) == 3 + 1  # three heads, one leader's week
    assert telling.run(province, now=NOW) == 0, "told once"
    assert telling.run(province, now=at("2026-03-16T11:00")) == 0
    assert _people("morning") == [("phuong", "H99.12"), ("so", "H99.14"), ("xa", "H99.13")]
    told = words.told(Notice.objects.get(person="xa", kind="morning"))
    assert told["title"] == "Việc hôm nay của đơn vị: Xã Ẩn Độ Cũ"
    assert [text for text, _ in told["items"]] == [
        "Hồ sơ đang quá hạn thực tế: 2", "Hồ sơ trên Cổng hiện quá hạn chỉ do đồng bộ: 1"
    ]  # fmt: skip
    assert told["text"] == "Quét lúc 09:00 16/03/2026, 2 hồ sơ đang mở."
    assert telling.run(province, now=at("2026-03-16T16:35")) == 1
    assert _people("evening") == [("can-bo", "H99.12")]
    assert telling.run(province, now=at("2026-03-17T08:00")) == 3, "a new day"


def test_every_count_of_a_digest_opens_a_list_of_exactly_so_many(client: Client, province: Path) -> None:
    telling.run(province, now=NOW)
    telling.run(province, now=at("2026-03-16T16:35"))
    telling.run(province, now=at("2026-03-09T08:00"))  # the day on which all that are open then are due
    due = Notice.objects.get(person="phuong", kind="morning", key__startswith="2026-03-09")
    assert [(item["code"], item["count"]) for item in due.body["items"]] == [("due_today", 2)]
    looked = 0
    for notice in Notice.objects.exclude(kind="week"):
        client.force_login(User.objects.get(username=notice.person))
        for found in notice.body["items"]:
            address = words.href(found, notice.agency, notice.body["as_of"])
            if address.startswith("/ho-so"):
                page = client.get(address).content.decode()
                total = re.search(r'id="total">([\d.]+)', page)
                assert total and int(total[1]) == found["count"], (found, address)
                looked += 1
    assert looked >= 5


def test_zero_and_not_scanned_are_told_apart(province: Path) -> None:
    empty = {"as_of": NOW.isoformat(), "stale": False, "facts_age_s": 60, "open": 214, "items": []}
    assert words.rests(empty) == "Không có việc phải làm ngay. Quét lúc 09:00 16/03/2026, 214 hồ sơ đang mở."
    Job.objects.create(name="extract", every_s=60, heartbeat_at=at("2026-03-16T05:00"))
    telling.run(province, now=NOW)
    said = words.told(Notice.objects.get(person="phuong", kind="morning"))["text"]
    assert said.startswith("Chưa quét mới từ") and said.endswith("chưa dùng được các con số này.")


def test_new_and_late_tasks_reach_the_units_and_each_rung(province: Path) -> None:
    task = orders.give(title="Không còn hồ sơ chưa đồng bộ", metric="not_synchronised", target=0,
                       due_on=date(2026, 3, 17), agencies=["H99.12", "H99.14"], by="chu-tich",
                       at=at("2026-03-12T09:00"))  # fmt: skip
    telling.run(province, now=at("2026-03-13T06:00"))
    assert _people("task_given") == [("phuong", "H99.12"), ("so", "H99.14")]
    progress.look(province, task.pk, at=at("2026-03-17T07:00"))
    telling.run(province, now=at("2026-03-17T08:00"))  # the day on which it is due
    told = words.told(Notice.objects.get(person="so", kind="morning"))
    assert "Nhiệm vụ “Không còn hồ sơ chưa đồng bộ” đến hạn hôm nay: còn 1" in [text for text, _ in told["items"]]
    rungs = {}
    for day in (18, 20, 24):
        now = at(f"2026-03-{day}T06:00")
        progress.look(province, task.pk, at=now)
        telling.run(province, now=now)
        rungs[day] = [name for name, _ in _people("task_late")]
    assert rungs == {18: ["phuong"], 20: ["phuong", "thanh-tra"], 24: ["chu-tich", "phuong", "thanh-tra"]}
    assert words.told(Notice.objects.get(person="thanh-tra", kind="task_late"))["text"] == (
        "Không còn hồ sơ chưa đồng bộ, hạn 17/03/2026, quá 3 ngày làm việc"
    )


def test_a_silent_watcher_is_an_alert_to_the_operator_until_it_is_over(province: Path) -> None:
    job = Job.objects.create(name="seal", every_s=60, heartbeat_at=at("2026-03-16T06:00"))
    alerts.evaluate(now=NOW)
    telling.run(province, now=NOW)
    (notice,) = Notice.objects.filter(kind="alert")
    assert (notice.person, notice.over_at) == ("van-hanh", None)
    assert "Việc nền “seal” chưa chạy lại" in words.told(notice)["text"]
    job.heartbeat_at = at("2026-03-16T09:05")
    job.save()
    alerts.evaluate(now=at("2026-03-16T09:06"))
    telling.run(province, now=at("2026-03-16T09:06"))
    notice.refresh_from_db()
    assert notice.over_at == at("2026-03-16T09:06")


# ---- letters and hooks -----------------------------------------------------------------------------------------------


def test_letters_go_out_in_vietnamese_without_any_name_of_an_applicant(province: Path, box: Letterbox) -> None:
    telling.run(province, now=NOW)
    assert sending.run(outbox.letter, now=at("2026-03-16T05:00")) == 0, "quiet"
    assert sending.run(outbox.letter, now=NOW) == 4
    assert sending.run(outbox.letter, now=NOW) == 0, "sent once"
    by = {str(letter["To"]): letter for letter in box.letters}
    letter = by["xa@mau.example.vn"]
    assert str(letter["Subject"]).strip() == "[motcua] Việc hôm nay của đơn vị: Xã Ẩn Độ Cũ (2)"
    text = letter.get_content()
    assert "1. Hồ sơ đang quá hạn thực tế: 2" in text and "https://motcua.example.vn/ho-so?measure=open" in text
    everything = "".join(one.get_content() + str(one["Subject"]) for one in box.letters)
    assert "Thử" not in everything and not re.search(r"H99\.\d\d-\d{6}", everything), "no applicant, no dossier"


def test_a_letter_that_fails_is_tried_again_and_at_last_shown(province: Path, box: Letterbox) -> None:
    telling.tell(
        "phuong", Kind.TASK_GIVEN, "task:1", agency="", body={"task": 1, "title": "x", "due_on": "2026-03-20"}, now=NOW
    )
    box.refuses = "phuong@"
    now = NOW
    for _ in range(5):
        sending.run(outbox.letter, now=now)
        one = Sending.objects.get()
        assert one.state == "waiting" and "550" in one.error and one.next_at > now
        assert sending.run(outbox.letter, now=now) == 0
        now = max(one.next_at, at("2026-03-17T08:00") if timetable.is_quiet(one.next_at) else one.next_at)
    sending.run(outbox.letter, now=now)
    assert Sending.objects.get().state == "failed"
    box.refuses = "nobody@"
    assert sending.try_again(at=now) == 1
    assert sending.run(outbox.letter, now=now) == 1 and len(box.letters) == 1


def test_without_a_mail_server_letters_wait_and_nothing_is_lost(province: Path, settings: Any) -> None:
    settings.MAIL_FROM = ""
    telling.run(province, now=NOW)
    assert sending.run(outbox.letter, now=NOW) == 0
    assert Sending.objects.filter(state="waiting", attempts=0).count() == 4


def test_a_mail_server_that_is_away_is_asked_once_and_every_letter_is_tried_again(
    province: Path, box: Letterbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling.run(province, now=NOW)
    asked: list[str] = []
    monkeypatch.setattr("socket.create_connection", lambda *a, **k: asked.append("x") or _refuse())
    assert sending.run(outbox.letter, now=NOW) == 0 and len(asked) == 1
    assert Sending.objects.filter(state="waiting", attempts=1, error__contains="away").count() == 4


def _refuse() -> None:
    raise ConnectionRefusedError("away")


def test_a_hook_gets_each_thing_once_signed_and_again_after_a_failure(province: Path) -> None:
    came: list[tuple[dict[str, Any], str, bytes]] = []
    answers = ["500 broken", "200 OK"]

    def receiver(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        came.append((json.loads(body), environ["HTTP_MOTCUA_SIGNATURE"], body))
        start(answers.pop(0) if answers else "200 OK", [("Content-Length", "0")])
        return [b""]

    with served(receiver) as address:
        hook = sending.add_hook(f"{address}/nhan", ["task_given"], by="van-hanh", at=NOW)
        body = {"task": 1, "title": "x", "due_on": "2026-03-20"}
        for person in ("phuong", "so"):
            telling.tell(person, Kind.TASK_GIVEN, "task:1", agency="", body=body, now=NOW)
        telling.tell("phuong", Kind.TASK_LATE, "line:1", agency="", body=body, now=NOW)
        assert Sending.objects.filter(channel="hook").count() == 1, "one message a thing, of the kinds asked for"
        assert sending.run(outbox.letter, now=NOW) == 0
        assert sending.run(outbox.letter, now=NOW + timedelta(minutes=1)) == 1
    message, header, raw = came[1]
    stamp, digest = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", header).groups()  # type: ignore[union-attr]
    wanted = hmac.new(hook.secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(digest, wanted)
    assert (message["kind"], message["key"], message["body"]["task"]) == ("task_given", "task:1", 1)
    sending.switch_hook(hook.pk, False, by="van-hanh", at=NOW)
    telling.tell("phuong", Kind.TASK_GIVEN, "task:2", agency="", body=body, now=NOW)
    assert not Sending.objects.filter(channel="hook", state="waiting").exists()
    for wrong in ("ftp://x", "https://", "nonsense"):
        with pytest.raises(Unreadable, match="url"):
            sending.add_hook(wrong, [], by="x", at=NOW)


# ---- what people do with them ----------------------------------------------------------------------------------------


def _told(person: str, key: str = "task:1", kind: str = Kind.TASK_GIVEN) -> Notice:
    body = {"task": 1, "title": "Việc", "due_on": "2026-03-20"}
    telling.tell(person, kind, key, agency="H99.12", body=body, now=NOW)
    return Notice.objects.get(person=person, kind=kind, key=key)


def test_acknowledging_is_by_name_and_for_ones_own_alone(province: Path) -> None:
    notice = _told("phuong")
    assert reading.unread("phuong") == 1
    with pytest.raises(Unreadable):
        reading.acknowledge(notice.pk, by="xa", at=NOW)
    for who in ("phuong", "phuong"):
        reading.acknowledge(notice.pk, by=who, at=NOW)
    assert reading.unread("phuong") == 0
    _told("phuong", "task:2")
    assert reading.acknowledge_all(by="phuong", at=NOW) == 1


def test_what_is_muted_is_kept_on_the_page_and_not_sent_until_its_day(province: Path) -> None:
    with pytest.raises(Unreadable, match="note"):
        reading.mute("task_given", "", reason=" ", until=date(2026, 3, 20), by="phuong", at=NOW)
    with pytest.raises(Unreadable, match="days"):
        reading.mute("task_given", "", reason="x", until=date(2027, 3, 20), by="phuong", at=NOW)
    mute = reading.mute("task_given", "", reason="đi học", until=date(2026, 3, 16), by="phuong", at=NOW)
    assert _told("phuong").muted and not Sending.objects.exists()
    telling.tell("phuong", Kind.TASK_GIVEN, "task:9", agency="", body={"task": 9, "title": "x", "due_on": "2026-03-20"},
                 now=at("2026-03-17T09:00"))  # fmt: skip
    assert Sending.objects.count() == 1, "the day after, it is sent again"
    reading.lift(mute_id=mute.pk, by="phuong", at=NOW)
    assert not _told("phuong", "task:3").muted


def test_a_colleague_reads_instead_and_gets_the_letter(province: Path, box: Letterbox) -> None:
    assert set(reading.colleagues("phuong", on=date(2026, 3, 16))) == {"can-bo"}
    assert reading.colleagues("van-hanh", on=date(2026, 3, 16)) == {}, "an operator hands nothing to the chairman"
    one = _told("phuong")
    with pytest.raises(Unreadable, match="to"):
        reading.hand_over(one.pk, to="xa", note="x", by="phuong", at=NOW)
    reading.hand_over(one.pk, to="can-bo", note="anh làm giúp", by="phuong", at=NOW)
    assert [n.pk for n in reading.of("can-bo")] == [one.pk] and not reading.of("phuong").exists()
    reading.hand_over_days(to="can-bo", first_on=date(2026, 3, 16), last_on=date(2026, 3, 18), reason="nghỉ phép",
                           by="phuong", at=NOW)  # fmt: skip
    two = _told("phuong", "task:2")
    assert two.handed_to == "can-bo"
    sending.run(outbox.letter, now=NOW)
    assert str(box.letters[-1]["To"]) == "can-bo@mau.example.vn"
    reading.lift(handover=True, by="phuong", at=NOW)
    assert _told("phuong", "task:3").handed_to == ""


# ---- the page --------------------------------------------------------------------------------------------------------


def _text(reply: Any) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", reply.content.decode()).split()))


def test_one_page_holds_notices_alerts_and_watchers(client: Client, province: Path) -> None:
    Job.objects.create(name="seal", every_s=60, heartbeat_at=at("2026-03-16T06:00"))
    Job.objects.create(name="overdue", every_s=300, heartbeat_at=at("2026-03-16T08:58"), count=0)
    Job.objects.create(name="directives", every_s=900)
    alerts.evaluate(now=NOW)
    telling.run(province, now=NOW)
    client.login(username="van-hanh", password=ward.PASSWORD)
    text = _text(client.get("/thong-bao"))
    for part in ("Việc nền “seal” chưa chạy lại", "Niêm phong nhật ký im lặng 3 giờ",
                 "Quét quá hạn 2 phút trước, đếm được 0",
                 "Tiến độ nhiệm vụ chưa chạy lần nào: chưa dùng được con số 0"):  # fmt: skip
        assert part in text, part
    alert = alerts.listed()[0]["alert"]
    assert "Đã ghi nhận; cảnh báo còn ở đây" in _text(
        client.post("/thong-bao/viec", {"act": "alert", "alert": alert}, follow=True)
    )
    client.login(username="xa", password=ward.PASSWORD)
    text = _text(client.get("/thong-bao"))
    assert "Hồ sơ đang quá hạn thực tế: 2" in text and "Việc nền" not in text
    notice = Notice.objects.get(person="xa")
    assert client.post("/thong-bao/viec", {"act": "alert", "alert": alert}).status_code == 400
    assert "nêu lý do" in _text(
        client.post("/thong-bao/viec", {"act": "mute", "kind": "morning", "until": "2026-03-20"}, follow=True)
    )
    client.post("/thong-bao/viec", {"act": "acknowledge", "notice": notice.pk})
    assert "đã ghi nhận hết" in _text(client.get("/thong-bao"))
    gone = client.post("/thong-bao/viec", {"act": "acknowledge", "notice": notice.pk + 999}, follow=True)
    assert "không còn ở trang của anh/chị" in _text(gone)
    away = client.get("/thong-bao/noi-nhan")
    assert away.status_code == 403 and "Trang này không thuộc phạm vi của anh/chị" in _text(away)


def test_the_operator_adds_a_hook_and_sees_its_secret_once(client: Client, province: Path) -> None:
    client.login(username="van-hanh", password=ward.PASSWORD)
    page = client.post("/thong-bao/noi-nhan", {"act": "add", "url": "https://zalo.example.vn/nhan", "kind": ["week"]})
    hook = Hook.objects.get()
    assert hook.secret in page.content.decode() and hook.kinds == ["week"]
    assert hook.secret not in client.get("/thong-bao/noi-nhan").content.decode()
    client.post("/thong-bao/noi-nhan", {"act": "off", "hook": hook.pk})
    hook.refresh_from_db()
    assert not hook.on
    assert "địa chỉ có dạng" in _text(client.post("/thong-bao/noi-nhan", {"act": "add", "url": "x"}, follow=True))


def test_a_digest_asks_as_many_figures_for_one_head_as_for_a_hundred(
    province: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motcua.oversight import figures

    asked: list[str] = []
    for name in ("rates", "counts", "bridge"):
        real = getattr(figures, name)
        monkeypatch.setattr(
            figures, name, lambda *a, _real=real, _name=name, **k: asked.append(_name) or _real(*a, **k)
        )
    telling.run(province, now=at("2026-03-17T09:00"))
    assert len(asked) == 1 + 6
