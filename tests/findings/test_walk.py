"""Walk 7 of the experience paper in a real browser: a ward answers twelve requests, its head approves on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from tests.browsers import chromium, complaints_of, page_of, press, sign_in, violations, width_needed
from tests.findings.notary import Notary
from tests.findings.small import bring, province
from tests.findings.test_pages import _filled
from tests.story import Case, at

from motcua.accounts.models import Post, User
from motcua.findings import record, requests, update
from motcua.findings.models import Attachment, Finding, Request
from motcua.inspection.life import Person

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
MAI = Person(name="thanhtra", role="inspector")
STAMPED, CLAIMED = "H99.12-260304-0001", "H99.12-260304-0002"
NOTARY = Notary(at("2026-01-05T00:00"))
#: Signed here: the browser's driver runs an event loop, in which nothing can be signed.
WITH_STAMP, BY_CLOCK_ALONE = NOTARY.signed(stamped_at=at("2026-03-06T10:04")), NOTARY.signed()


@pytest.fixture
def request_(home: Path, tmp_path: Path) -> Request:
    """Twelve findings of Phường Mẫu, asked together; two of them were finished late by the record alone."""
    NOTARY.trust(home)
    province(home, tmp_path, more=9)
    case = Case()
    for code in (STAMPED, CLAIMED):
        case.dossier(code)
        case.event(code, "finished", "2026-03-12T09:00")
        case.record(code, 2, updating=False)
    bring(case, home, tmp_path)
    update.run(home, at=timezone.now())
    for name, role, agency in (
        ("thanhtra", "inspector", ""), ("daumoi", "focal_point", "H99.12"), ("canbo", "officer", "H99.12"),
        ("chutich", "unit_head", "H99.12"), ("khac", "unit_head", "H99.13"),
    ):  # fmt: skip
        Post.objects.create(user=User.objects.create_user(name, password="demo-motcua"), role=role, agency=agency)
    clicked = Finding.objects.filter(agency="H99.12", check_code="late_entry").values_list("pk", flat=True)
    open_there = Finding.objects.filter(subject__in=(STAMPED, CLAIMED), check_code="end_not_there")
    numbers = [*clicked, *open_there.values_list("pk", flat=True)]
    assert len(numbers) == 12
    return requests.send(numbers, by=MAI, at=timezone.now()).requests[0]


@pytest.fixture
def browser(live_server: Any, request_: Request) -> Iterator[Any]:
    """Opens the house in the system's chromium for whoever is named, as wide as asked."""
    with chromium() as opened:

        def signed_in(name: str, width: int = 1366) -> Any:
            page = page_of(opened, live_server.url, size={"width": width, "height": 740})
            sign_in(page, name, "demo-motcua")
            return page

        yield signed_in


def _ticked_before_the_script_comes(page: Any, box: str) -> None:
    """The page anew on a slow line, on which a hand is quicker than a script."""
    held: list[Any] = []
    page.route("**/findings*.js", lambda script: held.append(script))
    page.goto(page.url, wait_until="commit")
    page.wait_for_selector(box, state="attached").evaluate("box => box.click()")
    while not held:
        page.wait_for_timeout(10)
    held[0].continue_()
    page.wait_for_load_state()
    page.unroute("**/findings*.js")


def test_a_ward_answers_twelve_requests(browser: Any, request_: Request, home: Path, tmp_path: Path) -> None:
    address = f"/yeu-cau/{request_.pk}"
    # The focal point begins where the ward is asked, and gives the work out.
    focal = browser("daumoi")
    assert focal.url.endswith("/yeu-cau")
    focal.click(f"a[href='{address}']")
    assert "12 phát hiện" in focal.locator(".head").inner_text()
    _ticked_before_the_script_comes(focal, "[data-all]")
    assert focal.locator("[data-picked]").inner_text() == "12"
    focal.click("button[value=given]")
    assert "Giao người soạn: 12 phát hiện, 12 hồ sơ, 1 đơn vị" in focal.locator("h1").inner_text()
    focal.select_option("select[name=to]", "canbo")
    focal.click("button.main")
    assert Finding.objects.filter(request=request_, officer="canbo").count() == 12
    # Nine answers by Excel.
    officer = browser("canbo")
    officer.goto(address)
    with officer.expect_download() as download:
        officer.click("text=Tải Excel để điền")
    numbers = sorted(Finding.objects.filter(request=request_, check_code="late_entry").values_list("pk", flat=True))
    said = {"reason": "do hệ thống", "text": "Phần mềm treo chiều 06/03, hôm sau mới bấm được."}
    filled = tmp_path / "da-dien.xlsx"
    filled.write_bytes(_filled(Path(download.value.path()).read_bytes(), {n: said for n in numbers[:9]}))
    officer.set_input_files("#sheet", str(filled))
    officer.click("text=Nộp Excel")
    officer.click("text=Ghi 9 trả lời")
    assert "Đã ghi 9 trả lời" in officer.locator(".said").inner_text()
    # One by a time-stamped PDF: the verdict changes before their eyes.
    stamped = Finding.objects.get(subject=STAMPED, request=request_)
    officer.goto(f"/phat-hien/{stamped.pk}")
    assert "quá hạn" in officer.locator(".verdict", has_text="Thực tế").inner_text()
    pdf = tmp_path / "ket-qua.pdf"
    pdf.write_bytes(WITH_STAMP)
    officer.set_input_files("input[name=file]", str(pdf))
    officer.click("text=Nộp tệp")
    told = officer.locator(".said").inner_text()
    assert "dấu thời gian 10:04 06/03/2026" in told and "Thực tế đổi từ trễ hạn thành đúng hạn" in told
    assert "đúng hạn" in officer.locator(".verdict", has_text="Thực tế").inner_text()
    _answered(officer, "other_evidence", "Kết quả đã ký số trước hẹn trả.")
    # One by the signer's clock alone: a claim that waits.
    claimed = Finding.objects.get(subject=CLAIMED, request=request_)
    officer.goto(f"/phat-hien/{claimed.pk}")
    alone = tmp_path / "khong-dau.pdf"
    alone.write_bytes(BY_CLOCK_ALONE)
    officer.set_input_files("input[name=file]", str(alone))
    officer.click("text=Nộp tệp")
    assert "Chỉ có giờ máy người ký" in officer.locator(".said").inner_text()
    assert "quá hạn" in officer.locator(".verdict", has_text="Thực tế").inner_text()
    _answered(officer, "other_evidence", "Đã ký trước hạn, chờ đoàn xác minh.")
    # One is admitted, with a remedy.
    officer.goto(f"/phat-hien/{numbers[9]}")
    officer.fill("textarea[name=remedy]", "Bấm kết thúc ngay khi ký; rà lại mỗi chiều.")
    _answered(officer, "admitted", "Quên bấm kết thúc.")
    officer.goto(address)
    officer.check("[data-all]")
    officer.click("button[value=submitted]")
    officer.click("button.main")
    assert Finding.objects.filter(request=request_, state="to_approve").count() == 12
    # The head approves on a phone.
    head = browser("chutich", 360)
    head.goto(address)
    assert width_needed(head) <= 360
    head.check("[data-every]")
    head.click("button[value=answered]")
    assert "12 phát hiện" in head.locator("h1").inner_text()
    head.click("button.main")
    assert "Duyệt và gửi: 12 phát hiện" in head.locator(".said").inner_text()
    assert set(Finding.objects.filter(request=request_).values_list("state", flat=True)) == {"answered"}
    # A colleague of another ward sees nothing.
    other = browser("khac")
    assert other.locator("table").count() == 0
    assert other.goto(address).status == 404 and other.goto(f"/phat-hien/{stamped.pk}").status == 404
    # The inspector verifies the claim and concludes.
    inspector = browser("thanhtra")
    inspector.goto(f"/phat-hien/{claimed.pk}")
    inspector.click("text=Xác minh hoặc không chấp nhận")
    inspector.fill("input[name=evidence_at]", "2026-03-06T10:04")
    inspector.fill(".attachment textarea", "Đã tra sổ văn bản đi của phường")
    inspector.click("text=Chấp nhận chứng cứ")
    assert "Thực tế đổi từ trễ hạn thành đúng hạn" in inspector.locator(".said").inner_text()
    inspector.goto(f"/phat-hien/{numbers[9]}")
    inspector.check("input[value=violation]")
    inspector.fill(".panel input[name=remedy_on]", "2030-01-15")
    inspector.fill(".panel details[open] textarea", "Đơn vị thừa nhận")
    inspector.click(".panel details[open] button.main")
    assert "Chờ khắc phục" in inspector.locator(".head").inner_text()
    assert Attachment.objects.filter(standing="fixes").count() == 2
    assert record.verify()["ok"]


def _answered(page: Any, reason: str, text: str) -> None:
    page.check(f"input[name=reason][value={reason}]")
    page.fill("textarea[name=text]", text)
    page.click("text=Lưu bản soạn")
    assert "Đã ghi: Soạn trả lời" in page.locator(".said").inner_text()


def test_the_pages_are_accessible_keep_to_their_content_policy_and_fit(browser: Any, request_: Request) -> None:
    one = Finding.objects.filter(request=request_).first()
    assert one is not None
    shared = (f"/yeu-cau/{request_.pk}", f"/phat-hien/{one.pk}", "/yeu-cau", "/don-vi/H99.12", "/thu-vien-kiem-tra")
    for name, addresses in (
        ("thanhtra", ("/phat-hien", "/phat-hien?xem=tung", "/viec-cua-toi", *shared)), ("canbo", shared),
    ):  # fmt: skip
        page = browser(name)
        complaints = complaints_of(page)
        for address in addresses:
            page.set_viewport_size({"width": 1366, "height": 740})
            assert page.goto(address).status == 200, address
            boxes = [page.locator(part).bounding_box() for part in (".top nav", ".top .menu summary")]
            assert all(box["y"] < 12 and box["height"] < 48 for box in boxes), "the header is one line"
            assert not (found := violations(page)), (address, found)
            for width in (360, 683):
                page.set_viewport_size({"width": width, "height": 740})
                assert width_needed(page) <= width, (address, width)
        assert not complaints


def test_an_inspector_needs_no_mouse(browser: Any) -> None:
    page = browser("thanhtra")
    page.goto("/phat-hien?xem=tung&state=asked")
    press(page, "j")
    press(page, "j")
    press(page, "x")
    assert page.locator("[data-picked]").inner_text() == "1"
    wanted = page.evaluate("document.activeElement.textContent")
    press(page, "Enter")
    page.locator(".verdicts").wait_for()
    assert wanted in page.locator(".dossier-head").inner_text()
    page.locator(".nav-group summary").first.click()
    assert page.locator(".nav-group-body a", has_text="Thư viện kiểm tra").is_visible()
    press(page, "Escape")
    assert not page.locator(".nav-group-body a", has_text="Thư viện kiểm tra").is_visible()
