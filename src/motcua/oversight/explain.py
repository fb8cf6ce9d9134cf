"""One dossier explained: three verdicts, their causes, whose minutes, the two-track timeline, the certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext

from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers import log
from motcua.dossiers.models import DossierRow
from motcua.exchange.models import Delivery
from motcua.mirror import profiles
from motcua.mirror.models import Step
from motcua.oversight import figures, reading
from motcua.oversight.figures import Question
from motcua.oversight.models import DueChange
from motcua.rules import clock, minutes, verdicts
from motcua.rules.clock import Allotted, Pause
from motcua.rules.events import Event, Registered
from motcua.rules.instants import VIET_NAM, from_microseconds, iso
from motcua.rules.verdicts import OurFacts, Terms
from motcua.rules.workdays import WorkCalendar

_FAR = 10**11
_PAUSING = ("supplement_requested", "suspended", "payment_requested")


def dossier(
    home: Path, code: str, *, now: datetime, as_of: datetime | None = None, policy: str = "default",
    row: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:  # fmt: skip
    """The whole story of a dossier as the JSON of `motcua explain`; None where neither side has it.

    `row`: its judged pair, where that was read already (`figures.some`).
    """
    row = row or figures.one(home, code, Question(as_of=as_of, policy=policy), now=now)
    if row is None:
        return None
    procedure = Procedure.objects.filter(code=row["procedure"]).values_list("name", flat=True).first()
    agency = Agency.objects.filter(code=row["agency"]).values_list("name", flat=True).first()
    records = [row["t_code"] or code, *row["further"]]
    sources = Sources(
        row=row,
        events=log.events(code) if DossierRow.objects.filter(code=code).exists() else None,
        steps={record: _their_steps(record) for record in records},
        deliveries=_deliveries(code),
        due_changes=_due_changes(code),
        terms=reading.catalogue().terms(row["procedure"], row["agency"]),
        procedure_name=procedure or row["procedure"],
        agency_name=agency or row["agency"],
    )
    return told(sources, at=row["as_of"])


#: A step of a record of the portal: its status, when it is stated, when it was stored.
TheirStep = tuple[int, datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a story is told from, whether read now or kept frozen: nothing else is asked."""

    row: Mapping[str, Any]  # the judged pair, with `further`: codes of its other records there
    events: list[Event] | None  # None: not ours
    steps: Mapping[str, list[TheirStep]]  # by record of the portal
    deliveries: list[dict[str, Any]]
    due_changes: list[dict[str, Any]]
    terms: Terms
    procedure_name: str
    agency_name: str


def told(sources: Sources, *, at: datetime) -> dict[str, Any]:
    """The story of a dossier as of an instant."""
    row, terms = sources.row, sources.terms
    code, here = row["dossier"], sources.events is not None
    events = verdicts.cut(sources.events, as_of=at) if sources.events is not None else []
    facts = verdicts.our_facts(events, terms, as_of=at)
    causes = {"sync": row["sync_cause"] or None, "record": row["record_cause"] or None}
    shown = _shown(row, at, terms.calendar)
    return {
        "dossier": code,
        "as_of": iso(at),
        "procedure": row["procedure"],
        "procedure_name": sources.procedure_name,
        "agency": row["agency"],
        "agency_name": sources.agency_name,
        "source": row["source"],
        "channel": row["channel"],
        "shown": shown,
        "recorded": _ours(facts, at, bool(row["recorded"]), 0, here, terms.calendar),
        "true": _ours(facts, at, bool(row["true"]), 3, here, terms.calendar),
        "causes": causes,
        "sub_cause": row["sub_cause"] or None,
        "sentence": _sentence(row, facts, shown["finished_at"]),
        "minutes": _minutes(events, facts, terms, at),
        "timeline": [
            *_ours_timeline(events, facts, at),
            *(step for record, steps in sources.steps.items() for step in _their_timeline(record, steps, at)),
        ],
        "stated": bool(row["is_stated"]),
        "further": row["further"],
        "due_changes": sources.due_changes,
        "certificate": _certificate(events, facts, terms),
        "deliveries": sources.deliveries,
    }


def _instant(row: Mapping[str, Any], name: str) -> datetime | None:
    value = row[name]
    return None if value is None or value > _FAR else from_microseconds(value * 1_000_000)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def _side(
    verdict: str, due: datetime | None = None, finish: datetime | None = None, *, until: datetime | None = None,
    calendar: WorkCalendar | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One side's verdict, with the working minutes between its due instant and the instant `until` that it judges.

    `late_minutes` where that instant is past due (0: past due, outside office hours), else `spare_minutes`; neither
    where nothing is judged: no due instant, or a pause that runs.
    """
    late = spare = None
    if due is not None and until is not None and calendar is not None:
        minutes_ = abs(calendar.minutes_between(due, until))
        late, spare = (minutes_, None) if until > due else (None, minutes_)
    return {
        "verdict": verdict,
        "due_at": _iso(due),
        "finished_at": _iso(finish),
        "late_minutes": late,
        "spare_minutes": spare,
    }


def _shown(row: Mapping[str, Any], at: datetime, calendar: WorkCalendar) -> dict[str, Any]:
    """The portal's verdict, from the finish that the profile's rule makes decisive (`wire.verdict`).

    Where no copy is known, what a published list states. A further record that is late there makes the dossier late
    whatever its own record says; minutes are not counted then.
    """
    if row["is_stated"]:
        finish = _instant(row, "l_finished_at")
        return _side(_verdict(bool(row["l_late"]), finish is not None), _instant(row, "l_due_at"), finish)
    if not row["exists_there"]:
        return _side("absent")
    if not row["t_accepted"]:
        return _side("not_accepted")
    nine = "t_nine_last_at" if profiles.current().rule.last_nine else "t_nine_at"
    names = (nine, "t_ten_at", "t_closed_at", "t_withdrawn_at")
    finish = next((found for name in names if (found := _instant(row, name)) is not None), None)
    due = _instant(row, "t_due_at") or _instant(row, "t_limit_due_at")
    if finish is not None and finish > at:
        finish = None
    late = bool(row["shown"])
    verdict = _verdict(late, finish is not None)
    if due is None and not late:
        verdict = "no_due"
    if row["t_duplicate_late"]:
        return _side("late", due, finish)
    if finish is not None:
        until = finish - timedelta(seconds=row["t_supplement_s"] or 0)
    else:
        until = (_instant(row, "t_request_open_at") if row["t_requests"] == 1 else None) or at
    return _side(verdict, due, finish, until=until, calendar=calendar)


def _verdict(late: bool, finished: bool) -> str:
    if late:
        return "late" if finished else "open_late"
    return "on_time" if finished else "open_in_time"


def _ours(
    facts: OurFacts, at: datetime, late: bool, stage: int, here: bool, calendar: WorkCalendar
) -> dict[str, Any]:  # fmt: skip
    if not here:
        return _side("absent")
    if facts.accepted_at is None:
        return _side("not_accepted")
    finish = facts.finish_at if stage == 0 else facts.true_finish_at
    due = facts.default.recorded if stage == 0 else facts.default.true
    if finish is not None and finish > at:
        finish = None
    verdict = _verdict(late, finish is not None)
    if finish is None and not late and facts.default.paused[stage]:
        return _side("paused", due)
    if due is None and not late:
        verdict = "no_due"
    return _side(verdict, due, finish, until=finish or at, calendar=calendar)


def _hm(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(VIET_NAM):%H:%M %d/%m/%Y}"


def _sentence(row: Mapping[str, Any], facts: OurFacts, their_finish: str | None) -> str:
    """The dossier in one sentence a leg, with the facts that decide, in the language of the reader."""
    parts = [
        text.format(
            further=row["t_duplicates"],
            procedure=row["t_procedure"],
            their_finish=_hm(datetime.fromisoformat(their_finish)) if their_finish else gettext("chưa kết thúc"),
            ten=_hm(_instant(row, "t_ten_at")),
            finish=_hm(facts.finish_at) or gettext("chưa kết thúc"),
            reason=row["delivery_message"] or gettext("không rõ lý do"),
            their_due=_hm(_instant(row, "t_due_at")) or gettext("trống"),
            due=_hm(facts.default.recorded),
            evidence=_hm(facts.evidence_at),
        )
        for text in (_sync_sentence(row), _record_sentence(row))
        if text
    ]
    if not parts:
        agreed = row["exists_there"] and row["exists_here"]
        parts.append(gettext("Ba phía thống nhất.") if agreed else gettext("Không có khác biệt về trễ hạn."))
    return " ".join(parts)


def _sync_sentence(row: Mapping[str, Any]) -> str:
    match row["sync_cause"]:
        case "":
            return ""
        case "not_enough_data":
            return _missing_fact(row["sub_cause"], stated=bool(row["is_stated"]))
        case "missing_here":
            return gettext("Cổng quốc gia có hồ sơ này, hệ thống một cửa không có.")
        case "missing_there" if row["sub_cause"] == "refused":
            return gettext("Hồ sơ chưa có trên Cổng quốc gia: bản tin bị từ chối, “{reason}”.")
        case "missing_there" if row["sub_cause"] == "accepted_absent":
            return gettext("Hồ sơ chưa có trên Cổng quốc gia, dù bản tin đã được nhận.")
        case "missing_there":
            return gettext("Hồ sơ chưa từng được gửi lên Cổng quốc gia.")
        case "duplicate_there":
            return gettext("Cổng quốc gia có thêm {further} bản ghi của hồ sơ này, bản ghi thừa chưa đóng.")
        case "misplaced_there":
            return gettext("Trên Cổng hồ sơ nằm ở thủ tục {procedure}, thời hạn khác.")
        case "step_lost":
            return gettext("Trên Cổng hồ sơ ghi đã xong nhưng nhật ký không có bước kết thúc.")
        case "only_return_sent":
            return gettext("Cổng chỉ có bước trả kết quả lúc {ten}, thiếu bước xử lý xong lúc {finish}.")
        case "update_refused":
            return gettext("Bản tin kết thúc bị từ chối: “{reason}”.")
        case "accepted_not_shown":
            return gettext("Bản tin kết thúc đã được nhận nhưng Cổng không hiện bước kết thúc.")
        case "update_not_sent":
            return gettext("Hồ sơ kết thúc lúc {finish}, bản tin kết thúc chưa đến Cổng.")
        case "status_unmapped":
            return gettext("Trạng thái kết thúc chưa ánh xạ sang trạng thái của Cổng.")
        case "clock_shift" | "finish_differs" | "closed_early_there":
            return gettext("Cổng ghi kết thúc lúc {their_finish}, một cửa ghi {finish}.")
        case "pause_not_carried" if row["t_requests"] and row["t_requests"] == row["requests"]:
            return gettext("Cổng có lần chờ bổ sung, nhưng giữ hẹn trả {their_due}; một cửa đã hẹn {due}.")
        case "pause_not_carried" if row["suspension_open"]:
            return gettext("Hồ sơ đang tạm dừng; Cổng không biết và vẫn tính thời hạn.")
        case "pause_not_carried":
            return gettext("Thời gian chờ bổ sung, tạm dừng chưa được chuyển lên Cổng.")
        case "due_not_carried":
            return gettext("Cổng giữ hẹn trả {their_due}, một cửa đã hẹn {due}.")
        case "rule_differs":
            return gettext("Cùng dữ kiện, cách tính của Cổng cho kết quả khác.")
    return gettext("Chưa rõ vì sao hai bên khác nhau.")


def _missing_fact(fact: str, *, stated: bool) -> str:
    """What would have to be known to say why."""
    if fact == "step_log_there":
        return gettext("Chưa đủ dữ liệu: danh sách công bố không cho biết bước nào còn thiếu trên Cổng.")
    if fact == "submission_there":
        return gettext("Chưa đủ dữ liệu: bản ghi của Cổng không có thời điểm nộp.")
    if not stated:
        return gettext("Chưa đủ dữ liệu: chưa có bản ghi nào của Cổng về hồ sơ này.")
    return gettext("Chưa đủ dữ liệu: danh sách công bố nói quá hạn, bản ghi của Cổng chưa biết.")


def _record_sentence(row: Mapping[str, Any]) -> str:
    match row["record_cause"]:
        case "late_entry":
            return gettext("Chứng cứ {evidence}, trước hạn {due}; bấm kết thúc lúc {finish}.")
        case "step_skipped":
            return gettext("Chưa bấm kết thúc; chứng cứ cho thấy xong lúc {evidence}.")
        case "back_dated":
            return gettext("Giờ ghi nhận {finish} sớm hơn chứng cứ {evidence}.")
        case "due_moved" if row["recorded"]:
            return gettext("Chỉ quá hạn vì lần hẹn lại không đủ điều kiện.")
        case "pause_unlawful" if row["recorded"]:
            return gettext("Chỉ quá hạn vì lần tạm dừng không đủ căn cứ.")
        case "due_moved":
            return gettext("Chỉ đúng hạn nhờ lần hẹn lại không đủ điều kiện.")
        case "pause_unlawful":
            return gettext("Chỉ đúng hạn nhờ lần tạm dừng không đủ căn cứ.")
    return ""


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
    return [
        {
            "side": "ours",
            "kind": event.kind,
            "status": None,
            "at": iso(event.at),
            "recorded_at": iso(event.recorded_at),
            "until": _iso(ends.get(event.at) or at) if event.kind in _PAUSING and event.at in ends else None,
            "actor": event.actor,
            "unit": event.unit,
            "step": getattr(event, "step", ""),
            "note": event.note,
            "enclosed": _enclosed(event),
            "evidence_at": _iso(getattr(event, "evidence_at", None)),
        }
        for event in events
    ]


def _their_steps(code: str) -> list[TheirStep]:
    """The steps of a record of the portal, in their order."""
    rows = Step.objects.filter(side=reading.their_side(), code=code).order_by("at", "pk")
    return [(int(step.status), step.at, step.stored_at) for step in rows if step.at is not None]


def _enclosed(event: Event) -> dict[str, Any]:
    """What an act encloses, without what leads to a person's papers: fees, codes of results, how many papers."""
    found = {
        "fees": [{"code": fee.code, "name": fee.name, "amount": fee.amount} for fee in getattr(event, "fees", ())],
        "results": [result.code for result in getattr(event, "results", ())],
        "papers": len(getattr(event, "papers", ())),
    }
    return {name: value for name, value in found.items() if value}


def _their_timeline(code: str, steps: list[TheirStep], at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "side": "theirs",
            "record": code,
            "kind": "step",
            "status": status,
            "at": iso(stated_at),
            "recorded_at": iso(stored_at),
            "until": None,
            "actor": "",
            "unit": "",
            "step": "",
            "note": "",
            "enclosed": {},
            "evidence_at": None,
        }
        for status, stated_at, stored_at in steps
        if stated_at <= at
    ]


def _due_changes(code: str) -> list[dict[str, Any]]:
    """When terms corrected afterwards moved the due instant of this dossier, without any act of its own."""
    return [
        {"found_at": iso(change.found_at), "before_at": _iso(change.before_at), "after_at": _iso(change.after_at)}
        for change in DueChange.objects.filter(dossier=code).order_by("pk")
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
    limit = Allotted.parse(allotted) if allotted else None
    computed = limit and clock.due_at(
        facts.accepted_at, limit, calendar=terms.calendar, mode=terms.mode, cutoff=terms.cutoff
    )
    reasons = {event.at: event.note for event in events if event.kind in _PAUSING}
    lines = clock.certificate(
        facts.accepted_at, due, calendar=terms.calendar, allotted=limit, mode=terms.mode, cutoff=terms.cutoff,
        pauses=pauses, extensions=[(e.at, e.due_at) for e in facts.extensions], say=gettext,
    )  # fmt: skip
    return {
        "due_at": iso(due),
        "rule": clock.VERSION,
        "calendar": terms.calendar.name,
        "mode": str(terms.mode),
        "accepted_at": iso(facts.accepted_at),
        "slip_due_at": _iso(header.due_at if header else None),
        "computed_due_at": _iso(computed),
        "allotted": allotted,
        "limit": limit.words(gettext) if limit else "",
        "cutoff": "" if terms.cutoff is None else f"{terms.cutoff // 60:02d}:{terms.cutoff % 60:02d}",
        "pauses": [
            {
                "kind": span.kind,
                "from_at": iso(span.from_at),
                "to_at": _iso(span.to_at),
                "document": span.document,
                "restart": span.kind == "supplement" and span.in_time and span.to_at is not None,
                "fault": span.fault,
                "reason": reasons.get(span.from_at, ""),
            }
            for span in facts.pauses
        ],
        "extensions": [
            {"at": iso(e.at), "due_at": iso(e.due_at), "document": e.document, "fault": e.fault}
            for e in facts.extensions
        ],
        "explain": [{**line._asdict(), "day": str(line.day)} for line in lines],
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
