"""Every page belongs to a part of the house; a part that is off has no page, no menu, no job and no word."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from tests.story import at

from motcua.accounts.models import Post, User
from motcua.catalogue import parts
from motcua.cli.main import run
from motcua.cli.work import wanted
from motcua.jobs.models import Job
from motcua.ledger.models import Change
from motcua.web import labels
from motcua.web.parts import HOUSE, MENU, PAGES
from motcua.web.urls import urlpatterns

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T09:00")


def _addresses() -> dict[str, str]:
    """Every page's name with an address of it."""
    found = {}
    for page in urlpatterns:
        assert isinstance(page, URLPattern), "included addresses: walk them here too"
        assert page.name, page.pattern
        found[page.name] = "/" + re.sub(r"<[^>]+>", "x", str(page.pattern))
    return found


@pytest.fixture
def inspector(client: Client, home: Path) -> Client:
    person = User.objects.create_user("thanhtra", password="mot-mat-khau-dai")
    Post.objects.create(user=person, role="inspector")
    client.force_login(person)
    return client


def test_every_page_belongs_to_one_part_or_to_the_house() -> None:
    named = [*HOUSE, *(page for pages in PAGES.values() for page in pages)]
    assert len(named) == len(set(named))
    assert set(named) == set(_addresses()), "name new pages in motcua.web.parts"
    assert set(PAGES) == set(parts.PARTS) == set(labels.PARTS)
    pages = [page for group in MENU.values() for page in group]
    assert len(pages) == len(set(pages))
    assert set(pages) == set(labels.PAGES) <= set(named)
    assert set(MENU) == set(labels.MENUS)


@pytest.mark.parametrize("off", parts.PARTS)
def test_a_part_that_is_off_has_no_page_and_nothing_leads_to_one(inspector: Client, off: str) -> None:
    parts.choose([part for part in parts.PARTS if part != off], by="test", at=NOW)
    addresses = _addresses()
    gone = {addresses[page] for page in PAGES[off]}
    for page in PAGES[off]:
        for reply in (inspector.get(addresses[page]), inspector.post(addresses[page])):
            assert reply.status_code == 404, page
    there = sorted(set(addresses.values()) - gone)
    for address in there:
        if address not in ("/dang-xuat", "/ngon-ngu"):
            reply = inspector.get(address, follow=True)
            text = "" if reply.streaming else reply.content.decode(errors="ignore")  # a workbook leads nowhere
            linked = {link.partition("?")[0] for link in re.findall(r'(?:href|action)="(/[^"]*)"', text)}
            assert not linked & gone, (address, linked & gone)


def test_with_every_part_off_the_house_still_answers_and_says_what_to_do(inspector: Client) -> None:
    parts.choose((), by="test", at=NOW)
    text = inspector.get("/trang-dau").content.decode()
    assert "Chưa bật phần nào" in text
    assert not any(title in text for title in labels.PAGES.values())
    assert inspector.get("/").status_code == 404


def test_the_first_page_is_the_first_of_the_menu(inspector: Client) -> None:
    assert inspector.get("/trang-dau")["Location"] == "/"


def test_jobs_run_for_the_parts_that_want_them() -> None:
    jobs = ("deliver", "take-in", "read-back", "extract", "overdue", "seal")
    assert {job for job in jobs if wanted(job, frozenset())} == {"seal"}
    assert {job for job in jobs if wanted(job, frozenset({"oversight"}))} == {"read-back", "extract", "overdue", "seal"}
    assert {job for job in jobs if wanted(job, frozenset({"exchange"}))} == {"deliver", "take-in", "read-back", "seal"}


@pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
def test_the_command_switches_parts_and_the_audit_keeps_who_did(home: Path, capsys: Any) -> None:
    assert run(["parts", "set", "none"]) == 0
    assert run(["work", "--once"]) == 0
    assert set(Job.objects.values_list("name", flat=True)) == {"forget", "seal"}
    assert run(["parts", "set", "exchange", "oversight"]) == 0
    assert parts.on() == {"oversight", "exchange"}
    capsys.readouterr()
    assert run(["parts", "show"]) == 0
    assert capsys.readouterr().out.split() == ["oversight", "on", "exchange", "on", "desk", "off", "portal", "off"]
    change = Change.objects.get(table="catalogue_setting", key="parts", before__isnull=False)
    assert (change.before, change.after) == ({"value": []}, {"value": ["oversight", "exchange"]})
    assert change.actor.endswith("(terminal)")
    assert run(["parts", "set", "dest"]) == 2
    assert run(["parts", "set", "none", "desk"]) == 2
    assert parts.on() == {"oversight", "exchange"}


def test_beside_existing_software_oversight_alone_is_on(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if "DATABASE_URL" not in key}
    command = [sys.executable, "-m", "motcua.cli", "parts", "show", "--json"]
    done = subprocess.run(command, env={**env, "MOTCUA_HOME": str(tmp_path)}, capture_output=True, timeout=60)
    assert json.loads(done.stdout)["parts"] == {"oversight": True, "exchange": False, "desk": False, "portal": False}
