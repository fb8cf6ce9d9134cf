"""The findings of the demo: scanned, and those of two units sent, so that every log-in finds its work waiting."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from motcua.cli import demo_people

#: Findings that the demo's ward is asked to explain (walk 7).
_ASKED = 12


def ask(folder: Path, *, at: datetime) -> int:
    """Scans and sends; returns how many findings were sent."""
    from motcua.findings import requests, update
    from motcua.findings.models import Finding
    from motcua.inspection.life import Person

    update.run(folder, at=at)
    by, sent = Person(name="thanhtra", role="inspector"), 0
    for agency in (demo_people.WARD, demo_people.DEPARTMENT):
        rows = Finding.objects.filter(agency=agency, kind="dossier", state="new").order_by("-rank", "pk")
        numbers = list(rows.values_list("pk", flat=True)[:_ASKED])
        sent += len(numbers)
        requests.send(numbers, by=by, at=at, note="Đề nghị đơn vị giải trình từng hồ sơ, kèm chứng cứ.")
    return sent
