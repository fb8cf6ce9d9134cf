"""The console in a real browser: sign in, tile, bar, list, dossier; counts equal at every turn; accessible."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tests.browsers import chromium, complaints_of, page_of, press, sign_in, violations, width_needed
from tests.story import Case, at

from motcua.accounts.models import Post, User
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers.importing.run import Order, import_files
from motcua.mirror.load import load
from motcua.oversight import extract
from motcua.web import links
from motcua.web.console import lists, workbooks

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = at("2026-04-01T09:00")


@pytest.fixture
def province(home: Path, tmp_path: Path) -> None:
    """A handful of dossiers: one late click, one lost update, one honest."""
    case = Case()
    for code, evidence in (("H99.12-260302-0001", "2026-03-06T15:00"), ("H99.12-260302-0002", "")):
        case.dossier(code)
        case.event(code, "finished", "2026-03-10T10:00", evidence=evidence)
        case.record(code, 9, updating=False)
        case.step(code, 9, "20260310100000")
    case.dossier("H99.12-260302-0003")
    case.event("H99.12-260302-0003", "finished", "2026-03-06T10:00")
    case.record("H99.12-260302-0003", 2, updating=False)
    dossiers, events, messages = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)
    user = User.objects.create_user("thanhtra", password="demo-motcua")
    Post.objects.create(user=user, role="inspector")
    ward = User.objects.create_user("xa-khac", password="demo-motcua")
    Post.objects.create(user=ward, role="unit_head", agency="H99.99")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's chromium."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Any, live_server: Any, province: None) -> Iterator[Any]:
    """A page of a browser that nobody has used yet, signed in."""
    page = page_of(browser, live_server.url)
    sign_in(page, "thanhtra", "demo-motcua", at="/")
    page.locator(".tiles").wait_for()
    yield page
    page.context.close()


def _figure(text: str) -> int:
    return int("".join(c for c in text if c.isdigit()) or 0)


def test_an_inspector_walks_from_a_tile_to_a_dossier_and_the_counts_agree(page: Any) -> None:
    page.locator(".tile", has_text="Đã giải quyết trễ hạn").click()
    shown = _figure(page.locator(".tile.chosen .tile-figure").inner_text())
    assert shown == 2
    bars = page.locator(".waterfall a.bar")
    assert bars.count() >= 6  # three totals, a cause in each leg, and what no repair explains
    for n in range(bars.count()):
        bar = bars.nth(n)
        wanted, address = _figure(bar.locator(".count").text_content()), bar.get_attribute("href")
        page.goto(address)
        assert _figure(page.locator("#total").inner_text()) == wanted
        assert page.locator("table.list tbody tr").count() == wanted
        page.go_back()
    page.locator(".waterfall a.bar", has_text="chậm thao tác").click()
    page.locator("table.list tbody th a").click()
    assert "đúng hạn" in page.locator(".verdict", has_text="Thực tế").inner_text()
    assert "bấm kết thúc lúc 10:00 10/03/2026" in page.locator(".sentence").inner_text()


def test_every_page_is_accessible_keeps_to_its_content_policy_and_scrolls_sideways_nowhere(page: Any) -> None:
    complaints = complaints_of(page)
    for address in (
        "/", "/?by=procedure&measure=finished", "/ho-so", "/ho-so?side=true&measure=open", "/nguyen-nhan", "/don-vi",
        "/ho-so/H99.12-260302-0001", "/ho-so/H99.12-260302-0001/thoi-han", "/tim?q=H99", "/tim?q=khong%20co",
        "/muc-du-lieu",
    ):  # fmt: skip
        page.goto(address)
        assert not complaints, (address, complaints)
        assert not (found := violations(page)), (address, found)
        complaints.clear()
        for width in (360, 683, 1366):  # 683: 1366 pixels at 200 %
            page.set_viewport_size({"width": width, "height": 740})
            assert width_needed(page) <= width, (address, width)
    page.locator(".menu summary").click()
    page.locator("[data-contrast]").click()
    page.goto("/?measure=finished")
    assert page.locator("html.contrast").count() == 1, "the choice is kept from page to page"
    assert not (found := violations(page)), found


def test_the_face_is_ours_and_knows_vietnamese(page: Any) -> None:
    page.wait_for_function("() => document.fonts.status === 'loaded'")
    assert page.evaluate("document.fonts.check('16px \\'Source Sans 3\\'', 'Đối chiếu trễ hạn')")


def test_a_clerk_needs_no_mouse(page: Any) -> None:
    page.goto("/ho-so")
    press(page, "j")
    press(page, "j")
    press(page, "k")
    press(page, "Enter")
    page.locator(".verdicts").wait_for()
    assert page.locator("h1").inner_text() == "H99.12-260302-0001"
    press(page, "/")
    page.keyboard.type("h99.12-260302-0002")
    press(page, "Enter")
    page.locator("h1", has_text="H99.12-260302-0002").wait_for()
    press(page, "?")
    assert page.locator("#keys").is_visible()
    press(page, "Escape")
    assert not page.locator("#keys").is_visible()


def test_a_code_is_copied_with_one_click_or_one_key(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/ho-so")
    page.locator("table.list tbody tr").nth(1).hover()
    page.locator(".copy-code").nth(1).click()
    page.locator("#said", has_text="Đã chép").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == "H99.12-260302-0002"
    page.locator("h1").click()
    press(page, "j")
    press(page, "c")
    page.wait_for_function("navigator.clipboard.readText().then(text => text === 'H99.12-260302-0001')")


def test_the_way_back_keeps_the_filters(page: Any) -> None:
    page.goto("/ho-so?measure=finished&side=shown")
    page.locator("table.list tbody th a").first.click()
    page.locator(".verdicts").wait_for()
    page.go_back()
    assert "measure=finished&side=shown" in page.url
    assert page.locator(".chip", has_text="Trễ trên Cổng DVCQG").count() == 1
    assert page.locator("select[name=measure]").input_value() == "finished"


def test_a_choice_of_filter_is_in_the_address_and_can_be_lifted(page: Any) -> None:
    page.goto("/ho-so?measure=all")
    page.select_option("select[name=measure]", "finished")
    assert "measure=all" in page.url, "arrow keys pass over every choice: the button decides"
    page.locator(".filters button").click()
    page.wait_for_url("**measure=finished**")
    assert "agency=" not in page.url, "an empty choice stays out of the address"
    page.select_option("select[name=period]", "2026")
    page.locator(".filters button").click()
    page.wait_for_url("**period=2026**")
    before = _figure(page.locator("#total").inner_text())
    page.goto("/ho-so?measure=all&leg=record&cause=late_entry")
    assert _figure(page.locator("#total").inner_text()) == 1
    page.locator(".chip", has_text="Chậm thao tác").click()
    assert _figure(page.locator("#total").inner_text()) >= before


def test_an_empty_list_says_which_condition_emptied_it(page: Any) -> None:
    page.goto("/ho-so?measure=all&agency=H99.77&side=true")
    text = page.locator(".empty").inner_text()
    assert "Không hồ sơ nào khớp" in text
    assert "Bỏ điều kiện “H99.77” còn 1" in text


def test_a_printed_list_says_who_when_and_as_of(page: Any) -> None:
    page.goto("/ho-so?measure=all")
    page.emulate_media(media="print")
    assert page.locator(".printed").is_visible()
    assert "Số liệu đến" in page.locator(".printed").inner_text()
    assert not page.locator(".filters").is_visible()
    assert page.pdf(format="A4", landscape=True)[:4] == b"%PDF"


_PAGES = (
    "/", "/?by=procedure&measure=finished", "/ho-so?measure=all&side=shown", "/ho-so?measure=all&agency=H99.77",
    "/nguyen-nhan", "/nguyen-nhan?severity=A", "/don-vi", "/ho-so/H99.12-260302-0001", "/ho-so/H99.12-260302-0002",
    "/ho-so/H99.12-260302-0001/thoi-han", "/tim?q=H99", "/tim?q=khong", "/?measure=x", "/khong-co",
)  # fmt: skip


def test_a_page_in_english_says_nothing_in_vietnamese(client: Any, province: None) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    client.cookies["django_language"] = "en"
    for address in _PAGES:
        page = client.get(address).content.decode()
        assert '<html lang="en"' in page
        said = re.sub(r">Tiếng Việt<|Thẩm định", "", unescape(page))
        assert not re.search("[À-ỹđĐ]", said), (address, re.findall(".{30}[À-ỹđĐ].{30}", said)[:3])
    picture = client.get("/doi-chieu.svg?measure=finished").content.decode()
    assert "Lateness bridge" in picture
    assert not re.search("[À-ỹđĐ]", picture)


def test_the_switch_of_language_keeps_the_address_and_is_kept(page: Any) -> None:
    page.goto("/ho-so?measure=finished&side=shown")
    page.locator(".language button").click()
    page.locator("html[lang=en]").wait_for()
    assert page.url.endswith("/ho-so?measure=finished&side=shown")
    assert page.locator("h1").inner_text() == "Dossiers"
    page.goto("/nguyen-nhan")
    assert "signs" in page.locator(".head").inner_text()
    page.locator(".language button").click()
    page.locator("html[lang=vi]").wait_for()
    assert page.locator("h1").inner_text() == "Nguyên nhân chênh lệch"


def test_a_browser_that_prefers_english_gets_vietnamese_until_its_reader_chooses(client: Any) -> None:
    User.objects.create_user("thanhtra", password="demo-motcua")  # an empty house would be set up first
    reply = client.get("/dang-nhap", headers={"accept-language": "en-US,en"})
    assert reply.headers["Content-Language"] == "vi"
    client.post("/ngon-ngu", {"language": "en", "next": "/dang-nhap"})
    assert "Sign in" in client.get("/dang-nhap").content.decode()
    client.post("/ngon-ngu", {"language": "xx", "next": "/dang-nhap"})
    assert "Sign in" in client.get("/dang-nhap").content.decode()
    reply = client.post("/ngon-ngu", {"language": "vi", "next": "https://elsewhere.example/"})
    assert "elsewhere" not in reply.headers["Location"]


def test_a_certificate_says_its_terms_and_fits_one_sheet(page: Any) -> None:
    page.goto("/ho-so/H99.12-260302-0001")
    assert "thời hạn 5 ngày làm việc" in page.locator("#why-title + p").inner_text()
    page.locator(".print-sheet").click()
    page.locator(".paper").wait_for()
    text = page.locator(".paper").inner_text()
    for words in ("5 ngày làm việc, đến đúng giờ tiếp nhận của ngày cuối", "Người lập biểu", "Thủ trưởng đơn vị",
                  "08:30 02/03/2026", "17:00 09/03/2026", "thứ 1 đến thứ 4; 2 ngày nghỉ"):  # fmt: skip
        assert words in text
    assert _sheets(page.pdf(prefer_css_page_size=True)) == 1
    page.emulate_media(media="print")
    foot = page.locator(".printed").inner_text()
    for words in ("In bởi thanhtra", "Số liệu đến", "clock/1", "mã đối chiếu", "as_of=", "niêm phong"):
        assert words in foot


def _sheets(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_a_long_certificate_folds_ordinary_days_and_still_fits_one_sheet(
    client: Any, page: Any, tmp_path: Path, home: Path
) -> None:
    case = Case()
    code = "H99.12-260105-0001"
    case.dossier(code, "2026-01-05T08:30", "", allotted="60d")
    case.event(code, "supplement_requested", "2026-01-06T10:00", document="yes")
    case.event(code, "supplement_received", "2026-01-20T10:00")
    case.event(code, "suspended", "2026-03-03T10:00", document="no")
    case.event(code, "resumed", "2026-03-10T10:00")
    case.event(code, "extended", "2026-03-12T10:00", due="2026-06-30T17:00", document="yes")
    (tmp_path / "long").mkdir()
    files = case.write(tmp_path / "long")
    import_files(Order(files=files[:2], home=home, at=NOW, create_missing=True))
    extract.run(home=home, at=NOW)
    page.goto(f"/ho-so/{code}/thoi-han?as_of=2026-03-20T10:00:00%2B07:00")
    text = page.locator(".paper").inner_text()
    for words in ("60 ngày làm việc", "tính lại từ đầu", "không có văn bản", "Hẹn mới", "30/06/2026", "Giao thừa Tết"):
        assert words in text
    assert _sheets(page.pdf(prefer_css_page_size=True)) == 1


def test_the_bridge_prints_on_a4_landscape(page: Any) -> None:
    page.goto("/?measure=finished")
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = {tuple(round(float(n)) for n in box.split()[2:]) for box in re.findall(rb"/MediaBox \[([\d. ]+)\]", pdf)}
    assert boxes == {(842, 595)}
    page.emulate_media(media="print")
    for hidden in (".top", ".filters", ".downloads"):
        assert not page.locator(hidden).first.is_visible()


def test_the_code_at_the_foot_changes_with_the_figures_and_only_with_them(client: Any, province: None) -> None:
    client.force_login(User.objects.get(username="thanhtra"))

    def code(address: str) -> str:
        found = re.search(r"mã đối chiếu ([0-9a-f-]{14})", client.get(address).content.decode())
        assert found
        return found[1]

    address = "/?measure=finished&as_of=2026-04-01T09:00:00%2B07:00"
    assert code(address) == code(address)
    assert code(address) != code(address.replace("04-01T09", "03-08T09"))
    story = "/ho-so/H99.12-260302-0001?as_of=2026-04-01T09:00:00%2B07:00"
    known = code(story)
    client.cookies["django_language"] = "en"
    assert f"check code {known}" in client.get(story).content.decode(), "a language changes no figure"


def test_the_bridge_is_a_workbook_whose_sums_can_be_followed(client: Any, province: None, tmp_path: Path) -> None:
    User.objects.filter(username="thanhtra").update(full_name="Trần Thị Mai")
    client.force_login(User.objects.get(username="thanhtra"))
    reply = client.get("/doi-chieu.xlsx?measure=finished")
    file = tmp_path / "bridge.xlsx"
    file.write_bytes(b"".join(reply.streaming_content))
    steps, split = _sheets_of(file)
    assert (steps[0][0], steps[1][0]) == ("Đối chiếu trễ hạn", "Đã giải quyết trễ hạn")
    assert "lập bởi Trần Thị Mai" in steps[2][0]
    totals = {row[0]: row[3:5] for row in steps[5:]}
    assert totals["Trên Cổng DVCQG"] == [2, ""]
    assert totals["Theo một cửa"] == [2, "khớp"]
    assert totals["Thực tế"] == [1, "khớp"]
    assert totals["   chậm thao tác (do thao tác)"] == [1, ""]
    head, whole, *rows = split[4:]
    assert head[2:7] == ["Hồ sơ", "Trên Cổng DVCQG", "Theo một cửa", "− chậm thao tác", "Thực tế"]
    assert whole[2:7] == [3, 2, 2, -1, 1]
    assert rows == [["H99.12", "H99.12", 3, 2, 2, -1, 1, 0, 0]]
    with zipfile.ZipFile(file) as book:
        formulas = re.findall(r"<f>(.*?)</f>", book.read("xl/worksheets/sheet2.xml").decode())
    assert "SUM(D7)-E7" in formulas
    assert "SUM(E7:F7)-G7" in formulas


def _sheets_of(file: Path) -> list[list[list[Any]]]:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(file))
    return [book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names]


def test_the_bridge_is_an_image_by_itself(client: Any, province: None) -> None:
    from lxml import etree

    client.force_login(User.objects.get(username="thanhtra"))
    reply = client.get("/doi-chieu.svg?measure=finished")
    assert reply.headers["Content-Type"] == "image/svg+xml"
    assert ".svg" in reply.headers["Content-Disposition"]
    drawing = etree.fromstring(reply.content)
    said = [node.text for node in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert said[2:4] == ["Trên Cổng DVCQG", "2"]
    assert "chậm thao tác" in said
    assert any("mã đối chiếu" in (text or "") for text in said)


def test_a_dossier_opens_in_the_system_that_it_lives_in(client: Any, province: None, settings: Any) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    addresses = ("/ho-so", "/nguyen-nhan", "/ho-so/H99.12-260302-0001")
    for address in addresses:
        assert "Mở trong hệ thống một cửa" not in client.get(address).content.decode()
    settings.SOURCE_LINKS = links.patterns('{"": "https://mc.example/hs?ma={dossier}&v=1"}')
    for address in addresses:
        page = client.get(address).content.decode()
        assert 'href="https://mc.example/hs?ma=H99.12-260302-0001&amp;v=1"' in page
        assert "Mở trong hệ thống một cửa" in page
    settings.SOURCE_LINKS = links.patterns('{"land": "https://dat.example/{dossier}"}')
    assert "↗" not in client.get("/ho-so").content.decode(), "another source's pattern is not ours"


def test_the_figures_of_the_split_are_lists_of_so_many(client: Any, province: None) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    for by in ("agency", "field", "procedure", "month", "source"):
        page = client.get(f"/?measure=finished&by={by}").content.decode()
        split = page[page.index('id="split-title"') :]
        found = re.findall(r'<a href="(/ho-so\?[^"]+)">[−+]?([\d.]+)</a>', split)
        assert found
        for address, count in found:
            listed = client.get(unescape(address)).content.decode()
            assert f'id="total">{count} hồ sơ<' in listed, (by, address)


def test_a_list_keeps_the_count_of_its_figure_while_the_clock_goes_on(client: Any, province: None) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    page = client.get("/?measure=finished").content.decode()
    assert all("as_of=2" in address for address in re.findall(r'href="(/ho-so\?[^"]+)"', page))


def test_findings_are_paged_by_dossier_and_leg(client: Any, province: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_SIZE", 1)
    client.force_login(User.objects.get(username="thanhtra"))
    address, seen = "/nguyen-nhan", []
    while address:
        page = client.get(address).content.decode()
        body = page[page.index("<tbody>") :]
        seen += re.findall(r'<a href="/ho-so/([^?"]+)', body)
        step = re.search(r'href="([^"]+)" rel="next"', page)
        address = unescape(step[1]) if step else ""
    assert len(seen) == len(set(seen)) == 2


def test_an_address_without_sense_is_answered_in_words(client: Any, province: None) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    for address in ("/?measure=x", "/ho-so?cause=x&leg=sync", "/?period=2026-13", "/don-vi?as_of=hom-qua",
                    "/ho-so?cause=late_entry", "/?by=x", "/nguyen-nhan?policy=x"):  # fmt: skip
        reply = client.get(address)
        assert reply.status_code == 400, address
        assert "Chưa hiểu câu hỏi trong địa chỉ" in reply.content.decode()
    assert client.get("/ho-so/khong-co").status_code == 404
    assert "Không thấy trang" in client.get("/khong-co").content.decode()


def test_a_home_without_facts_says_what_to_do(client: Any, home: Path) -> None:
    user = User.objects.create_user("moi", password="demo-motcua")
    Post.objects.create(user=user, role="inspector")
    client.force_login(user)
    for address in ("/", "/ho-so", "/nguyen-nhan", "/don-vi"):
        assert "motcua import" in client.get(address).content.decode()


def test_words_find_offices_and_procedures_without_diacritics(client: Any, province: None) -> None:
    Agency.objects.create(code="H99.50", name="Sở Công Thương", folded=fold("Sở Công Thương"))
    Procedure.objects.create(code="9.1", core="9.1", name="Đăng ký khai sinh", folded=fold("Đăng ký khai sinh"))
    client.force_login(User.objects.get(username="thanhtra"))
    assert "Sở Công Thương" in client.get("/tim?q=cong+thuong").content.decode()
    assert "Đăng ký khai sinh" in client.get("/tim?q=DANG+KY+khai").content.decode()
    assert client.get("/tim?q=h99.12-260302-0001").headers["Location"] == "/ho-so/H99.12-260302-0001"
    client.force_login(User.objects.get(username="xa-khac"))
    assert "H99.12-260302" not in client.get("/tim?q=260302").content.decode()
    assert client.get("/tim?q=H99.12-260302-0001").status_code == 200, "whether it exists is not told"


def test_only_listed_pages_are_open_to_all_and_a_ward_sees_its_own(client: Any, province: None) -> None:
    for address in (
        "/",
        "/ho-so",
        "/nguyen-nhan",
        "/don-vi",
        "/ho-so/H99.12-260302-0001",
        "/tim",
        "/ho-so.xlsx",
        "/nguyen-nhan.xlsx",
    ):
        assert client.get(address).status_code == 302
    assert client.get("/healthz").json() == {"ok": True}
    client.force_login(User.objects.get(username="xa-khac"))
    assert client.get("/ho-so/H99.12-260302-0001").status_code == 403
    assert 'id="total">0 hồ sơ<' in client.get("/ho-so").content.decode()


def test_a_list_is_a_workbook_of_the_same_rows(client: Any, province: None, tmp_path: Path) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    rows = _workbook(client, "/ho-so.xlsx?measure=all", tmp_path)
    assert rows[0][0] == "Danh sách hồ sơ"
    assert "lập bởi thanhtra" in rows[2][0]
    assert [row[1] for row in rows[5:]] == [f"H99.12-260302-000{n}" for n in (1, 2, 3)]
    assert rows[5][6].isoformat().startswith("2026-03-02T08:30"), "days are days, not texts"


def test_findings_are_a_workbook_with_room_for_the_answer(client: Any, province: None, tmp_path: Path) -> None:
    client.force_login(User.objects.get(username="thanhtra"))
    rows = _workbook(client, "/nguyen-nhan.xlsx?leg=record", tmp_path)
    assert [(row[2], row[3]) for row in rows[5:]] == [("H99.12-260302-0001", "chậm thao tác")]
    assert "chứng cứ: 15:00 06/03/2026" in rows[5][7]
    assert rows[4][9] == "Giải trình của đơn vị"


def test_a_stranger_s_text_never_becomes_a_formula() -> None:
    document = {"as_of": "2026-04-01T09:00:00+07:00", "policy": "default/1"}
    row = {"severity": "C", "dossier": "=1+1", "cause": "late_entry", "leg": "record", "agency": "", "remedy":
           "look_into", "agency_name": "=cmd()", "evidence": {}}  # fmt: skip
    stream = workbooks.findings(document, [row], title="", author="", period=None)
    with zipfile.ZipFile(stream) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def _workbook(client: Any, address: str, folder: Path) -> list[list[Any]]:
    from python_calamine import CalamineWorkbook

    path = folder / "list.xlsx"
    path.write_bytes(b"".join(client.get(address).streaming_content))
    rows: list[list[Any]] = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    return rows
