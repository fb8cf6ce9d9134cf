"""Posts by date: given, ended, moved to another unit, stood in for. A post once held is never rewritten."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from motcua.accounts import people, powers
from motcua.accounts.models import Post, User
from motcua.accounts.people import Within
from motcua.accounts.refusals import Refusal
from motcua.catalogue.models import Agency
from motcua.rules.instants import local_day


@transaction.atomic
def give(*, person: User, role: str, agency: str, first: date | None, last: date | None = None, by: str,
         at: datetime, within: Within = None) -> Post:  # fmt: skip
    """Gives a post. Raises `Refusal`: no such role or unit, not yours to give, or held already."""
    may_be_given(role, agency, within=within)
    if first and last and last < first:
        raise Refusal("post.days")
    if overlapping(person, role, agency, first, last):
        raise Refusal("post.held", role=role, agency=agency)
    before = people.content(person)
    post = Post.objects.create(user=person, role=role, agency=agency, valid_from=first, valid_to=last)
    people.changed(person, before, by=by, at=at)
    return post


def may_be_given(role: str, agency: str, *, within: Within, known: frozenset[str] | None = None) -> None:
    """Raises `Refusal` where a post cannot be, or is not for this administrator to give. `known`: the codes of all
    units, where they were read already."""
    if role not in Post.Role.values:
        raise Refusal("post.role", role=role)
    if not agency and role not in powers.WITHOUT_AGENCY:
        raise Refusal("post.unit", role=role)
    if within is not None and (role not in powers.OF_A_UNIT or not agency):
        raise Refusal("post.role_not_yours", role=role)
    if within is not None and agency not in within:
        raise Refusal("post.unit_not_yours", agency=agency)
    there = Agency.objects.filter(code=agency).exists() if agency and known is None else agency in (known or ())
    if agency and not there:
        raise Refusal("post.unit_unknown", agency=agency)


def overlapping(person: User, role: str, agency: str, first: date | None, last: date | None) -> bool:
    """Whether the person holds the same post on any of these days, in the own name."""
    same = person.posts.filter(role=role, agency=agency, stands_in_for=None, proposed=False)
    if first:
        same = same.filter(Q(valid_to=None) | Q(valid_to__gte=first))
    if last:
        same = same.filter(Q(valid_from=None) | Q(valid_from__lte=last))
    return same.exists()


@transaction.atomic
def end(*, post: Post, last: date, by: str, at: datetime, within: Within = None, own: User | None = None,
        successor: User | None = None) -> None:  # fmt: skip
    """Ends a post, and those who stand in for it, after a last day. Raises `Refusal`.

    A post that would have begun later is taken back. `own`: who acts; nobody ends the post that lets them do this.
    `successor`: a colleague of the unit who has the open work from the day after.
    """
    if within is not None and post.agency not in within:
        raise Refusal("post.unit_not_yours", agency=post.agency)
    if post.valid_to and post.valid_to < local_day(at):
        raise Refusal("post.has_ended", on=post.valid_to)
    if post.role == Post.Role.ADMINISTRATOR and post.stands_in_for is None:
        if own is not None and post.user_id == own.pk:
            raise Refusal("post.your_own")
        if not post.agency and not _another_administrator(post):
            raise Refusal("post.last_administrator")
    before = people.content(post.user)
    _cut(post, last, by=by, at=at)
    people.changed(post.user, before, by=by, at=at)
    if successor is not None and post.pk is not None:
        _hand_over(post, successor, last + timedelta(days=1), by=by, at=at)


def _hand_over(post: Post, successor: User, first: date, *, by: str, at: datetime) -> None:
    """The open work of a post that ends goes to a colleague: a post of the same role, in its place."""
    if successor.pk == post.user_id:
        raise Refusal("deputy.same")
    if not _is_of(successor, post.agency, first, first):
        raise Refusal("deputy.not_of_the_unit")
    before = people.content(successor)
    Post.objects.create(user=successor, role=post.role, agency=post.agency, valid_from=first, stands_in_for=post)
    people.changed(successor, before, by=by, at=at)


def _another_administrator(post: Post) -> bool:
    """Whether the province keeps one that may sign in."""
    others = Post.objects.filter(role=Post.Role.ADMINISTRATOR, agency="", proposed=False, user__is_active=True)
    return others.exclude(pk=post.pk).filter(valid_to=None, stands_in_for=None).exists()


def _cut(post: Post, last: date, *, by: str, at: datetime) -> None:
    for deputy in post.deputies.filter(Q(valid_to=None) | Q(valid_to__gt=last)).select_related("user"):
        before = people.content(deputy.user)
        _cut(deputy, last, by=by, at=at)
        people.changed(deputy.user, before, by=by, at=at)
    if post.valid_from and post.valid_from > last:
        post.delete()
        return
    post.valid_to = last
    post.save(update_fields=["valid_to"])


@transaction.atomic
def keep(*, post: Post, by: str, at: datetime, within: Within = None) -> None:
    """Takes back the last day of a post that has not ended. Raises `Refusal`."""
    if within is not None and post.agency not in within:
        raise Refusal("post.unit_not_yours", agency=post.agency)
    if post.stands_in_for is not None:
        raise Refusal("deputy.of_a_deputy")
    if post.valid_to is None or post.valid_to < local_day(at):
        raise Refusal("post.has_ended", on=post.valid_to or local_day(at))
    before = people.content(post.user)
    post.valid_to = None
    post.save(update_fields=["valid_to"])
    people.changed(post.user, before, by=by, at=at)


@transaction.atomic
def move(*, post: Post, agency: str, role: str, first: date, by: str, at: datetime, within: Within = None,
         successor: User | None = None) -> Post:  # fmt: skip
    """Moves a person: the post here ends on the day before, the post there begins on `first`. Raises `Refusal`.

    A unit's administrator proposes: the post there holds once that unit has taken the person in. Who administers
    both units (the province's administrator) decides at once.
    """
    if within is not None and post.agency not in within:
        raise Refusal("post.unit_not_yours", agency=post.agency)
    if post.stands_in_for is not None:
        raise Refusal("deputy.of_a_deputy")
    if post.valid_to and post.valid_to < first - timedelta(days=1):
        raise Refusal("post.has_ended", on=post.valid_to)
    if (agency, role) == (post.agency, post.role):
        raise Refusal("post.same")
    if post.valid_from and post.valid_from >= first:
        raise Refusal("post.days")
    if within is not None and role not in powers.OF_A_UNIT:
        raise Refusal("post.role_not_yours", role=role)
    may_be_given(role, agency, within=None)
    if overlapping(post.user, role, agency, first, None):
        raise Refusal("post.held", role=role, agency=agency)
    if post.role == Post.Role.ADMINISTRATOR and not post.agency and not _another_administrator(post):
        raise Refusal("post.last_administrator")
    before = people.content(post.user)
    _cut(post, first - timedelta(days=1), by=by, at=at)
    proposed = within is not None and agency not in within
    there = Post.objects.create(user=post.user, role=role, agency=agency, valid_from=first, proposed=proposed)
    people.changed(post.user, before, by=by, at=at)
    if successor is not None:
        _hand_over(post, successor, first, by=by, at=at)
    return there


@transaction.atomic
def take_in(*, post: Post, by: str, at: datetime, within: Within = None) -> None:
    """The unit that a person moves to takes the person in: from the proposed day, at the earliest today."""
    _must_be_proposed(post, within=within)
    before = people.content(post.user)
    post.proposed = False
    if post.valid_from and post.valid_from < local_day(at):
        post.valid_from = local_day(at)
    post.save(update_fields=["proposed", "valid_from"])
    people.changed(post.user, before, by=by, at=at)


@transaction.atomic
def decline(*, post: Post, by: str, at: datetime, within: Within = None) -> None:
    """The unit does not take the person in; what ended elsewhere stays ended."""
    _must_be_proposed(post, within=within)
    before = people.content(post.user)
    person = post.user
    post.delete()
    people.changed(person, before, by=by, at=at)


def _must_be_proposed(post: Post, *, within: Within) -> None:
    if within is not None and post.agency not in within:
        raise Refusal("post.unit_not_yours", agency=post.agency)
    if not post.proposed:
        raise Refusal("post.not_proposed")


@transaction.atomic
def substitute(*, post: Post, deputy: User, first: date, last: date, by: str, at: datetime,
               within: Within = None) -> Post:  # fmt: skip
    """Lets a colleague of the same unit act in a post's place, from day to day. Raises `Refusal`."""
    if within is not None and post.agency not in within:
        raise Refusal("post.unit_not_yours", agency=post.agency)
    if post.stands_in_for is not None:
        raise Refusal("deputy.of_a_deputy")
    if last < first:
        raise Refusal("post.days")
    if (post.valid_from and first < post.valid_from) or (post.valid_to and last > post.valid_to) or post.proposed:
        raise Refusal("deputy.outside", first=post.valid_from, last=post.valid_to)
    if deputy.pk == post.user_id:
        raise Refusal("deputy.same")
    if not _is_of(deputy, post.agency, first, last):
        raise Refusal("deputy.not_of_the_unit")
    before = people.content(deputy)
    there = Post.objects.create(
        user=deputy, role=post.role, agency=post.agency, valid_from=first, valid_to=last, stands_in_for=post
    )
    people.changed(deputy, before, by=by, at=at)
    return there


def _is_of(person: User, agency: str, first: date, last: date) -> bool:
    """Whether a person holds a post of the unit on all of these days."""
    held = person.posts.filter(agency=agency, stands_in_for=None, proposed=False)
    held = held.filter(Q(valid_from=None) | Q(valid_from__lte=first))
    return held.filter(Q(valid_to=None) | Q(valid_to__gte=last)).exists()


def of_an_act(name: str, unit: str, on: date) -> Post | None:
    """The post in which an account acted for a unit on a day: still that, whatever the person is now."""
    held = powers.valid(Post.objects.filter(user__username=name, agency=unit), on=on)
    return min(held, key=lambda post: powers.RANK.index(post.role), default=None)


def answers_for(name: str, agency: str, on: date) -> list[str]:
    """The accounts that have the open work of an account in a unit on a day: its own while it holds a post there,
    and whoever stands in for it; nobody: the unit's head assigns it anew."""
    of_theirs = Q(user__username=name, stands_in_for=None) | Q(stands_in_for__user__username=name)
    posts = powers.valid(Post.objects.filter(of_theirs, agency=agency), on=on)
    held = {post.user.username: None for post in posts.select_related("user").order_by("stands_in_for_id", "pk")}
    return sorted(held, key=lambda one: one != name)
