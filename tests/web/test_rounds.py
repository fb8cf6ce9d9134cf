"""Walk 8 in a real browser: a round from its plan to its closed request; axe, a phone, the keyboard, two persons."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from tests.browsers import chromium, complaints_of, known_as, page_of, press, violations, width_needed
from tests.rounds.planned import WARDS, drawn, explained, people, planned, province, something_happens
from tests.rounds.test_procedure import _resend as resend

from motcua.accounts.models import User
from motcua.findings import files
from motcua.findings.models import Attachment, Finding
from motcua.rounds import explanations, freezing, remedies
from motcua.rounds.models import Item, Look, Remedy, Round
from motcua.rules.instants import VIET_NAM

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
LATE = f"{WARDS[0]}-260302-0001"


@pytest.fixture
def house(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A province; what a process of its own would freeze is frozen at once."""
    province(home, tmp_path)
    people()
    monkeypatch.setattr("motcua.web.rounds.pages.wake", lambda: freezing.work(home, clock=timezone.now))
    return home


@pytest.fixture
def browser(live_server: Any, house: Path) -> Iterator[Any]:
    """Opens a page of the system's chromium, signed in as somebody."""
    with chromium() as opened:

        def signed_in(name: str) -> Any:
            client = Client()
            client.force_login(User.objects.get(username=name))
            return known_as(page_of(opened, live_server.url), client, live_server.url)

        yield signed_in


def _press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def _done(page: Any, text: str) -> None:
    said = page.locator(".said").inner_text()
    assert text in said, said


def _accessible(page: Any) -> None:
    assert not (found := violations(page)), (page.url, found)
    page.set_viewport_size({"width": 360, "height": 740})
    assert width_needed(page) <= 360, page.url
    page.set_viewport_size({"width": 1366, "height": 768})


def test_a_round_from_plan_to_closed_request(browser: Any, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lead, member, third, ward = (browser(name) for name in ("truongdoan", "thanhvien", "nguoithu3", "phuong12"))
    complaints = [complaints_of(page) for page in (lead, member, third, ward)]
    # the plan
    lead.goto("/dot-kiem-tra")
    assert "Chưa có đợt kiểm tra nào" in lead.locator(".empty").inner_text()
    lead.get_by_role("link", name="Lập đợt kiểm tra").click()
    _accessible(lead)
    lead.fill("[name=title]", "Kiểm tra từ xa quý I")
    lead.select_option("[name=period]", "2026")
    lead.fill("[name=size]", "30")
    lead.locator("summary", has_text="Thu hẹp").click()
    for check in ("late_entry", "update_not_sent"):
        lead.check(f"[name=checks][value={check}]")
    lead.select_option("[name=lead]", "truongdoan")
    _press(lead, "Lập đợt kiểm tra")
    assert "Đoàn kiểm tra: một trưởng đoàn" in lead.locator(".error").inner_text()
    assert lead.input_value("[name=title]") == "Kiểm tra từ xa quý I", "what was typed is kept"
    lead.check("[name=members][value=thanhvien]")
    lead.check("[name=members][value=nguoithu3]")
    _press(lead, "Lập đợt kiểm tra")
    lead.locator(".steps").wait_for()
    round_ = Round.objects.get()
    address = f"/dot-kiem-tra/{round_.pk}"
    lead.fill("[name=number]", "12/QĐ-UBND")
    lead.fill("[name=on]", "2026-03-30")
    _press(lead, "Ghi số, ngày quyết định")
    _accessible(lead)
    # frozen, sealed by two, drawn
    _press(lead, "Chốt số liệu 30 hồ sơ")
    _done(lead, "Đang chốt số liệu hai phía")
    lead.locator("#heads-title").wait_for()
    member.goto(address)
    member.fill("[name=nonce]", "mưa bóng mây")
    _press(member, "Gửi cam kết")
    salt = member.locator("#salt").inner_text()
    _accessible(member)
    lead.goto(address)
    soon = timezone.now() + timedelta(minutes=10)
    lead.fill("[name=after]", f"{soon.astimezone(VIET_NAM):%Y-%m-%dT%H:%M:%S}")
    _press(lead, "Niêm phong kế hoạch")
    _done(lead, "Đã niêm phong")
    by_the_wall = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: by_the_wall() + timedelta(minutes=11))
    with transaction.atomic():
        something_happens(when=timezone.now())
    member.goto(address)
    member.fill("[name=nonce]", "mưa bóng mây")
    member.fill("[name=salt]", salt)
    _press(member, "Chọn mẫu 30 hồ sơ")
    _done(member, "Đã chọn mẫu")
    # every figure of the table opens exactly its dossiers
    for n in range(member.locator("table a[href*='/mau?']").count()):
        link = member.locator("table a[href*='/mau?']").nth(n)
        text, href = link.inner_text(), link.get_attribute("href")
        if text.isdigit() and "agency=&" not in href and not href.endswith("agency="):
            member.goto(href)
            assert int("".join(filter(str.isdigit, member.locator("#total").inner_text()))) == int(text)
            member.goto(address)
    # asked and answered
    lead.goto(address)
    _press(lead, "Gửi yêu cầu giải trình 9 hồ sơ")
    _done(lead, "Đã gửi")
    ward.goto("/dot-kiem-tra")
    ward.locator("table.list th a").click()
    assert ward.locator("section.answer").count() == 3, "its own dossiers alone"
    _accessible(ward)
    box = ward.locator("section.answer", has_text=LATE)
    box.get_by_label("Không đồng ý").check()
    box.locator("[name=text]").fill("đã trả đúng hẹn, giấy hẹn ghi khác")
    _press(ward, "Gửi trả lời")
    _done(ward, LATE)
    for number, subject in Finding.objects.filter(round=round_.pk).values_list("pk", "subject"):
        explained(number, by="phuong" + subject[4:6], at=timezone.now())
    for code in (f"{WARDS[1]}-260302-0001", f"{WARDS[2]}-260302-0001"):
        Item.objects.filter(dossier=code).update(answer="admit", answered_at=timezone.now())
    # read by one with the keyboard, confirmed by another
    member.goto(address)
    press(member, "Enter")  # the focus stands on the next to be read
    member.locator(".reading").wait_for()
    _accessible(member)
    first = member.locator("h1").inner_text()
    press(member, "Space")
    member.get_by_label("Chấp nhận", exact=True).check()
    press(member, "Enter")
    member.locator(".said", has_text=first).wait_for()
    assert Item.objects.get(dossier=first).checklist == {"facts_agree": "yes"}
    member.goto(f"{address}/doc/{LATE}")
    member.get_by_label("Không chấp nhận", exact=True).check()
    _press(member, "Lưu, đọc tiếp")
    _done(member, "ghi lý do")
    member.fill("[name=note]", "không có giấy hẹn khác")
    _press(member, "Lưu, đọc tiếp")
    while member.locator(".reading button[value=decide]").count():
        member.get_by_label("Chấp nhận", exact=True).check()
        _press(member, "Lưu, đọc tiếp")
    third.goto(f"{address}/doc")
    for _ in range(30):
        third.locator("button[value=confirm]").wait_for()
        with third.expect_navigation():
            press(third, "Enter")
    assert "Không còn hồ sơ nào chờ" in third.locator(".said").last.inner_text()
    assert Item.objects.filter(confirmed_at=None).count() == 0
    # a look at personal data says why, and is listed
    third.goto(f"{address}/doc/{LATE}")
    assert "Trần Thị Thử" not in third.content()
    third.locator("summary", has_text="Cần xem").click()
    third.fill("[name=reason]", "đối chiếu chủ hồ sơ với giấy hẹn")
    _press(third, "Xem chủ hồ sơ")
    assert "Trần Thị Thử" in third.locator(".pairs").inner_text()
    assert Look.objects.get().by == "nguoithu3"
    # papers, conclusion, request, phúc tra by the data
    for kind in ("minutes", "draft"):
        reply = lead.request.get(f"{address}/van-ban/{kind}.docx")
        assert reply.ok and "Kiểm tra từ xa quý I" in _text(reply.body()), kind
        assert "Trần Thị Thử" not in _text(reply.body()) and "P1" not in _text(reply.body())
    lead.goto(address)
    lead.locator(".papers li", has_text="Kết luận kiểm tra").locator("summary").click()
    row = lead.locator(".papers li", has_text="Kết luận kiểm tra")
    row.locator("[name=number]").fill("7/KL-UBND")
    row.locator("[name=on]").fill("2026-04-20")
    row.locator("[name=signer]").fill("Lê Thị Trưởng")
    row.get_by_role("button", name="Ghi").click()
    _done(lead, "Đã ghi")
    lead.locator("form.stacked [name=agency]").select_option(WARDS[0])
    lead.fill("form.stacked [name=text]", "Gửi lại bước kết thúc")
    lead.fill("form.stacked [name=due]", f"{timezone.now() + timedelta(days=20):%Y-%m-%d}")
    lead.fill("form.stacked [name=dossiers]", f"{WARDS[0]}-260302-0002")
    _press(lead, "Ghi kiến nghị")
    _done(lead, "Đã ghi kiến nghị")
    _press(lead, "Công bố kết luận")
    _accessible(lead)
    resend(house, f"{WARDS[0]}-260302-0002", at=timezone.now())
    assert remedies.settle(home=house, now=timezone.now()) == 1
    assert Remedy.objects.get().closed_by == ""
    lead.goto(address)
    assert "dữ liệu đóng" in lead.locator("section", has_text="Kiến nghị và phúc tra").last.inner_text()
    _press(lead, "Đóng đợt kiểm tra")
    _done(lead, "Đã đóng")
    assert lead.locator(".steps li.done").count() == 10
    ward.goto(f"{address}/giai-trinh")
    assert "Gửi lại bước kết thúc" in ward.content()
    said = [text for of_one in complaints for text in of_one]
    refusals = [text for text in said if "400 (Bad Request)" not in text]  # two forms that were meant to fail
    assert not refusals, refusals


def _text(content: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode()


def test_a_round_is_open_to_its_people_alone(client: Client, house: Path) -> None:
    """A ward sees nothing of another's; an inspector outside the round reads and does nothing."""
    round_ = planned()
    freezing.freeze(round_.pk, home=house, by="truongdoan", at=timezone.now())
    address = f"/dot-kiem-tra/{round_.pk}"
    for name, status in (("phuong12", 302), ("ngoaidoan", 200), ("truongdoan", 200)):
        client.force_login(User.objects.get(username=name))
        assert client.get(address).status_code == status, name
    client.force_login(User.objects.get(username="phuong12"))
    for page in ("/mau", "/mau.json", "/ket-qua.xlsx", "/doc", "/giai-trinh", "/van-ban/plan.pdf", "/ke-hoach"):
        assert client.get(address + page).status_code == 403, page
    assert client.get("/dot-kiem-tra/moi").status_code == 403
    client.force_login(User.objects.get(username="ngoaidoan"))
    reply = client.post(address, {"act": "seal", "after": "2030-01-01T08:00"}, follow=True)
    assert "chỉ thành viên đoàn kiểm tra" in reply.content.decode()
    assert Round.objects.get(pk=round_.pk).sealed_at is None
    assert client.get("/dot-kiem-tra/999").status_code == 404
    assert client.post(address, {"act": "jump"}).status_code == 404


PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of a paper"


def test_a_document_is_seen_by_a_member_who_says_why(client: Client, house: Path) -> None:
    """Its digest stands there for all of the round; its content opens for who gave a reason, for half an hour."""
    round_ = drawn(house, size=30)
    explanations.ask(round_.pk, home=house, by="truongdoan", at=timezone.now())
    finding = Finding.objects.filter(round=round_.pk).order_by("pk").first()
    assert finding is not None
    kept = files.keep(house, PNG)
    given = {"finding": finding, "at": timezone.now(), "by": "phuong12"}
    picture = Attachment.objects.create(
        digest=kept.digest, name="giấy hẹn.png", size=kept.size, media=kept.media, **given
    )
    Attachment.objects.create(number="12/UBND", dated_on="2026-03-06", **given)
    page, file = f"/dot-kiem-tra/{round_.pk}/doc/{finding.subject}", f"/dot-kiem-tra/{round_.pk}/giay-to/{picture.pk}"
    client.force_login(User.objects.get(username="thanhvien"))
    shown = client.get(page).content.decode()
    assert kept.digest in shown and "12/UBND" in shown and "<img" not in shown
    assert client.get(file).status_code == 403, "nobody looks without a reason"
    form = {"act": "document", "file": picture.pk}
    assert client.post(page, {**form, "reason": "x"}).status_code == 400
    opened = client.post(page, {**form, "reason": "đối chiếu giấy hẹn"}, follow=True).content.decode()
    assert f'<img src="{file}"' in opened
    reply = client.get(file)
    assert (
        reply.content == PNG and reply["Content-Type"] == "image/png" and reply["Content-Disposition"][:6] == "inline"
    )
    look = Look.objects.get()
    assert (look.by, look.reason, look.document) == ("thanhvien", "đối chiếu giấy hẹn", kept.digest)
    client.force_login(User.objects.get(username="nguoithu3"))
    assert client.get(file).status_code == 403, "another member says why as well"
    client.force_login(User.objects.get(username="ngoaidoan"))
    assert (
        client.post(page, {**form, "reason": "xem cho biết"}).status_code == 400 and client.get(file).status_code == 403
    )
    Look.objects.update(at=timezone.now() - timedelta(hours=1))
    client.force_login(User.objects.get(username="thanhvien"))
    assert (
        client.get(file).status_code == 403
        and "<img" not in client.get(f"{page}?giay-to={picture.pk}").content.decode()
    )
    client.post(page, {**form, "reason": "đối chiếu giấy hẹn"})
    files.place(house, kept.digest).write_bytes(b"another")
    assert client.get(file).status_code == 404, "what is not what its digest says is not shown"
