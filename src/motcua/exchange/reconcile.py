"""What the portal should show of a dossier and what it shows, field by field; and why they differ.

Nothing is asked or written here. Texts may be cut or set otherwise there; the fields that are held against each
other are those that decide what the portal shows of a dossier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from motcua.catalogue import names as unit_names
from motcua.catalogue.terms import Terms
from motcua.dossiers import log
from motcua.dossiers.models import AlternativeCode, DossierRow
from motcua.exchange import messages, status_proof, take_in
from motcua.exchange.messages import Limits, Names
from motcua.exchange.models import Delivery, Difference
from motcua.exchange.status_map import RECORD_ONLY, StatusMap
from motcua.ledger.models import EventRow
from motcua.payments import carried
from motcua.rules.dossier import Status, replay
from motcua.rules.events import Event
from motcua.rules.instants import Unreadable
from motcua.wire.codes import procedure_core
from motcua.wire.messages import text_of
from motcua.wire.published import amount_of

Why, Act = Difference.Why, Difference.Act
#: The scalars that decide what the portal shows, and the lists with those of their fields that do.
SCALARS = ("MaTTHC", "DonViXuLy", "NgayTiepNhan", "NgayHenTra", "TrangThaiHoSo", "NgayKetThucXuLy", "NgayTra",
           "NgayTuChoi", "KenhThucHien")  # fmt: skip
LISTS: Mapping[str, tuple[str, ...]] = {
    "DanhSachHoSoBoSung": ("NgayBoSung", "NgayTiepNhanBoSung", "NgayHenTraTruoc", "NgayHenTraMoi"),
    "DanhSachLePhi": ("MaPhiLePhi", "Gia", "HinhThucThu", "LoaiPhiLePhi"),
    "DanhSachGiayToKetQua": ("MaGiayToKetQua", "GiayToId", "DuongDanTepTinKetQua"),
    "TaiLieuNop": ("MaThanhPhanHoSo", "TepDinhKemId", "DuongDanTaiTepTin"),
}
_STEP = ("TrangThai", "ThoiDiemXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh")
#: What other software than ours writes into a step, we cannot know beyond this.
_STEP_OF_OTHERS = ("TrangThai", "ThoiDiemXuLy")
#: Why: what to do, where a person decides.
PROPOSED: Mapping[str, str] = {
    Why.ON_THE_WAY: Act.WAIT,
    Why.REFUSED: Act.REPLAY,
    Why.UNMAPPED: Act.MAP_STATUS,
    Why.NOT_SHOWN: Act.RESEND,
    Why.CHANGED_THERE: Act.ASK_PORTAL,
    Why.NEVER_SENT: Act.WAIT,
    Why.OTHER_SENDER: Act.TELL_SENDER,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """An event and what became of its message: `state` (empty: none was planned) and `words` of its delivery."""

    seq: int
    status: Status | None
    state: str
    words: str
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Ours:
    """A dossier as we hold it, with what became of its messages and the other codes that it has."""

    code: str
    imported: bool  # not of our own desk
    by_others: bool  # its messages are another software's: no delivery of ours is known
    events: Sequence[Event]
    sent: Sequence[Sent]
    record: Mapping[str, Any]
    steps: Mapping[int, Mapping[str, Any]]  # by the seq of their events
    codes: Sequence[str]  # beside the dossier's own

    @property
    def seq(self) -> int:
        """Of the newest event."""
        return self.sent[-1].seq if self.sent else 0

    def on_the_way(self, at: datetime, patience: timedelta) -> bool:
        """Whether something waits that has not been tried in vain yet, nor for long: a difference tells nothing."""
        young = (s for s in self.sent if s.state == Delivery.State.WAITING and not s.words)
        return any(s.stored_at > at - patience for s in young)


@dataclass(frozen=True, slots=True)
class Found:
    """One difference. `seq`: our event that the portal should show there (0: none, it shows something of its own)."""

    name: str
    ours: str
    there: str
    why: str
    words: str = ""
    seq: int = 0

    @property
    def act(self) -> str:
        """What helps."""
        if self.name.startswith(("step +", "code")):
            return Act.ASK_PORTAL
        return PROPOSED[self.why]


class Reader:
    """Reads our side of many dossiers at once; the catalogue is read when it is made."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.names, self.terms = Names.load(), Terms.load()
        self.resolve: Callable[[str], str] = unit_names.resolver()
        self.rules: StatusMap = status_proof.current()

    def load(self, codes: Sequence[str]) -> dict[str, Ours]:
        """Our side of these dossiers; those that we do not have are absent."""
        here = dict(DossierRow.objects.filter(code__in=codes).values_list("code", "origin"))
        rows: dict[str, list[EventRow]] = {}
        for row in EventRow.objects.filter(dossier__in=list(here)).order_by("dossier", "seq"):
            rows.setdefault(row.dossier, []).append(row)
        deliveries: dict[str, dict[int, Delivery]] = {}
        for delivery in Delivery.objects.filter(dossier__in=list(here)):
            deliveries.setdefault(delivery.dossier, {})[delivery.seq] = delivery
        others: dict[str, list[str]] = {}
        for other, code in AlternativeCode.objects.filter(dossier__in=list(here)).values_list("code", "dossier"):
            others.setdefault(code, []).append(other)
        private = messages.private(list(here))
        owners, filed, paid = messages.owners(list(here)), take_in.as_filed(list(here)), carried.entries(here)
        found = {}
        for code, its in rows.items():
            events = messages.opened([log.as_event(row) for row in its], private.get(code))
            given = deliveries.get(code, {})
            sent = [self._sent(row, given.get(row.seq), code, events) for row in its]
            steps = {}
            for each in sent:
                until = events[: each.seq]
                if each.status is not None and messages.is_step(until[-1], replay(code, until)):
                    steps[each.seq] = messages.step(code, until, each.status, self.names)
            status = sent[-1].status or replay(code, events).status
            told = messages.record(code, events, status, self.names, self.terms, owners.get(code, ""), self.limits,
                                   filed.get(code), paid.get(code, ()))  # fmt: skip
            imported = here[code] != "desk"
            found[code] = Ours(
                code, imported, imported and not given, events, sent, told.body, steps, others.get(code, ())
            )
        return found

    def _sent(self, row: EventRow, delivery: Delivery | None, code: str, events: Sequence[Event]) -> Sent:
        if delivery is not None:
            status = None if delivery.status is None else Status(delivery.status)
            if delivery.state == Delivery.State.UNMAPPED:
                status = replay(code, events[: row.seq]).status  # what it should have been
            return Sent(row.seq, status, delivery.state, delivery.error, row.stored_at)
        after = replay(code, events[: row.seq])
        status = None if row.kind in RECORD_ONLY else self.rules.national(row.kind, after)
        return Sent(row.seq, status, "", "", row.stored_at)

    # ---- comparison ----------------------------------------------------------------------------------------------

    def compare(self, ours: Ours, there: Mapping[str, Any] | None, *, was_equal_at: datetime | None) -> list[Found]:
        """What the portal shows otherwise. `was_equal_at`: when it was last found equal."""
        if there is None:
            return [Found("dossier", str(int(self._status(ours))), "", *self._why_absent(ours), seq=ours.seq)]
        why, words = self._why_record(ours, was_equal_at)
        found = [
            Found(name, here, shown, why, words, ours.seq)
            for name, here, shown in self._unequal(ours.record, there)
            if here or not ours.by_others
        ]
        fields = _STEP_OF_OTHERS if ours.by_others else _STEP
        logged = [_key(step, fields) for step in there.get("TienTrinh") or ()]
        by_seq = {each.seq: each for each in ours.sent}
        for seq, step in ours.steps.items():
            key = _key(step, fields)
            if key in logged:
                logged.remove(key)
            else:
                why, words = _why_step(by_seq[seq], ours.by_others, was_equal_at)
                found.append(Found(f"step -{seq}", " ".join(filter(None, key)), "", why, words, seq))
        strange = Why.OTHER_SENDER if ours.by_others else Why.CHANGED_THERE
        for key, times in Counter(logged).items():
            name = f"step +{key[0]} {key[1]}" + (f" ×{times}" if times > 1 else "")
            found.append(Found(name[:64], "", " ".join(filter(None, key)), strange))
        return found

    def _unequal(self, here: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """(field, here, there) of what is not equal; of lists of one length the fields of each row ("list 2 field")."""
        for name in SCALARS:
            ours, shown = self._plain(name, here.get(name)), self._plain(name, there.get(name))
            if ours != shown:
                yield name, ours, shown
        for name, columns in LISTS.items():
            left, right = _rows(here.get(name), columns), _rows(there.get(name), columns)
            if len(left) != len(right):
                whole, shown_whole = ("; ".join("/".join(row) for row in rows) for rows in (left, right))
                yield name, whole, shown_whole
                continue
            for number, rows in enumerate(zip(left, right, strict=True), 1):
                for column, ours, shown in zip(columns, *rows, strict=True):
                    if ours != shown:
                        yield f"{name} {number} {column}"[:64], ours, shown

    def _status(self, ours: Ours) -> Status:
        return ours.sent[-1].status or replay(ours.code, ours.events).status

    def _plain(self, name: str, value: Any) -> str:
        """Absent in all its forms is the same; units and procedures are compared by what they mean."""
        text = _text(value)
        if name == "DonViXuLy":
            return self.resolve(text) or text
        if name == "MaTTHC":
            return procedure_core(text)
        if name == "KenhThucHien":
            return text or "1"  # the portal counts an empty one as direct
        return text if text.strip("0") else ""

    def _why_absent(self, ours: Ours) -> tuple[str, str]:
        if ours.by_others:
            return Why.OTHER_SENDER, ""
        first = next((each for each in ours.sent if each.state != Delivery.State.DELIVERED), None)
        if any(each.state == Delivery.State.DELIVERED for each in ours.sent):
            return Why.NOT_SHOWN, ""
        return _BY_STATE[first.state] if first and first.state != Delivery.State.DEAD else Why.REFUSED, (
            first.words if first else ""
        )

    def _why_record(self, ours: Ours, was_equal_at: datetime | None) -> tuple[str, str]:
        """Whose fault a field is: of what we have not sent since, else the portal's."""
        if ours.by_others:
            return Why.OTHER_SENDER, ""
        newest = max((each.seq for each in ours.sent if each.state == Delivery.State.DELIVERED), default=0)
        unsent = [each for each in ours.sent if each.seq > newest]
        if unsent:
            return _BY_STATE[unsent[0].state], unsent[0].words
        if was_equal_at is not None and ours.sent[-1].stored_at <= was_equal_at:
            return Why.CHANGED_THERE, ""
        return Why.NOT_SHOWN, ""


_BY_STATE: Mapping[str, str] = {
    Delivery.State.WAITING: Why.ON_THE_WAY,
    Delivery.State.DEAD: Why.REFUSED,
    Delivery.State.UNMAPPED: Why.UNMAPPED,
    Delivery.State.DELIVERED: Why.NOT_SHOWN,
    "": Why.NEVER_SENT,
}


def _why_step(sent: Sent, imported: bool, was_equal_at: datetime | None) -> tuple[str, str]:
    if imported:
        return Why.OTHER_SENDER, ""
    if sent.state == Delivery.State.DELIVERED and was_equal_at is not None and sent.stored_at <= was_equal_at:
        return Why.CHANGED_THERE, ""
    return _BY_STATE[sent.state], sent.words


def _rows(value: Any, columns: Sequence[str]) -> list[list[str]]:
    """The rows of a list, each by the fields that are compared."""
    rows = value if isinstance(value, list) else []
    return [[_cell(column, row.get(column)) for column in columns] for row in rows if row and isinstance(row, Mapping)]


def _cell(column: str, value: Any) -> str:
    """A field of a list's row. An amount is a number; an address is the same whatever its query (contract §6.5)."""
    text = _text(value)
    if column == "Gia":
        amount = amount_of(text) if text else None
        return text if amount is None else str(amount)
    if column.startswith("DuongDan"):
        return text.split("?")[0]
    return text if text.strip("0") or not column.startswith("Ngay") else ""


def _text(value: Any) -> str:
    try:
        return text_of(value)
    except Unreadable:
        return str(value)


def _key(step: Mapping[str, Any], fields: Sequence[str]) -> tuple[str, ...]:
    return tuple(_text(step.get(name)) for name in fields)
