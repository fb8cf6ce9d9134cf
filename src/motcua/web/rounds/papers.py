"""Papers of a round: plan, request for explanation, minutes, draft and conclusion, as Word and PDF.

They are drafts: number, date and signature come from the document system and are typed back. They are in Vietnamese
whatever the language of the screen; they name units and dossiers, no applicant and no official under inspection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.rounds import explanations, frozen, results, steps
from motcua.rounds.models import Item, Paper, Round
from motcua.rules.instants import VIET_NAM, Unreadable, local_day
from motcua.rules.moves import Refused
from motcua.rules.policies import POLICIES
from motcua.web import labels
from motcua.web.console.pages import code as code_of
from motcua.web.papers import forms, pdf, word
from motcua.web.papers.paper import Block, Column, Foot, Heading, Signature, Table, head, issuer
from motcua.web.papers.paper import Paper as Made
from motcua.web.rounds import words
from motcua.web.rounds.access import of_province, one, seat, units, user

_MAKERS = {"docx": word.made, "pdf": pdf.made}
_TYPES = {"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "pdf": "application/pdf"}


@require_GET
def paper(request: HttpRequest, number: int, kind: str, form: str) -> HttpResponse:
    """A paper of a round as Word or PDF. A unit gets the conclusion once it is published, and its own request."""
    round_ = one(number)
    if kind not in Paper.Kind.values or form not in _MAKERS:
        raise Http404(kind)
    agency = request.GET.get("agency", "") if kind == "ask" else ""
    mine = units(request)
    asked = round_.items.filter(agency__in=mine).exists()
    told = asked and ((kind == "conclusion" and round_.published_at) or (kind == "ask" and agency in mine))
    if not told and not of_province(request):
        raise PermissionDenied
    now = timezone.now()
    if seat(round_, request) is not None and round_.closed_at is None:
        try:
            steps.drafted(number, kind, agency=agency, by=user(request), at=now)
        except Refused as refusal:
            messages.error(request, words.say(refusal))
            return redirect("round", number)
    round_.refresh_from_db()
    who = getattr(request.user, "full_name", "") or user(request)
    try:
        content = made(round_, kind, agency=agency, form=form, home=settings.HOME, by=who, at=now)
    except Unreadable as fault:
        messages.error(request, gettext("Chưa lập được văn bản: {fault}").format(fault=fault))
        return redirect("round", number)
    reply = HttpResponse(content, content_type=_TYPES[form])
    name = f"dot-{number}-{kind}{'-' + agency if agency else ''}-{now.astimezone(VIET_NAM):%Y%m%d}.{form}"
    reply["Content-Disposition"] = f'attachment; filename="{name}"'
    return reply


def made(round_: Round, kind: str, *, agency: str = "", form: str, home: Path, by: str, at: datetime) -> bytes:
    """The bytes of a paper. Raises `Unreadable` where a wording or template of the province's own cannot be used."""
    with translation.override("vi"):
        return _MAKERS[form](_composed(round_, kind, agency=agency, home=home, by=by, at=at), home=home)


def _composed(round_: Round, kind: str, *, agency: str, home: Path, by: str, at: datetime) -> Made:
    of = _Facts(round_, home)
    house = head()
    facts = {**of.facts(kind, agency), "agency": house["agency"] or gettext("Đoàn kiểm tra")}
    kept = round_.papers.filter(kind=kind, agency=agency).first()
    subject = f"{words.label(round_)}: {round_.title}"
    if kind == "ask":
        subject = gettext("V/v giải trình hồ sơ của {label}").format(label=words.label(round_))
    return Made(
        form=f"round-{kind}", title=words.PAPERS[kind].upper(), subject=subject,
        agency=issuer(house), parent=house["parent"], place=house["place"], symbol=house["symbol"],
        number=kept.number if kept else "", on=kept.dated_on if kept else None,
        to=[facts["unit"]] if kind == "ask" else (),
        body=forms.wording(f"round-{kind}", home, facts, of.blocks()),
        annex=of.annex(kind, agency),
        signatures=_signatures(round_, kind, kept.signer if kept else "", house["signer"]),
        copies=(gettext("Như trên"), gettext("Lưu: VT, đoàn kiểm tra")),
        foot=Foot(by=by, at=at, as_of=round_.as_of, policy=POLICIES[round_.policy].label if round_.as_of else "",
                  formula="draw 1" if round_.as_of else "", code=of.code(kind, agency)),
    )  # fmt: skip


def _signatures(round_: Round, kind: str, signer: str, house: str) -> list[Signature]:
    leads = round_.members.filter(role="lead").values_list("name", flat=True).first() or ""
    lead = Signature(gettext("Trưởng đoàn"), leads)
    if kind == "minutes":
        other = round_.members.exclude(role="lead").values_list("name", flat=True).first() or ""
        return [Signature(gettext("Thành viên"), other), lead]
    if kind in ("plan", "draft"):
        return [lead]
    return [Signature(house or gettext("Thủ trưởng đơn vị"), signer)]


class _Facts:
    """What the papers of a round print, from its frozen figures and its findings."""

    def __init__(self, round_: Round, home: Path) -> None:
        self.round, self.home = round_, home
        self.drawn = self.round.drawn_at is not None
        self.total, self.rows = results.by_unit(self.round) if self.drawn else (dict.fromkeys(results.COUNTED, 0), [])

    def facts(self, kind: str, agency: str) -> dict[str, str]:
        """The fields of the wordings."""
        r, names = self.round, frozen.names()[0]
        rate = results.estimate(r)
        members = ", ".join(f"{m.name or m.user} ({words.ROLES[m.role].lower()})" for m in r.members.order_by("role"))
        decision = gettext("Quyết định số {number} ngày {day}").format(
            number=r.decision_number, day=f"{r.decision_on:%d/%m/%Y}" if r.decision_on else "…"
        )
        disputed = self.total["disputed"]
        record = {c: labels.dossiers(n) for c, n in self.total.items()}
        asked = r.items.exclude(sort="clean").count()
        return {
            **record, "title": r.title, "label": words.label(r), "period": labels.period(r.period),
            "decision": decision if r.decision_number else "", "grounds": r.grounds, "members": members,
            "units": ", ".join(names.get(a, a) for a in r.agencies) or gettext("tất cả đơn vị trong tỉnh"),
            "measure": labels.MEASURES[r.measure], "stratum": words.STRATA[r.stratify],
            "size": labels.number(r.size), "least": labels.number(r.least), "answer_days": str(r.answer_days),
            "sealed": "1" if r.sealed_at else "", "population_digest": r.population_digest[:16],
            "commitment": r.commitment[:16], "seal_after": labels.instant(r.seal_after),
            "frozen_at": labels.instant(r.frozen_at), "drawn_at": labels.instant(r.drawn_at),
            "population": labels.dossiers(r.population), "head": labels.number(r.head_size or 0),
            "asked": labels.number(asked), "looks": labels.number(n) if (n := r.looks.count()) else "",
            "estimate": words.estimate(rate) if rate else gettext("không có số liệu"),
            "disputed_note": gettext(
                "{n} khác nhau theo cách tính: nêu cả hai cách, không tính vào không chấp nhận; khoảng ước lượng đã "
                "tính cả hai khả năng."
            ).format(n=labels.dossiers(disputed)) if disputed else "",
            "unit": names.get(agency, agency), "deadline": labels.instant(r.answer_due_at),
            "count": labels.dossiers(r.items.filter(agency=agency).exclude(sort="clean").count()),
        }  # fmt: skip

    def blocks(self) -> dict[str, Sequence[Block]]:
        """The tables that the wordings name."""
        number = labels.number
        heads = results.population(self.home, self.round) if self.round.frozen_at else []
        before = results.before_and_after(self.round) if self.drawn else []
        names = frozen.names()[0]
        return {
            "weights": [Heading(gettext("Mức rủi ro"), 2), Table(
                [Column(gettext("Dấu hiệu trên số liệu"), 4), Column(gettext("Mức"), 1, "right")],
                [[words.WEIGHTS[m], str(w)] for m, w in sorted(self.round.weights.items(), key=lambda i: -i[1])],
                dense=True)],
            "heads": [Table(
                [Column(gettext("Nhóm"), 4), Column(gettext("Trong phạm vi"), 2, "right")],
                [[gettext("Tất cả"), number(self.round.population)],
                 *([words.SORTS[row["sort"]], number(row["count"])] for row in heads)], total=True, dense=True)],
            "before_after": [Table(
                [Column(gettext("Nhóm trước giải trình"), 4), *(Column(t, 2, "right") for t in (
                    gettext("Mẫu"), gettext("Chấp nhận"), gettext("Không chấp nhận"), gettext("Khác cách tính")))],
                [[gettext("Tất cả"), *(number(sum(row[n] for row in before)) for n in _AFTER)],
                 *([words.SORTS[row["sort"]], *(number(row[n]) for n in _AFTER)] for row in before if row["sample"])],
                total=True, dense=True)],
            "units": [Table(
                [Column(gettext("Đơn vị"), 5), *(Column(words.COUNTS[n], 1.6, "right") for n in _UNIT)],
                [[gettext("Tất cả"), *(number(self.total[n]) for n in _UNIT)],
                 *([row["name"], *(number(row[n]) for n in _UNIT)] for row in self.rows)], total=True, dense=True)],
            "remedies": [Table(
                [Column(gettext("Đơn vị"), 3), Column(gettext("Kiến nghị"), 6), Column(gettext("Hạn"), 2)],
                [[names.get(x.agency, x.agency), f"{words.KINDS[x.kind]}: {x.text}", f"{local_day(x.due_at):%d/%m/%Y}"]
                 for x in self.round.remedies.order_by("due_at")], dense=True)]
            if self.round.remedies.exists() else [],
        }  # fmt: skip

    def annex(self, kind: str, agency: str) -> Sequence[Block]:
        """The list behind the signatures: a unit's dossiers with their question, or all that was found."""
        if kind == "ask":
            items = list(self.round.items.filter(agency=agency).exclude(sort="clean").order_by("dossier"))
            return [
                Heading(gettext("Danh sách hồ sơ cần giải trình")),
                Table(
                    [
                        Column(gettext("STT"), 1.2, "right"),
                        Column(gettext("Mã hồ sơ"), 3.8),
                        Column(gettext("Dấu hiệu"), 6),
                        Column(gettext("Câu hỏi"), 6),
                    ],
                    [[str(n), i.dossier, _signs(i), words.ASKED[i.sort]] for n, i in enumerate(items, 1)],
                    dense=True,
                ),
            ]
        if kind in ("minutes", "draft", "conclusion") and self.drawn:
            rows = self.round.items.exclude(sort="clean", finding__in=("", "accepted"))
            items = list(rows.order_by("agency", "dossier"))
            told = explanations.heard(self.round, items)
            return [
                Heading(gettext("Hồ sơ của mẫu có dấu hiệu")),
                Table(
                    [
                        Column(gettext("STT"), 1.2, "right"),
                        Column(gettext("Mã hồ sơ"), 3.8),
                        Column(gettext("Dấu hiệu"), 6),
                        Column(gettext("Đơn vị trả lời"), 3),
                        Column(gettext("Kết luận"), 3),
                    ],
                    [
                        [
                            str(n),
                            i.dossier,
                            _signs(i),
                            words.ANSWERS[told[i.dossier].answer],
                            words.FINDINGS[i.finding if i.confirmed_at else ""],
                        ]
                        for n, i in enumerate(items, 1)
                    ],
                    dense=True,
                ),
            ]
        return ()  # fmt: skip

    def code(self, kind: str, agency: str) -> str:
        """Twelve letters that change with any figure of the paper; empty where it holds none."""
        if self.round.as_of is None:
            return ""
        said: Mapping[str, Any] = {
            "as_of": self.round.as_of.isoformat(), "round": self.round.pk, "kind": kind, "agency": agency,
            "total": self.total, "rows": self.rows, "manifest": self.round.manifest_digest,
        }  # fmt: skip
        return code_of(said)


_AFTER = ("sample", "accepted", "rejected", "disputed")
_UNIT = ("sample", "answered", "accepted", "rejected", "disputed")


def _signs(item: Item) -> str:
    return "; ".join(words.check(code) for code in item.signs) or words.SORTS[item.sort]
