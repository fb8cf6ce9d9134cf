"""The pages of tasks, papers and the meeting: who sees what, counts equal at every turn, drafts that open."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.directives import ward
from tests.directives.ward import NOW
from tests.story import at
from tests.web.test_papers import text_of, words_of

from motcua.directives import meetings, orders, progress
from motcua.directives.models import Directive, KeptPaper
from motcua.oversight import named
from motcua.oversight.models import PublishedList
from motcua.web.papers import letters
from motcua.web.papers.meeting import Material

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])


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
def task(province: Path) -> Directive:
    given = orders.give(
        title="Không còn hồ sơ chưa đồng bộ",
        metric="not_synchronised",
        target=0,
        agencies=tuple(ward.NAMES),
        due_on=date(2026, 3, 20),
        by="chu-tich",
        at=NOW,
    )
    progress.look(province, given.pk, at=NOW)
    return given


def _as(client: Client, name: str) -> Client:
    client.login(username=name, password=ward.PASSWORD)
    return client


def _text(reply: Any) -> str:
    assert reply.status_code == 200, reply.content.decode()[:400]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", reply.content.decode()).split()))


def _links(reply: Any) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'href="([^"]+)"', reply.content.decode())]


def _total(reply: Any) -> int:
    found = re.search(r'id="total">([\d.]+)', reply.content.decode())
    assert found, reply.content.decode()[:300]
    return int(found[1].replace(".", ""))


def test_every_number_of_a_task_opens_a_list_of_exactly_so_many(client: Client, task: Directive) -> None:
    reply = _as(client, "chu-tich").get(f"/giao-viec/{task.pk}")
    lists = [link for link in _links(reply) if "/ho-so?" in link and "giao-viec" in link]
    whole = [link for link in lists if "agency=" not in link]
    assert {_total(client.get(link)) for link in whole} == {len(ward.UNSENT)}
    parts = [_total(client.get(link)) for link in lists if "agency=" in link]
    assert sum(parts) == len(ward.UNSENT) and sorted(parts) == [0, 1, 1, 4]
    book = client.get(whole[0].replace("/ho-so?", "/ho-so.xlsx?"))
    rows = CalamineWorkbook.from_filelike(BytesIO(b"".join(book))).get_sheet_by_index(0).to_python()
    assert [row[1] for row in rows[5:]] == sorted(ward.UNSENT)


def test_a_unit_sees_its_own_part_and_answers_for_nobody_else(client: Client, task: Directive) -> None:
    text = _text(_as(client, "phuong").get(f"/giao-viec/{task.pk}"))
    assert "Phần của Phường Mẫu: 4" in text and "Sở Tư pháp" not in text and "Giao lại" not in text
    address = f"/giao-viec/{task.pk}/viec"
    client.post(address, {"act": "see", "agency": "H99.12"})
    client.post(address, {"act": "answer", "agency": "H99.12", "answer": "Đã gửi lại."})
    assert task.parts.get(agency="H99.12").answer == "Đã gửi lại."
    for wrong in ({"act": "see", "agency": "H99.13"}, {"act": "close", "reason": "x"}, {"act": "withdraw"}):
        assert client.post(address, wrong).status_code == 403
    assert _total(client.get(f"/giao-viec/{task.pk}/ho-so")) == 4
    assert _total(client.get(f"/giao-viec/{task.pk}/ho-so?agency=H99.13")) == 0
    other = orders.give(
        title="Khác",
        metric="open_overdue",
        target=0,
        agencies=["H99.13"],
        due_on=date(2026, 3, 20),
        by="chu-tich",
        at=NOW,
    )
    assert client.get(f"/giao-viec/{other.pk}").status_code == 404
    for address in ("/giao-viec/moi", "/lanh-dao", "/giao-ban", "/van-ban", "/van-ban/moi?list=x"):
        assert client.get(address).status_code == 403, address


def test_who_gives_tasks_sets_their_rules_and_everybody_else_reads_them(client: Client, task: Directive) -> None:
    address = "/giao-viec/quy-tac"
    assert f'href="{address}"' in _as(client, "chu-tich").get("/giao-viec").content.decode()
    assert "Chưa ai đổi" in _text(client.get(address))
    given = {"hold": "2", "days": ["2", "4", ""], "role": ["focal_point", "leader", "clerk"]}
    assert "Đã lưu quy tắc" in _text(client.post(address, given, follow=True))
    assert progress.held_days() == 2
    assert progress.ladder() == (progress.Rung(2, "focal_point"), progress.Rung(4, "leader"))
    told = _text(client.get(address))
    assert "bậc báo: 2: đầu mối KSTT, 4: lãnh đạo tỉnh" in told and "Lê Chủ Tịch" in told
    for wrong, said in (
        ({"hold": "0"}, "từ 1 đến 90"),
        ({"days": ["4", "2", ""]}, "muộn hơn bậc trước"),
        ({"days": ["x", "2", ""]}, "muộn hơn bậc trước"),
        ({"days": [""]}, "ít nhất một bậc"),
    ):
        reply = client.post(address, {**given, **wrong})
        assert reply.status_code == 400 and said in reply.content.decode(), wrong
    assert progress.held_days() == 2
    for who in ("phuong", "van-hanh"):
        assert _as(client, who).get(address).status_code == 403
        assert client.post(address, given).status_code == 403


def test_an_agencys_page_tells_its_days_and_a_first_meeting_is_compared_with_a_week_ago(
    client: Client, province: Path
) -> None:
    told = _text(_as(client, "thanh-tra").get("/giao-ban"))
    assert "chưa có lần họp trước để so" in told
    meetings.keep_day(province, at=NOW)
    meetings.fill(province, at=NOW, most=10)
    told = _text(client.get("/don-vi/H99.13"))
    assert re.search(r"Đang xử lý quá hạn trên Cổng: 3 \((không đổi|tăng 3) so với tuần trước\)", told), told[:3000]
    assert "Từng ngày, 30 ngày" in told
    assert "so với ngày 09/03/2026" in _text(client.get("/giao-ban"))


def test_kept_days_are_computed_again_and_the_board_bears_the_mark(client: Client, task: Directive) -> None:
    _as(client, "chu-tich").post(f"/giao-viec/{task.pk}/viec", {"act": "verify"})
    assert "Tính lại 1 ngày đã ghi: khớp cả" in _text(client.get(f"/giao-viec/{task.pk}"))
    assert "đã tính lại" in _text(client.get("/giao-viec"))
    task.progress.update(value=1)
    client.post(f"/giao-viec/{task.pk}/viec", {"act": "verify"})
    assert "tính lại thấy lệch" in _text(client.get("/giao-viec"))
    assert "1 ngày lệch" in _text(client.get(f"/giao-viec/{task.pk}"))


def test_a_task_is_given_by_form_with_what_there_is_now(client: Client, province: Path) -> None:
    _as(client, "chu-tich")
    text = _text(client.get("/giao-viec/moi?metric=cause&cause=late_entry"))
    assert "3 hồ sơ trễ theo một nguyên nhân, lúc 09:00 16/03, ở 2 đơn vị" in text
    form = {"metric": "open_overdue", "target": "0", "due_on": "2026-03-20", "agency": ["H99.12", "H99.13"]}
    reply = client.post("/giao-viec/moi", form)
    given = Directive.objects.get()
    assert reply["Location"] == f"/giao-viec/{given.pk}"
    assert given.title == "Hồ sơ đang xử lý quá hạn thực tế: không còn hồ sơ nào, trước ngày 20/03/2026"
    assert given.progress.get().value == 3
    for wrong, said in (
        ({"target": "nhiều"}, "chỉ tiêu là số hồ sơ"),
        ({"due_on": "2026-03-01"}, "ngày hạn đã qua"),
        ({"agency": []}, "chọn ít nhất một đơn vị"),
    ):
        reply = client.post("/giao-viec/moi", {**form, **wrong, "note": "giữ chữ này"})
        assert reply.status_code == 400 and said in reply.content.decode() and "giữ chữ này" in reply.content.decode()
    client.post("/giao-viec/moi", {**form, "metric": "on_time_rate", "target": "95,5", "everybody": "1"})
    rate = Directive.objects.latest("pk")
    assert (rate.target, rate.parts.count()) == (955, 4)


def test_the_giver_extends_with_a_reason_and_the_page_tells_it(client: Client, task: Directive) -> None:
    _as(client, "chu-tich")
    address = f"/giao-viec/{task.pk}/viec"
    said = _text(client.post(address, {"act": "extend", "due_on": "2026-03-27"}, follow=True))
    assert "Chưa ghi: nêu lý do" in said
    said = _text(client.post(address, {"act": "extend", "due_on": "2026-03-27", "reason": "chờ nhà mạng"}, follow=True))
    assert "Gia hạn từ 20/03/2026 đến 27/03/2026" in said and "hạn đầu 20/03/2026" in said
    assert "quá 1 ngày làm việc: báo lãnh đạo đơn vị" in said


# ---- papers ----------------------------------------------------------------------------------------------------------


def _pasted() -> str:
    """64 lines of a letter's annex: 58 dossiers, 4 repeated, 2 that are none."""
    known = [*ward.UNSENT, *ward.CLICKED_LATE, *ward.OPEN_LATE]
    lines = [f"{n}\t {code} \tPhường" for n, code in enumerate(known, 1)]
    lines += [*lines[:4], "H99.12-2603-sai", "Hồ sơ 12 không rõ"]
    return named.keep("\n".join(lines), by="thanh-tra", at=NOW)


def test_from_a_letters_annex_to_a_draft_with_its_annexes(client: Client, province: Path, tmp_path: Path) -> None:
    _as(client, "thanh-tra")
    name, n = _pasted(), len(ward.UNSENT) + len(ward.CLICKED_LATE) + len(ward.OPEN_LATE)
    drafts = [link for link in _links(client.get(f"/tra-ma/{name}")) if link.startswith("/van-ban/moi?")]
    page = client.get(drafts[0] + f"&stated={n + 2}&letter=CV 12/VPCP")
    text = _text(page)
    assert _total(page) == n
    assert f"Văn bản nêu {n + 2}, danh sách có {n} hồ sơ: 2 dòng không phải mã hồ sơ, 4 dòng lặp." in text
    assert "khớp với danh sách" in _text(client.get(drafts[0] + f"&stated={n}"))
    form = {
        "form": "explanation-request",
        "deadline": "2026-03-20",
        "letter": "CV 12/VPCP",
        "stated": str(n + 2),
        "agency": ["H99.12", "H99.13", "H99.14"],
    }
    reply = client.post(drafts[0], form)
    kept = KeptPaper.objects.get()
    assert reply["Location"] == f"/van-ban/{kept.pk}" and kept.dossiers == n
    said = words_of(client.get(f"/van-ban/{kept.pk}/tep.docx").content)
    for part in (
        "V/v giải trình hồ sơ có dấu hiệu trễ hạn",
        f"ghi nhận {n} hồ sơ",
        "trước ngày 20/03/2026",
        "CV 12/VPCP",
        "2 dòng không phải mã hồ sơ",
        "- Phường Mẫu",
        *ward.UNSENT,
    ):
        assert part in said, part
    assert "Trần Thị Thử" not in said, "no applicant is named"
    assert set(ward.OPEN_LATE) <= set(
        re.findall(r"H99\.\d\d-\d{6}-\d{4}", text_of(client.get(f"/van-ban/{kept.pk}/tep.pdf").content, tmp_path))
    )
    book = CalamineWorkbook.from_filelike(BytesIO(client.get(f"/van-ban/{kept.pk}/tep.xlsx").content))
    assert book.sheet_names == ["Danh sách hồ sơ", "Theo đơn vị", "Phường Mẫu", "Sở Tư pháp", "Xã Ẩn Độ Cũ"]
    assert len(book.get_sheet_by_index(0).to_python()[5:]) == n
    assert client.post(drafts[0], {**form, "agency": []}).status_code == 400
    client.post(drafts[0], {**form, "form": "correct", "split": "1"})
    assert KeptPaper.objects.filter(form="correct").count() == 3, "a letter for each unit"


def test_number_and_day_are_typed_back(client: Client, province: Path) -> None:
    _as(client, "thanh-tra")
    client.post(f"/van-ban/moi?list={_pasted()}", {"form": "urge", "agency": ["H99.12"]})
    kept = KeptPaper.objects.get()
    assert "1 dự thảo chưa có số" in _text(client.get("/van-ban"))
    wrong = client.post(f"/van-ban/{kept.pk}", {"number": "7/VP", "signed_on": "2026-04-01"})
    assert wrong.status_code == 400 and "ngày ký không hợp lệ" in wrong.content.decode()
    client.post(f"/van-ban/{kept.pk}", {"number": "7/VP-KSTT", "signed_on": "2026-03-16", "signer": "Bà B"})
    assert "Số 7/VP-KSTT, ngày 16/03/2026; thanh-tra ghi lại. Người ký: Bà B." in _text(
        client.get(f"/van-ban/{kept.pk}")
    )
    assert "7/VP-KSTT" in _text(client.get("/van-ban?q=phuong mau"))
    assert "Không văn bản nào khớp." in _text(client.get("/van-ban?q=khong co"))
    assert "Không văn bản nào khớp." in _text(client.get("/van-ban?xem=waiting"))


def test_the_letterhead_is_a_setting_of_the_house(client: Client, province: Path) -> None:
    _as(client, "thanh-tra")
    values = {
        "parent": "UBND tỉnh Mẫu",
        "agency": "Văn phòng",
        "place": "Mẫu",
        "symbol": "VP-KSTT",
        "phone": "0123 456",
    }
    assert client.post("/van-ban/dau-van-ban", {**values, "phone": "gọi em"}).status_code == 400
    client.post("/van-ban/dau-van-ban", values)
    client.post(f"/van-ban/moi?list={_pasted()}", {"form": "urge", "agency": ["H99.12"]})
    said = words_of(client.get(f"/van-ban/{KeptPaper.objects.get().pk}/tep.docx").content)
    assert "UBND TỈNH MẪU" in said and "/VP-KSTT" in said


def test_a_task_is_urged_with_its_own_dossiers(client: Client, task: Directive) -> None:
    _as(client, "thanh-tra")
    client.post(f"/van-ban/moi?directive={task.pk}", {"form": "urge", "agency": list(ward.NAMES)})
    kept = KeptPaper.objects.get()
    assert (kept.directive, kept.dossiers) == (task, len(ward.UNSENT))
    assert "Không còn hồ sơ chưa đồng bộ" in words_of(client.get(f"/van-ban/{kept.pk}/tep.docx").content)
    assert "Đôn đốc" in _text(client.get(f"/giao-viec/{task.pk}"))


@pytest.mark.parametrize("form", letters.FORMS)
def test_every_form_is_drafted_of_any_list(client: Client, province: Path, form: str) -> None:
    _as(client, "thanh-tra")
    client.post("/van-ban/moi?measure=open&side=true", {"form": form, "agency": list(ward.NAMES)})
    said = words_of(client.get(f"/van-ban/{KeptPaper.objects.get().pk}/tep.docx").content)
    assert all(code in said for code in ward.OPEN_LATE) and "{" not in said


# ---- the meeting -----------------------------------------------------------------------------------------------------


def test_the_meetings_paper_is_two_pages_and_an_annex_for_each_unit(
    client: Client, task: Directive, home: Path, tmp_path: Path
) -> None:
    _as(client, "thanh-tra")
    PublishedList.objects.create(
        document="CV 9/VPCP",
        dated_at=at("2026-03-15T08:00"),
        measure="open",
        stated_count=12,
        file="x.xlsx",
        digest="d",
        stored_at=NOW,
    )
    before = meetings.gathered(home, period=None, as_of=at("2026-03-09T09:00"), now=NOW)
    meetings.keep(before, on=date(2026, 3, 9), period="", by="thanh-tra", at=NOW)
    text = _text(client.get("/giao-ban"))
    assert "so với lần họp 09/03/2026" in text and "CV 9/VPCP" in text and "lệch" in text
    now_, month = (Material(home, period=period, now=NOW, by="x") for period in ("", "2026-03"))
    assert [now_.change(name, "shown") is None for name in ("open", "finished")] == [False, False]
    assert [month.change(name, "shown") is None for name in ("open", "finished")] == [False, True], "another period"
    assert "xét kỳ khác, chỉ so số đang xử lý" in _text(client.get("/giao-ban?period=2026-03"))
    said = words_of(client.get("/giao-ban/tai-lieu.docx").content)
    for part in (
        "TÀI LIỆU GIAO BAN",
        "I. Ba con số",
        "VI. Kiến nghị",
        "So với lần họp 09/03/2026.",
        "Phụ lục 1.",
        "CV 9/VPCP ngày 15/03/2026 nêu 12, tính lại 10, lệch −2",
        "Không còn hồ sơ chưa đồng bộ",
        "Xã Ẩn Độ Cũ",
    ):
        assert part in said, part
    content = client.get("/giao-ban/tai-lieu.pdf").content
    pages = _pages(content, tmp_path)
    assert "Phụ lục 1." in pages[2] and not any("Phụ lục" in page for page in pages[:2])
    assert "VI. Kiến nghị" in pages[1] and len(pages) == 2 + 3
    book = CalamineWorkbook.from_filelike(BytesIO(client.get("/giao-ban/tai-lieu.xlsx").content))
    late = book.get_sheet_by_name("Danh sách hồ sơ").to_python()[5:]
    assert {row[1] for row in late} == {*ward.UNSENT, *ward.CLICKED_LATE, *ward.OPEN_LATE}
    client.post("/giao-ban", {"on": "2026-03-16"})
    assert "16/03/2026: 10 → 4" in _text(client.get("/giao-ban"))


def _pages(content: bytes, folder: Path) -> list[str]:
    """The text of each page of a PDF."""
    import shutil
    import subprocess

    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine (apt-get install poppler-utils)")
    file = folder / "pages.pdf"
    file.write_bytes(content)
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True)
    return [" ".join(page.split()) for page in done.stdout.decode().split("\f")[:-1]]


def test_libreoffice_draws_the_meetings_paper_on_two_pages_before_the_annex(
    client: Client, task: Directive, tmp_path: Path
) -> None:
    import shutil
    import subprocess

    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not on this machine")
    _as(client, "thanh-tra")
    file = tmp_path / "giao-ban.docx"
    file.write_bytes(client.get("/giao-ban/tai-lieu.docx").content)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pages = _pages((tmp_path / "giao-ban.pdf").read_bytes(), tmp_path)
    assert "VI. Kiến nghị" in pages[1] and "Phụ lục 1." in pages[2]
    assert not any("Phụ lục" in page for page in pages[:2])
    assert "Xã Ẩn Độ Cũ" in " ".join(pages)
