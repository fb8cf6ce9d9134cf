"""One dossier explained: three verdicts, their causes, whose minutes, the two-track timeline, the certificate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers import log
from motcua.dossiers.models import DossierRow
from motcua.exchange.models import Delivery
from motcua.mirror.models import Step
from motcua.oversight import figures, reading
from motcua.oversight.figures import Question
from motcua.rules import clock, minutes, verdicts
from motcua.rules.clock import Allotted, Pause
from motcua.rules.events import Event, Registered
from motcua.rules.instants import VIET_NAM, from_microseconds, iso
from motcua.rules.verdicts import OurFacts, Terms

_FAR = 10**11


def dossier(
    home: Path, code: str, *, now: datetime, as_of: datetime | None = None, policy: str = "default"
) -> dict[str, Any] | None:
    """The whole story of a dossier as the JSON of `motcua explain`; None where neither side has it."""
    row = figures.one(home, code, Question(as_of=as_of, policy=policy), now=now)
    if row is None:
        return None
    at: datetime = row["as_of"]
    here = DossierRow.objects.filter(code=code).first()
    events = verdicts.cut(log.events(code), as_of=at) if here else []
    terms = reading.catalogue().terms(row["procedure"], row["agency"])
    facts = verdicts.our_facts(events, terms, as_of=at)
    procedure = Procedure.objects.filter(code=row["procedure"]).values_list("name", flat=True).first()
    agency = Agency.objects.filter(code=row["agency"]).values_list("name", flat=True).first()
    causes = {"sync": row["sync_cause"] or None, "record": row["record_cause"] or None}
    return {
        "dossier": code,
        "as_of": iso(at),
        "procedure": row["procedure"],
        "procedure_name": procedure or row["procedure"],
        "agency": row["agency"],
        "agency_name": agency or row["agency"],
        "channel": row["channel"],
        "shown": _shown(row, at),
        "recorded": _ours(facts, at, bool(row["recorded"]), 0, here is not None),
        "true": _ours(facts, at, bool(row["true"]), 3, here is not None),
        "causes": causes,
        "sub_cause": row["sub_cause"] or None,
        "sentence": _sentence(row, facts, at),
        "minutes": _minutes(events, facts, terms, at),
        "timeline": _ours_timeline(events, facts, at) + _their_timeline(row["t_code"] or code, at),
        "certificate": _certificate(events, facts, terms),
        "deliveries": _deliveries(code),
    }


def _instant(row: Mapping[str, Any], name: str) -> datetime | None:
    value = row[name]
    return None if value is None or value > _FAR else from_microseconds(value * 1_000_000)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def _shown(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    if not row["exists_there"]:
        return {"verdict": "absent", "due_at": None, "finished_at": None}
    names = ("t_nine_at", "t_ten_at", "t_closed_at", "t_withdrawn_at")
    finish = next((found for name in names if (found := _instant(row, name)) is not None), None)
    due = _instant(row, "t_due_at") or _instant(row, "t_limit_due_at")
    finished = finish is not None and finish <= at
    late = bool(row["shown"])
    verdict = ("late" if finished else "open_late") if late else "on_time" if finished else "open_in_time"
    if due is None and not late:
        verdict = "no_due"
    return {"verdict": verdict, "due_at": _iso(due), "finished_at": _iso(finish if finished else None)}


def _ours(facts: OurFacts, at: datetime, late: bool, stage: int, here: bool) -> dict[str, Any]:
    if not here:
        return {"verdict": "absent", "due_at": None, "finished_at": None}
    if facts.accepted_at is None:
        return {"verdict": "not_accepted", "due_at": None, "finished_at": None}
    finish = facts.finish_at if stage == 0 else facts.true_finish_at
    due = facts.default.recorded if stage == 0 else facts.default.true
    finished = finish is not None and finish <= at
    verdict = ("late" if finished else "open_late") if late else "on_time" if finished else "open_in_time"
    if not finished and not late and facts.default.paused[stage]:
        verdict = "paused"
    elif due is None and not late:
        verdict = "no_due"
    return {"verdict": verdict, "due_at": _iso(due), "finished_at": _iso(finish if finished else None)}


def _hm(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(VIET_NAM):%H:%M %d/%m/%Y}"


def _sentence(row: Mapping[str, Any], facts: OurFacts, at: datetime) -> str:
    """The dossier in one sentence a leg, with the facts that decide."""
    parts: list[str] = []
    match row["sync_cause"]:
        case "":
            pass
        case "missing_here":
            parts.append("Cổng quốc gia có hồ sơ này, hệ thống một cửa không có.")
        case "missing_there":
            parts.append("Hồ sơ chưa có trên Cổng quốc gia.")
        case "duplicate_there":
            parts.append(f"Cổng quốc gia có thêm {row['t_duplicates']} bản ghi của hồ sơ này, bản ghi thừa chưa đóng.")
        case "misplaced_there":
            parts.append(f"Trên Cổng hồ sơ nằm ở thủ tục {row['t_procedure']}, thời hạn khác.")
        case "step_lost":
            parts.append("Trên Cổng hồ sơ ghi đã xong nhưng nhật ký không có bước kết thúc.")
        case "only_return_sent":
            parts.append(
                f"Cổng chỉ có bước trả kết quả lúc {_hm(_instant(row, 't_ten_at'))}, thiếu bước xử lý xong lúc "
                f"{_hm(facts.finish_at)}."
            )
        case "update_refused":
            parts.append(f"Bản tin kết thúc bị từ chối: “{row['delivery_message'] or 'không rõ lý do'}”.")
        case "accepted_not_shown":
            parts.append("Bản tin kết thúc đã được nhận nhưng Cổng không hiện bước kết thúc.")
        case "update_not_sent":
            parts.append(f"Hồ sơ kết thúc lúc {_hm(facts.finish_at)}, bản tin kết thúc chưa đến Cổng.")
        case "status_unmapped":
            parts.append("Trạng thái kết thúc chưa ánh xạ sang trạng thái của Cổng.")
        case "clock_shift" | "finish_differs" | "closed_early_there":
            parts.append(
                f"Cổng ghi kết thúc lúc {_hm(_instant(row, 't_nine_at') or _instant(row, 't_closed_at'))}, "
                f"một cửa ghi {_hm(facts.finish_at) or 'chưa kết thúc'}."
            )
        case "pause_not_carried":
            parts.append("Thời gian chờ bổ sung, tạm dừng chưa được chuyển lên Cổng.")
        case "due_not_carried":
            parts.append(
                f"Cổng giữ hẹn trả {_hm(_instant(row, 't_due_at')) or 'trống'}, một cửa đã hẹn "
                f"{_hm(facts.default.recorded)}."
            )
        case "rule_differs":
            parts.append("Cùng dữ kiện, cách tính của Cổng cho kết quả khác.")
        case _:
            parts.append("Chưa rõ vì sao hai bên khác nhau.")
    match row["record_cause"]:
        case "late_entry":
            parts.append(
                f"Chứng cứ {_hm(facts.evidence_at)}, trước hạn {_hm(facts.default.recorded)}; bấm kết thúc lúc "
                f"{_hm(facts.finish_at)}."
            )
        case "step_skipped":
            parts.append(f"Chưa bấm kết thúc; chứng cứ cho thấy xong lúc {_hm(facts.evidence_at)}.")
        case "back_dated":
            parts.append(f"Giờ ghi nhận {_hm(facts.finish_at)} sớm hơn chứng cứ {_hm(facts.evidence_at)}.")
        case "due_moved":
            parts.append("Chỉ đúng hạn nhờ lần hẹn lại không đủ điều kiện.")
        case "pause_unlawful":
            parts.append("Chỉ đúng hạn nhờ lần tạm dừng không đủ căn cứ.")
    if not parts:
        parts.append(
            "Ba phía thống nhất." if row["exists_there"] and row["exists_here"] else "Không có khác biệt về trễ hạn."
        )
    return " ".join(parts)


def _minutes(events: list[Event], facts: OurFacts, terms: Terms, at: datetime) -> list[dict[str, Any]]:
    if not events:
        return []
    end = facts.true_finish_at if facts.true_finish_at is not None and facts.true_finish_at <= at else at
    return [
        {
            "owner": share.owner,
            "unit": share.unit,
            "actor": share.actor,
            "step": share.step,
            "minutes": share.minutes,
            "late_minutes": share.late_minutes,
        }
        for share in minutes.shares(
            events, accepted_at=facts.accepted_at, until=end, due_at=facts.default.true, calendar=terms.calendar
        )
    ]


def _ours_timeline(events: list[Event], facts: OurFacts, at: datetime) -> list[dict[str, Any]]:
    ends = {span.from_at: span.to_at for span in facts.pauses}
    pausing = ("supplement_requested", "suspended", "payment_requested")
    return [
        {
            "side": "ours",
            "kind": event.kind,
            "status": None,
            "at": iso(event.at),
            "recorded_at": iso(event.recorded_at),
            "until": _iso(ends.get(event.at) or at) if event.kind in pausing and event.at in ends else None,
            "actor": event.actor,
            "unit": event.unit,
            "step": getattr(event, "step", ""),
            "note": event.note,
            "evidence_at": _iso(getattr(event, "evidence_at", None)),
        }
        for event in events
    ]


def _their_timeline(code: str, at: datetime) -> list[dict[str, Any]]:
    rows = Step.objects.filter(side=reading.their_side(), code=code).order_by("at", "pk")
    return [
        {
            "side": "theirs",
            "kind": "step",
            "status": int(step.status),
            "at": iso(step.at),
            "recorded_at": iso(step.stored_at),
            "until": None,
            "actor": "",
            "unit": "",
            "step": "",
            "note": "",
            "evidence_at": None,
        }
        for step in rows
        if step.at is not None and step.at <= at
    ]


def _certificate(events: list[Event], facts: OurFacts, terms: Terms) -> dict[str, Any]:
    due = facts.default.recorded
    if facts.accepted_at is None or due is None:
        return {"due_at": None, "explain": []}
    header = next((event for event in events if isinstance(event, Registered)), None)
    allotted = (header.allotted if header else "") or terms.limit
    pauses = [
        Pause(
            from_at=span.from_at,
            to_at=span.to_at or facts.finish_at or span.from_at,
            restart=span.kind == "supplement" and span.in_time and span.to_at is not None,
        )
        for span in facts.pauses
        if (span.to_at or facts.finish_at or span.from_at) >= span.from_at
    ]
    lines = clock.certificate(
        facts.accepted_at, due, calendar=terms.calendar, allotted=Allotted.parse(allotted) if allotted else None,
        cutoff=terms.cutoff, pauses=pauses, extensions=[(e.at, e.due_at) for e in facts.extensions],
    )  # fmt: skip
    return {
        "due_at": iso(due),
        "rule": clock.VERSION,
        "calendar": terms.calendar.name,
        "mode": str(terms.mode),
        "explain": [{"day": str(x.day), "worked_minutes": x.worked_minutes, "why": x.why} for x in lines],
    }


def _deliveries(code: str) -> list[dict[str, Any]]:
    return [
        {
            "seq": row.seq,
            "kind": row.kind,
            "status": row.status,
            "state": row.state,
            "attempts": row.attempts,
            "sent_at": _iso(row.sent_at),
            "done_at": _iso(row.done_at),
            "error": row.error,
        }
        for row in Delivery.objects.filter(dossier=code).order_by("position")
    ]
