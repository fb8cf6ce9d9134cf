"""Builders: a dossier told in a few words, and whole provinces of random ones."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from motcua.rules import events as e
from motcua.rules.instants import parse_instant

DOSSIERS = "dossier,procedure,agency,channel,applicant,submitted_at,received_at,allotted,due_at"
EVENTS = "dossier,kind,at,recorded_at,unit,actor,step,due_at,evidence_at,document,note"


def at(text: str) -> datetime:
    """An instant of Viet Nam."""
    return parse_instant(text)


def happened(kind: str, when: str, seq: int, **facts: Any) -> e.Event:
    """An event that was entered when it happened, unless `recorded_at` says otherwise."""
    facts = {name: at(v) if name.endswith("_at") and isinstance(v, str) else v for name, v in facts.items()}
    return e.KINDS[kind](at=at(when), recorded_at=facts.pop("recorded_at", at(when)), seq=seq, **facts)


def received(when: str, allotted: str = "5d", due: str | None = None, **facts: Any) -> e.Event:
    """A dossier accepted at the desk."""
    return happened(
        "registered", when, 1, procedure="1.000001", agency="H99.12", allotted=allotted, accepted_at=at(when),
        due_at=at(due) if due else None, **facts,
    )  # fmt: skip


class Case:
    """Canonical CSV files and messages of the contract, written line by line."""

    def __init__(self) -> None:
        self.dossiers: list[str] = []
        self.events: list[str] = []
        self.messages: list[dict[str, Any]] = []

    def dossier(
        self, code: str, received_at: str = "2026-03-02T08:30", due: str = "2026-03-09T17:00", *, allotted: str = "5d",
        procedure: str = "1.000001", agency: str = "H99.12", applicant: str = "Trần Thị Thử", channel: str = "desk",
        submitted_at: str = "",
    ) -> None:  # fmt: skip
        self.dossiers.append(
            f"{code},{procedure},{agency},{channel},{applicant},{submitted_at},{received_at},{allotted},{due}"
        )

    def event(
        self, code: str, kind: str, when: str, *, recorded: str = "", step: str = "", due: str = "",
        evidence: str = "", document: str = "", actor: str = "A", unit: str = "P1", note: str = "",
    ) -> None:  # fmt: skip
        self.events.append(f"{code},{kind},{when},{recorded},{unit},{actor},{step},{due},{evidence},{document},{note}")

    def record(self, code: str, status: int, *, updating: bool = True, **fields: str) -> None:
        item = {
            "MaHoSo": code, "MaTTHC": "1.000001", "TenTTHC": "Mẫu", "DonViXuLy": "H99.12", "ChuHoSo": "Trần Thị Thử",
            "KenhThucHien": "1", "NgayTiepNhan": "20260302083000", "NgayHenTra": "20260309170000",
            "TrangThaiHoSo": str(status), **fields,
        }  # fmt: skip
        self._message("DongBoHoSoMC", item, isUpdating=str(updating))

    def step(self, code: str, status: int, when: str) -> None:
        item = {"MaHoSo": code, "NguoiXuLy": "A", "ThoiDiemXuLy": when, "NoiDungXuLy": "x", "TrangThai": str(status)}
        self._message("CapNhatTienDoHoSoMC", item)

    def _message(self, service: str, item: dict[str, str], **more: str) -> None:
        self.messages.append({"session": "s", "madonvi": "H99", "service": service, "data": [item], **more})

    def write(self, folder: Path) -> tuple[Path, Path, Path]:
        """The three files."""
        paths = folder / "dossiers.csv", folder / "events.csv", folder / "messages.ndjson"
        paths[0].write_text("\n".join([DOSSIERS, *self.dossiers]) + "\n", encoding="utf-8")
        paths[1].write_text("\n".join([EVENTS, *self.events]) + "\n", encoding="utf-8")
        paths[2].write_text(
            "\n".join(json.dumps(message, ensure_ascii=False) for message in self.messages) + "\n", encoding="utf-8"
        )
        return paths
