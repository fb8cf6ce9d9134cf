"""Findings' pages without a browser: what each count opens, who sees what, many at once, Excel there and back."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.findings.small import CLICKED_LATE, province

from motcua.accounts.models import Post, User
from motcua.directives.models import Directive, Part
from motcua.findings import day, modes, record, requests, update
from motcua.findings.models import Act, CheckMode, Finding, Request, SavedFilter
from motcua.inspection.life import Person
from motcua.inspection.signs import Sign
from motcua.ledger.models import Change
from motcua.oversight import scan, set_apart
from motcua.oversight.models import CheckValue
from motcua.rules.instants import iso
from motcua.warning.models import Scan, Warned

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
MAI = Person(name="thanhtra", role="inspector")
PEOPLE = (
    ("thanhtra", "inspector", ""), ("daumoi", "focal_point", "H99.12"), ("canbo", "officer", "H99.12"),
    ("chutich", "unit_head", "H99.12"), ("khac", "focal_point", "H99.13"), ("vanhanh", "operator", ""),
)  # fmt: skip


@pytest.fixture
def as_(home: Path, tmp_path: Path) -> Any:
    """The small province with its findings; a client for whoever is named."""
    province(home, tmp_path, more=6)
    update.run(home, at=timezone.now())
    for name, role, agency in PEOPLE:
        Post.objects.create(user=User.objects.create_user(name, password="demo-motcua"), role=role, agency=agency)

    def client(name: str) -> Client:
        one = Client()
        one.force_login(User.objects.get(username=name))
        return one

    return client


def _text(client: Client, address: str) -> str:
    reply = client.get(address)
    assert reply.status_code == 200, (address, reply.status_code)
    return _shown(reply)


def _shown(reply: Any) -> str:
    """The page without the whitespace that shows nowhere."""
    return re.sub(r">\s+<", "><", " ".join(unescape(reply.content.decode()).split()))


def _total(text: str) -> int:
    found = re.search(r'id="total">([\d.]+)', text)
    assert found
    return int(found[1].replace(".", ""))


def _sent() -> Request:
    numbers = list(Finding.objects.filter(agency="H99.12").values_list("pk", flat=True))
    return requests.send(numbers, by=MAI, at=timezone.now()).requests[0]


def test_every_count_of_the_list_opens_exactly_so_many(as_: Any) -> None:
    inspector = as_("thanhtra")
    _sent()
    text = _text(inspector, "/phat-hien")
    assert _total(text) == Finding.objects.count()
    links = re.findall(r'<li><a href="([^"]+)"[^>]*>[^<]+</a><span>([\d.]+)</span>', text)
    links += [(href, count) for href, count in re.findall(r'<td class="n"[^>]*><a href="([^"]+)">([\d.]+)</a>', text)]
    links += re.findall(r'<a class="f-[a-z_]+" href="([^"]+)">[^<]*? ([\d.]+)</a>', text)
    assert len(links) > 15
    for href, count in links:
        listed = _text(inspector, href)
        assert _total(listed) == int(count.replace(".", "")), href
    mine = _text(inspector, "/viec-cua-toi")
    tiles = re.findall(r'<a class="count-tile[^"]*" href="([^"]+)"[^>]*><strong>([\d.]+)', mine)
    assert len(tiles) == 6
    for href, count in tiles:
        assert _total(_text(inspector, href)) == int(count.replace(".", "")), href
    agency = _text(inspector, "/don-vi/H99.12")
    for href, count in re.findall(r'<a class="count-tile[^"]*" href="([^"]+)"[^>]*><strong>([\d.]+)', agency):
        assert _total(_text(inspector, href)) == int(count.replace(".", "")), href
    lies = re.findall(r'<a href="([^"]+held=[^"]+)">.*?</a>\s*<small>[^<]*?([\d.]+) hồ sơ', agency, re.S)
    assert lies, "where the time lies"
    for href, count in lies:
        assert _total(_text(inspector, href)) == int(count.replace(".", "")), href
    assert inspector.get("/ho-so?held=nobody").status_code == 400
    assert "nhiệm vụ quá hạn" not in agency
    yesterday = timezone.now().date() - timedelta(days=4)
    for title, state in (("Xong đồng bộ", "open"), ("Đã xong", "done")):
        given = Directive.objects.create(
            title=title, metric="open_overdue", target=0, due_on=yesterday, first_due_on=yesterday, given_by="lanhdao",
            given_at=timezone.now(), state=state,
        )  # fmt: skip
        Part.objects.create(directive=given, agency="H99.12")
    agency = _text(inspector, "/don-vi/H99.12")
    assert re.search(r'href="#tasks"><strong>1</strong>', agency)
    assert "Xong đồng bộ" in agency and "Đã xong</a>" not in agency


def test_a_unit_sees_what_was_asked_of_it_and_a_neighbour_nothing(as_: Any) -> None:
    request = _sent()
    mine = Finding.objects.filter(request=request).first()
    assert mine is not None
    own, other, operator = as_("daumoi"), as_("khac"), as_("vanhanh")
    assert CLICKED_LATE in _text(own, f"/yeu-cau/{request.pk}")
    assert own.get("/phat-hien").status_code == 403 and own.get("/viec-cua-toi").status_code == 403
    assert "Chưa chọn" not in _text(own, f"/phat-hien/{mine.pk}")
    for stranger in (other, operator):
        for address in (f"/yeu-cau/{request.pk}", f"/phat-hien/{mine.pk}", f"/yeu-cau/{request.pk}.xlsx"):
            assert stranger.get(address).status_code == 404, address
        assert CLICKED_LATE not in _text(stranger, "/yeu-cau")
        before = Act.objects.count()
        assert stranger.post(f"/phat-hien/{mine.pk}", {"act": "drafted", "reason": "system"}).status_code == 404
        reply = stranger.post("/phat-hien/viec", {"act": "recalled", "chosen": mine.pk, "note": "x", "sure": "1"})
        assert reply.status_code == 302 and Act.objects.count() == before
    assert other.get("/don-vi/H99.12").status_code == 403
    unsent = Finding.objects.filter(agency="H99.13").first()
    assert unsent and other.get(f"/phat-hien/{unsent.pk}").status_code == 404, "not asked yet"


def test_many_are_sent_at_once_after_saying_how_many_and_can_be_taken_back(as_: Any) -> None:
    inspector = as_("thanhtra")
    form = {"act": "sent", "group": ["late_entry|H99.12|C"], "query": "state=open", "back": "/phat-hien"}
    asked = _shown(inspector.post("/phat-hien/viec", form))
    assert "Gửi yêu cầu giải trình: 7 phát hiện, 7 hồ sơ, 1 đơn vị" in asked
    assert not Request.objects.exists(), "nothing is done before it was said"
    done = inspector.post("/phat-hien/viec", {**form, "sure": "7", "days": "5"}, follow=True)
    assert "Gửi yêu cầu giải trình: 7 phát hiện." in done.content.decode()
    assert Finding.objects.filter(state="sent").count() == 7
    changed = inspector.post("/phat-hien/viec", {**form, "sure": "6", "days": "5"}, follow=True)
    assert "Không phát hiện nào" in changed.content.decode()
    undo = re.findall(
        r'name="chosen" value="(\d+)"', done.content.decode().split('class="undo"')[1].split("</form>")[0]
    )
    back = inspector.post("/phat-hien/viec", {"act": "recalled", "chosen": undo, "sure": "7", "note": "gửi nhầm"})
    assert back.status_code == 302
    assert Finding.objects.filter(state="sent").count() == 0
    assert record.verify()["ok"]


def test_a_form_that_leads_elsewhere_or_makes_no_sense_does_nothing(as_: Any) -> None:
    inspector = as_("thanhtra")
    reply = inspector.post("/phat-hien/viec", {"act": "sent", "back": "https://example.org/"})
    assert reply["Location"] == "/phat-hien"
    for form in ({"act": "opened"}, {"act": "closed_by_data"}, {}):
        assert inspector.post("/phat-hien/viec", form).status_code == 400
        assert inspector.post(f"/phat-hien/{Finding.objects.first().pk}", form).status_code == 400  # type: ignore[union-attr]
    for address in ("/phat-hien?state=x", "/phat-hien?severity=Z", "/phat-hien?request=a"):
        assert inspector.get(address).status_code == 400
    assert "Không phát hiện nào khớp" in _text(inspector, "/phat-hien?check=no_such_check")


def _filled(content: bytes, answers: dict[int, dict[str, Any]]) -> bytes:
    """The downloaded workbook with answers written in, as a person would."""
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    head = next(n for n, row in enumerate(rows) if "finding" in row)
    columns = {key: n for n, key in enumerate(rows[head]) if key}
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    for n, row in enumerate(rows):
        for m, cell in enumerate(row):
            if n > head and row[columns["finding"]] in answers:
                key = next((k for k, c in columns.items() if c == m), "")
                cell = answers[int(row[columns["finding"]])].get(key, cell)
            sheet.write(n, m, cell)
    book.close()
    return stream.getvalue()


def test_answers_come_back_by_excel_are_previewed_refused_row_by_row_and_may_come_twice(as_: Any) -> None:
    request = _sent()
    officer = as_("canbo")
    address = f"/yeu-cau/{request.pk}"
    assert 'class="bulk-bar"' not in officer.get(address).content.decode(), "no bar without an act"
    assert 'class="bulk-bar"' in as_("daumoi").get(address).content.decode()
    content = b"".join(officer.get(f"{address}.xlsx").streaming_content)
    numbers = sorted(Finding.objects.filter(request=request).values_list("pk", flat=True))
    good = {"reason": "Thừa nhận", "text": "Bấm kết thúc muộn do quên.", "remedy": "Nhắc bấm trong ngày"}
    answers: dict[int, dict[str, Any]] = {n: dict(good) for n in numbers[:4]}
    answers[numbers[4]] = {"reason": "tại trời", "text": "..."}
    answers[numbers[5]] = {"reason": "có chứng cứ khác", "text": "Đã ký trước hạn.", "number": "12/GP", "dated_on":
                           "32/13/2026"}  # fmt: skip
    answers[numbers[6]] = {"finding": 999_999, **good}
    filled = _filled(content, answers)
    file = io.BytesIO(filled)
    file.name = "tra-loi.xlsx"
    text = unescape(officer.post(f"{address}/excel", {"file": file}).content.decode())
    assert "cách trả lời không có trong danh sách" in text and "ngày văn bản không phải là ngày" in text
    assert "không có phát hiện này trong đơn vị" in text
    assert not Finding.objects.filter(state="drafting").exists(), "a preview keeps nothing"
    kept = re.search(r'name="kept" value="([^"]+)"', text)
    assert kept
    back = officer.post(f"{address}/excel", {"kept": kept[1], "refused": "1"})
    listed = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(back.streaming_content))).get_sheet_by_index(0)
    assert sum("danh sách" in str(row) or "không phải là ngày" in str(row) or "phát hiện này" in str(row)
               for row in listed.to_python()) == 3  # fmt: skip
    officer.post(f"{address}/excel", {"kept": kept[1], "sure": "4"})
    assert Finding.objects.filter(state="drafting", answer__reason="admitted").count() == 4
    acts = Act.objects.count()
    again = io.BytesIO(filled)
    again.name = "tra-loi.xlsx"
    text = unescape(officer.post(f"{address}/excel", {"file": again}).content.decode())
    assert "<b>4</b> không đổi" in text and "<b>0</b> sẽ ghi" in text
    assert Act.objects.count() == acts
    # The officer submits, the head sends all at once.
    officer.post("/phat-hien/viec", {"act": "submitted", "query": f"request={request.pk}", "all": "1", "sure": "4"})
    assert Finding.objects.filter(state="to_approve").count() == 4
    head = as_("chutich")
    head.post("/phat-hien/viec", {"act": "answered", "query": f"request={request.pk}", "all": "1", "sure": "4"})
    assert Finding.objects.filter(state="answered").count() == 4
    assert record.verify()["ok"]


def test_a_file_that_is_no_answer_sheet_is_told(as_: Any) -> None:
    request = _sent()
    officer = as_("canbo")
    for content, why in ((b"%PDF-1.7 x", "Không đọc được tệp Excel"), (b"MZ", "Chỉ nhận PDF")):
        file = io.BytesIO(content)
        file.name = "x.xlsx"
        reply = officer.post(f"/yeu-cau/{request.pk}/excel", {"file": file}, follow=True)
        assert why in unescape(reply.content.decode())
    assert officer.post(f"/yeu-cau/{request.pk}/excel", {"kept": "forged:x"}).status_code == 400


def test_a_check_that_is_often_overturned_moves_to_watch_and_alerts_nobody(as_: Any) -> None:
    inspector = as_("thanhtra")
    numbers = list(Finding.objects.filter(check_code="late_entry").values_list("pk", flat=True))
    assert len(numbers) == 8
    modes.change_rule(on=True, least=5, below_percent=70, by="test", at=timezone.now())
    said = {"outcome": "overturned", "note": "chứng cứ của hồ sơ khác"}
    record.act_on_all(numbers[:6], "concluded", by=MAI, at=timezone.now(), body=said)
    assert "Chậm thao tác" in _text(inspector, "/viec-cua-toi")
    assert modes.follow(at=timezone.now()) == ["late_entry"]
    assert CheckMode.objects.get().mode == "watch"
    assert Change.objects.filter(table="findings_check_mode", key="late_entry").count() == 1
    assert "Chậm thao tác" not in _text(inspector, "/viec-cua-toi").split("Nên xem trước")[1]
    library = _text(inspector, "/thu-vien-kiem-tra?q=cham thao tac")
    assert "chỉ theo dõi" in library and "<b>0%</b>" in library and "6 bị bác" in library
    lacking = re.findall(r"<small>thiếu: ([^<]*)", _text(inspector, "/thu-vien-kiem-tra"))
    assert len(lacking) > 5 and not any(re.search(r"\b[a-z]+_[a-z]+\b|payments", words) for words in lacking), lacking
    inspector.post("/thu-vien-kiem-tra", {"check": "late_entry", "mode": "active", "note": "đã sửa dữ liệu"})
    assert modes.follow(at=timezone.now()) == [], "what a person chose stays"
    assert CheckMode.objects.get().mode == "active"
    assert (
        as_("daumoi").post("/thu-vien-kiem-tra", {"check": "late_entry", "mode": "watch", "note": "x"}).status_code
        == 400
    )


def test_a_day_has_its_budget_and_the_rest_is_one_click_away(as_: Any) -> None:
    inspector = as_("thanhtra")
    waiting = Finding.objects.filter(state="new").count()
    text = _text(inspector, "/viec-cua-toi")
    assert len(re.findall(r"<tr>", text.split("<tbody>")[1].split("</tbody>")[0])) == min(waiting, 10)
    assert f"Xem cả {waiting}" in text
    assert len(re.findall(r"<tr>", _text(inspector, "/viec-cua-toi?xem=ca").split("<tbody>")[1])) == waiting
    numbers = list(Finding.objects.order_by("-rank", "pk").values_list("pk", flat=True)[:9])
    by = Person(name="thanhtra", role="inspector")
    said = {"outcome": "excused", "note": "do hệ thống"}
    record.act_on_all(numbers, "concluded", by=by, at=timezone.now(), body=said)
    left = _text(inspector, "/viec-cua-toi")
    assert "Nên xem trước 1" in left and "hôm nay đã quyết định 9" in left


def test_not_scanned_is_not_zero(client: Client, home: Path) -> None:
    Post.objects.create(user=User.objects.create_user("mai", password="x"), role="inspector")
    client.force_login(User.objects.get(username="mai"))
    for address in ("/phat-hien", "/viec-cua-toi"):
        assert "Chưa quét lần nào" in _text(client, address)


def test_lists_ask_the_database_a_fixed_number_of_times(as_: Any, django_assert_max_num_queries: Any) -> None:
    inspector = as_("thanhtra")
    request = _sent()
    for address, most in (("/phat-hien", 42), ("/phat-hien?xem=tung", 42), (f"/yeu-cau/{request.pk}", 40)):
        with django_assert_max_num_queries(most):
            inspector.get(address)


def test_a_parameter_is_the_provinces_by_a_reason_and_a_second_look_and_says_where_it_is_looser_than_the_law(
    as_: Any,
) -> None:
    inspector, address = as_("thanhtra"), "/thu-vien-kiem-tra/asked_late"
    assert "theo quy định: Nghị định 118/2025" in _text(inspector, address)
    asked = {"name": "workdays", "value": "5", "note": "Luật chuyên ngành"}
    assert "Nới hơn quy định: pháp luật đặt 3" in unescape(inspector.post(address, asked).content.decode())
    inspector.post(address, {**asked, "sure": "1"})
    assert not CheckValue.objects.exists(), "looser than the law only with a tick of its own"
    assert as_("daumoi").post(address, {**asked, "sure": "1", "looser": "1"}).status_code == 400
    for wrong in ({**asked, "value": "nhiều"}, {**asked, "note": ""}, {**asked, "since": "mai"}):
        assert inspector.post(address, wrong).status_code == 400
    assert inspector.post(address, {**asked, "sure": "1", "looser": "1"}).status_code == 302
    assert Change.objects.get(table="oversight_check_value").actor == "thanhtra"
    for page in (address, "/thu-vien-kiem-tra"):
        assert "Nới hơn quy định" in _text(inspector, page) and "của tỉnh" in _text(inspector, page)
    assert inspector.post(address, {**asked, "value": "", "sure": "1"}).status_code == 302
    assert "bỏ giá trị của tỉnh" in _text(inspector, address)
    assert "Nới hơn quy định" not in _text(inspector, "/thu-vien-kiem-tra")


def test_a_finding_says_with_which_parameters_it_was_seen_and_by_which_it_closed(as_: Any, home: Path) -> None:
    inspector, check = as_("thanhtra"), scan.library()["entered_late"]
    sign = Sign(check="entered_late", subject=CLICKED_LATE, agency="H99.12", evidence={"entered_late": 900},
                values={"minutes": 480, "loaded_at_once": 20})  # fmt: skip
    update.settle(home, [sign], seen={"entered_late"}, library=scan.library(), at=timezone.now())
    finding = Finding.objects.get(check_code="entered_late")
    assert "phút làm việc được chậm <b>480</b>" in _text(inspector, f"/phat-hien/{finding.pk}")
    own = {check.code: {"minutes": 960}}
    update.settle(home, [], seen=own, library={}, at=timezone.now(), own=own)
    finding.refresh_from_db()
    assert finding.state == "closed" and record.history(finding.pk)[-1].body["parameters"] == {"minutes": 960}
    assert "phút làm việc được chậm: 960" in _text(inspector, f"/phat-hien/{finding.pk}")
    assert record.verify()["ok"]


def test_machines_and_outages_are_said_with_a_reason_and_can_be_taken_back(as_: Any) -> None:
    inspector, address = as_("thanhtra"), "/tai-khoan-may-su-co"
    machine = {"act": "machine", "account": "tudong", "note": "trả kết quả tự động"}
    first = {"act": "outage", "what": "software", "from": "2026-03-05T07:00", "to": "2026-03-05T15:00",
             "document": "12/BB-STTTT"}  # fmt: skip
    for wrong in ({**machine, "note": " "}, {**first, "document": ""}, {**first, "to": "2026-03-04"}, {"act": "x"}):
        assert inspector.post(address, wrong).status_code == 400
    assert as_("daumoi").post(address, machine).status_code == 400
    second = {**first, "from": "2026-03-05T14:00", "to": "2026-03-06T09:00", "agency": "H99.12"}
    for told in (machine, first, second):
        assert inspector.post(address, told).status_code == 302
    text = _text(as_("daumoi"), address)
    assert "tudong" in text and "12/BB-STTTT" in text and "Bỏ" not in text
    spans = {(agency, iso(end)) for agency, _, _, end, _ in set_apart.spans()}
    assert spans == {("H99.12", "2026-03-06T09:00:00+07:00"), ("H99.13", "2026-03-05T15:00:00+07:00")}
    inspector.post(address, {"act": "no_machine", "account": "tudong"})
    for row in set_apart.outages():
        inspector.post(address, {"act": "no_outage", "outage": row.pk})
    assert not set_apart.machines() and not set_apart.outages()
    assert Change.objects.filter(table="oversight_outage").count() == 4
    assert inspector.post(address, {"act": "no_outage", "outage": "1"}).status_code == 400


def test_conditions_are_kept_under_a_name_for_oneself_or_ones_unit(as_: Any) -> None:
    mai, binh = as_("thanhtra"), as_("vanhanh")
    Post.objects.filter(user__username="vanhanh").update(role="inspector")
    form = {"act": "save", "state": "open", "severity": "B", "agency": "H99.12", "name": " Nhóm B  phường "}
    reply = mai.post("/phat-hien/bo-loc", form)
    assert reply["Location"] == "/phat-hien?state=open&agency=H99.12&severity=B"
    row = SavedFilter.objects.get()
    assert (row.name, row.unit) == ("Nhóm B phường", None)
    here = _text(mai, reply["Location"])
    assert "Nhóm B phường" in here and "Chia sẻ với đơn vị" in here
    assert "Nhóm B phường" not in _text(binh, "/phat-hien"), "private"
    for act, seen in (("share", True), ("unshare", False)):
        mai.post("/phat-hien/bo-loc", {"act": act, "filter": row.pk})
        assert ("Nhóm B phường" in _text(binh, "/phat-hien")) is seen, act
    binh.post("/phat-hien/bo-loc", {"act": "share", "filter": row.pk})
    binh.post("/phat-hien/bo-loc", {"act": "forget", "filter": row.pk})
    assert SavedFilter.objects.get().unit is None, "nobody else's hand"
    assert "đặt tên bộ lọc" in mai.post("/phat-hien/bo-loc", {**form, "name": " "}, follow=True).content.decode()
    assert as_("daumoi").post("/phat-hien/bo-loc", form).status_code == 403
    mai.post("/phat-hien/bo-loc", {"act": "forget", "filter": row.pk})
    assert not SavedFilter.objects.exists()


def test_what_can_still_be_saved_comes_first_in_the_day(as_: Any) -> None:
    """A small sign of a dossier that early warning holds for nearly late overtakes graver ones of what is past."""
    mai, now = as_("thanhtra"), timezone.now()
    day.change_budget(2, by="quantri", at=now)
    last = Finding.objects.filter(state="new", kind="dossier").order_by("rank", "-pk").first()
    assert last is not None
    assert last.pk not in [one.pk for one in day.first(Finding.objects.all(), "thanhtra", now=now)]
    until = now + timedelta(hours=5)
    looked = Scan.objects.create(at=now, done=True)
    warned = Warned(
        scan=looked, dossier=last.subject, procedure="1", agency=last.agency, at=now, due_at=until, state="Thụ lý",
        left=60, in_state=10, quick=30, usual=9_000, helped_until=until, share=0.9,
    )  # fmt: skip
    warned.save()
    Finding.objects.filter(pk=last.pk).update(confidence=1.0)
    assert day.first(Finding.objects.all(), "thanhtra", now=now)[0].subject == last.subject
    page = _text(mai, "/viec-cua-toi")
    assert "còn cứu được đến" in page and "ước bớt trễ 16 ngày 6 giờ" in page, "0.9 of 9,000 - 60 working minutes"
    Scan.objects.create(at=now, done=True)  # a newer look no longer warns of it
    assert last.pk not in [one.pk for one in day.first(Finding.objects.all(), "thanhtra", now=now)]
