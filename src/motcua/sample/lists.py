"""A province's first day as its office has it: the one-stop software's export, the annex of a letter that blames it.

Rows as people send them: titles above, days as text, units by name and shortened, mistakes, a sum and signatures
below. Which rows cannot be taken, and how many dossiers the letter names, is known, so that a first hour can be tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from motcua.rules.dossier import Status, replay
from motcua.rules.instants import VIET_NAM
from motcua.rules.verdicts import OurFacts, Terms, our_facts
from motcua.rules.workdays import viet_nam
from motcua.sample.acted import acted
from motcua.sample.acts import Plan, Planned

Row = tuple[str | int, ...]

#: A unit that no catalogue has: its dossiers are filed by their codes, and the page asks once who it is.
UNKNOWN_UNIT = "Ban Quản lý cảng cá Mẫu"
#: Rows of the one-stop list that nobody can take, whatever the size of the list.
BAD = 18
#: Dossiers of the letter that the one-stop software does not have.
STRANGERS = 6
_STATES = {
    Status.ACCEPTED: "Được tiếp nhận", Status.PROCESSING: "Đang xử lý", Status.SUPPLEMENT: "Yêu cầu bổ sung giấy tờ",
    Status.PAYMENT: "Yêu cầu thực hiện nghĩa vụ tài chính", Status.WITHDRAWN: "Công dân yêu cầu rút hồ sơ",
    Status.REFUSED: "Từ chối giải quyết", Status.STOPPED: "Dừng xử lý", Status.FINISHED: "Đã có kết quả, chờ trả",
    Status.RETURNED: "Đã trả kết quả",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Three tables with their titles, and what is to come out when they are loaded.

    `onestop` and `letter` hold the rows below `onestop_headings` and `letter_headings`; `agencies` code, name, parent.
    """

    until: datetime
    onestop_headings: Row
    onestop: tuple[Row, ...]
    letter_headings: Row
    letter: tuple[Row, ...]
    agencies: tuple[Row, ...]
    taken: int  # rows of the one-stop list that can be taken
    late_there: int  # dossiers that the letter names
    late_here: int  # of the taken ones, late by the one-stop list itself


def lists(plan: Plan) -> Lists:
    """The lists of a planned province as of the plan's end."""
    calendar = viet_nam()
    terms = {
        p.code: Terms(calendar=calendar, mode=p.mode, limit=p.allotted, payment_pauses=p.payment_pauses)
        for p in plan.province.procedures
    }
    wrong = {fault.dossier for fault in plan.faults if fault.leg == "sync" and fault.measure == "all"}
    rows: list[Row] = []
    late: list[Row] = []
    late_here, spoilt = 0, 0
    for planned in plan.dossiers:
        events = acted(planned)
        facts = our_facts(events, terms[planned.procedure.code], as_of=plan.until)
        if facts.accepted_at is None or facts.closed_at_intake:
            continue
        due = facts.default.recorded
        here = due is not None and (facts.finish_at or plan.until) > due
        spoil = spoilt < BAD and not here and planned.code not in wrong and facts.finish_at is not None
        spoilt += spoil
        row = _row(len(rows) + 1, planned, facts, replay(planned.code, events).status)
        rows.append(_spoilt(row, spoilt) if spoil else row)
        late_here += here  # the list's days know of no pause
        waits = facts.finish_at is None and facts.default.paused[0]
        if (here and not waits) != (planned.code in wrong):
            late.append(_blamed(len(late) + 1, planned, facts))
    for number in range(STRANGERS):
        code = f"H99.0{1 + number % 9}-{plan.until:%y%m%d}-{8000 + number}"
        late.append((len(late) + 1, code, "Hồ sơ trên hệ thống của bộ", "Quá hạn"))
    return Lists(
        until=plan.until,
        onestop_headings=("STT", "Mã hồ sơ", "Mã TTHC", "Tên thủ tục hành chính", "Đơn vị xử lý", "Chủ hồ sơ",
                          "Hình thức nộp", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày kết thúc xử lý", "Trạng thái"),
        onestop=tuple(rows),
        letter_headings=("TT", "Số hồ sơ", "Cơ quan giải quyết", "Tình trạng"),
        letter=tuple(late),
        agencies=tuple((agency.code, agency.name, "H99") for agency in plan.province.agencies),
        taken=len(rows) - spoilt,
        late_there=len(late),
        late_here=late_here,
    )  # fmt: skip


def _row(number: int, planned: Planned, facts: OurFacts, status: Status) -> Row:
    return (
        number, planned.code, planned.procedure.code, planned.procedure.name, _shortened(planned, number),
        planned.applicant, {"online": "Trực tuyến", "post": "Bưu chính"}.get(planned.channel, "Trực tiếp"),
        _written(facts.accepted_at), _written(facts.default.recorded), _written(facts.finish_at),
        _STATES.get(status, "Đang xử lý"),
    )  # fmt: skip


def _shortened(planned: Planned, number: int) -> str:
    """A unit as clerks write it: mostly whole, sometimes shortened, a few times one that nobody knows."""
    if number % 997 == 5:
        return UNKNOWN_UNIT
    name = planned.agency.name
    return name.replace("UBND phường", "UBND P.") if number % 3 == 0 else name


def _spoilt(row: Row, nth: int) -> Row:
    """The row with a mistake as they are met: no code, a day that is none, no receipt, an end without its day."""
    cells = list(row)
    match nth % 4:
        case 0:
            cells[1] = ""
        case 1:
            cells[8] = "31/02/2026"
        case 2:
            cells[7] = ""
        case _:
            cells[9], cells[10] = "", "Đã có kết quả, chờ trả"
    return tuple(cells)


def _blamed(number: int, planned: Planned, facts: OurFacts) -> Row:
    """A line of the annex: a code with the blanks of a paper, late."""
    ended = "Trễ hạn (đã giải quyết)" if facts.finish_at else "Quá hạn (đang xử lý)"
    code = f" {planned.code} " if number % 7 == 0 else planned.code
    return number, code, planned.agency.name, ended


def _written(at: datetime | None) -> str:
    return f"{at.astimezone(VIET_NAM):%d/%m/%Y %H:%M}" if at else ""


def titles(first: str, until: datetime) -> Sequence[str]:
    """What stands above a table, line by line."""
    return ("ỦY BAN NHÂN DÂN TỈNH MẪU", first, f"(Số liệu đến {until.astimezone(VIET_NAM):%H giờ %M ngày %d/%m/%Y})")
