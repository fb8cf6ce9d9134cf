"""What a paper is before it is Word or PDF: its head, its body as blocks, its signatures, and what it rests on.

Layout of the head, margins and type size follow the decree on clerical work. Number, date and signature come from the
document system: the draft leaves them blank, and they are typed back where the signed paper is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from django.utils.translation import gettext

from motcua.catalogue import settings
from motcua.web import labels

Align = Literal["left", "right", "center"]
#: The setting that holds the head of the house's papers.
HEAD = "paper_head"
HEAD_FIELDS = ("parent", "agency", "place", "symbol", "signer", "signer_name", "contact", "phone")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside the paper; level 1 or 2."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. `note`: small and in italics; `strong`: bold; `centre`: bold in the middle of the line."""

    text: str
    look: Literal["text", "note", "strong", "centre"] = "text"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of points."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `width` is a share of the line."""

    title: str
    width: float = 1
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose head is repeated on each page; `total`: the first row is the sum of the others."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    total: bool = False
    dense: bool = False


@dataclass(frozen=True, slots=True)
class NewPage:
    """What follows starts on a new page: an annex."""


Block = Heading | Paragraph | Items | Table | NewPage


@dataclass(frozen=True, slots=True)
class Signature:
    """A place to sign: who signs as what, and the name below where it is known."""

    title: str
    name: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """What a paper rests on and who made it. `as_of` and the rest are empty where it holds no figures."""

    by: str
    at: datetime
    as_of: datetime | None = None
    policy: str = ""
    formula: str = ""
    code: str = ""

    def line(self) -> str:
        """The line at the foot of every page."""
        made = gettext("In bởi {who}, {at}.").format(who=self.by, at=labels.instant(self.at))
        if self.as_of is None:
            return made
        rests = gettext("Số liệu đến {at}, cách tính {policy}, công thức {formula}, mã đối chiếu {code}.").format(
            at=labels.instant(self.as_of), policy=self.policy, formula=self.formula, code=self.code
        )
        return f"{rests} {made}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One paper. `form` names its template and its wording; one without its own takes the look of `letter`."""

    form: str
    title: str
    foot: Foot
    subject: str = ""  # below the title, or "V/v …" below the number of a letter
    agency: str = ""
    parent: str = ""
    place: str = ""
    symbol: str = ""  # behind the blank of the number, such as VPUB-KSTT
    number: str = ""  # empty: left blank to be given by the document system
    on: date | None = None  # empty: left blank
    to: Sequence[str] = ()
    body: Sequence[Block] = ()
    annex: Sequence[Block] = ()  # behind the signatures, on a page of its own
    signatures: Sequence[Signature] = ()
    copies: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)  # further fields for a template of the province's own
    blocks: Mapping[str, Sequence[Block]] = field(default_factory=dict)  # further marks for such a template

    @property
    def marks(self) -> dict[str, Sequence[Block]]:
        """What stands where a template has the mark of its name."""
        annex = [NewPage(), *self.annex] if self.annex else []
        return {**self.blocks, "body": self.body, "annex": annex}

    @property
    def number_line(self) -> str:
        """`Số: 12/VPUB-KSTT`, with room where the number is not given yet."""
        return f"{self.number or '          '}/{self.symbol}" if self.symbol else self.number or " " * 14

    @property
    def day_line(self) -> str:
        """`Mẫu, ngày 06 tháng 3 năm 2026`: a day below ten and a month below three with a nought before them."""
        day = month = " " * 6
        year = self.foot.at.year
        if self.on is not None:
            day, year = f"{self.on.day:02}", self.on.year
            month = f"{self.on.month:02}" if self.on.month < 3 else str(self.on.month)
        line = gettext("ngày {day} tháng {month} năm {year}").format(day=day, month=month, year=year)
        return f"{self.place}, {line}" if self.place else line[0].upper() + line[1:]


def head() -> dict[str, str]:
    """The head of the house's papers as the province set it: `parent`, `agency`, `place`, `symbol`, `signer`…"""
    kept = settings.get(HEAD, {})
    return {name: str(kept.get(name, "")) for name in HEAD_FIELDS}


def issuer(house: Mapping[str, str]) -> str:
    """In whose name a paper is drafted; the usual agency where the province set none."""
    return house["agency"] or gettext("Văn phòng Ủy ban nhân dân tỉnh")


def fields(paper: Paper) -> dict[str, Any]:
    """The fields that a template finds under their names, beside the paper's own."""
    return {
        **paper.facts,
        "title": paper.title,
        "subject": paper.subject,
        "agency": paper.agency,
        "parent": paper.parent,
        "place": paper.place,
        "number_line": paper.number_line,
        "day_line": paper.day_line,
        "to": list(paper.to),
        "signatures": [{"title": s.title, "name": s.name, "note": s.note} for s in paper.signatures],
        "copies": list(paper.copies),
        "foot": paper.foot.line(),
    }
