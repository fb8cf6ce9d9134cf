"""Papers that went out: the draft as it was made, then number, day and signer as the document system gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction

from motcua.directives.models import Directive, KeptFile, KeptPaper
from motcua.findings import requests
from motcua.findings.models import Request
from motcua.ledger import audit
from motcua.rules.instants import Unreadable, local_day


def keep(
    *, form: str, title: str, files: Mapping[str, bytes], code: str, agencies: Sequence[str], dossiers: int,
    period: str = "", due_on: date | None = None, directive: Directive | None = None, request: Request | None = None,
    by: str, at: datetime,
) -> KeptPaper:  # fmt: skip
    """Keeps a draft with its files by kind (docx, pdf, xlsx).

    The same draft (form, units, check code, deadline) is kept once, its newest bytes standing, until it is signed.
    """
    with transaction.atomic():
        same = KeptPaper.objects.select_for_update().filter(
            form=form, code=code, agencies=sorted(agencies), due_on=due_on, typed_at=None
        )
        row = same.first() or KeptPaper(form=form, code=code, agencies=sorted(agencies), due_on=due_on)
        row.title, row.dossiers, row.period, row.directive = title, dossiers, period, directive
        row.request = request
        row.drafted_at, row.drafted_by = at, by
        row.save()
        for kind, content in files.items():
            KeptFile.objects.update_or_create(paper=row, kind=kind, defaults={"content": content})
    return row


@transaction.atomic
def type_back(number: int, *, given: str, signed_on: date, signer: str, by: str, at: datetime) -> KeptPaper:
    """The number and day that the document system gave, and who signed. Typed again, it is corrected, by name.

    Raises `Unreadable` naming what cannot be: number, day.
    """
    row = KeptPaper.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise Unreadable(f"no paper {number}")
    if not given.strip():
        raise Unreadable("number: type it as it stands on the signed paper")
    if signed_on > local_day(at):
        raise Unreadable("day: it lies ahead")
    before = {"number": row.number, "signed_on": str(row.signed_on), "signer": row.signer} if row.typed_at else None
    row.number, row.signed_on, row.signer = given.strip()[:60], signed_on, signer.strip()[:200]
    row.typed_at, row.typed_by = at, by
    row.save(update_fields=["number", "signed_on", "signer", "typed_at", "typed_by"])
    after = {"number": row.number, "signed_on": str(row.signed_on), "signer": row.signer}
    audit.record(at=at, actor=by, table="directives_kept_paper", key=str(row.pk), before=before, after=after)
    if row.request_id is not None:  # the request on its own page bears the number of its letter
        requests.typed_back(row.request_id, document=row.number, dated_on=signed_on, by=by, at=at)
    return row
