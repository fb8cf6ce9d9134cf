"""Early warning in a house: learned from its own history, said of its open dossiers, read only as it was kept."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.story import Case, at

from motcua.accounts.models import Post, User
from motcua.dossiers.importing.run import Order, import_files
from motcua.inspection.forecast import model
from motcua.oversight import extract
from motcua.rules.instants import Unreadable, iso
from motcua.warning import keep, listed, past, scan
from motcua.warning.listed import Chosen
from motcua.warning.models import Learned, Warned
from motcua.web.warning import words

databases = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = at("2026-06-01T09:00")


@pytest.fixture(autouse=True)
def _fewer_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models look at fewer states than in a house: quickly tried."""
    for name, value in (("_ROWS", 2_000), ("_INSTANTS", 40), ("_ROUNDS", 2)):
        monkeypatch.setattr(model, name, value)


def _written(folder: Path, count: int) -> tuple[Path, Path]:
    """A year of dossiers, the last ones open: those that go through `khó` take long."""
    draw = random.Random(5)
    case = Case()
    first = NOW - timedelta(days=330)
    for n in range(count):
        received = first + (NOW - first) * (n / count)
        hard = draw.random() < 0.35
        checked = received + timedelta(days=draw.uniform(0.5, 2.5))
        end = checked + timedelta(days=draw.uniform(8, 20) if hard else draw.uniform(1, 6))
        code = f"H99.12-{n:06d}"
        case.dossier(code, _iso(received), due=_iso(received + timedelta(days=10)))
        if checked < NOW:
            case.event(code, "step_finished", _iso(checked), step="khó" if hard else "thường")
        if end < NOW:
            case.event(code, "finished", _iso(end))
    return case.write(folder)[:2]


def _iso(when: datetime) -> str:
    return iso(when.replace(microsecond=0))


@pytest.fixture
def house(home: Path, tmp_path: Path) -> Path:
    import_files(Order(files=_written(tmp_path, 320), home=home, at=NOW, create_missing=True))
    extract.run(home=home, at=NOW)
    return home


@databases
def test_hard_dossiers_are_warned_of_while_they_can_be_helped(house: Path) -> None:
    row = keep.train(house, past.learnable(now=NOW), at=NOW, by="test")
    assert row.chosen != "slack" and row.note == ""
    assert row.trials[row.chosen]["brier"] < row.trials["base_rate"]["brier"]
    assert scan.run(house, at=NOW) == Warned.objects.count() > 5
    by_step = {"khó": [], "thường": []}  # type: dict[str, list[float]]
    for warned in Warned.objects.all():
        assert warned.low <= warned.share <= warned.high
        assert warned.helped_until is None or NOW < warned.helped_until <= warned.due_at
        assert warned.least_at <= warned.most_at
        if warned.state.startswith("step_finished:"):
            by_step[warned.state.split(":")[1]].append(warned.share)
    assert min(len(each) for each in by_step.values()) >= 1
    assert sum(by_step["khó"]) / len(by_step["khó"]) > sum(by_step["thường"]) / len(by_step["thường"]) + 0.2
    hard = Warned.objects.filter(state="step_finished:khó").order_by("-share").first()
    told = words.sentence(hard)
    assert "sau bước khó" in told and "khả năng trễ (từ" in told and "thường cần thêm" in told
    same = scan.one(house, hard.dossier, at=NOW)
    assert same is not None and scan.facts(same) == scan.facts(hard)


@databases
def test_the_list_pages_by_key_and_counts_what_it_shows(house: Path) -> None:
    scan.run(house, at=NOW)
    chosen = Chosen()
    whole = listed.rows(chosen, limit=1000)
    assert len(whole) == listed.count(chosen)
    assert [row.helped_until for row in whole] == sorted(row.helped_until for row in whole)
    seen: list[str] = []
    after = None
    while page := listed.rows(chosen, limit=3, after=after):
        seen += [row.dossier for row in page]
        after = (page[-1].helped_until, page[-1].dossier)
    assert seen == [row.dossier for row in whole]
    assert listed.count(Chosen(scope=frozenset({"H99.99"}))) == 0
    assert listed.count(chosen) + listed.count(Chosen(past_help=True)) == Warned.objects.count()


@databases
def test_a_model_file_that_was_touched_is_never_read(house: Path) -> None:
    row = keep.train(house, past.learnable(now=NOW), at=NOW, by="test")
    [file] = (house / "models").glob("warning-*.json")
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"dossiers":', b'"dossiers": '))
    with pytest.raises(Unreadable, match="not the model that was kept"):
        keep.read(house, row)
    file.unlink()
    with pytest.raises(Unreadable, match="train it again"):
        keep.read(house, row)


@databases
@pytest.mark.parametrize("reason", ["no_extra", "too_little"])
def test_without_the_extra_or_enough_history_the_rule_stands_alone_and_says_so(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "no_extra":
        monkeypatch.setattr(keep, "find_spec", lambda name: None)
    count = 250 if reason == "no_extra" else 150
    import_files(Order(files=_written(tmp_path, count), home=home, at=NOW, create_missing=True))
    extract.run(home=home, at=NOW)
    assert scan.run(home, at=NOW) > 0
    row = Learned.objects.get()
    assert row.chosen == "slack" and row.note.startswith(reason)
    for warned in Warned.objects.all():
        assert warned.share is None and warned.usual > 0
        assert "khả năng" not in words.sentence(warned)


@databases
def test_an_empty_house_has_nothing_to_warn_of(home: Path) -> None:
    assert scan.run(home, at=NOW) == 0 and not Learned.objects.exists()


@databases
def test_a_paused_dossier_keeps_the_time_that_it_had(home: Path, tmp_path: Path) -> None:
    case = Case()
    for n in range(3):
        case.dossier(f"H99.12-00000{n}", "2026-05-25T08:00", due="2026-06-08T17:00")
    case.event("H99.12-000000", "supplement_requested", "2026-05-26T08:00", document="yes")
    case.event("H99.12-000002", "finished", "2026-05-28T08:00")
    import_files(Order(files=case.write(tmp_path)[:2], home=home, at=NOW, create_missing=True))
    scan.run(home, at=NOW)
    waiting, running = Warned.objects.order_by("dossier")
    assert waiting.paused and not running.paused
    assert waiting.left == running.left + 4 * 480 + 60, "from the request on nothing of its time was used"


@databases
def test_everybody_sees_the_warnings_of_their_own_unit(house: Path, client) -> None:  # type: ignore[no-untyped-def]
    scan.run(house, at=NOW)
    for name, role, agency in (("thanhtra", "inspector", ""), ("xa-khac", "unit_head", "H99.99")):
        user = User.objects.create_user(name, password="x")
        Post.objects.create(user=user, role=role, agency=agency)
    client.force_login(User.objects.get(username="thanhtra"))
    page = client.get("/canh-bao-som").content.decode()
    assert "Không dùng để đánh giá" in page and "khả năng" in page.lower() and "H99.12-" in page
    assert client.get("/canh-bao-som?tu=50").status_code == client.get("/canh-bao-som?nhom=het-cach").status_code == 200
    assert client.get("/canh-bao-som?tu=x").status_code == client.get("/canh-bao-som?after=x").status_code == 400
    book = client.get("/canh-bao-som.xlsx")
    assert book.status_code == 200 and b"".join(book.streaming_content).startswith(b"PK")
    client.force_login(User.objects.get(username="xa-khac"))
    assert "H99.12-" not in client.get("/canh-bao-som").content.decode()
    assert client.get("/canh-bao-som?don-vi=H99.12").status_code == 403
