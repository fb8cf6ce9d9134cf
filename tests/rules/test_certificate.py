"""The deadline certificate speaks words: every unit, mode, pause, extension and cut-off, in the reader's language."""

from __future__ import annotations

import pytest
from tests.story import at

from motcua.rules.clock import Allotted, CertificateLine, Mode, Pause, certificate, due_after, due_at
from motcua.rules.workdays import viet_nam

CALENDAR = viet_nam()


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("sd", "trong ngày"),
        ("1d", "1 ngày làm việc"),
        ("5d", "5 ngày làm việc"),
        ("0.5d", "4 giờ làm việc"),
        ("1h", "1 giờ làm việc"),
        ("12h", "12 giờ làm việc"),
        ("90m", "1 giờ 30 phút làm việc"),
        ("20m", "20 phút làm việc"),
        ("10cd", "10 ngày, tính cả ngày nghỉ"),
    ],
)
def test_a_limit_is_said_as_people_say_it(limit: str, words: str) -> None:
    assert Allotted.parse(limit).words() == words


def _lines(start: str, limit: str, **more: object) -> dict[str, CertificateLine]:
    allotted = Allotted.parse(limit)
    pauses = more.get("pauses", ())
    known = {name: more[name] for name in ("mode", "cutoff") if name in more}
    due = due_after(at(start), allotted, pauses, calendar=CALENDAR, **known)  # type: ignore[arg-type]
    lines = certificate(at(start), due, calendar=CALENDAR, allotted=allotted, **more)  # type: ignore[arg-type]
    return {str(line.day): line for line in lines}


def test_working_days_are_numbered_and_rest_days_named() -> None:
    lines = _lines("2026-03-06T14:00", "5d")
    assert lines["2026-03-06"].why == "tiếp nhận lúc 14:00, ngày đầu không tính"
    assert lines["2026-03-07"].why == "Thứ Bảy: không tính"
    assert lines["2026-03-09"].why == "ngày làm việc thứ 1"
    assert lines["2026-03-13"].why == "ngày làm việc thứ 5; hẹn trả lúc 14:00, thời hạn 5 ngày làm việc"
    assert [day for day, line in lines.items() if not line.notable] == [f"2026-03-{d:02d}" for d in range(7, 13)]


def test_calendar_days_count_rest_days_too() -> None:
    lines = _lines("2026-03-06T14:00", "10cd")
    assert lines["2026-03-07"].why == "ngày thứ 1; Thứ Bảy"
    assert "ngày thứ 10" in lines["2026-03-16"].why


def test_a_limit_in_hours_counts_from_the_moment_of_receipt() -> None:
    for limit, mode in (("12h", Mode.KEEP_CLOCK), ("2d", Mode.HOURS)):
        lines = _lines("2026-03-06T14:00", limit, mode=mode)
        assert lines["2026-03-06"].why == "tiếp nhận lúc 14:00, tính từ lúc ấy"
        assert not any(line.number for line in lines.values())


def test_a_day_cut_by_a_pause_is_told_in_minutes_and_not_numbered() -> None:
    pause = Pause(from_at=at("2026-03-04T09:00"), to_at=at("2026-03-09T10:00"))
    lines = _lines("2026-03-02T14:00", "5d", pauses=[pause])
    assert lines["2026-03-04"].why == "tạm dừng 360 phút"
    assert lines["2026-03-05"].why == "tạm dừng cả ngày"
    assert max(line.number for line in lines.values()) <= 5
    assert sum(line.worked_minutes for line in lines.values()) == CALENDAR.minutes_between(
        at("2026-03-02T14:00"), due_at(at("2026-03-02T14:00"), Allotted.parse("5d"), calendar=CALENDAR)
    )


def test_a_cut_off_moves_the_start_and_says_so() -> None:
    lines = _lines("2026-03-05T15:30", "1d", cutoff=15 * 60)
    assert lines["2026-03-05"].why == "tiếp nhận lúc 15:30, tính từ 07:00 06/03/2026"


def test_an_extension_stands_on_its_day() -> None:
    moved = (at("2026-03-05T09:00"), at("2026-03-12T17:00"))
    lines = certificate(at("2026-03-02T08:00"), moved[1], calendar=CALENDAR, extensions=[moved])
    assert "xin lỗi và hẹn lại đến 17:00 12/03/2026" in next(x.why for x in lines if str(x.day) == "2026-03-05")


def test_words_are_said_by_whoever_translates_them() -> None:
    english = {
        "tiếp nhận lúc {at}, ngày đầu không tính": "received at {at}",
        "{reason}: không tính": "{reason} is closed",
        "Thứ Bảy": "Saturday",
    }
    lines = certificate(
        at("2026-03-06T14:00"), at("2026-03-09T14:00"), calendar=CALENDAR, say=lambda text: english.get(text, "?")
    )
    assert [line.why for line in lines[:2]] == ["received at 14:00", "Saturday is closed"]


def test_a_shifted_start_says_that_its_day_does_not_count() -> None:
    lines = _lines("2026-03-07T09:00", "10cd")  # a Saturday
    assert "ngày đầu không tính" in lines["2026-03-09"].why


def test_a_restart_that_moves_nothing_says_so() -> None:
    pause = Pause(from_at=at("2025-08-28T12:05"), to_at=at("2025-08-28T12:56"), restart=True)
    lines = _lines("2025-08-27T14:16", "10cd", pauses=[pause])
    assert "hẹn cũ muộn hơn nên giữ nguyên" in lines["2025-08-28"].why
    assert lines["2025-09-08"].number > 10  # the last day of the limit fell on a day of rest


def test_a_pause_before_the_start_counts_from_the_start() -> None:
    calendar = viet_nam()
    early = Pause(from_at=at("2021-12-02T08:00"), to_at=at("2021-12-07T09:00"))
    cut = Pause(from_at=at("2021-12-03T16:00"), to_at=at("2021-12-07T09:00"))
    limit = Allotted.parse("5d")
    start = at("2021-12-03T16:00")
    assert due_after(start, limit, [early], calendar=calendar) == due_after(start, limit, [cut], calendar=calendar)
