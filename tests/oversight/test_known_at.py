"""What arrived after an instant is not known at it: records and single steps alike."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from tests.directives import ward
from tests.directives.ward import NOW
from tests.story import at

from motcua.accounts.models import Post, User
from motcua.catalogue.models import Agency, Calendar, CalendarDay
from motcua.oversight import extract, figures, scan
from motcua.oversight.figures import Question
from motcua.payments.models import Payment
from motcua.rules.instants import VIET_NAM

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])


def test_a_step_that_arrived_later_is_not_known_yet(home: Path, tmp_path: Path) -> None:
    ward.built(home, tmp_path)
    ward.sent(home, tmp_path, ward.UNSENT, when="2026-03-16T11:00")

    def late(known_at: str | None) -> int:
        known = at(known_at) if known_at else None
        asked = Question(as_of=NOW, known_at=known)
        return int(figures.bridge(home, asked, now=at("2026-03-17T09:00"))["late_shown"])

    after = len(ward.CLICKED_LATE) + len(ward.OPEN_LATE)
    assert late("2026-03-16T10:00") == after + len(ward.UNSENT)
    assert late("2026-03-16T12:00") == late(None) == after


def test_a_payment_counts_from_when_it_was_made_and_an_account_administers_while_its_post_lasts(
    home: Path, tmp_path: Path
) -> None:
    ward.built(home, tmp_path)
    now = at("2026-03-17T09:00")
    code, later = ward.HONEST[0], ward.CLICKED_LATE[0]
    for dossier, learnt in ((code, "2026-03-16T08:00"), (later, "2026-03-12T08:05")):
        Payment.objects.create(reference=dossier, dossier=dossier, amount=50_000, channel="portal", state="paid",
                               paid_at=at("2026-03-12T08:00"), known_at=at(learnt))  # fmt: skip
    clerk = User.objects.create_user("A")  # by whom every dossier of the ward was ended
    Post.objects.create(user=clerk, role="operator", valid_to=date(2026, 3, 5))
    Post.objects.create(user=clerk, role="operator", valid_from=date(2026, 3, 10), valid_to=date(2026, 3, 10))
    extract.run(home=home, at=now)

    def paid(as_of: str, known_at: str | None = None) -> dict[str, int | None]:
        asked = Question(as_of=at(as_of), known_at=at(known_at) if known_at else None)
        store = figures.facts(home)
        with store.lock:
            view = store.view(asked, now=now)
            rows = view.engine.collect(view.pairs.select("dossier", "paid_amount"))
        amounts = {row["dossier"]: row["paid_amount"] for row in rows}
        return {dossier: amounts[dossier] for dossier in (code, later)}

    assert paid("2026-03-17T08:00") == {code: 50_000, later: 50_000}
    assert paid("2026-03-11T08:00") == {code: None, later: None}, "it was paid afterwards"
    assert paid("2026-03-17T08:00", "2026-03-15T08:00") == {code: None, later: 50_000}, "nobody had learnt of it"
    forced = scan.scan(home, Question(as_of=now), now=now, checks=["forced_by_administrator"])
    assert sorted(sign.subject for sign in forced.signs) == ward.CLICKED_LATE, "ended on 10/03, the others on 06/03"


def test_a_day_off_that_was_made_known_later_moves_no_clock_before(home: Path, tmp_path: Path) -> None:
    ward.built(home, tmp_path)
    Calendar.objects.create(name="phuong")
    CalendarDay.objects.create(calendar_id="phuong", day=date(2026, 3, 4), known_on=date(2026, 3, 17), title="Mưa bão")
    Agency.objects.filter(code="H99.12").update(calendar="phuong")
    now = at("2026-03-17T09:00")
    extract.run(home=home, at=now)
    ours, others = ward.HONEST[0], ward.HONEST[-1]

    def due(known_at: str | None = None) -> list[date]:
        store = figures.facts(home)
        with store.lock:
            view = store.view(Question(known_at=at(known_at) if known_at else None), now=now)
            rows = view.engine.collect(view.pairs.select("dossier", "limit_due_at"))
        dues = {row["dossier"]: row["limit_due_at"] for row in rows}
        return [datetime.fromtimestamp(dues[dossier], VIET_NAM).date() for dossier in (ours, others)]

    assert due() == [date(2026, 3, 10), date(2026, 3, 9)]
    assert due("2026-03-16T12:00") == [date(2026, 3, 9), date(2026, 3, 9)], "nobody knew of it on the 16th"
