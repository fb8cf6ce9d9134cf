"""Reads back through TraCuuHoSo what the portal holds of our dossiers, within a budget of calls; keeps what differs.

Those that changed, that are due soon or that differed go first; a quarter of every run is kept for the rest, the
longest unseen first, so that each round reaches everyone. Where the portal offers a list, one call tells of a thousand
dossiers which of them changed there. A run that is killed is gone on with by the next: what was looked up is written
block by block.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from motcua.dossiers.models import AlternativeCode, DossierRow
from motcua.exchange import repair
from motcua.exchange.breaker import Breaker
from motcua.exchange.deliver import NationalPortal
from motcua.exchange.messages import Limits
from motcua.exchange.models import Difference, Listing, Looked, LookUps, Repair
from motcua.exchange.reconcile import Found, Ours, Reader
from motcua.exchange.repair import Switch
from motcua.ledger import cursors
from motcua.mirror import seen
from motcua.mirror.client import PortalUnreachable
from motcua.rules.instants import Unreadable, to_microseconds
from motcua.wire.messages import text_of
from motcua.wire.profile import Profile

READER = "read-back"
#: Dossiers between two writings.
BLOCK = 100
#: So many look-ups in a row without answer: the portal is away.
_SILENT = 5
#: A dossier of which something went on its way so lately is left for later: it differs anyway.
ON_THE_WAY = timedelta(minutes=10)
#: One that is due soon or differs is not asked for again within this.
_AGAIN = timedelta(hours=1)
DUE_SOON = timedelta(hours=24)
#: In a look at everything, those seen within this are left out: a round that was killed is gone on with.
ROUND = timedelta(hours=24)
#: The share of a run that is kept for the rolling round: of the open dossiers, of the ended ones.
_OPEN_SHARE, _ENDED_SHARE = 5, 20
_PER_HOUR = 3_000
_EVENTS = 5_000
_PAGE = 1_000

Shown = Mapping[str, Any] | None


@dataclass(slots=True)
class Report:
    """What was looked up and found. `silent`: the portal does not answer; `listed`: told by a list alone."""

    looked_up: int = 0
    found: int = 0  # of these, known there
    listed: int = 0
    calls: int = 0
    opened: int = 0
    closed: int = 0
    sent_again: int = 0
    silent: bool = False
    unanswered: list[str] = field(default_factory=list)
    differences: dict[str, list[Found]] = field(default_factory=dict)


def per_hour() -> int:
    """How many look-ups the portal is asked for in an hour. Raises `Unreadable`."""
    value = os.environ.get("MOTCUA_READ_BACK_PER_HOUR", str(_PER_HOUR))
    if not value.isdigit() or not int(value):
        raise Unreadable(f"MOTCUA_READ_BACK_PER_HOUR {value!r}: write a number of calls, 1 or more")
    return int(value)


def left(*, at: datetime) -> int:
    """What this hour's budget still allows."""
    used = LookUps.objects.filter(pk=to_microseconds(_hour(at))).values_list("calls", flat=True).first() or 0
    return max(per_hour() - used, 0)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def run(
    *, portal: NationalPortal, at: datetime, codes: Iterable[str] | None = None, budget: int | None = None,
    profile: Profile | None = None, repair: Switch = "off", advance: Callable[[int], None] = lambda n: None,
) -> Report:  # fmt: skip
    """Looks dossiers up: these, or as many as the budget allows; without one, all not seen for a day.

    Raises `PortalUnreachable` when the portal stops answering; what was learnt before is kept.
    """
    work = _Run(portal, at, profile or Profile(), repair, advance)
    if codes is not None:
        wanted = list(dict.fromkeys(codes))
        for start in range(0, len(wanted), BLOCK):
            work.block(wanted[start : start + BLOCK], patient=False)
        return work.report
    if Breaker(portal.url).is_open():
        work.report.silent = True
        return work.report
    catch_up()
    if work.profile.list_service:
        budget = work.walk(budget)
    unlimited = budget is None
    while unlimited or (budget is not None and budget > 0):
        size = BLOCK if budget is None else min(BLOCK, budget)
        block = chosen(size, at=at, passed=work.passed, everyone=unlimited)
        if not block:
            break
        before = work.report.calls
        work.block(block, patient=True)
        if budget is not None:
            budget -= work.report.calls - before
    return work.report


# ---- who is next ----------------------------------------------------------------------------------------------------


def catch_up() -> None:
    """Notes of which dossiers something new is known, from the log."""
    while True:
        with transaction.atomic():
            events = cursors.read(READER, _EVENTS)
            if not events:
                return
            changed = {event.dossier: event.stored_at for event in events}
            codes, rows = list(changed), []
            for start in range(0, len(codes), 500):
                here = DossierRow.objects.filter(code__in=codes[start : start + 500])
                for code, due_at, ended_at in here.values_list("code", "due_at", "ended_at"):
                    more = {"due_at": due_at, "ended": ended_at is not None}
                    rows.append(Looked(dossier=code, changed_at=changed[code], fresh=True, here=True, **more))
            Looked.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["dossier"], batch_size=500,
                update_fields=["changed_at", "fresh", "here", "due_at", "ended"],
            )  # fmt: skip
            cursors.advance(READER, events[-1].position)


def chosen(count: int, *, at: datetime, passed: set[str], everyone: bool = False) -> list[str]:
    """The next dossiers to look up, at most `count`, without those `passed` by in this run.

    `everyone`: whoever was not asked for within a round, the urgent ones first.
    """
    rested = Q(asked_at=None) | Q(asked_at__lte=at - _AGAIN)
    due = Looked.objects.filter(ended=False, due_at__gte=at - DUE_SOON, due_at__lte=at + DUE_SOON).filter(rested)
    urgent = (
        Looked.objects.filter(fresh=True).order_by("changed_at"),
        due.order_by("due_at"),
        Looked.objects.filter(differs=True).filter(rested).order_by("asked_at"),
    )
    first: dict[str, None] = {}
    for query in urgent:
        first.update(dict.fromkeys(_codes(query, count, passed)))
    rounds = [_longest_unseen(at - ROUND if everyone else at, ended, count, passed) for ended in (False, True)]
    shares = [max(count // share, 1) for share in (_OPEN_SHARE, _ENDED_SHARE)] if count > 2 else [0, 0]
    taken: dict[str, None] = {}
    for listed, share in zip(rounds, shares, strict=True):
        taken.update(dict.fromkeys(listed[:share]))
    ordered = list(dict.fromkeys([*list(first)[: count - len(taken)], *taken, *first, *rounds[0], *rounds[1]]))
    return ordered[:count]


def _longest_unseen(before: datetime, ended: bool, count: int, passed: set[str]) -> list[str]:
    """Those never asked for, then those asked for before, the longest ago first; each by its index."""
    rows = Looked.objects.filter(ended=ended)
    found = _codes(rows.filter(asked_at=None), count, passed)
    if len(found) < count:
        found += _codes(rows.filter(asked_at__lt=before).order_by("asked_at"), count - len(found), passed)
    return found


def _codes(query: QuerySet[Looked, Looked], count: int, passed: set[str]) -> list[str]:
    found = query.values_list("dossier", flat=True)[: count + len(passed)]
    return [code for code in found if code not in passed][:count]


# ---- one run --------------------------------------------------------------------------------------------------------


class _Run:
    """One run: what it asks, and the dossiers that it has `passed` by: on their way, or without answer."""

    def __init__(
        self, portal: NationalPortal, at: datetime, profile: Profile, repair: Switch, advance: Callable[[int], None]
    ) -> None:
        self.portal, self.at, self.profile, self.repair, self.advance = portal, at, profile, repair, advance
        self.reader, self.report = Reader(Limits.of(profile)), Report()
        self.passed: set[str] = set()
        self.silent = 0

    def block(self, codes: Sequence[str], *, patient: bool) -> None:
        """Looks some dossiers up and writes what was learnt. Raises `PortalUnreachable`."""
        sides = self.reader.load(codes)
        waiting = {c for c, ours in sides.items() if patient and ours.on_the_way(self.at, ON_THE_WAY)}
        self.passed |= waiting
        asked = [code for code in codes if code not in waiting]
        others = {code: sides[code].codes if code in sides else () for code in asked}
        self._spend(len(asked) + sum(map(len, others.values())))
        shown: dict[str, Shown] = {}
        away: PortalUnreachable | None = None
        for code in [each for own in asked for each in (own, *others[own])]:
            try:
                answer = self._ask(code)
            except PortalUnreachable as error:
                away = error
                break
            if answer is not None:
                shown[code] = answer[0]
        self._keep(asked, others, shown, sides)
        self.advance(len(codes))
        if away is not None:
            raise away

    def _spend(self, calls: int) -> None:
        """Counts calls before they are made: one that is killed has been made."""
        self.report.calls += calls
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO exchange_look_ups (hour, calls) VALUES (%s, %s)"
                " ON CONFLICT (hour) DO UPDATE SET calls = exchange_look_ups.calls + excluded.calls",
                [to_microseconds(_hour(self.at)), calls],
            )

    def _ask(self, code: str) -> tuple[Shown] | None:
        """What the portal shows of a code; None where it gave no usable answer. Raises when it is away for good."""
        try:
            reply = self.portal.call("TraCuuHoSo", mahoso=code)
        except PortalUnreachable:
            self.silent += 1
            if self.silent >= _SILENT:
                raise
            return None
        self.silent = 0
        if reply.ok:
            first = reply.result[0] if reply.result else None
            return (first if isinstance(first, dict) else None,)
        refused = self.profile.lookup_unknown == "refuse" and "không tìm thấy" in reply.message.lower()
        return (None,) if refused else None

    def _keep(
        self, asked: Sequence[str], others: Mapping[str, Sequence[str]], shown: Mapping[str, Shown],
        sides: Mapping[str, Ours],
    ) -> None:  # fmt: skip
        self.report.found += seen.store(list(shown.items()), at=self.at)
        rows = {row.dossier: row for row in Looked.objects.filter(dossier__in=asked)}
        found: dict[str, list[Found]] = {}
        for code in asked:
            row = rows.setdefault(code, Looked(dossier=code, here=code in sides))
            row.asked_at = self.at
            if code not in shown:
                self.report.unanswered.append(code)
                self.passed.add(code)
                continue
            self.report.looked_up += 1
            found[code] = self._differences(code, others[code], shown, sides.get(code), row)
            row.seen_at, row.fresh, row.differs = self.at, False, bool(found[code])
            row.seq = sides[code].seq if code in sides else 0
        with transaction.atomic():
            self._write_differences(found, sides, rows)
            for code, its in found.items():
                row = rows[code]
                if not its:
                    row.equal_at, row.repairs = self.at, 0
                elif code in sides:
                    row.repairs += self._repaired(sides[code], its, row.repairs)
            strange = {code for code in found if code not in sides and not found[code]}  # neither side has it
            Looked.objects.filter(dossier__in=strange).delete()
            Looked.objects.bulk_create(
                [row for code, row in rows.items() if code not in strange],
                update_conflicts=True,
                unique_fields=["dossier"],
                update_fields=["asked_at", "seen_at", "equal_at", "fresh", "differs", "seq", "repairs"],
                batch_size=500,
            )
            Repair.objects.filter(dossier__in=[c for c, its in found.items() if not its], worked_at=None).update(
                worked_at=self.at
            )
        self.report.differences.update({code: its for code, its in found.items() if its})

    def _differences(
        self, code: str, others: Sequence[str], shown: Mapping[str, Shown], ours: Ours | None, row: Looked
    ) -> list[Found]:
        if ours is None:
            there = shown[code]
            if there is None:
                return []
            return [Found("dossier", "", text_of(there.get("TrangThaiHoSo")), Difference.Why.OTHER_SENDER)]
        known = [other for other in others if shown.get(other) is not None]
        there = shown[code]
        if there is None and known and ours.by_others:  # it stands there under its other code
            there, known = shown[known[0]], known[1:]
        found = self.reader.compare(ours, there, was_equal_at=row.equal_at)
        return found + [Found(f"code {other}"[:64], code, other, Difference.Why.OTHER_SENDER) for other in known]

    def _repaired(self, ours: Ours, found: Sequence[Found], tried: int) -> int:
        wanted = repair.safe(ours, found, tried=tried, allowed=self.repair)
        if not wanted:
            return 0
        sent = repair.send_again(ours.code, wanted, at=self.at, reason=Difference.Why.NOT_SHOWN)
        self.report.sent_again += sent
        return int(sent > 0)

    def _write_differences(
        self, found: Mapping[str, Sequence[Found]], sides: Mapping[str, Ours], rows: Mapping[str, Looked]
    ) -> None:
        """Opens, goes on with and closes the rows of what differs."""
        standing = {
            (row.dossier, row.name): row
            for row in Difference.objects.select_for_update().filter(dossier__in=list(found), closed_at=None)
        }
        fresh, known = [], []
        for code, its in found.items():
            for each in its:
                row = standing.pop((code, each.name), None)
                if row is None:
                    row = Difference(dossier=code, name=each.name, first_seen=self.at,
                                     arose_at=_arose(each, sides.get(code), rows[code]))  # fmt: skip
                    fresh.append(row)
                else:
                    known.append(row)
                row.ours, row.there, row.why, row.words = each.ours, each.there, each.why, each.words
                row.act, row.last_seen = each.act if code in sides else Difference.Act.ENTER_HERE, self.at
        Difference.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True)
        Difference.objects.bulk_update(known, ["ours", "there", "why", "words", "act", "last_seen"], batch_size=500)
        gone = [row.pk for row in standing.values()]
        for start in range(0, len(gone), 500):
            Difference.objects.filter(pk__in=gone[start : start + 500]).update(closed_at=self.at)
        self.report.opened += len(fresh)
        self.report.closed += len(gone)

    # ---- the portal's list ---------------------------------------------------------------------------------------

    def walk(self, budget: int | None) -> int | None:
        """Goes through the portal's list, with at most a quarter of the budget; returns what is left of it.

        A dossier of which list and log say that nothing changed counts as seen; one of which the list tells otherwise
        than last time, and one that it does not tell of any more or that we do not know, is looked up.
        """
        pages = None if budget is None else max(budget // 4, 1)
        place, _ = Listing.objects.get_or_create(service=self.profile.list_service, defaults={"begun_at": self.at})
        while pages is None or pages > 0:
            self._spend(1)
            budget, pages = budget and budget - 1, pages and pages - 1
            if not place.after:
                place.begun_at = self.at
            try:
                reply = self.portal.call(place.service, sau=place.after, soLuong=str(_PAGE))
            except PortalUnreachable:
                break
            if not reply.ok or reply.result is None:
                break
            rows = {text_of(row.get("MaHoSo")): _digest(row) for row in reply.result if isinstance(row, dict)}
            ended = len(reply.result) < _PAGE
            place.after = "" if ended else list(rows)[-1]
            with transaction.atomic():
                self._listed(rows)
                if ended:
                    gone = Looked.objects.exclude(listed="").filter(listed_at__lt=place.begun_at)
                    gone.update(listed="", fresh=True, changed_at=self.at)
                place.save()
            if ended:
                break
        return budget

    def _listed(self, rows: Mapping[str, str]) -> None:
        """What a page tells: a digest of each dossier. One with several codes is looked up under all of them."""
        known = {row.dossier: row for row in Looked.objects.filter(dossier__in=list(rows))}
        second = set(AlternativeCode.objects.filter(code__in=list(rows)).values_list("code", flat=True))
        several = set(AlternativeCode.objects.filter(dossier__in=list(rows)).values_list("dossier", flat=True))
        quiet = []
        for code, row in known.items():
            if row.listed == rows[code] and row.seen_at is not None and not row.fresh and code not in several:
                quiet.append(code)
                row.asked_at = row.seen_at = self.at
                row.equal_at = row.equal_at if row.differs else self.at
            elif row.listed != rows[code]:
                row.listed, row.fresh, row.changed_at = rows[code], True, self.at
            row.listed_at = self.at
        strangers = [code for code in rows if code and code not in known and code not in second]
        Looked.objects.bulk_create(
            [Looked(dossier=code, listed=rows[code], listed_at=self.at, changed_at=self.at, here=False)
             for code in strangers],
            batch_size=500, ignore_conflicts=True,
        )  # fmt: skip
        fields = ["listed", "listed_at", "fresh", "changed_at", "asked_at", "seen_at", "equal_at"]
        Looked.objects.bulk_update(known.values(), fields, batch_size=500)
        Difference.objects.filter(dossier__in=quiet, closed_at=None).update(last_seen=self.at)
        self.report.listed += len(quiet)


def _arose(found: Found, ours: Ours | None, row: Looked) -> datetime | None:
    """Since when it can differ: since our event, or since the look that found it equal."""
    by_seq: Iterator[datetime] = (each.stored_at for each in ours.sent if each.seq == found.seq) if ours else iter(())
    event_at = next(by_seq, None)
    equal_at: datetime | None = row.equal_at
    return equal_at if event_at is None or found.why == Difference.Why.CHANGED_THERE else event_at


def _digest(row: Mapping[str, Any]) -> str:
    """What a list says of a dossier, short enough to keep."""
    text = json.dumps(row, ensure_ascii=False, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
