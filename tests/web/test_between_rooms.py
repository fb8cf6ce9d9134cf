"""The ways between rooms: a round, its findings, requests, evidence and drafts lead to one another."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from tests.rounds.planned import DRAWN, WARDS, drawn, people, province
from tests.web.test_papers import words_of

from motcua.accounts.models import User
from motcua.directives import kept_papers
from motcua.evidence import check
from motcua.evidence.models import Pack
from motcua.findings.models import Finding
from motcua.oversight.models import PastedList
from motcua.rounds import explanations
from motcua.rounds.models import Round
from motcua.rules.instants import local_day

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)


@pytest.fixture
def asked(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Round:
    """A round whose units are asked to explain; every clock of the web stands at the drawing."""
    monkeypatch.setattr(timezone, "now", lambda: DRAWN)
    province(home, tmp_path)
    people()
    round_ = drawn(home, size=30)
    return explanations.ask(round_.pk, home=home, by="truongdoan", at=DRAWN)


def _page(client: Client, who: str, address: str) -> str:
    client.force_login(User.objects.get(username=who))
    reply = client.get(address)
    assert reply.status_code == 200, address
    return reply.content.decode()


def test_a_round_gives_its_evidence_pack_to_those_who_read_rounds(client: Client, asked: Round) -> None:
    address = f"/goi-chung-cu?dot={asked.pk}"
    assert f'href="{address}"' in _page(client, "truongdoan", f"/dot-kiem-tra/{asked.pk}")
    assert asked.title in _page(client, "truongdoan", address)
    reply = client.post("/goi-chung-cu", {"dot": asked.pk, "black_out": "personal", "reason": "lưu hồ sơ đoàn"})
    assert f"chung-cu-dot-kiem-tra-{asked.pk}-" in reply["Content-Disposition"]
    answer = check.Check(reply.content).answer
    assert answer["ok"] and answer["dossiers"] == 30 == asked.items.count()
    assert Pack.objects.get().kind == "round"
    for wrong in ("999", "x", "9" * 30):
        assert client.get(f"/goi-chung-cu?dot={wrong}").status_code == 404, wrong
    client.force_login(User.objects.get(username="phuong12"))
    assert client.get(address).status_code == client.post("/goi-chung-cu", {"dot": asked.pk}).status_code == 403


def test_what_a_round_asks_leads_to_the_finding_and_the_request_where_it_is_answered(
    client: Client, asked: Round
) -> None:
    mine = Finding.objects.filter(round=asked.pk, agency=WARDS[0])
    told = _page(client, "phuong12", f"/dot-kiem-tra/{asked.pk}/giai-trinh")
    requests = set(mine.values_list("request", flat=True))
    assert mine and len(requests) == 1 and None not in requests
    for where in (*(f"/phat-hien/{row.pk}" for row in mine), *(f"/yeu-cau/{n}" for n in requests)):
        assert f'href="{where}"' in told, where
        back = _page(client, "phuong12", where)
        if where.startswith("/phat-hien"):
            assert f'href="/dot-kiem-tra/{asked.pk}/giai-trinh"' in back
    others = Finding.objects.filter(round=asked.pk).exclude(agency=WARDS[0])
    assert others and not any(f'href="/phat-hien/{row.pk}"' in told for row in others)
    seen = mine[0]
    assert f'href="/dot-kiem-tra/{asked.pk}"' in _page(client, "truongdoan", f"/phat-hien/{seen.pk}")
    assert f'href="/phat-hien/{seen.pk}"' in _page(client, "truongdoan", f"/dot-kiem-tra/{asked.pk}/doc/{seen.subject}")


def test_a_letter_is_drafted_about_the_dossiers_of_a_list_and_of_chosen_findings(client: Client, asked: Round) -> None:
    told = _page(client, "truongdoan", f"/ho-so?measure=all&agency={WARDS[0]}")
    address = html.unescape(re.search(r'href="(/van-ban/moi[^"]*)"', told)[1])  # type: ignore[index]
    count = re.search(r'id="total">([\d.]+)', told)[1]  # type: ignore[index]
    assert count == "10" and f"{count} hồ sơ" in _page(client, "truongdoan", address)
    assert "/van-ban/moi" not in _page(client, "phuong12", "/ho-so?measure=all")
    # ticked findings, each dossier once
    mine = Finding.objects.filter(round=asked.pk, agency__in=WARDS[:2])
    codes = set(mine.values_list("subject", flat=True))
    assert 'value="letter"' in _page(client, "truongdoan", "/phat-hien?xem=tung")
    reply = client.post("/phat-hien/viec", {"act": "letter", "chosen": [row.pk for row in mine], "query": ""})
    assert reply.status_code == 302 and reply["Location"].startswith("/van-ban/moi?list=")
    assert f"{len(codes)} hồ sơ" in _page(client, "truongdoan", reply["Location"])
    kept = PastedList.objects.get(name=reply["Location"].rpartition("=")[2])
    assert kept.text.split() == sorted(codes)
    # a request for explanations, with its date and back to it
    request = Finding.objects.filter(round=asked.pk, agency=WARDS[0]).exclude(request=None)[0].request
    about = set(Finding.objects.filter(request=request.pk).values_list("subject", flat=True))
    told = _page(client, "truongdoan", f"/yeu-cau/{request.pk}")
    address = html.unescape(re.search(r'href="(/van-ban/moi[^"]*)"', told)[1])  # type: ignore[index]
    form = _page(client, "truongdoan", address)
    assert f"{len(about)} hồ sơ" in form and f'value="{local_day(request.due_at)}"' in form
    sent = {"form": "explanation-request", "agency": [WARDS[0]], "deadline": str(local_day(request.due_at))}
    reply = client.post(address, sent)
    paper = request.papers.get()
    assert reply["Location"] == f"/van-ban/{paper.pk}" and paper.dossiers == len(about)
    said = words_of(bytes(paper.files.get(kind="docx").content))
    assert "Dấu hiệu" in said and all(code in said for code in about), "the letter says what is to be explained"
    kept_papers.type_back(paper.pk, given="12/VP-KSTT", signed_on=local_day(DRAWN), signer="", by="x", at=DRAWN)
    assert "12/VP-KSTT" in _page(client, "truongdoan", f"/yeu-cau/{request.pk}")
    assert "/van-ban/moi" not in _page(client, "phuong12", f"/yeu-cau/{request.pk}")
    client.force_login(User.objects.get(username="truongdoan"))
    nothing = client.post("/phat-hien/viec", {"act": "letter", "query": ""}, follow=True)
    assert "Chưa chọn phát hiện nào" in nothing.content.decode()
    client.force_login(User.objects.get(username="phuong12"))
    assert client.post("/phat-hien/viec", {"act": "letter", "chosen": [mine[0].pk]}).status_code == 403
