"""Codes that work once, passwords, limits on guessing, second factors, and where one is signed in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from tests.accounts.house import NOW, OTHER, SECRET, WARD, person, units

from motcua.accounts import codes, factors, invitations, passwords, posts, sessions, sign_on, totp, tries
from motcua.accounts.models import Factor, Invitation, RecoveryCode, User
from motcua.accounts.refusals import Refusal
from motcua.catalogue import training
from motcua.ledger.models import Change
from motcua.rules.instants import Unreadable, local_day
from motcua.web.people import letters

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def officer() -> User:
    units()
    return person("canbo", "officer", WARD, full_name="Đặng Minh Đức", email="duc.dm@mau.gov.vn")


def _code(someone: User, **how: object) -> str:
    ((_, code, _),) = invitations.issue([someone], **{"by": "quantri", "at": NOW, **how})  # type: ignore[arg-type]
    return code


def _dead(code: str, at=NOW) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refusal, match=r"^invitation\.dead"):
        invitations.use(code, password=SECRET, again=SECRET, at=at)


def test_a_code_sets_the_password_once_and_only_its_digest_is_kept(officer: User) -> None:
    code = _code(officer)
    kept = str(list(Invitation.objects.values())) + str(list(Change.objects.values_list("after", flat=True)))
    assert code not in kept and codes.plain(code) not in kept
    assert invitations.use(code.lower().replace("-", " "), password=SECRET, again=SECRET, at=NOW + HOUR) == officer
    officer.refresh_from_db()
    assert officer.check_password(SECRET) and officer.activated_at == NOW + HOUR
    _dead(code, NOW + 2 * HOUR)


def test_a_code_dies_with_time_with_a_newer_one_and_with_the_account(officer: User) -> None:
    first = _code(officer)
    second = _code(officer, at=NOW + HOUR)
    _dead(first, NOW + 2 * HOUR)
    _dead(second, NOW + HOUR + timedelta(days=invitations.DAYS))
    third = _code(officer, at=NOW + 2 * HOUR)
    User.objects.filter(pk=officer.pk).update(is_active=False)
    _dead(third, NOW + 3 * HOUR)
    _dead("AAAA-AAAA-AAAA-AAAA")


def test_a_wrong_password_uses_no_code_up(officer: User) -> None:
    code = _code(officer)
    with pytest.raises(Refusal, match=r"^password\.again"):
        invitations.use(code, password=SECRET, again=SECRET + "x", at=NOW)
    with pytest.raises(Refusal, match=r"^password\.short"):
        invitations.use(code, password="ngan", again="ngan", at=NOW)
    invitations.use(code, password=SECRET, again=SECRET, at=NOW)


def test_nobody_invites_where_nobody_may(officer: User) -> None:
    neighbour = person("phuongkhac", "officer", OTHER)
    with pytest.raises(Refusal, match=r"^account\.not_yours"):
        invitations.issue([officer, neighbour], by="quantri", at=NOW, within=frozenset({WARD}))
    assert not Invitation.objects.filter(user=neighbour).exists()


@pytest.mark.parametrize(
    ("password", "code"),
    [("chin-ky-t", "password.short"), ("0905111222333", "password.digits"), ("1q2w3e4r5t", "password.common"),
     ("aaaaaaaaaaaa", "password.common"), ("ĐặngMinhĐức1", "password.yours"), ("duc.dm2026!", "password.yours")],
    ids=["nine letters", "digits", "known to everybody", "one letter", "the own name", "the own e-mail"],
)  # fmt: skip
def test_a_password_that_is_easy_to_guess_is_refused_by_why(officer: User, password: str, code: str) -> None:
    with pytest.raises(Refusal, match=f"^{code}"):
        passwords.check(password, person=officer)


def test_a_sentence_is_a_good_password(officer: User) -> None:
    passwords.check("con mèo nhà Đức thích cá", person=officer)


# ---- guessing ---------------------------------------------------------------------------------------------------


def test_after_so_many_tries_in_vain_one_waits_and_then_may_again() -> None:
    limit = tries.Limit("test", 3, timedelta(minutes=5))
    for n in range(3):
        tries.check(limit, "a", at=NOW + timedelta(seconds=n))
        tries.failed(limit, "a", at=NOW + timedelta(seconds=n))
    with pytest.raises(Refusal) as refused:
        tries.check(limit, "a", at=NOW + timedelta(minutes=1))
    assert refused.value.facts["minutes"] == 4
    tries.check(limit, "b", at=NOW)
    tries.check(limit, "a", at=NOW + timedelta(minutes=5))
    tries.failed(limit, "a", at=NOW + timedelta(minutes=6))
    tries.check(limit, "a", at=NOW + timedelta(minutes=6))  # a new span has begun
    assert tries.forget(at=NOW + 2 * DAY) == 1


# ---- the second factor ------------------------------------------------------------------------------------------

#: RFC 6238, appendix B: SHA-1, the last six of eight digits.
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037",
           20000000000: "353130"}  # fmt: skip
RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(("second", "digits"), VECTORS.items())
def test_the_digits_are_those_of_the_standard(second: int, digits: str) -> None:
    assert totp.code(RFC_SEED, second // totp.STEP_S) == digits


def _with_app(someone: User) -> tuple[str, list[str]]:
    seed = totp.new_seed()
    return seed, factors.add_app(someone, seed=seed, code=totp.code(seed, totp.step_of(NOW)), by="x", at=NOW)


def test_an_app_opens_and_its_digits_work_once(officer: User) -> None:
    seed, _ = _with_app(officer)
    assert seed not in Factor.objects.get().secret
    later = NOW + timedelta(minutes=1)
    digits = totp.code(seed, totp.step_of(later))
    assert factors.verify(officer, f"{digits[:3]} {digits[3:]}", at=later) == "app"
    with pytest.raises(Refusal, match=r"^factor\.code"):
        factors.verify(officer, digits, at=later)
    slow = totp.code(seed, totp.step_of(later) + 1)
    assert factors.verify(officer, slow, at=later + timedelta(seconds=59)) == "app", "a phone may be a step late"


def test_the_digits_of_setting_up_do_not_sign_in(officer: User) -> None:
    seed, _ = _with_app(officer)
    with pytest.raises(Refusal, match=r"^factor\.code"):
        factors.verify(officer, totp.code(seed, totp.step_of(NOW)), at=NOW)


def test_guessing_digits_ends_in_waiting(officer: User) -> None:
    seed, _ = _with_app(officer)
    later = NOW + timedelta(minutes=2)
    right = totp.code(seed, totp.step_of(later))
    wrong = next(code for code in ("000000", "111111") if code != right)
    for _ in range(tries.SECOND.count):
        with pytest.raises(Refusal, match=r"^factor\.code"):
            factors.verify(officer, wrong, at=later)
    with pytest.raises(Refusal, match=r"^tries\.wait"):
        factors.verify(officer, right, at=later)
    much = later + tries.SECOND.span
    assert factors.verify(officer, totp.code(seed, totp.step_of(much)), at=much) == "app"


def test_a_recovery_code_works_once_and_is_kept_as_a_digest(officer: User) -> None:
    _, given = _with_app(officer)
    assert len(given) == factors.RECOVERY_CODES
    assert given[0] not in str(list(RecoveryCode.objects.values()))
    assert factors.verify(officer, given[0].lower(), at=NOW) == "recovery"
    with pytest.raises(Refusal, match=r"^factor\.code"):
        factors.verify(officer, given[0], at=NOW)
    again = factors.new_recovery_codes(officer, by="x", at=NOW)
    with pytest.raises(Refusal, match=r"^factor\.code"):
        factors.verify(officer, given[1], at=NOW)
    assert factors.verify(officer, again[1], at=NOW) == "recovery"


def test_an_administrator_resets_a_factor_of_the_own_unit_and_the_audit_has_it(officer: User) -> None:
    _with_app(officer)
    with pytest.raises(Refusal, match=r"^account\.not_yours"):
        factors.reset(officer, by="khac", at=NOW, within=frozenset({OTHER}))
    factors.reset(officer, by="quantri", at=NOW, within=frozenset({WARD}))
    assert not Factor.objects.exists() and not RecoveryCode.objects.exists()
    last = Change.objects.order_by("-pk").first()
    assert last is not None and (last.actor, last.before) == ("quantri", {"kinds": ["app"]})


def test_it_is_a_must_for_inspectors_and_administrators_after_the_days_of_grace(officer: User) -> None:
    inspector = person("thanhtra", "inspector", "", password=SECRET)
    on = local_day(NOW)
    assert factors.must_by(officer, on=on) is None
    assert factors.must_by(inspector, on=on) == on + timedelta(days=7)
    factors.demand(["officer"], days=0, by="x", at=NOW)
    assert factors.must_by(inspector, on=on) is None
    assert factors.must_by(officer, on=on) is not None
    posts.end(post=officer.posts.get(), last=date(2026, 3, 6), by="x", at=NOW)
    assert factors.must_by(User.objects.get(pk=officer.pk), on=date(2026, 3, 7)) is None
    with pytest.raises(Unreadable):
        factors.demand(["officers"], days=0, by="x", at=NOW)


def test_in_a_training_house_nobody_must_and_nothing_leaves_it(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = person("thanhtra", "inspector", "", password=SECRET)
    monkeypatch.setattr(training, "is_on", lambda: True)
    assert factors.must_by(inspector, on=local_day(NOW)) is None
    settings.MAIL_FROM = "motcua@mau.gov.vn"
    monkeypatch.setenv("MOTCUA_SIGN_ON", "/khong-co")
    assert not letters.possible() and sign_on.provider() is None
    factors.demand(["inspector"], days=0, by="x", at=NOW)
    assert factors.must_by(inspector, on=local_day(NOW)) is not None, "somebody chose"


def test_acting_in_another_post_does_not_get_around_it(officer: User) -> None:
    posts.give(person=officer, role="inspector", agency="", first=None, by="x", at=NOW)
    officer = User.objects.get(pk=officer.pk)
    officer.chosen_post = officer.posts.get(role="officer")
    assert factors.must_by(officer, on=local_day(NOW)) is not None


# ---- where one is signed in -------------------------------------------------------------------------------------


def test_signing_out_everywhere_ends_every_session_but_this(client, officer: User) -> None:  # type: ignore[no-untyped-def]
    from django.test import Client

    browsers = [Client(), Client(), Client()]
    for browser in browsers:
        browser.force_login(officer)
        assert browser.get("/trang-cua-toi").status_code == 200
    assert len(sessions.of(officer, at=NOW)) == 3
    reply = browsers[0].post("/trang-cua-toi/dang-xuat", {"only": ""}, follow=True)
    assert "Đã đăng xuất 2 nơi khác" in reply.content.decode()
    assert [browser.get("/trang-cua-toi").status_code for browser in browsers] == [200, 302, 302]
