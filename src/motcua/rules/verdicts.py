"""What our record says of one dossier, and what is true: the facts that the verdicts compare.

`recorded` is the stated finish against the due instant as the record has it (every recorded pause and
extension); `true` puts evidence in place of the stated finish and credits only lawful pauses and
extensions. Between the two, one group of facts is made equal at a time (finish, extensions, pauses), so
there are four pairs of finish and due instant: a *stage* each. Source: architecture §2, law paper §2.14.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from motcua.rules.clock import Allotted, Mode, due_at
from motcua.rules.dossier import corrected
from motcua.rules.events import (
    Event,
    EvidenceAttached,
    Extended,
    Finished,
    Paid,
    PaymentRequested,
    Received,
    Refused,
    Registered,
    Resumed,
    Returned,
    StepFinished,
    StepStarted,
    Stopped,
    SupplementReceived,
    SupplementRequested,
    Suspended,
    Withdrawn,
)
from motcua.rules.instants import local_day
from motcua.rules.workdays import WorkCalendar

#: A supplement found missing during appraisal is asked for within 3 working days. law: supplement-2
SUPPLEMENT_WORKDAYS = 3
#: The desk answers an online dossier within 8 working hours. law: reception-1
RECEPTION_MINUTES = 8 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the clock of a dossier needs beside its events."""

    calendar: WorkCalendar
    mode: Mode = Mode.KEEP_CLOCK
    cutoff: int | None = None
    limit: str = ""
    payment_pauses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSpan:
    """A time for which the clock stood, by the record; `lawful` where it earns credit in `true`."""

    kind: Literal["supplement", "suspension", "payment"]
    from_at: datetime
    to_at: datetime | None
    document: bool | None
    lawful: bool
    in_time: bool
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionFact:
    """A recorded extension; `lawful` under law paper §2.10."""

    at: datetime
    due_at: datetime
    document: bool | None
    lawful: bool
    fault: str = ""


class Stages(NamedTuple):
    """The due instant at each stage of the recording leg, and whether a credited pause still runs."""

    recorded: datetime | None = None
    finish: datetime | None = None
    extensions: datetime | None = None
    true: datetime | None = None
    paused: tuple[bool, bool, bool, bool] = (False, False, False, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OurFacts:
    """What our record holds of a dossier that any verdict or cause compares."""

    submitted_at: datetime | None = None
    answered_at: datetime | None = None
    accepted_at: datetime | None = None
    slip_due_at: datetime | None = None
    over_promised: bool = False
    finish_at: datetime | None = None
    finish_kind: str = ""
    finish_seq: int = 0
    answer_seq: int = 0
    finish_recorded_at: datetime | None = None
    evidence_at: datetime | None = None
    evidence_kind: str = ""
    true_finish_at: datetime | None = None
    closed_at_intake: bool = False
    default: Stages = field(default_factory=Stages)
    statutory: Stages = field(default_factory=Stages)
    subtract: Stages = field(default_factory=Stages)
    due_by_pauses_at: datetime | None = None
    due_by_extensions_at: datetime | None = None
    requests: int = 0
    request_open_at: datetime | None = None
    supplement_s: int = 0
    has_pause: bool = False
    has_extension: bool = False
    payment_paused: bool = False
    suspension_open: bool = False  # the record has a suspension that still runs, and no finish
    unknown_documents: int = 0
    pauses: tuple[PauseSpan, ...] = ()
    extensions: tuple[ExtensionFact, ...] = ()

    @property
    def unproven(self) -> bool:
        """Stated on time, entered after the due instant, and no evidence either way."""
        due = self.default.recorded
        return (
            self.finish_at is not None
            and self.finish_recorded_at is not None
            and self.evidence_at is None
            and due is not None
            and self.finish_at <= due < self.finish_recorded_at
        )


def cut(events: Iterable[Event], *, as_of: datetime | None = None, known_at: datetime | None = None) -> list[Event]:
    """The events that had been stated by `as_of` and entered by `known_at`, in the order of their instants."""
    kept = [
        event
        for event in corrected(e for e in events if known_at is None or e.recorded_at <= known_at)
        if as_of is None or event.at <= as_of
    ]
    return sorted(kept, key=lambda event: (event.at, event.seq))


def our_facts(
    events: Iterable[Event], terms: Terms, *, as_of: datetime | None = None, known_at: datetime | None = None
) -> OurFacts:
    """The facts of a dossier, from its events as far as they were stated by `as_of` and known at `known_at`."""
    kept = cut(events, as_of=as_of, known_at=known_at)
    header = next((event for event in kept if isinstance(event, Registered)), None)
    accepted_at, answer_seq = _accepted(kept, header, as_of)
    submitted_at = header.submitted_at if header else None
    answered_at, answer_seq = _answered(kept, accepted_at, answer_seq)
    if accepted_at is None:
        closed = any(isinstance(event, Refused | Withdrawn | Stopped) for event in kept)
        return OurFacts(
            submitted_at=submitted_at, answered_at=answered_at, answer_seq=answer_seq, closed_at_intake=closed
        )

    allotted = (header.allotted if header else "") or terms.limit
    finish = _stated_finish(kept, accepted_at)
    finish_at = finish.at if finish else None
    evidence = _evidence(kept, finish_at)
    true_finish_at = evidence[0] if evidence else finish_at
    pauses = _pauses(kept, accepted_at, terms)
    slip = _slip(header, kept, accepted_at, allotted, terms)
    clock = _Clock(terms, allotted, accepted_at, slip)
    extensions = _extensions(kept, clock, [span for span in pauses if span.lawful], true_finish_at)

    ends = _Ends(finish_at, true_finish_at)
    default = clock.stages(pauses, extensions, ends)
    statutory_slip = (
        due_at(accepted_at, Allotted.parse(terms.limit or allotted), calendar=terms.calendar, mode=Mode.DAY_END,
               cutoff=terms.cutoff)
        if terms.limit or allotted
        else slip
    )  # fmt: skip
    statutory = _Clock(terms, allotted, accepted_at, statutory_slip).stages(pauses, extensions, ends)
    subtract = _Clock(terms, allotted, accepted_at, slip, restarts=False).stages(pauses, extensions, ends)
    requests = [e for e in kept if isinstance(e, SupplementRequested) and e.at >= accepted_at]
    supplements = [span for span in pauses if span.kind == "supplement"]
    answered = any(span.to_at is not None for span in supplements)
    return OurFacts(
        submitted_at=submitted_at,
        answered_at=answered_at,
        answer_seq=answer_seq,
        accepted_at=accepted_at,
        slip_due_at=slip,
        over_promised=_over_promised(slip, accepted_at, allotted, terms),
        finish_at=finish_at,
        finish_kind=finish.kind if finish else "",
        finish_seq=finish.seq if finish else 0,
        finish_recorded_at=finish.recorded_at if finish else None,
        evidence_at=evidence[0] if evidence else None,
        evidence_kind=evidence[1] if evidence else "",
        true_finish_at=true_finish_at,
        default=default,
        statutory=statutory,
        subtract=subtract,
        due_by_pauses_at=clock.due(pauses, (), finish_at)[0],
        due_by_extensions_at=clock.due((), extensions, finish_at)[0],
        requests=len(requests),
        request_open_at=requests[0].at if len(requests) == 1 and not answered else None,
        supplement_s=sum(_wall_seconds(span, finish_at) for span in supplements),
        has_pause=bool(pauses),
        has_extension=bool(extensions),
        payment_paused=any(span.kind == "payment" for span in pauses),
        suspension_open=finish_at is None and any(s.kind == "suspension" and s.to_at is None for s in pauses),
        unknown_documents=sum(span.document is None for span in pauses)
        + sum(extension.document is None for extension in extensions),
        pauses=tuple(pauses),
        extensions=tuple(extensions),
    )


class _Ends(NamedTuple):
    stated: datetime | None
    true: datetime | None


@dataclass(frozen=True, slots=True)
class _Clock:
    """The due instant of one dossier under one reading: a slip, moved by pauses and extensions."""

    terms: Terms
    allotted: str
    accepted_at: datetime
    slip: datetime | None
    restarts: bool = True

    def stages(self, pauses: Sequence[PauseSpan], extensions: Sequence[ExtensionFact], ends: _Ends) -> Stages:
        lawful_pauses = [span for span in pauses if span.lawful]
        lawful_extensions = [extension for extension in extensions if extension.lawful]
        recorded, p0 = self.due(pauses, extensions, ends.stated)
        finish, p1 = self.due(pauses, extensions, ends.true)
        by_extensions, p2 = self.due(pauses, lawful_extensions, ends.true)
        true, p3 = self.due(lawful_pauses, lawful_extensions, ends.true)
        return Stages(recorded, finish, by_extensions, true, (p0, p1, p2, p3))

    def due(
        self, pauses: Sequence[PauseSpan], extensions: Sequence[ExtensionFact], finish_at: datetime | None
    ) -> tuple[datetime | None, bool]:
        """The due instant moved by these pauses and extensions, and whether a pause still runs."""
        due, running = self.slip, False
        moves: list[tuple[datetime, int, PauseSpan | ExtensionFact]] = []
        credited_to: datetime | None = None
        for span in sorted(pauses, key=lambda span: span.from_at):
            if finish_at is not None and span.from_at >= finish_at:
                continue
            if span.to_at is None and finish_at is None:
                running = True
                continue
            moves.append((_end_of(span, finish_at), 0, span))
        moves.extend(
            (extension.at, 1, extension) for extension in extensions if finish_at is None or extension.at < finish_at
        )
        for at, _, move in sorted(moves, key=lambda move: move[:2]):
            if isinstance(move, ExtensionFact):
                due = move.due_at
                continue
            if due is None:
                continue
            start = max(move.from_at, credited_to) if credited_to else move.from_at
            credited_to = max(at, credited_to) if credited_to else at
            if self.restarts and _restarts(move, finish_at):
                due = max(due, self._again(at))
            elif at > start:
                due = self.terms.calendar.advance(due, self.terms.calendar.minutes_between(start, at))
        return due, running

    def _again(self, at: datetime) -> datetime:
        """The whole time limit once more, from the moment the dossier is complete. law: supplement-2"""
        terms = self.terms
        if self.allotted:
            return due_at(
                at, Allotted.parse(self.allotted), calendar=terms.calendar, mode=terms.mode, cutoff=terms.cutoff
            )
        assert self.slip is not None
        promised = terms.calendar.minutes_between(self.accepted_at, self.slip)
        return terms.calendar.advance(terms.calendar.normalise(at, terms.cutoff), max(promised, 0))


def _end_of(span: PauseSpan, finish_at: datetime | None) -> datetime:
    if span.to_at is None:
        assert finish_at is not None
        return finish_at
    return span.to_at if finish_at is None else min(span.to_at, finish_at)


def _restarts(span: PauseSpan, finish_at: datetime | None) -> bool:
    """The first supplement, asked in time and answered before the end, starts the limit anew."""
    answered = span.to_at is not None and (finish_at is None or span.to_at <= finish_at)
    return span.kind == "supplement" and span.in_time and answered


def _wall_seconds(span: PauseSpan, finish_at: datetime | None) -> int:
    if span.to_at is None and finish_at is None:
        return 0
    end = span.to_at or finish_at
    assert end is not None
    return max(int((end - span.from_at) / timedelta(seconds=1)), 0)


def _accepted(kept: Sequence[Event], header: Registered | None, as_of: datetime | None) -> tuple[datetime | None, int]:
    """When the desk accepted the dossier: the slip's own instant, else the first `received`. law: start-1"""
    if header and header.accepted_at and (as_of is None or header.accepted_at <= as_of):
        return header.accepted_at, header.seq
    for event in kept:
        if isinstance(event, Refused):
            return None, 0
        if isinstance(event, Received):
            return event.at, event.seq
    return None, 0


def _answered(kept: Sequence[Event], accepted_at: datetime | None, seq: int) -> tuple[datetime | None, int]:
    """The desk's first answer to a submission: accepted, refused, or asked for more papers (2, 3 or 5)."""
    answers = [
        (event.at, event.seq)
        for event in kept
        if isinstance(event, Refused | SupplementRequested) and (accepted_at is None or event.at < accepted_at)
    ]
    if accepted_at is not None:
        answers.append((accepted_at, seq))
    return min(answers) if answers else (None, 0)


def _stated_finish(kept: Sequence[Event], accepted_at: datetime) -> Event | None:
    """`finished`, else `returned`, else `refused` or `stopped`, else `withdrawn` after acceptance. law: end-1"""
    for kinds in ((Finished,), (Returned,), (Refused, Stopped), (Withdrawn,)):
        for event in kept:
            if isinstance(event, kinds) and (event.at >= accepted_at or kinds in ((Finished,), (Returned,))):
                return event
    return None


def _evidence(kept: Sequence[Event], finish_at: datetime | None) -> tuple[datetime, str] | None:
    """The instant that a document fixes for the completion, and the kind of act that carries it.

    A document that was attached afterwards and fixes it decides, the last one of several; then the document of the
    end; where the end carries none, that of the last step done, if no work follows it. One that only bounds the
    completion can make a stated finish earlier, never later.
    """
    attached = [event for event in kept if isinstance(event, EvidenceAttached)]
    if fixing := [event for event in attached if event.standing == "fixes"]:
        return max(fixing, key=lambda event: event.seq).at, EvidenceAttached.kind
    if (carried := _carried(kept)) is not None:
        return carried
    bounds = [event.at for event in attached if event.standing == "bounds"]
    if bounds and (finish_at is None or min(bounds) < finish_at):
        return min(bounds), EvidenceAttached.kind
    return None


def _carried(kept: Sequence[Event]) -> tuple[datetime, str] | None:
    """The instant of the document that the end itself, or the last step, carries."""
    for kind in (Finished, Returned):
        for event in kept:
            if isinstance(event, kind) and event.evidence_at is not None:
                return event.evidence_at, event.kind
    for event in reversed(kept):
        if isinstance(event, StepStarted):
            return None
        if isinstance(event, StepFinished):
            return (event.evidence_at, event.kind) if event.evidence_at is not None else None
    return None


def _slip(
    header: Registered | None, kept: Sequence[Event], accepted_at: datetime, allotted: str, terms: Terms
) -> datetime | None:
    """What the receipt slip says; computed only where it says nothing. law: due-1"""
    stated = header.due_at if header else None
    if stated is None:
        stated = next((e.due_at for e in kept if isinstance(e, Received) and e.due_at is not None), None)
    calendar = terms.calendar
    if stated is None:
        if not allotted:
            return None
        return due_at(accepted_at, Allotted.parse(allotted), calendar=calendar, mode=terms.mode, cutoff=terms.cutoff)
    day = local_day(stated)
    if not calendar.is_workday(day) and calendar.known_at(local_day(accepted_at)).is_workday(day):
        return calendar.opening_at_or_after(stated)  # the day was closed after the slip was printed. law: due-2
    return stated


def _over_promised(slip: datetime | None, accepted_at: datetime, allotted: str, terms: Terms) -> bool:
    """V-11: the slip promises more than the latest lawful instant, by the calendar known at receipt."""
    limit = terms.limit or allotted
    if slip is None or not limit:
        return False
    latest = due_at(
        accepted_at,
        Allotted.parse(limit),
        calendar=terms.calendar.known_at(local_day(accepted_at)),
        mode=Mode.DAY_END,
        cutoff=terms.cutoff,
    )
    return slip > max(latest, due_at(accepted_at, Allotted.parse(limit), calendar=terms.calendar,
                                     mode=Mode.DAY_END, cutoff=terms.cutoff))  # fmt: skip


def _pauses(kept: Sequence[Event], accepted_at: datetime, terms: Terms) -> list[PauseSpan]:
    """Every recorded pause after acceptance, with what makes it unlawful, if anything. law: pause-1"""
    calendar = terms.calendar
    asked_by = calendar.closing(calendar.add_workdays(local_day(calendar.normalise(accepted_at)), SUPPLEMENT_WORKDAYS))
    spans: list[PauseSpan] = []
    supplements = 0
    open_: dict[str, Event] = {}

    def close(kind: Literal["supplement", "suspension", "payment"], to_at: datetime | None) -> None:
        nonlocal supplements
        asked = open_.pop(kind, None)
        if asked is None:
            return
        document: bool | None = getattr(asked, "document", None)
        in_time = True
        fault = "no_document" if document is False else ""
        if kind == "supplement":
            supplements += 1
            in_time = supplements == 1 and asked.at <= asked_by
            if supplements > 1:
                fault = "asked_again"
            elif asked.at > asked_by:
                fault = "asked_late"
        spans.append(
            PauseSpan(
                kind=kind, from_at=asked.at, to_at=to_at, document=document, lawful=not fault, in_time=in_time,
                fault=fault,
            )
        )  # fmt: skip

    for event in kept:
        if event.at < accepted_at:
            continue
        match event:
            case SupplementRequested():
                open_.setdefault("supplement", event)
            case SupplementReceived():
                close("supplement", event.at)
            case Suspended():
                open_.setdefault("suspension", event)
            case Resumed():
                close("suspension", event.at)
            case PaymentRequested() if terms.payment_pauses:
                open_.setdefault("payment", event)
            case Paid():
                close("payment", event.at)
    for kind in ("supplement", "suspension", "payment"):
        close(kind, None)
    return sorted(spans, key=lambda span: span.from_at)


def _extensions(
    kept: Sequence[Event], clock: _Clock, lawful_pauses: Sequence[PauseSpan], finish_at: datetime | None
) -> list[ExtensionFact]:
    """Every recorded extension; lawful once, announced by the day before the due day, to a later instant.

    law: extension-1 (at the latest one day before), extension-2 (once: an unlawful one has been said too).
    """
    facts: list[ExtensionFact] = []
    for event in kept:
        if not isinstance(event, Extended) or event.at < clock.accepted_at:
            continue
        before = [span for span in lawful_pauses if span.to_at is not None and span.to_at <= event.at]
        due, _ = clock.due(before, [f for f in facts if f.lawful], finish_at)
        fault = ""
        if event.document is False:
            fault = "no_letter"
        elif facts:
            fault = "extended_again"
        elif due is not None and local_day(event.at) > local_day(due) - timedelta(days=1):
            fault = "announced_late"
        elif due is not None and event.due_at <= due:
            fault = "not_later"
        facts.append(
            ExtensionFact(at=event.at, due_at=event.due_at, document=event.document, lawful=not fault, fault=fault)
        )
    return facts
