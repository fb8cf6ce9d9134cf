"""Lists of payments as banks, gateways and other one-stop systems export them: CSV or a workbook.

Banks put titles above the table and name columns as they like; the table is found by its headings. An amount is
whole đồng: `50.000`, `50,000` and `50000` are fifty thousand, `1.250.000,00` has no đồng behind the comma.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

from motcua.catalogue.folding import fold
from motcua.dossiers.importing import sources
from motcua.dossiers.importing.sources import Fault
from motcua.rules.instants import VIET_NAM, Unreadable, parse_instant
from motcua.wire import dates

#: Folded headings by what they hold.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "at": ("ngay giao dich", "ngay gd", "ngay hieu luc", "ngay hach toan", "ngay", "thoi gian", "thoi gian giao dich",
           "thoigiangd", "date", "at", "paid_at", "ngay thanh toan"),
    "credit": ("ghi co", "co", "phat sinh co", "ps co", "so tien ghi co", "credit", "tien vao"),
    "debit": ("ghi no", "no", "phat sinh no", "ps no", "so tien ghi no", "debit", "tien ra"),
    "amount": ("so tien", "so tien giao dich", "sotien", "amount", "gia tri"),
    "reference": ("ma tham chieu", "mathamchieu", "reference", "ref"),
    "transaction": ("ma giao dich", "magiaodich", "so giao dich", "so but toan", "transaction", "trace"),
    "about": ("noi dung", "dien giai", "noi dung giao dich", "mo ta", "description", "about"),
    "dossier": ("ma ho so", "mahoso", "so ho so", "dossier"),
    "duty": ("nghia vu", "khoan nop", "duty"),
    "channel": ("kenh", "hinh thuc", "channel"),
}  # fmt: skip
_TITLES_AT_MOST = 20
_DAY = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
#: Thousands by points or by commas, nothing but noughts behind the other sign.
_WHOLE = re.compile(r"^(?:(\d{1,3}(?:\.\d{3})+)(?:,0+)?|(\d{1,3}(?:,\d{3})+)(?:\.0+)?|(\d+)(?:[.,]0{1,2})?)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a list, with its place. `amount` is signed: money that left is negative."""

    line: int
    at: datetime
    amount: int
    reference: str = ""
    transaction: str = ""
    about: str = ""
    dossier: str = ""
    duty: str = ""
    channel: str = ""


def dong(text: str) -> int:
    """Whole đồng from a text. Raises `Unreadable`."""
    bare = re.sub(r"(?i)\s|vnd|vnđ|đồng|đ|₫", "", text)
    sign = -1 if bare.startswith("-") or (bare.startswith("(") and bare.endswith(")")) else 1
    found = _WHOLE.match(bare.strip("+-()"))
    if found is None:
        raise Unreadable(f"{text!r} không phải là số đồng nguyên")
    return sign * int(re.sub(r"[.,]", "", next(filter(None, found.groups()))))


def instant(text: str) -> datetime:
    """An instant or a day, day first as in Viet Nam, ISO, or the wire's 14 digits. Raises `Unreadable`."""
    text = text.strip()
    if found := _DAY.match(text):
        day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=VIET_NAM)
        except ValueError:
            raise Unreadable(f"{text!r} không phải là ngày") from None
    if re.fullmatch(r"\d{14}", text) and (at := dates.parse(text)):
        return at
    return parse_instant(text)


def read(path: Path, *, needed: tuple[str, ...] = ()) -> list[Row]:
    """The rows of a list, in its order. Raises `Fault`, naming file, row and column; then nothing is taken."""
    reading, columns = _head(path, needed)
    rows = []
    for line, row in sources.table(path, **reading):
        texts = {what: str(row.get(heading) or "").strip() for what, heading in columns.items()}
        if not any(texts.get(what) for what in ("credit", "debit", "amount")):
            continue  # a signature, an empty line
        if not texts["at"]:
            if any(fold(str(v)).startswith(("tong", "cong", "so du", "total")) for v in row.values()):
                continue
            raise Fault(path.name, line, columns["at"], "để trống; dòng tiền nào cũng cần ngày")
        found = _row(path, line, texts, columns)
        if found.amount:
            rows.append(found)
    return rows


def _row(path: Path, line: int, texts: Mapping[str, str], columns: Mapping[str, str]) -> Row:
    def money(what: str) -> int:
        try:
            return dong(texts[what]) if texts.get(what) else 0
        except Unreadable as error:
            raise Fault(path.name, line, columns[what], str(error)) from None

    try:
        at = instant(texts["at"])
    except Unreadable as error:
        raise Fault(path.name, line, columns["at"], str(error)) from None
    amount = money("amount") if "amount" in columns and "credit" not in columns else money("credit") - money("debit")
    names = ("reference", "transaction", "about", "dossier", "duty", "channel")
    return Row(line=line, at=at, amount=amount, **{name: texts.get(name, "") for name in names})


def _head(path: Path, needed: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, str]]:
    """How the table is read (rows above it, the sign between columns), and which heading holds what."""
    signs = (",", ";", "\t") if path.suffix.lower() == ".csv" else (",",)
    for skip, sign in product(range(_TITLES_AT_MOST), signs):
        reading: dict[str, Any] = {"skip_rows": skip, "delimiter": sign}
        try:
            first = next(sources.table(path, **reading), None)
        except Fault:
            if len(signs) == 1:
                raise
            continue  # a title line is narrower than the table, or this is not the sign
        columns: dict[str, str] = {}
        for heading in first[1] if first else ():
            names = {fold(part) for part in re.split(r"[/()\n]", heading)}
            what = next((w for w, known in HEADINGS.items() if names & set(known) and w not in columns), None)
            if what:
                columns[what] = heading
        if "at" in columns and {"credit", "amount"} & set(columns) and set(needed) <= set(columns):
            return reading, columns
    wanted = ", ".join(HEADINGS[what][0] for what in dict.fromkeys(("at", "amount", *needed)))
    raise Fault(path.name, 0, "", f"không tìm thấy bảng có các cột: {wanted}")
