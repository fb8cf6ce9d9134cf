"""Posts by date: powers, substitutes and open work follow the days, and what was done keeps the post it was done in."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from tests.accounts.house import DEPARTMENT, NOW, OTHER, TODAY, WARD, person, units
from tests.story import at

from motcua.accounts import people, posts, powers
from motcua.accounts.models import Post, User
from motcua.accounts.refusals import REFUSALS, Refusal
from motcua.catalogue.models import Agency
from motcua.ledger import audit
from motcua.ledger.models import Change
from motcua.web.people import words

pytestmark = pytest.mark.django_db
ONLY = frozenset({WARD})
BY = {"by": "quantri", "at": NOW}


@pytest.fixture(autouse=True)
def _province() -> None:
    units()


def _refused(code: str):  # type: ignore[no-untyped-def]
    return pytest.raises(Refusal, match=f"^{code}")


def test_powers_begin_and_end_with_the_days_of_the_post() -> None:
    officer = person("canbo", "officer", WARD, first=date(2026, 3, 1), last=date(2026, 3, 10))
    for day, sees in ((date(2026, 2, 28), set()), (date(2026, 3, 1), {WARD}), (date(2026, 3, 10), {WARD}),
                      (date(2026, 3, 11), set())):  # fmt: skip
        assert powers.scope(officer, on=day) == frozenset(sees), day
        assert powers.holds(officer, frozenset({"officer"}), on=day) == bool(sees), day


def test_a_person_of_two_posts_acts_in_the_one_that_was_chosen() -> None:
    both = person("haivai", "unit_head", WARD)
    inspector = posts.give(person=both, role="inspector", agency="", first=None, **BY)
    assert powers.acting(both, on=TODAY) == inspector and powers.scope(both, on=TODAY) is None
    head = both.posts.get(role="unit_head")
    both.chosen_post = head
    assert powers.scope(both, on=TODAY) == {WARD}
    assert not powers.holds(both, frozenset({"inspector"}), on=TODAY)
    assert powers.actor(both, on=TODAY).unit == WARD
    posts.end(post=head, last=TODAY, **BY)
    tomorrow = TODAY + timedelta(days=1)
    again = User.objects.get(pk=both.pk)
    assert powers.acting(again, on=tomorrow) == inspector, "a choice that has ended is none"


def test_who_moves_has_the_old_powers_to_the_day_before_and_the_new_ones_once_accepted() -> None:
    officer = person("canbo", "officer", WARD)
    there = posts.move(
        post=officer.posts.get(), agency=OTHER, role="officer", first=date(2026, 3, 16), within=ONLY, **BY
    )
    officer = User.objects.get(pk=officer.pk)
    assert powers.scope(officer, on=date(2026, 3, 15)) == {WARD}
    assert powers.scope(officer, on=date(2026, 3, 16)) == frozenset(), "the other ward has not accepted yet"
    with _refused("post.unit_not_yours"):
        posts.take_in(post=there, within=ONLY, **BY)
    posts.take_in(post=there, by="quantri-khac", at=at("2026-03-12T09:00"), within=frozenset({OTHER}))
    officer = User.objects.get(pk=officer.pk)
    assert powers.scope(officer, on=date(2026, 3, 15)) == {WARD}
    assert powers.scope(officer, on=date(2026, 3, 16)) == {OTHER}
    with _refused("post.not_proposed"):
        posts.decline(post=there, within=None, **BY)


def test_accepted_late_the_powers_begin_then_and_declined_never() -> None:
    late, never = person("muon", "officer", WARD), person("khong", "officer", WARD)
    for one in (late, never):
        posts.move(post=one.posts.get(), agency=OTHER, role="officer", first=date(2026, 3, 9), within=ONLY, **BY)
    posts.take_in(post=late.posts.get(proposed=True), by="k", at=at("2026-03-20T09:00"))
    posts.decline(post=never.posts.get(proposed=True), by="k", at=at("2026-03-20T09:00"))
    assert powers.scope(User.objects.get(pk=late.pk), on=date(2026, 3, 19)) == frozenset()
    assert powers.scope(User.objects.get(pk=late.pk), on=date(2026, 3, 20)) == {OTHER}
    assert powers.scope(User.objects.get(pk=never.pk), on=date(2026, 3, 20)) == frozenset()


def test_the_provinces_administrator_moves_at_once() -> None:
    officer = person("canbo", "officer", WARD)
    there = posts.move(post=officer.posts.get(), agency=DEPARTMENT, role="focal_point", first=TODAY, **BY)
    assert not there.proposed
    assert powers.scope(User.objects.get(pk=officer.pk), on=TODAY) == {DEPARTMENT}


def test_a_substitute_has_the_post_for_those_days_and_the_open_work_with_it() -> None:
    head, deputy = person("truong", "unit_head", WARD), person("pho", "officer", WARD)
    first, last = date(2026, 3, 9), date(2026, 3, 13)
    there = posts.substitute(post=head.posts.get(), deputy=deputy, first=first, last=last, within=ONLY, **BY)
    deputy = User.objects.get(pk=deputy.pk)
    for day in (first, last):
        assert powers.holds(deputy, frozenset({"unit_head"}), on=day)
        assert powers.stands_in_for(deputy, on=day) == {"truong"}
        assert posts.answers_for("truong", WARD, day) == ["truong", "pho"]
    for day in (first - timedelta(days=1), last + timedelta(days=1)):
        assert not powers.holds(deputy, frozenset({"unit_head"}), on=day)
        assert posts.answers_for("truong", WARD, day) == ["truong"]
    with _refused("deputy.of_a_deputy"):
        posts.substitute(post=there, deputy=head, first=first, last=last, **BY)


def test_a_substitute_stops_when_the_post_does() -> None:
    head, deputy = person("truong", "unit_head", WARD), person("pho", "officer", WARD)
    posts.substitute(post=head.posts.get(), deputy=deputy, first=date(2026, 3, 9), last=date(2026, 3, 31), **BY)
    posts.end(post=head.posts.get(), last=date(2026, 3, 13), **BY)
    assert deputy.posts.get(role="unit_head").valid_to == date(2026, 3, 13)
    assert Change.objects.filter(key="pho").count() == 2, "given and cut: both in the audit of the deputy"


def test_open_work_goes_to_the_successor_from_the_day_after_else_to_nobody() -> None:
    officer, colleague = person("canbo", "officer", WARD), person("dongnghiep", "clerk", WARD)
    posts.end(post=officer.posts.get(), last=date(2026, 3, 13), successor=colleague, within=ONLY, **BY)
    assert posts.answers_for("canbo", WARD, date(2026, 3, 13)) == ["canbo"]
    assert posts.answers_for("canbo", WARD, date(2026, 3, 14)) == ["dongnghiep"]
    other = person("khac", "officer", WARD)
    posts.end(post=other.posts.get(), last=TODAY, within=ONLY, **BY)
    assert posts.answers_for("khac", WARD, TODAY + timedelta(days=1)) == [], "the head assigns it"


def test_an_old_act_keeps_the_post_in_which_it_was_done() -> None:
    officer = person("canbo", "officer", WARD)
    before = powers.actor(officer, on=TODAY)
    posts.move(post=officer.posts.get(), agency=OTHER, role="focal_point", first=TODAY + timedelta(days=1), **BY)
    officer = User.objects.get(pk=officer.pk)
    assert (before.name, before.unit) == ("canbo", WARD)
    assert powers.actor(officer, on=TODAY + timedelta(days=1)).unit == OTHER
    done_in = posts.of_an_act("canbo", WARD, TODAY)
    assert done_in is not None and (done_in.role, done_in.agency) == ("officer", WARD)
    assert posts.of_an_act("canbo", WARD, TODAY + timedelta(days=1)) is None


def test_a_post_to_come_is_taken_back_and_a_last_day_can_be_too() -> None:
    officer = person("canbo", "officer", WARD, first=date(2026, 4, 1))
    posts.end(post=officer.posts.get(), last=TODAY, **BY)
    assert not officer.posts.exists()
    clerk = person("motcua", "clerk", WARD)
    posts.end(post=clerk.posts.get(), last=date(2026, 3, 31), **BY)
    posts.keep(post=clerk.posts.get(), **BY)
    assert clerk.posts.get().valid_to is None
    posts.end(post=clerk.posts.get(), last=date(2026, 3, 1), **BY)
    with _refused("post.has_ended"):
        posts.keep(post=clerk.posts.get(), **BY)
    with _refused("post.has_ended"):
        posts.end(post=clerk.posts.get(), last=TODAY, **BY)


@pytest.mark.parametrize(
    ("role", "agency", "code"),
    [("officer", OTHER, "post.unit_not_yours"), ("inspector", WARD, "post.role_not_yours"),
     ("operator", "", "post.role_not_yours"), ("administrator", "", "post.role_not_yours")],
    ids=["another unit", "inspector", "operator of the province", "administrator of the province"],
)  # fmt: skip
def test_a_units_administrator_gives_no_power_that_is_not_the_units(role: str, agency: str, code: str) -> None:
    officer = person("canbo", "officer", WARD)
    with _refused(code):
        posts.give(person=officer, role=role, agency=agency, first=TODAY, within=ONLY, **BY)
    assert officer.posts.count() == 1 and not Change.objects.exists()


def test_a_units_administrator_touches_no_account_with_a_post_outside() -> None:
    both = person("haivai", "officer", WARD)
    assert people.is_yours(both, within=ONLY, on=TODAY)
    posts.give(person=both, role="inspector", agency="", first=date(2026, 4, 1), **BY)
    assert not people.is_yours(User.objects.get(pk=both.pk), within=ONLY, on=TODAY), "a post to come counts"
    neighbour = person("phuongkhac", "officer", OTHER)
    assert not people.is_yours(neighbour, within=ONLY, on=TODAY)
    for act in (
        lambda: people.set_active(neighbour, False, within=ONLY, **BY),
        lambda: people.correct(neighbour, full_name="Tên Khác", email="", phone="", within=ONLY, **BY),
    ):
        with _refused("account.not_yours"):
            act()
    with _refused("post.unit_not_yours"):
        posts.end(post=neighbour.posts.get(), last=TODAY, within=ONLY, **BY)
    assert list(people.of(ONLY, on=TODAY)) == [both]


def test_a_units_administrator_runs_the_accounts_of_the_units_below_it_too() -> None:
    department = person("quantri-so", "administrator", WARD)
    assert powers.manages(department, on=TODAY) == ONLY
    Agency.objects.create(code=f"{WARD}.1", name="Chi cục", parent=WARD)
    Agency.objects.create(code=f"{WARD}.1.1", name="Hạt", parent=f"{WARD}.1")
    Agency.objects.filter(code=WARD).update(parent=f"{WARD}.1.1")  # a mistake in the catalogue: a circle
    assert powers.manages(department, on=TODAY) == {WARD, f"{WARD}.1", f"{WARD}.1.1"}
    assert powers.scope(department, on=TODAY) == ONLY, "whose dossiers one sees is another question"


def test_the_last_administrator_stays_and_nobody_ends_the_own_post() -> None:
    chief = person("quantri", "administrator", "")
    with _refused("post.last_administrator"):
        posts.end(post=chief.posts.get(), last=TODAY, **BY)
    unit = person("quantriphuong", "administrator", WARD)
    with _refused("post.your_own"):
        posts.end(post=unit.posts.get(), last=TODAY, within=ONLY, own=unit, **BY)
    person("quantri2", "administrator", "")
    posts.end(post=chief.posts.get(), last=TODAY, **BY)


def test_the_database_itself_refuses_a_post_that_ends_before_it_begins() -> None:
    officer = person("canbo")
    with pytest.raises(IntegrityError), transaction.atomic():
        Post.objects.create(user=officer, role="officer", valid_from=TODAY, valid_to=TODAY - timedelta(days=1))


def test_every_change_is_in_the_audit_and_holds_no_phone_and_no_national_id() -> None:
    given = {"full_name": "Trần Thị Mới", "email": "moi@mau.gov.vn", "phone": "0905 111 222"}
    made = people.add(national_id="001099000123", **given, **BY)
    posts.give(person=made, role="clerk", agency=WARD, first=TODAY, **BY)
    people.correct(made, full_name="Trần Thị Mới", email="moi@mau.gov.vn", phone="0905111333", **BY)
    people.set_active(made, False, **BY)
    kept = list(Change.objects.order_by("pk").values_list("after", flat=True))
    assert [sorted(after) for after in kept[:1]] == [["active", "email", "full_name", "posts"]]
    assert kept[1]["posts"] == [f"clerk {WARD} 2026-03-06.."]
    assert kept[2] == {"corrected": ["phone"]} and kept[3]["active"] is False
    assert "0905" not in str(kept) and "001099" not in str(kept)
    assert audit.verify()["ok"]


def test_every_refusal_has_words() -> None:
    assert set(words.REFUSALS) == set(REFUSALS)
