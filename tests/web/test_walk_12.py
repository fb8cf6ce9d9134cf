"""Walk 12: a unit's administrator brings six in, moves one, ends one; 200 % zoom, by keyboard, in high contrast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from tests.accounts.house import OTHER, SECRET, WARD, person, units, workbook
from tests.browsers import chromium, drawn, page_of, violations, width_needed

from motcua.accounts import posts, powers
from motcua.accounts.models import Post, User
from motcua.dossiers import reception, steps
from motcua.ledger.models import Change, EventRow
from motcua.rules.instants import VIET_NAM, local_day
from motcua.rules.moves import Refused

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
_IN_SIGHT = "e => { const box = e.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth + 1 }"
CODE = "H99.101-260302-0001"
SIX = [
    (name, f"{account}@mau.gov.vn", "", unit, role)
    for name, account, unit, role in (
        ("Trần Thị Mai", "mai", "UBND phường Mẫu", "Công chức một cửa"),
        ("Lê Văn Bình", "binh", "UBND P. Mẫu", "Công chức thụ lý"),
        ("Ngô Thị Lan", "lan", "H99.101", "Đầu mối KSTT"),
        ("Lý Thị Ngọc", "ngoc", "UBND phường Mẫu", "Văn thư"),
        ("Bùi Văn Sơn", "son", "UBND phường Mẫu", "Lãnh đạo đơn vị"),
        ("Hồ Thị Yến", "yen", "UBND phường Mẫu", "Công chức thụ lý"),
    )
]


@pytest.fixture
def ward(home: Path) -> None:
    """A ward with an officer who has a step in hand, and the administrators of two wards."""
    units()
    person("quantriphuong", "administrator", WARD, full_name="Phan Văn Tú", password=SECRET)
    person("quantrikhac", "administrator", OTHER, full_name="Hồ Văn Khác", password=SECRET)
    officer = person("canbo", "officer", WARD, full_name="Đặng Minh Đức", password=SECRET)
    User.objects.update(activated_at=timezone.now())  # days are left to set a second factor up
    now = timezone.now() - timedelta(days=3)
    by = powers.actor(officer, on=local_day(now))
    reception.submit(code=CODE, procedure="1.000001", agency=WARD, by=by, at=now, now=now, allotted="5d")
    reception.receive(code=CODE, by=by, at=now, now=now)
    steps.start(code=CODE, step="Thụ lý", by=by, at=now, now=now)


@pytest.fixture
def page(live_server: Any, ward: None) -> Iterator[Any]:
    """Half of 1366 by 768, drawn at twice the size: what 200 % leaves of an office's screen."""
    half = {"width": 683, "height": 384}
    with chromium() as browser:
        yield page_of(browser, live_server.url, size=half, device_scale_factor=2, locale="vi-VN")


class Keyboard:
    """A person without a mouse: Tab to a thing, then type, choose or press."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def to(self, selector: str) -> None:
        """Tabs until the focus stands on the first that fits, going round once."""
        wanted = self.page.locator(selector).first
        wanted.wait_for()
        drawn(self.page)
        for _ in range(150):
            if wanted.evaluate("element => element === document.activeElement"):
                assert wanted.evaluate(_IN_SIGHT), f"{selector} lies beside the page"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no way by Tab to {selector}")

    def press(self, selector: str) -> None:
        self.to(selector)
        self.page.keyboard.press("Enter")

    def type(self, selector: str, text: str) -> None:
        self.to(selector)
        self.page.keyboard.type(text)

    def choose(self, selector: str, value: str) -> None:
        """Arrow keys until the value is chosen."""
        self.to(selector)
        for _ in range(60):
            if self.page.locator(selector).first.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{selector} has no {value}")

    def day(self, selector: str, day: Any) -> None:
        """A date field, part by part in the order of the browser's own language (the system's, not the page's)."""
        self.to(selector)
        self.page.keyboard.type(f"{day:%m%d%Y}")
        assert self.page.locator(selector).first.input_value() == day.isoformat()
        self.page.keyboard.press("Tab")  # out of the field's last part


def _sign_in(keys: Keyboard, name: str) -> None:
    keys.type("#id_username", name)
    keys.type("#id_password", SECRET)
    keys.page.keyboard.press("Enter")
    keys.page.locator("h1", has_text="Tài khoản của đơn vị").wait_for()


def _looks_right(page: Any, title: str) -> None:
    """Accessible, nothing beside the page, the chosen contrast kept."""
    page.locator("h1", has_text=title).wait_for()
    assert width_needed(page) <= 683
    assert page.evaluate("document.documentElement.classList.contains('contrast')")
    assert not (found := violations(page)), found


def test_six_come_one_moves_one_leaves(page: Any, tmp_path: Path) -> None:
    keys, today = Keyboard(page), local_day(timezone.now())
    tomorrow = today + timedelta(days=1)
    file = tmp_path / "can-bo.xlsx"
    file.write_bytes(workbook(SIX))

    page.goto("/dang-nhap")
    _sign_in(keys, "quantriphuong")
    keys.press(".menu summary")
    keys.press("[data-contrast]")
    page.keyboard.press("Escape")
    _looks_right(page, "Tài khoản của đơn vị")

    # Six people in.
    keys.press("a[href='/tai-khoan/danh-sach']")
    _looks_right(page, "Tài khoản từ danh sách")
    keys.to("#file")
    page.set_input_files(":focus", file)  # the dialog that Enter opens is the system's own
    keys.press("button.main")
    page.locator(".counts", has_text="6 người mới").wait_for()
    assert User.objects.count() == 3, "looking makes nobody"
    _looks_right(page, "can-bo.xlsx")
    keys.press("button[value=take]")
    page.locator(".said", has_text="6 người mới").wait_for()
    assert set(Post.objects.filter(agency=WARD).values_list("user__username", flat=True)) >= {
        "mai", "binh", "lan", "ngoc", "son", "yen"}  # fmt: skip
    with page.expect_download() as sheets:
        keys.press("button[value=print]")
    assert Path(sheets.value.path()).read_bytes().startswith(b"%PDF")

    # One moves to the other ward; the open work goes to a colleague.
    officer = User.objects.get(username="canbo")
    page.goto("/tai-khoan")
    keys.press(f"tbody a[href='/tai-khoan/{officer.pk}']")
    _looks_right(page, "Đặng Minh Đức")
    keys.press("summary:text-is('Chuyển đơn vị')")
    form = "form:has([value=move])"
    keys.choose(f"{form} [name=unit]", OTHER)
    keys.day(f"{form} [name=first]", tomorrow)
    keys.choose(f"{form} [name=successor]", str(User.objects.get(username="binh").pk))
    keys.press(f"{form} button")
    text = page.locator(".confirm").inner_text()
    assert "Việc đang mở (1 hồ sơ) sang Lê Văn Bình" in text and "bấm “Nhận”" in text
    assert officer.posts.count() == 1, "asked first"
    _looks_right(page, "Chuyển đơn vị")
    keys.press(".confirm button.main")
    page.locator(".said", has_text="chờ đơn vị mới bấm nhận").wait_for()

    # One ends today.
    yen = User.objects.get(username="yen")
    page.goto(f"/tai-khoan/{yen.pk}")
    keys.press("summary:text-is('Kết thúc')")
    keys.press("form:has([value=end]) button")
    keys.press(".confirm button.main")
    page.locator(".said", has_text="Đã ghi ngày kết thúc").wait_for()

    # The other ward takes the person in.
    keys.press(".menu summary")
    keys.press("form[action='/dang-xuat'] button")
    _sign_in(keys, "quantrikhac")
    _looks_right(page, "Tài khoản của đơn vị")
    keys.press("button[value=take]")
    page.locator(".said", has_text="Đã nhận Đặng Minh Đức").wait_for()

    _powers_and_open_work_follow_the_days(today, tomorrow)


def _powers_and_open_work_follow_the_days(today: Any, tomorrow: Any) -> None:
    officer, yen, binh = (User.objects.get(username=name) for name in ("canbo", "yen", "binh"))
    assert powers.scope(officer, on=today) == {WARD} and powers.scope(officer, on=tomorrow) == {OTHER}
    assert powers.scope(yen, on=today) == {WARD} and powers.scope(yen, on=tomorrow) == frozenset()
    assert posts.answers_for("canbo", WARD, today) == ["canbo"]
    assert posts.answers_for("canbo", WARD, tomorrow) == ["binh"]
    assert powers.acting(binh, on=tomorrow).agency == WARD

    # The step that is open is of the old ward: tomorrow its successor ends it, the one who has moved cannot.
    at = timezone.now() + timedelta(days=1)
    with pytest.raises(Refused, match=r"step\.not_your_unit"):
        steps.finish(code=CODE, step="Thụ lý", by=powers.actor(officer, on=tomorrow), at=at, now=at)
    steps.finish(code=CODE, step="Thụ lý", by=powers.actor(binh, on=tomorrow), at=at, now=at)

    # What was done before carries the post in which it was done.
    for row in EventRow.objects.filter(actor="canbo"):
        done_in = posts.of_an_act(row.actor, row.unit, local_day(row.at.astimezone(VIET_NAM)))
        assert done_in is not None and (done_in.role, done_in.agency) == ("officer", WARD)
    assert {row.actor for row in Change.objects.filter(key="canbo")} == {"quantriphuong", "quantrikhac"}
