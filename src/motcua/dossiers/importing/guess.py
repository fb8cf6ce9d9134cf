"""What an office's list is, which of its columns hold what, and what its words mean: guesses, for a person to correct.

Nothing here reads a file or a table: rows of texts in, guesses out. The one place of headings and of words for states.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum

from motcua.catalogue.folding import fold
from motcua.rules.instants import VIET_NAM, Unreadable, parse_instant
from motcua.rules.workdays import viet_nam


class Kind(StrEnum):
    """What a list is."""

    PUBLISHED = "published"  # dossiers with the national portal's own verdict
    DOSSIERS = "dossiers"  # dossiers of a one-stop software, one row each
    STEPS = "steps"  # its step log, one row an act
    AGENCIES = "agencies"
    PETITIONS = "petitions"  # phản ánh, kiến nghị, one row each
    PROCEDURES = "procedures"  # known, and not loaded here
    UNKNOWN = "unknown"


#: Headings of the columns as they are met in exports and annexes, folded.
HEADINGS: dict[str, frozenset[str]] = {
    "code": frozenset({"dossier", "ma ho so", "ma so ho so", "so ho so", "ma hs", "mahoso", "ma ho so tthc", "so hs",
                       "ma bien nhan", "so bien nhan", "so giay hen", "ma tiep nhan"}),
    "verdict": frozenset({"verdict", "tinh trang", "trang thai", "ket qua", "danh gia", "tien do", "tinh trang xu ly",
                          "tinh trang han", "ket qua giai quyet", "ket qua xu ly"}),
    "state": frozenset({"status", "trang thai", "tinh trang", "trang thai ho so", "tinh trang ho so",
                        "trang thai xu ly", "ket qua giai quyet"}),
    "submitted_at": frozenset({"submitted_at", "ngay nop", "thoi gian nop", "ngay nop ho so", "ngay dang ky"}),
    "received_at": frozenset({"received_at", "ngay tiep nhan", "ngay nhan", "thoi gian tiep nhan", "ngay nhan ho so",
                              "thoi diem tiep nhan", "ngay tiep nhan ho so"}),
    "due_at": frozenset({"due_at", "ngay hen tra", "hen tra", "han tra", "han xu ly", "han giai quyet", "ngay hen",
                         "thoi han giai quyet", "ngay hen tra ket qua", "hen tra ket qua", "thoi diem hen tra"}),
    "finished_at": frozenset({"finished_at", "ngay ket thuc", "ngay ket thuc xu ly", "ngay hoan thanh", "ngay tra",
                              "ngay co ket qua", "ngay xu ly xong", "ngay tra ket qua", "ngay giai quyet xong"}),
    "unit": frozenset({"unit", "agency", "don vi", "co quan", "don vi xu ly", "don vi tiep nhan", "co quan thuc hien",
                       "co quan giai quyet", "don vi giai quyet", "ten don vi", "co quan xu ly", "noi tiep nhan"}),
    "procedure": frozenset({"procedure", "ma tthc", "ma thu tuc", "ma thu tuc hanh chinh", "ma dvc", "ma so tthc"}),
    "procedure_name": frozenset({"ten tthc", "ten thu tuc", "thu tuc", "thu tuc hanh chinh", "ten thu tuc hanh chinh",
                                 "tthc", "linh vuc, thu tuc"}),
    "applicant": frozenset({"applicant", "chu ho so", "ten chu ho so", "nguoi nop", "ho ten nguoi nop",
                            "nguoi nop ho so", "to chuc, ca nhan", "ca nhan, to chuc", "ten ca nhan, to chuc"}),
    "channel": frozenset({"channel", "hinh thuc nop", "kenh nop", "hinh thuc tiep nhan", "hinh thuc", "nguon nop"}),
    "at": frozenset({"at", "thoi gian", "thoi diem", "thoi gian xu ly", "ngay xu ly", "thoi gian thuc hien",
                     "ngay thuc hien", "thoi gian ket thuc", "thoi diem thuc hien"}),
    "activity": frozenset({"activity", "buoc", "ten buoc", "buoc xu ly", "thao tac", "hanh dong", "cong viec",
                           "noi dung xu ly", "qua trinh xu ly", "noi dung"}),
    "actor": frozenset({"actor", "nguoi xu ly", "can bo", "can bo xu ly", "nguoi thuc hien", "cong chuc",
                        "can bo thu ly"}),
    "agency_code": frozenset({"ma don vi", "ma co quan", "ma dinh danh", "ma dinh danh don vi", "ma"}),
    "agency_name": frozenset({"ten don vi", "ten co quan", "don vi", "co quan", "ten"}),
    "parent": frozenset({"don vi cha", "ma don vi cha", "don vi cap tren", "co quan chu quan", "ma cap tren"}),
    "procedure_code": frozenset({"ma so", "ma tthc", "ma thu tuc", "ma"}),
    "issuer": frozenset({"co quan ban hanh", "co quan cong bo"}),
    "petition": frozenset({"petition", "ma phan anh", "ma kien nghi", "ma phan anh, kien nghi", "so phan anh",
                           "ma phan anh kien nghi", "ma pakn", "so pakn"}),
    "answered_at": frozenset({"answered_at", "ngay tra loi", "thoi gian tra loi", "ngay phan hoi", "ngay giai quyet"}),
    "published_at": frozenset({"published_at", "ngay cong khai", "ngay dang tai", "thoi gian cong khai"}),
    "refused_at": frozenset({"refused_at", "ngay tu choi", "ngay tu choi tiep nhan"}),
    "asked_at": frozenset({"asked_at", "ngay yeu cau bo sung", "ngay yeu cau lam ro", "ngay yeu cau"}),
    "transferred_at": frozenset({"transferred_at", "ngay chuyen", "ngay chuyen don vi khac", "ngay chuyen xu ly"}),
}  # fmt: skip
#: The columns of each kind, those first without which it says nothing.
FIELDS: dict[Kind, tuple[str, ...]] = {
    Kind.PUBLISHED: ("code", "verdict", "received_at", "due_at", "finished_at", "unit"),
    Kind.DOSSIERS: ("code", "received_at", "due_at", "finished_at", "state", "unit", "procedure", "procedure_name",
                    "submitted_at", "applicant", "channel"),
    Kind.STEPS: ("code", "activity", "at", "unit", "actor"),
    Kind.AGENCIES: ("agency_code", "agency_name", "parent"),
    Kind.PETITIONS: ("petition", "unit", "received_at", "answered_at", "published_at", "refused_at", "asked_at",
                     "transferred_at"),
    Kind.PROCEDURES: ("procedure_code", "procedure_name", "issuer"),
}  # fmt: skip
NEEDED: dict[Kind, tuple[str, ...]] = {
    Kind.PUBLISHED: ("code",),
    Kind.DOSSIERS: ("code", "received_at"),
    Kind.STEPS: ("code", "activity", "at"),
    Kind.AGENCIES: ("agency_code", "agency_name"),
    Kind.PETITIONS: ("petition", "unit", "received_at"),
}
#: What a person may load.
LOADED = tuple(NEEDED)
INSTANTS = frozenset({"submitted_at", "received_at", "due_at", "finished_at", "at"})

#: Words of a verdict, folded: the first that a cell contains decides.
VERDICT_WORDS = (
    ("late", ("qua han", "tre han", "tre hen", "cham han", "cham tiep nhan", "late", "overdue")),
    ("on_time", ("dung han", "truoc han", "som han", "trong han", "con han", "chua den han", "on_time", "early",
                 "in_time", "sap den han")),
)  # fmt: skip
#: Words of a state, folded, with the event that ends the dossier; "open": none.
STATE_WORDS = (
    ("returned", ("da tra ket qua", "da tra kq", "da trao", "returned")),
    ("refused", ("khong duoc tiep nhan", "tu choi", "khong tiep nhan", "refused")),
    ("withdrawn", ("xin rut", "rut ho so", "da rut", "withdrawn")),
    ("stopped", ("dung xu ly", "dung giai quyet", "da huy", "stopped")),
    ("finished", ("da xu ly xong", "xu ly xong", "da giai quyet", "da co ket qua", "cho tra", "hoan thanh",
                  "da ket thuc", "da hoan tat", "finished")),
    ("open", ("dang xu ly", "dang giai quyet", "moi", "duoc tiep nhan", "da tiep nhan", "dang thu ly", "cho ",
              "bo sung", "tam dung", "qua han", "trong han", "con han", "nghia vu", "trinh", "open")),
)  # fmt: skip
#: Words of an act, folded, with the kind of event; what none of them is, is a step done.
ACT_WORDS = (
    ("supplement_received", ("da bo sung", "nhan bo sung", "nop bo sung", "supplement_received")),
    ("supplement_requested", ("bo sung", "supplement_requested")),
    ("resumed", ("tiep tuc xu ly", "tiep tuc giai quyet", "resumed")),
    ("suspended", ("tam dung", "suspended")),
    ("paid", ("da nop nghia vu", "da nop phi", "da thanh toan", "paid")),
    ("payment_requested", ("nghia vu tai chinh", "yeu cau nop phi", "payment_requested")),
    ("leg_sent", ("leg_sent",)),  # in words it is a step of many processes: a person says which it is
    ("leg_returned", ("leg_returned",)),
    ("returned", ("da tra ket qua", "tra ket qua", "returned")),
    ("finished", ("da xu ly xong", "ket thuc xu ly", "ket thuc ho so", "hoan thanh xu ly", "da co ket qua",
                  "finished")),
    ("withdrawn", ("rut ho so", "xin rut", "withdrawn")),
    ("stopped", ("dung xu ly", "dung giai quyet", "stopped")),
    ("refused", ("tu choi", "khong duoc tiep nhan", "refused")),
    ("received", ("tiep nhan", "received")),
)  # fmt: skip
CHANNEL_WORDS = (
    ("online", ("truc tuyen", "online", "dich vu cong", "cong dvc")),
    ("post", ("buu chinh", "buu dien", "post")),
    ("desk", ("truc tiep", "mot cua", "tai quay", "desk")),
)
#: What the words of a column are read as, where they are: each with what it may mean.
MEANINGS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "verdict": VERDICT_WORDS, "state": STATE_WORDS, "activity": ACT_WORDS, "channel": CHANNEL_WORDS,
}  # fmt: skip
MEANT: dict[str, tuple[str, ...]] = {
    "verdict": ("late", "on_time"),
    "state": ("open", "finished", "returned", "withdrawn", "stopped", "refused"),
    "activity": ("step_finished", "step_started", *(kind for kind, _ in ACT_WORDS)),
    "channel": ("desk", "online", "post"),
}
#: The heading is looked for in so many first rows: titles stand above it.
TITLE_ROWS = 20

_CODE = re.compile(r"^[0-9A-ZĐ][0-9A-ZĐ.]*-\d{6,8}-\d{1,7}$")
_PROCEDURE_CODE = re.compile(r"^\d\.\d{6}(\.|$)")
_INVISIBLE = re.compile(r"[\s\u200b\u200c\u200d\ufeff]+")
_HYPHENS = re.compile(r"[\u2010-\u2015\u2212]")
_DAY = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$")
_DAY_TIME = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})[ ,T-]+(\d{1,2})[:hg](\d{2})?(?::(\d{2}))?(?:\.\d+)?$")
_TIME_DAY = re.compile(r"^(\d{1,2})[:hg](\d{2})?(?::(\d{2}))?[ ,-]+(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$")
_SERIAL = re.compile(r"^[1-9]\d{4}(\.\d+)?$")
_SUMS = ("tong cong", "tong so", "cong:", "tong:")
_NOTHING = frozenset({"", "-", "--", "0", "null", "none", "n/a", "chưa có", "không có"})


def code_as_written(text: str) -> str:
    """A dossier code as people paste it: without blanks and invisible signs, one kind of hyphen, in capitals."""
    return _HYPHENS.sub("-", _INVISIBLE.sub("", text)).strip(".,;'\"()").upper()


def is_code(text: str) -> bool:
    """Whether a text, as `code_as_written` leaves it, is a dossier code."""
    return bool(_CODE.match(text))


def is_sum(cells: Sequence[str]) -> bool:
    """Whether a row is the sum below a table: its first text says so."""
    first = next((text for cell in cells if (text := folded(cell)) and not text.isdigit()), "")
    return first.startswith(_SUMS)


# ---- headings and columns ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list as it is guessed: its kind, its headings, the row below them, which column holds what.

    `start` is how many of the given rows stand above the data; `headings` is empty for a bare list of codes.
    """

    kind: Kind
    headings: tuple[str, ...]
    start: int
    columns: Mapping[str, int] = field(default_factory=dict)


def sheet(rows: Sequence[Sequence[str]], kind: Kind | None = None) -> Sheet:
    """Guesses what a list is from its first rows; `kind` where a person has said what."""
    known = [_known(cells) for cells in rows[:TITLE_ROWS]]
    top = known.index(max(known)) if known else 0
    if not known or not known[top]:
        first = next((n for n, cells in enumerate(rows) if any(is_code(code_as_written(c)) for c in cells)), len(rows))
        bare = tuple("" for _ in (rows[first] if first < len(rows) else ()))
        found = columns(Kind.PUBLISHED, bare, rows[first:]) if first < len(rows) else {}
        return Sheet(kind or (Kind.PUBLISHED if found else Kind.UNKNOWN), (), first, found)
    headings, start = _headings(rows, top)
    data = rows[start:]
    guessed = kind or _kind(headings, data)
    return Sheet(guessed, headings, start, columns(guessed, headings, data))


def _known(cells: Sequence[str]) -> int:
    """How many cells of a row are headings that somebody uses, and short enough to be one."""
    return sum(_named(cell) != "" for cell in cells)


def _named(cell: str) -> str:
    heading = folded(cell)
    return next((name for name, known in HEADINGS.items() if heading in known), "") if heading else ""


def folded(heading: str) -> str:
    """A heading for comparing: without case, marks, numbering and what stands in brackets."""
    text = fold(re.sub(r"\([^)]*\)", " ", heading.replace("_", " ") if " " in heading else heading))
    return re.sub(r"^\d+[.)]\s*", "", text).strip(" .:*#")


def _headings(rows: Sequence[Sequence[str]], top: int) -> tuple[tuple[str, ...], int]:
    """The headings, a second row of them under a merged one taken in, and a row of column numbers passed over."""
    headings, start = list(rows[top]), top + 1
    if start < len(rows) and _known(rows[start]) and not any(is_code(code_as_written(c)) for c in rows[start]):
        below = rows[start]
        headings = [
            (below[n] if n < len(below) and below[n].strip() else above).strip() for n, above in enumerate(headings)
        ]
        start += 1
    if start < len(rows) and _counts(rows[start]):
        start += 1
    return tuple(heading.strip() for heading in headings), start


def _counts(cells: Sequence[str]) -> bool:
    """(1) (2) (3): the numbers of the columns."""
    numbers = [cell.strip(" ()") for cell in cells if cell.strip()]
    return len(numbers) > 2 and all(number.isdigit() and int(number) <= len(cells) for number in numbers)


def _kind(headings: Sequence[str], data: Sequence[Sequence[str]]) -> Kind:
    """By what the columns are called and hold: procedures and agencies have no dossier codes."""
    found = {_named(heading) for heading in headings} - {""}
    if "petition" in found and "code" not in found:
        return Kind.PETITIONS
    dossiers = any(is_code(code_as_written(cell)) for cells in data[:50] for cell in cells)
    if not dossiers and "code" not in found:
        procedures = sum(bool(_PROCEDURE_CODE.match(cell.strip())) for cells in data[:50] for cell in cells)
        if procedures * 2 > min(len(data), 50):
            return Kind.PROCEDURES
        guessed = columns(Kind.AGENCIES, headings, data)
        return Kind.AGENCIES if {"agency_code", "agency_name"} <= set(guessed) else Kind.UNKNOWN
    steps = columns(Kind.STEPS, headings, data)
    if {"activity", "at"} <= set(steps) and "due_at" not in found:
        return Kind.STEPS
    if "verdict" in found or "state" in found:
        at = columns(Kind.PUBLISHED, headings, data).get("verdict")
        words = [cells[at] for cells in data[:200] if at is not None and at < len(cells) and cells[at].strip()]
        judged = sum(meaning("verdict", word) != "" for word in words)
        if words and judged * 10 >= len(words) * 9:
            return Kind.PUBLISHED
    rich = len(found & {"received_at", "finished_at", "procedure", "procedure_name", "applicant", "channel"})
    return Kind.DOSSIERS if "received_at" in found and rich > 1 else Kind.PUBLISHED


def columns(kind: Kind, headings: Sequence[str], data: Sequence[Sequence[str]]) -> dict[str, int]:
    """Which column holds what: by its heading, then by a heading that contains a known one, then by what it holds."""
    found: dict[str, int] = {}
    wanted = FIELDS.get(kind, ())
    names = [folded(heading) for heading in headings]
    for name in wanted:
        at = next((n for n, heading in enumerate(names) if heading in HEADINGS[name] and n not in found.values()), None)
        if at is not None:
            found[name] = at
    for name in wanted:
        if name in found:
            continue
        inside = [known for known in HEADINGS[name] if len(known) > 6]
        for n, heading in enumerate(names):
            if n not in found.values() and any(known in heading for known in inside):
                found[name] = n
                break
    if "code" in wanted and "code" not in found:
        width = max((len(cells) for cells in data[:50]), default=0)
        held = [sum(n < len(cells) and is_code(code_as_written(cells[n])) for cells in data[:50]) for n in range(width)]
        if any(held):
            found["code"] = held.index(max(held))
    return found


# ---- words and instants -----------------------------------------------------------------------------------------


def meaning(column: str, text: str) -> str:
    """What a word of a column is read as; empty where nobody can tell."""
    words = fold(text)
    if not words:
        return ""
    for meant, known in MEANINGS[column]:
        if any(word in words for word in known):
            return meant
    return "step_finished" if column == "activity" else ""


def instant(text: str, *, closing: bool = False) -> datetime | None:
    """An instant as lists write it; None for an empty cell. Raises `Unreadable`.

    `closing`: a day without a time means when offices close on it, as a due day does.
    """
    text = " ".join(text.split())
    if text.casefold() in _NOTHING:
        return None
    try:
        if found := _DAY.match(text):
            return _day(datetime(int(found[3]), int(found[2]), int(found[1]), tzinfo=VIET_NAM), closing)
        if found := _DAY_TIME.match(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=VIET_NAM)
        if found := _TIME_DAY.match(text):
            hour, minute, second, day, month, year = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=VIET_NAM)
        if _SERIAL.match(text) and 36_000 < float(text) < 73_000:  # a day number that a workbook lost the form of
            at = datetime(1899, 12, 30, tzinfo=VIET_NAM) + timedelta(minutes=round(float(text) * 1440))
            return _day(at, closing) if "." not in text else at
        at = parse_instant(text)
    except ValueError:
        raise Unreadable(f"{text!r} is not a day such as 05/03/2026 or 05/03/2026 17:00") from None
    bare = len(text) <= len("2026-03-05") or text.endswith(" 00:00:00")
    return _day(at, closing) if bare else at


def _day(day: datetime, closing: bool) -> datetime:
    if not closing:
        return day
    calendar = viet_nam()
    return calendar.closing(day.date()) if calendar.is_workday(day.date()) else day


# ---- names and codes that are nearly right ----------------------------------------------------------------------

_SHORT = (
    (r"\b(ubnd|uy ban nhan dan)\b", ""), (r"\b(tt ?pvhcc|trung tam phuc vu hanh chinh cong)\b", ""),
    (r"\bp\b\.?", "phuong"), (r"\bx\b\.?", "xa"), (r"\btt\b\.?", "thi tran"), (r"\bh\b\.?", "huyen"),
    (r"\bs\b\.?", "so"), (r"\btp\b\.?", "thanh pho"), (r"\btnmt\b", "tai nguyen va moi truong"),
    (r"\bnn ?& ?mt\b|\bnnmt\b", "nong nghiep va moi truong"), (r"\bkh ?& ?cn\b|\bkhcn\b", "khoa hoc va cong nghe"),
    (r"\bgd ?& ?dt\b|\bgddt\b", "giao duc va dao tao"), (r"\bxd\b", "xay dung"), (r"\byt\b", "y te"),
    (r"\btc\b", "tai chinh"), (r"\btp\b", "tu phap"), (r"\bnv\b", "noi vu"),
)  # fmt: skip


def plain_name(name: str) -> str:
    """A unit's name without abbreviations and without the office that sits in it, folded."""
    text = re.sub(r"[-–,()]", " ", fold(name).replace("đ", "d"))
    for pattern, full in _SHORT:
        text = re.sub(pattern, full + " ", text)
    return " ".join(text.replace(".", " ").split())


def nearest(name: str, known: Mapping[str, str], *, enough: float = 0.86) -> str:
    """The code of the agency whose name is as good as this one; empty where none, or two alike, are near.

    `known` holds agencies by `plain_name`.
    """
    text = plain_name(name)
    if text in known:
        return known[text]
    scored = sorted(((SequenceMatcher(None, text, other).ratio(), other) for other in known), reverse=True)[:2]
    if not scored or scored[0][0] < enough or (len(scored) > 1 and scored[0][0] - scored[1][0] < 0.03):
        return ""
    if re.findall(r"\d+", text) != re.findall(r"\d+", scored[0][1]):
        return ""  # Phường 5 is not Phường 15
    return known[scored[0][1]]


def variants(code: str) -> set[str]:
    """Codes one slip of the finger away: a sign changed, left out, doubled, or two swapped."""
    signs = "0123456789"
    found = {code[:n] + code[n + 1 :] for n in range(len(code))}
    found |= {code[:n] + code[n + 1] + code[n] + code[n + 2 :] for n in range(len(code) - 1)}
    for n, old in enumerate(code):
        if old.isdigit():
            found |= {code[:n] + sign + code[n + 1 :] for sign in signs}
    found |= {code[:n] + sign + code[n:] for n in range(len(code) + 1) for sign in signs + "."}
    found |= {code.replace("O", "0"), code.replace("I", "1"), code.replace("L", "1")}
    return {one for one in found if is_code(one)} - {code}


def distinct(values: Iterable[str]) -> dict[str, int]:
    """The distinct texts of a column with their counts, the most frequent first."""
    counts: dict[str, int] = {}
    for value in values:
        text = " ".join(value.split())
        if text:
            counts[text] = counts.get(text, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
