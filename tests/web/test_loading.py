"""Lists from an office's files to the figures, and codes from a letter to their dossiers, in a real browser."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import xlsxwriter
from django.db import connections
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.browsers import chromium, complaints_of, page_of, sign_in, violations, width_needed

from motcua.accounts.models import Post, User
from motcua.catalogue.models import Agency
from motcua.dossiers.importing.guess import Kind
from motcua.dossiers.models import DossierRow, Load, SourceMap
from motcua.ledger.models import EventRow
from motcua.oversight import extract, figures, loads, named, published
from motcua.oversight.figures import Question
from motcua.oversight.models import PastedList, Petition, PublishedList
from motcua.rules.instants import Unreadable
from motcua.web.console import loading

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
UNITS = ("Phường Mẫu", "Xã Thử")


def onestop(count: int = 12, *, bad: int = 2) -> bytes:
    """A one-stop export: merged titles, days as text, units by name, a sum and a signature below."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 7, "UBND TỈNH MẪU")
    sheet.merge_range(1, 0, 1, 7, "DANH SÁCH HỒ SƠ THÁNG 3/2026")
    headings = ("STT", "Mã hồ sơ", "Tên thủ tục", "Đơn vị xử lý", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày kết thúc",
                "Tình trạng")  # fmt: skip
    sheet.write_row(3, 0, headings)
    for n in range(count):
        ended = n % 4
        sheet.write_row(4 + n, 0, (
            n + 1, code(n), "Chứng thực bản sao", UNITS[n % 2].replace("Phường", "UBND P."), "02/03/2026 08:00",
            "31/02/2026" if n < bad else "09/03/2026", ("10/03/2026 09:00" if n % 2 else "06/03/2026 09:00")
            if ended else "", "Đã có kết quả" if ended else "Đang xử lý",
        ))  # fmt: skip
    sheet.write_row(5 + count, 0, ("Tổng cộng", count))
    sheet.write_row(7 + count, 5, ("Người lập biểu",))
    book.close()
    return stream.getvalue()


def letter(codes: list[str]) -> bytes:
    """A letter's annex: a title, codes with blanks, late all, a signature."""
    lines = ["PHỤ LỤC;;", "TT;Số hồ sơ;Tình trạng", *(f"{n}; {one} ;Quá hạn" for n, one in enumerate(codes, 1))]
    return "\n".join([*lines, ";;THỦ TRƯỞNG ĐƠN VỊ"]).encode("utf-16")


def code(n: int) -> str:
    """The n-th dossier's code."""
    return f"H99.1{n % 2}-260302-{n + 1:04}"


@pytest.fixture
def office(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty system with an inspector; the process that works on loads runs at once."""
    monkeypatch.setattr(loading, "wake", lambda: work(home))
    inspector = User.objects.create_user("thanhtra", password="demo-motcua")
    Post.objects.create(user=inspector, role="inspector")
    clerk = User.objects.create_user("xa", password="demo-motcua")
    Post.objects.create(user=clerk, role="clerk", agency="H99.10")
    return home


def work(home: Path) -> int:
    """What the process beside the pages does."""
    return loads.work(home, clock=timezone.now, then=lambda: extract.run(home=home, at=timezone.now()))


def give(home: Path, name: str, content: bytes, **head: Any) -> Load:
    """A file taken through all its steps as guessed."""
    load = loads.receive(name, iter([content]), home=home, by="thanhtra", at=timezone.now(), source="mc")
    work(home)
    load.refresh_from_db()
    if load.state == Load.State.LOOKED:
        loads.confirm(load, kind=Kind(load.kind), source="mc", columns=load.columns, head=head)
        work(home)
        load.refresh_from_db()
        loads.begin(load, at=timezone.now())
        work(home)
        load.refresh_from_db()
    return load


def late(measure: str = "all") -> tuple[int, int, int, int]:
    """Population and late dossiers by each side."""
    from django.conf import settings

    found = figures.bridge(settings.HOME, Question(measure=measure), now=timezone.now())  # type: ignore[arg-type]
    return found["population"], found["late_shown"], found["late_recorded"], found["late_true"]


def test_two_lists_become_the_three_tiles_and_a_load_withdrawn_leaves_every_figure(office: Path) -> None:
    first = give(office, "mot-cua.xlsx", onestop())
    assert (first.state, first.taken, first.refused, first.dossiers) == ("done", 10, 2, 10)
    assert [reason for _, _, reason, _, _ in loads.refused_rows(office, first)] == ["bad_instant"] * 2
    before = late()
    assert before[0] == 10 and before[2] > 0
    again = give(office, "mot-cua.xlsx", onestop())
    assert again.dossiers == 0 and again.events == 0 and late() == before, "a second load changes nothing"
    events = EventRow.objects.count()
    loads.withdraw(again, by="thanhtra", at=timezone.now())
    work(office)
    assert late() == before
    loads.withdraw(first, by="thanhtra", at=timezone.now())
    work(office)
    assert late() == (0, 0, 0, 0)
    assert EventRow.objects.count() > events, "nothing is taken out of the log"
    at = datetime.fromisoformat("2026-03-20T00:00:00+07:00")
    then = figures.bridge(office, Question(as_of=at), now=timezone.now())
    assert then["population"] == 0, "nor does an earlier as-of count it"
    give(office, "mot-cua.xlsx", onestop())
    assert late() == before, "the same list can be loaded again"


def test_a_corrected_list_after_a_withdrawal_counts_whole(office: Path) -> None:
    wrong = give(office, "mot-cua.xlsx", onestop())
    loads.withdraw(wrong, by="thanhtra", at=timezone.now())
    work(office)
    right = give(office, "mot-cua-sua.xlsx", onestop(bad=0))
    assert right.refused == 0 and late()[0] == 12


def test_a_published_list_withdrawn_leaves_the_figures(office: Path, client: Client) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    first = give(office, "mot-cua.xlsx", onestop(bad=0))
    before = late()
    for address in ("/", f"/nap-du-lieu/{first.pk}"):
        text = client.get(address).content.decode()
        assert "Chưa biết Cổng hiện gì" in text and "Nên xem trước:</strong> chưa có trên" not in text, address
    listed = give(office, "cong-van.csv", letter([code(0), code(2), code(3)]), dated_at="2026-03-20T23:59:59+07:00",
                  document="12/VP", measure="all", stated_count=3)  # fmt: skip
    assert PublishedList.objects.get(pk=listed.published_list).document == "12/VP"
    assert list(listed.words.values()) == [{"Quá hạn": 3}], "nobody is asked what a signature means"
    assert late()[1] == 3 and "Chưa biết Cổng hiện gì" not in client.get("/").content.decode()
    loads.withdraw(listed, by="thanhtra", at=timezone.now())
    work(office)
    assert late() == before and "Chưa biết Cổng hiện gì" in client.get("/").content.decode()


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_process_killed_at_a_batch_leaves_nothing_half_counted(
    office: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    from motcua.dossiers.importing import run

    monkeypatch.setattr(run, "BATCH", 3)
    give(office, "truoc.csv", b"Ma ho so;Ngay tiep nhan;Ngay ket thuc;Ten thu tuc\nH99.10-260101-0001;02/01/2026;;X")
    before = late()
    load = loads.receive("a.xlsx", iter([onestop(bad=0)]), home=office, by="thanhtra", at=timezone.now())
    work(office)
    load.refresh_from_db()
    loads.confirm(load, kind=Kind.DOSSIERS, source="", columns=load.columns, head={})
    work(office)
    load.refresh_from_db()
    loads.begin(load, at=timezone.now())
    whole = run._Import._store_batch

    class Killed(BaseException):
        pass

    batches = 0

    def dying(self: Any, batch: Any) -> None:
        nonlocal batches
        if batches == after:
            raise Killed
        batches += 1
        whole(self, batch)

    monkeypatch.setattr(run._Import, "_store_batch", dying)
    with pytest.raises(Killed):
        work(office)
    monkeypatch.setattr(run._Import, "_store_batch", whole)
    assert DossierRow.objects.count() == 1 + 3 * after
    extract.run(home=office, at=timezone.now(), full=True)
    assert late() == before, "half a load is in no figure, whoever brings the facts up to date"
    assert not loads.waiting(at=timezone.now()), "its lease still runs"
    Load.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    work(office)
    load.refresh_from_db()
    assert (load.state, load.dossiers) == ("done", 12)
    assert late()[0] == before[0] + 12


def test_a_published_list_that_was_killed_goes_on_after_its_last_row(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "_LISTED", 2)
    whole = published.add_rows

    class Killed(BaseException):
        pass

    def dying(list_id: int, rows: Any) -> None:
        if published.last_row(list_id):
            raise Killed
        whole(list_id, rows)

    monkeypatch.setattr(published, "add_rows", dying)
    with pytest.raises(Killed):
        give(office, "cv.csv", letter([code(n) for n in range(5)]), dated_at="2026-03-20T23:59:59+07:00")
    assert not PublishedList.objects.filter(withdrawn_at=None).exists()
    monkeypatch.setattr(published, "add_rows", whole)
    Load.objects.update(leased_until=None)
    work(office)
    assert PublishedList.objects.get(withdrawn_at=None).rows.count() == 5


def test_two_people_load_different_files_at_once_and_both_are_whole(office: Path) -> None:
    ready = []
    for n, content in enumerate((onestop(40, bad=0), onestop(40, bad=0).replace(b"", b""))):
        load = loads.receive(f"{n}.xlsx", iter([content]), home=office, by=f"user{n}", at=timezone.now(), source=str(n))
        work(office)
        load.refresh_from_db()
        loads.confirm(load, kind=Kind.DOSSIERS, source=str(n), columns=load.columns, head={})
        work(office)
        load.refresh_from_db()
        loads.begin(load, at=timezone.now())
        ready.append(load)

    def one() -> None:
        try:
            loads.work(office, clock=timezone.now)
        finally:
            connections.close_all()

    people = [Thread(target=one) for _ in ready]
    for person in people:
        person.start()
    for person in people:
        person.join()
    for load in ready:
        load.refresh_from_db()
    assert [load.state for load in ready] == ["done", "done"]
    assert DossierRow.objects.count() == 40 and sum(load.dossiers for load in ready) == 40


def test_the_process_that_works_on_loads_is_a_program_that_runs(tmp_path: Path) -> None:
    import os

    embedded = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {**embedded, "MOTCUA_HOME": str(tmp_path / "home")}
    done = subprocess.run(loads.program(), env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 phases" in done.stdout and loads.program()[0] == sys.executable


def test_what_a_source_was_told_once_is_remembered(office: Path, client: Client) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    client.post("/nap-du-lieu", {"file": io.BytesIO(b"Ma so;Moc nhan;Xong\nH99.10-260302-0001;02/03/2026;Roi"),
                                 "source": "mc"})  # fmt: skip
    load = Load.objects.get()
    client.post(f"/nap-du-lieu/{load.pk}", {"act": "columns", "kind": "dossiers", "source": "mc", "column-0": "code",
                                            "column-1": "received_at", "column-2": "state"})  # fmt: skip
    load.refresh_from_db()
    assert (load.state, load.taken, load.refused) == ("checked", 0, 1)
    client.post(f"/nap-du-lieu/{load.pk}", {"act": "values", "state-0": "open"})
    client.post(f"/nap-du-lieu/{load.pk}", {"act": "begin"})
    load.refresh_from_db()
    assert (load.state, load.taken) == ("done", 1)
    assert SourceMap.objects.get(source="mc").values == {"state": {"Roi": "open"}}
    second = loads.receive("b.csv", iter([b"Ma so;Moc nhan;Xong\nH99.10-260302-0002;02/03/2026;Roi"]), home=office,
                           by="thanhtra", at=timezone.now(), source="mc")  # fmt: skip
    work(office)
    page = client.get(f"/nap-du-lieu/{second.pk}?kind=dossiers").content.decode()
    assert '<option value="received_at" selected>' in page


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.xlsx", b"PK\x03\x04x", "Tệp hỏng"),
        ("b.xlsx", b" ", "Tệp rỗng"),
        ("c.csv", b"Ma;Ten\nx\x81;y", "không đọc được"),
    ],
    ids=["broken", "empty", "no letters"],
)
def test_a_file_that_cannot_be_read_is_told_in_vietnamese(
    office: Path, client: Client, name: str, content: bytes, why: str
) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    load = give(office, name, content)
    assert load.state == "failed" and why in client.get(f"/nap-du-lieu/{load.pk}").content.decode(), load.error


def test_a_list_of_procedures_is_told_what_it_is_not(office: Path, client: Client, shared: Path) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    for file in sorted((shared / "data" / "procedures").glob("*.xlsx")):
        with file.open("rb") as content:
            client.post("/nap-du-lieu", {"file": content})
        load = Load.objects.order_by("-pk")[0]
        assert (load.state, load.kind) == ("looked", "procedures"), file.name
        assert "không phải danh sách hồ sơ" in client.get(f"/nap-du-lieu/{load.pk}").content.decode()
        reply = client.post(f"/nap-du-lieu/{load.pk}", {"act": "columns", "kind": "procedures"})
        assert reply.status_code == 400


def test_refused_rows_come_back_as_excel_with_their_reasons(office: Path, client: Client) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    load = give(office, "mot-cua.xlsx", onestop())
    reply = client.get(f"/nap-du-lieu/{load.pk}/tu-choi.xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(reply))).get_sheet_by_index(0).to_python()  # type: ignore[arg-type]
    told = [row for row in rows if "không phải là ngày" in str(row[2])]
    assert len(told) == 2 and told[0][1] == 5 and code(0) in told[0]


def test_a_clerk_of_one_agency_loads_nothing(office: Path, client: Client) -> None:
    client.force_login(User.objects.get(username="xa"))
    assert client.get("/nap-du-lieu").status_code == 403
    assert client.post("/nap-du-lieu", {"file": io.BytesIO(b"x")}).status_code == 403
    assert not Load.objects.exists()


def test_agencies_are_loaded_and_their_names_are_known(office: Path) -> None:
    load = give(office, "don-vi.csv", "Mã định danh,Tên đơn vị\nH99.10,Phường Mẫu\nH99.11,Xã Thử\n".encode())
    assert load.kind == "agencies" and Agency.objects.get(code="H99.10").name == "Phường Mẫu"
    second = loads.receive("a.xlsx", iter([onestop()]), home=office, by="thanhtra", at=timezone.now())
    work(office)
    second.refresh_from_db()
    loads.confirm(second, kind=Kind.DOSSIERS, source="", columns=second.columns, head={})
    work(office)
    second.refresh_from_db()
    assert second.units == {"UBND P. Mẫu": "H99.10", "Xã Thử": "H99.11"}


def test_a_list_of_petitions_is_read_as_an_office_writes_it_and_can_be_withdrawn(office: Path, client: Client) -> None:
    Agency.objects.create(code="H99.10", name="Phường Mẫu", level="commune")
    table = """SỔ THEO DÕI PHẢN ÁNH, KIẾN NGHỊ
TT;Mã PAKN;Đơn vị xử lý;Ngày tiếp nhận;Ngày trả lời
1;PAKN-260302-0001;UBND P. Mẫu;02/03/2026 08:00;02/03/2026
2;PAKN-260302-0002;Xã Lạ;02/03/2026;
3;PAKN-260302-0003;UBND P. Mẫu;02/03/2026;27/02/2026
4;PAKN-260302-0004;UBND P. Mẫu;02/03/2026;02/03/2099
;;Người lập biểu;;
"""
    load = give(office, "pakn.csv", table.encode())
    assert (load.state, load.kind, load.taken) == ("done", "petitions", 1)
    refused = [(line, column, reason) for line, column, reason, _, _ in loads.refused_rows(office, load)]
    assert refused == [(4, "unit", "no_unit"), (5, "answered_at", "before_receipt"), (6, "answered_at", "to_come")]
    known = Petition.objects.get(withdrawn_at=None)
    assert (known.code, known.agency, known.stored_at) == ("PAKN-260302-0001", "H99.10", load.stored_at)
    client.force_login(User.objects.get(username="thanhtra"))
    assert "?check=petition_late" in client.get(f"/nap-du-lieu/{load.pk}").content.decode()
    client.post(f"/nap-du-lieu/{load.pk}", {"act": "withdraw"})
    assert not Petition.objects.filter(withdrawn_at=None).exists() and Petition.objects.exists()


def test_a_load_that_moved_on_refuses_a_second_click(office: Path) -> None:
    load = give(office, "a.xlsx", onestop())
    with pytest.raises(Unreadable):
        loads.begin(load, at=timezone.now())


# ---- codes from a letter ----------------------------------------------------------------------------------------


def test_an_annex_of_64_lines_becomes_58_dossiers(office: Path, client: Client) -> None:
    give(office, "mot-cua.xlsx", onestop(60, bad=0))
    client.force_login(User.objects.get(username="thanhtra"))
    lines = [f"{n + 1}\t {code(n).replace('-', ' - ')} " for n in range(58)] + [code(n) for n in range(4)]
    slip = code(5)[:-1]
    lines += [f"{slip} ", "H99.10-260302-9999"]
    told = named.read(f"(1) {code(1).replace('-', chr(0x2011))}, H99.11-2603020002, ({code(3)}) 02-03-2026 512/VP-KSTT")
    assert told == named.Pasted(codes=[code(1), code(3)], mistaken=["H99.11-2603020002"]), (
        "hyphens as Word writes them; a slip beside good codes is told"
    )
    reply = client.post("/tra-ma", {"codes": "\r\n".join(lines)})
    assert len(lines) == 64 and reply.status_code == 302
    name = PastedList.objects.get().name
    assert reply["Location"] == f"/tra-ma/{name}" and len(reply["Location"]) < 20
    page = client.get(reply["Location"]).content.decode()
    assert '<strong id="total">58 hồ sơ</strong>' in page and "4 dòng lặp" in page
    assert f'<a href="/ho-so/{code(5)}">{code(5)}</a>' in page, "nearly right codes are offered"
    assert "<b>2</b> không thấy" in page
    book = client.get(f"/tra-ma/{name}.xlsx")
    sheets = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(book)))  # type: ignore[arg-type]
    assert len(sheets.sheet_names) == 3
    units = sheets.get_sheet_by_index(1).to_python()
    assert sorted(row[3] for row in units if str(row[1]).startswith("H99.")) == [29, 29]


def test_ten_thousand_codes_need_no_long_address(office: Path, client: Client) -> None:
    give(office, "mot-cua.xlsx", onestop(20, bad=0))
    client.force_login(User.objects.get(username="thanhtra"))
    codes = [code(n) for n in range(20)] + [f"H99.77-260302-{n:05}" for n in range(10_000)]
    reply = client.post("/tra-ma", {"codes": "\n".join(codes)}, follow=True)
    page = reply.content.decode()
    assert "20 hồ sơ</strong>" in page and "<b>10.000</b>" in page


def test_a_person_of_one_agency_sees_only_its_dossiers_of_a_pasted_list(office: Path, client: Client) -> None:
    give(office, "mot-cua.xlsx", onestop(20, bad=0))
    client.force_login(User.objects.get(username="xa"))
    page = client.post("/tra-ma", {"codes": "\n".join([*(code(n) for n in range(20)), code(1)[:-1]])}, follow=True)
    text = page.content.decode()
    assert "10 hồ sơ</strong>" in text and f'href="/ho-so/{code(1)}"' not in text


# ---- in a browser -----------------------------------------------------------------------------------------------


@pytest.fixture
def page(live_server: Any, office: Path) -> Iterator[Any]:
    """A page of the system's chromium, signed in."""
    with chromium() as browser:
        page = page_of(browser, live_server.url)
        sign_in(page, "thanhtra", "demo-motcua", at="/nap-du-lieu")
        page.locator("#file").wait_for()
        yield page


def test_a_stranger_comes_from_two_files_to_the_question_whether_it_agrees(page: Any, tmp_path: Path) -> None:
    complaints = complaints_of(page)

    def looked() -> None:
        assert not (found := violations(page)), (page.url, found)
        assert not complaints, complaints
        for width in (360, 1366):
            page.set_viewport_size({"width": width, "height": 768})
            assert width_needed(page) <= width, (page.url, width)

    looked()
    for name, content in (("mot-cua.xlsx", onestop(40)), ("cong-van.csv", letter([code(n) for n in range(2, 12)]))):
        (tmp_path / name).write_bytes(content)
        page.goto("/nap-du-lieu")
        page.set_input_files("#file", tmp_path / name)
        page.fill("#source", "một cửa")
        page.click("button.main")
        page.locator("#columns").wait_for()
        looked()
        if name.startswith("cong"):
            page.fill("#document", "12/VPCP")
            page.fill("#dated", "2026-03-31")
            page.fill("#count", "11")
        page.click("button[value=columns]")
        page.locator("#preview").wait_for()
        looked()
        page.click("button[value=begin]")
        page.locator("#went-in").wait_for()
        looked()
    assert page.locator(".tile").count() == 3
    assert "Lệch" in page.locator("section", has_text="Khớp với số công bố?").last.inner_text()
    page.goto("/tra-ma")
    looked()
    page.fill("#codes", f"{code(3)}\n{code(4)}\nH99.10-260302-9999")
    page.click("button.main")
    page.locator("#total").wait_for()
    looked()
    page.goto("/nap-du-lieu")
    page.locator("table a", has_text="cong-van.csv").click()
    page.locator("summary", has_text="Thu hồi lần nạp").click()
    page.click("button[value=withdraw]")
    page.locator("h2", has_text="Đã thu hồi").wait_for()
    looked()
