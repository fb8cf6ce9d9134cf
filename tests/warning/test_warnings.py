"""Early warning in a house: learned from its own history, said of its open dossiers, read only as it was kept."""

from __future__ import annotations

import html
import random
import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.story import Case, at

from motcua.accounts.models import Post, User
from motcua.dossiers.importing import mapping
from motcua.dossiers.importing.run import Order, import_files
from motcua.dossiers.models import DossierRow
from motcua.inspection.forecast import backtest, model
from motcua.inspection.forecast.features import Load
from motcua.inspection.forecast.history import open_at
from motcua.oversight import extract
from motcua.rules.instants import Unreadable, iso
from motcua.warning import keep, listed, past, scan
from motcua.warning.listed import Chosen
from motcua.warning.models import Learned, Warned
from motcua.web.warning import pages, words

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
    made = scan.run(house, at=NOW)
    assert made.warned == Warned.objects.count() > 5 and made.looked >= made.warned
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
def test_the_list_pages_by_key_in_each_order_and_counts_what_it_shows(house: Path) -> None:
    scan.run(house, at=NOW)
    numbers = list(Warned.objects.order_by("dossier").values_list("pk", flat=True))
    Warned.objects.filter(pk__in=numbers[::3]).update(agency="H99.13")
    Warned.objects.filter(pk__in=numbers[1::3]).update(share=None)
    chosen = Chosen()
    orders = {
        "help": lambda row: (row.helped_until, row.dossier),
        "chance": lambda row: (1 if row.share is None else -row.share, row.dossier),
        "unit": lambda row: (row.agency, row.helped_until, row.dossier),
    }
    for order, key in orders.items():
        chosen = Chosen(order=order)  # type: ignore[arg-type]
        whole = listed.rows(chosen, limit=1000)
        assert len(whole) == listed.count(chosen) > 5
        assert whole == sorted(whole, key=key), order
        seen: list[str] = []
        after: tuple[object, ...] = ()
        while page := listed.rows(chosen, limit=3, after=after):
            seen += [row.dossier for row in page]
            after = listed.place(page[-1], chosen)
        assert seen == [row.dossier for row in whole], order
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
    assert scan.run(home, at=NOW).warned > 0
    row = Learned.objects.get()
    assert row.chosen == "slack" and row.note.startswith(reason)
    for warned in Warned.objects.all():
        assert warned.share is None and warned.usual > 0
        assert "khả năng" not in words.sentence(warned)


@databases
def test_on_a_real_log_the_answer_is_surely_better_than_the_best_naive_one(
    home: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log on which the committee lost while it counted working time alone: at the split where it lost most."""
    monkeypatch.setattr(model, "_ROUNDS", 4)  # as in a house: of fewer nobody can tell how far intervals must reach
    log = shared / "data" / "logs" / "helpdesk.xes.gz"
    if not log.is_file():
        pytest.skip(f"{log} is not there")
    map_ = mapping.read(Path(__file__).parents[2] / "examples" / "maps" / "helpdesk.toml")
    import_files(Order(files=(log,), home=home, at=NOW, create_missing=True, keep_going=True, map=map_))
    report = backtest.run(past.learnable(now=NOW), splits=(0.8,))
    assert report["skill"]["brier"]["from"] > 0 and report["skill_before"]["brier"]["from"] > 0
    assert report["remaining"]["covered"] >= report["remaining"]["promised"]
    assert report["groups"]["covered"] >= report["groups"]["promised"]


@databases
def test_a_model_of_another_version_is_learned_anew(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = keep.train(house, past.learnable(now=NOW), at=NOW, by="test")
    monkeypatch.setattr(model, "FORMAT", "motcua warning 999")
    assert scan.run(house, at=NOW).learned.pk > old.pk


@databases
def test_an_empty_house_has_nothing_to_warn_of(home: Path) -> None:
    assert listed.newest() is None
    made = scan.run(home, at=NOW)
    assert (made.looked, made.warned, made.done) == (0, 0, True) and not Learned.objects.exists()
    assert listed.newest() == made, "none is a figure now"


@databases
def test_a_later_scan_reads_only_what_something_arrived_of_and_says_the_same(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan.run(house, at=NOW)
    first = listed.newest()
    moved, ended = Warned.objects.order_by("dossier").values_list("dossier", flat=True)[:2]
    case = Case()
    case.event(moved, "step_finished", _iso(NOW + timedelta(minutes=5)), step="khó")
    case.event(ended, "finished", _iso(NOW + timedelta(minutes=6)))
    later = NOW + timedelta(minutes=30)
    import_files(Order(files=case.write(tmp_path)[1:2], home=house, at=later))
    read: list[str] = []
    block = past._block
    monkeypatch.setattr(past, "_block", lambda codes, of: read.extend(codes) or block(codes, of))
    again = scan.run(house, at=later)
    assert read == [moved], "the others were read before"
    assert again.looked == first.looked - 1 and again.position == first.position + 2
    kept = {row.dossier: scan.facts(row) for row in listed.every()}
    assert ended not in kept and kept[moved]["state"] == "step_finished:khó"
    assert set(Warned.objects.values_list("scan", flat=True)) == {again.pk}, "the rows of the scan before are gone"
    past._OPEN.clear()
    scan.run(house, at=later)
    assert {row.dossier: scan.facts(row) for row in listed.every()} == kept, "as if all had been read anew"


@databases
def test_how_busy_a_unit_is_counts_every_dossier_and_not_those_learned_from(house: Path) -> None:
    seconds = int(NOW.timestamp())
    states = open_at(past.learnable(now=NOW), [seconds])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past, "MOST", 40)
        assert len(past.learnable(now=NOW)) < 60, "every eighth one is learned from"
    told, _, _ = Load.of(past.traffic(house, at=NOW), seconds).columns(past.learnable(now=NOW), states)
    assert round(float(np.expm1(told[0]))) == DossierRow.objects.filter(finished_at=None).count()
    assert len(past.traffic(house, at=NOW, agencies=["H99.99"]).agency) == 0


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
def test_everybody_sees_the_warnings_of_their_own_unit(  # type: ignore[no-untyped-def]
    house: Path, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan.run(house, at=NOW)
    for name, role, agency in (("thanhtra", "inspector", ""), ("xa-khac", "unit_head", "H99.99")):
        user = User.objects.create_user(name, password="x")
        Post.objects.create(user=user, role=role, agency=agency)
    client.force_login(User.objects.get(username="thanhtra"))
    page = client.get("/canh-bao-som").content.decode()
    assert "Không dùng để đánh giá" in page and "khả năng" in page.lower() and "H99.12-" in page
    assert client.get("/canh-bao-som?tu=50").status_code == client.get("/canh-bao-som?nhom=het-cach").status_code == 200
    monkeypatch.setattr(pages, "_SIZE", 3)
    for order in pages.ORDERS:
        first = client.get(f"/canh-bao-som?xep={order}").content.decode()
        [following] = re.findall(r'href="([^"]*after=[^"]*)"', first)
        second = client.get(f"/canh-bao-som{html.unescape(following)}").content.decode()
        codes = [code for text in (first, second) for code in re.findall(r'class="code" href="[^"]*">([^<]+)<', text)]
        asked = Chosen(order=pages.ORDERS[order])
        assert codes == [row.dossier for row in listed.rows(asked, limit=6)] and first.count("aria-sort") == 1
    for wrong in ("tu=x", "after=x", "after=[1]", 'after=["1","2"]', "xep=x"):
        assert client.get(f"/canh-bao-som?{wrong}").status_code == 400, wrong
    book = client.get("/canh-bao-som.xlsx")
    assert book.status_code == 200 and b"".join(book.streaming_content).startswith(b"PK")
    client.force_login(User.objects.get(username="xa-khac"))
    assert "H99.12-" not in client.get("/canh-bao-som").content.decode()
    assert client.get("/canh-bao-som?don-vi=H99.12").status_code == 403
