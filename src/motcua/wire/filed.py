"""What the national portal sends into the province: filed dossiers, tax papers, look-ups (contract §3.11, §3.9).

The shape inside `data` was seen only in part. We read the names of the dossier record (§3.1) and, for the unit, the
names that clients use for it; unknown keys stay in the raw copy.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motcua.rules.enclosures import Paper
from motcua.rules.instants import Unreadable
from motcua.wire import dates
from motcua.wire.enclosed import papers_of
from motcua.wire.messages import BadItem, text_of

#: Where the unit that receives may stand, the codes first.
_UNITS = ("MaDonViTiepNhan", "MaDonViXuLy", "MaDonVi", "madonvi", "MaCoQuan", "DonViXuLy")
_CHANNELS = {"1": "desk", "2": "online", "3": "post"}
_DOSSIER_IN_XML = re.compile(rb"<(?:\w+:)?MA_HSO>\s*([^<]+?)\s*</", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A dossier that a citizen filed on the portal."""

    code: str  # MaHoSoQG
    procedure: str
    unit: str  # a code or a name
    applicant: str
    channel: str
    submitted_at: datetime | None
    papers: tuple[Paper, ...]
    body: Mapping[str, Any]


def code_of(data: Any) -> str:
    """The portal's code of the dossier that a message is about; empty where none can be read."""
    if not isinstance(data, Mapping):
        return ""
    try:
        return text_of(data.get("MaHoSoQG") or data.get("MaHoSo") or data.get("MA_HSO")) or _code_in_notice(data)
    except Unreadable:
        return ""


def _code_in_notice(data: Mapping[str, Any]) -> str:
    """A tax notice carries the dossier's code in its XML, which is base64."""
    try:
        document = base64.b64decode(text_of(data.get("FileThongBaoThue")), validate=True)
    except (binascii.Error, ValueError):
        return ""
    found = _DOSSIER_IN_XML.search(document)
    return found[1].decode("utf-8", "replace") if found else ""


def parse_filed(data: Any) -> Filed:
    """`data` of nhanhsdvcqg. Raises `BadItem`."""
    if not isinstance(data, Mapping):
        raise BadItem("", "data: phải là một đối tượng")
    code = code_of(data)
    if not code:
        raise BadItem("", "Thiếu MaHoSoQG")
    if len(code) > 200:
        raise BadItem("", "MaHoSoQG quá dài")
    procedure = text_of(data.get("MaTTHC"))
    unit = next((found for name in _UNITS if (found := text_of(data.get(name)))), "")
    for name, value in (("MaTTHC", procedure), ("MaDonVi", unit)):
        if not value:
            raise BadItem(code, f"Thiếu {name}")
    try:
        submitted_at = dates.parse(data.get("NgayNopHoSo") or data.get("NgayNop"))
    except Unreadable as error:
        raise BadItem(code, f"NgayNopHoSo {error}") from None
    return Filed(
        code=code, procedure=procedure, unit=unit, applicant=text_of(data.get("ChuHoSo")),
        channel=_CHANNELS.get(text_of(data.get("KenhThucHien")), "online"), submitted_at=submitted_at,
        papers=papers_of(data), body=data,
    )  # fmt: skip
