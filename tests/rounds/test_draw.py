"""A round from its plan to its sample: frozen, sealed, drawn, and drawn again by anybody."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from tests.rounds.planned import (
    DRAWN,
    NONCE,
    NOW,
    SALT,
    SEAL_AFTER,
    WARDS,
    drawn,
    people,
    planned,
    province,
    sealed,
    something_happens,
)

from motcua.inspection import sampling
from motcua.inspection.engines import Manifest
from motcua.ledger import audit
from motcua.ledger.models import Change, Head
from motcua.oversight import extract, figures, scan
from motcua.oversight.figures import Filter, Question
from motcua.rounds import draw, freezing, frozen, plan, stories
from motcua.rounds.models import Round
from motcua.rounds.plan import Plan
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused
from motcua.web.rounds import words

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])


@pytest.fixture(autouse=True)
def _province(home: Path, tmp_path: Path) -> None:
    province(home, tmp_path)
    people()


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=code)


def test_the_population_is_exactly_the_dossiers_of_the_figure(home: Path) -> None:
    round_ = planned(agencies=WARDS[:2])
    freezing.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
    question = Question(period="2026-Q1", scope_of=frozenset(WARDS[:2]))
    listed = figures.dossiers(home, question, Filter(), now=NOW, limit=100)
    kept = [row["dossier"] for row in frozen.rows(frozen.folder(home, round_.pk), "pairs", ("dossier",))]
    assert kept == [row["dossier"] for row in listed["rows"]] and len(kept) == listed["total"] == 20
    round_.refresh_from_db()
    assert round_.population == 20 and frozen.verify(home, round_) == []


def test_a_frozen_round_reads_what_was_frozen_whatever_happens_later(home: Path) -> None:
    round_ = drawn(home)
    folder = frozen.folder(home, round_.pk)
    code = round_.items.values_list("dossier", flat=True).first()
    before, counted = stories.of(folder, code), list(frozen.each(folder, "pairs", frozen.MARKED))
    extract.run(home=home, at=DRAWN + timedelta(days=1), full=True)
    assert stories.of(folder, code) == before and list(frozen.each(folder, "pairs", frozen.MARKED)) == counted
    assert before is not None and before["recorded"]["verdict"] in ("late", "on_time") and before["timeline"]
    with translation.override("en"):
        told = stories.of(folder, code)
    assert told is not None and told["sentence"] != before["sentence"] and told["timeline"] == before["timeline"]
    assert "Trần Thị Thử" not in (folder / stories.FILE).read_text(), "personal values are not frozen"
    assert draw.verify_round(home, round_) == []


def test_facts_that_are_published_meanwhile_do_not_mix_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the population and the scan two more generations come, and the files of the first are removed."""
    quiet, meant = planned(), planned()
    freezing.freeze(quiet.pk, home=home, by="truongdoan", at=NOW)
    code, looked = "H99.13-260302-0005", scan.scan

    def meanwhile(*given: Any, **more: Any) -> Any:
        for n in range(2):
            something_happens(code, NOW + timedelta(minutes=n + 1))
            extract.run(home=home, at=NOW + timedelta(minutes=n + 1), full=True)
        return looked(*given, **more)

    monkeypatch.setattr(freezing.scan, "scan", meanwhile)
    before = Manifest.read(extract.facts_folder(home))
    frozen_ = freezing.freeze(meant.pk, home=home, by="truongdoan", at=NOW)
    now = Manifest.read(extract.facts_folder(home))
    assert (now.generation, frozen_.generation) == (before.generation + 2, before.generation)
    one, other = (frozen.folder(home, round_.pk) for round_ in (quiet, meant))
    assert frozen.facts_of(other) == {"generation": before.generation, "position": before.position, "at": before.at_s}
    for name in ("pairs", "events", "their_steps", "deliveries", "due_changes"):
        assert frozen.rows(one, name) == frozen.rows(other, name), name
    assert (one / "signs.ndjson").read_bytes() == (other / "signs.ndjson").read_bytes()
    assert frozen.verify(home, frozen_) == [] and not (other / "facts").exists()


def test_figures_are_frozen_by_a_process_that_may_be_killed(home: Path) -> None:
    round_, empty = planned(), planned(period="2024")
    freezing.ask(round_.pk, by="truongdoan", at=NOW)
    with refused("round.is_freezing"):
        freezing.ask(round_.pk, by="truongdoan", at=NOW)
    with refused("round.is_freezing"):
        plan.change(round_.pk, Plan(title="Khác", period="2026-03", lead="truongdoan", members=("nguoithu3",)),
                    by="truongdoan", at=NOW)  # fmt: skip
    draft = frozen.folder(home, round_.pk).with_name(f"{round_.pk}.draft")
    draft.mkdir(parents=True)
    (draft / "pairs.parquet").write_bytes(b"half")
    Round.objects.filter(pk=round_.pk).update(leased_until=NOW + freezing.LEASE)
    assert freezing.waiting(at=NOW) == [], "somebody works on it"
    later = NOW + 2 * freezing.LEASE
    assert freezing.waiting(at=later) == [round_.pk], "whoever did is dead"
    round_.refresh_from_db()
    assert [freezing.stands_still(round_, at=at) for at in (NOW, later)] == [False, True]
    freezing.go_on(round_.pk, by="truongdoan", at=later)
    round_.refresh_from_db()
    assert not freezing.stands_still(round_, at=later) and freezing.waiting(at=later) == [round_.pk]
    freezing.ask(empty.pk, by="truongdoan", at=NOW)
    told: list[str] = []
    assert freezing.work(home, clock=lambda: later, told=lambda stage, done, of: told.append(stage)) == 1
    assert tuple(dict.fromkeys(told)) == freezing.STAGES
    round_.refresh_from_db()
    empty.refresh_from_db()
    assert round_.population == 30 and round_.freezing_at is None and freezing.waiting(at=later) == []
    assert (empty.frozen_at, empty.freezing_at) == (None, None) and empty.freezing_error["code"] == "round.empty"
    assert Change.objects.get(table="rounds_round", after__frozen=round_.manifest_digest).actor == "truongdoan"
    assert frozen.verify(home, round_) == []


def test_a_sample_is_drawn_once_and_anybody_draws_it_again(home: Path) -> None:
    round_ = drawn(home)
    assert round_.items.count() == 12
    assert {ward: round_.items.filter(agency=ward).count() >= 2 for ward in WARDS} == dict.fromkeys(WARDS, True)
    content = (frozen.folder(home, round_.pk) / draw.RECORD).read_bytes()
    told = draw.verify(content)
    assert told["ok"] and told["drawn"] == 12 and told["population"] == 30
    with refused("round.is_drawn"):
        draw.draw(round_.pk, nonce=NONCE, salt=SALT, home=home, by="thanhvien", at=DRAWN)
    assert audit.verify()["ok"]
    acts = Change.objects.filter(table="rounds_round", key=str(round_.pk)).order_by("pk")
    assert [next(iter(sorted(set(change.after) & {"frozen", "commitment", "sealed", "drawn"})), "plan")
            for change in acts] == ["plan", "frozen", "commitment", "commitment", "drawn"]  # fmt: skip


ALTERED: list[tuple[str, Any, str]] = [
    ("sample", lambda sample: sample[1:] + sample[:1], "another sample"),
    ("nonce", lambda nonce: nonce + "!", "nonce"),
    ("population", lambda units: units[1:], "population"),
    ("seal_after", lambda at: "2026-04-01T02:00:00Z", "seed"),
    ("seed", lambda seed: "0" * 64, "seed"),
    ("plan", lambda plan_: {**plan_, "size": 3}, "plan"),
    ("head", lambda head: {**head, "signed_at": "2026-04-01T10:31:00+07:00"}, "signed"),
    ("head", lambda head: {**head, "root": "0" * 64}, "seed"),
]


def test_a_record_that_was_altered_is_found(home: Path) -> None:
    round_ = drawn(home)
    content = (frozen.folder(home, round_.pk) / draw.RECORD).read_bytes()
    for what, altered, fault in ALTERED:
        record = json.loads(content)
        record[what] = altered(record[what])
        told = draw.verify(json.dumps(record).encode())
        assert not told["ok"] and fault in " ".join(told["faults"]), what


def test_what_is_no_record_says_so() -> None:
    for content in (b"", b"[]", b"{}", b"\xff", b'{"algorithm": "motcua draw 1"}'):
        with pytest.raises(Unreadable, match="no record of a draw"):
            draw.verify(content)


def test_frozen_figures_that_were_touched_are_not_drawn_from(home: Path) -> None:
    round_ = sealed(home)
    something_happens_soon(home)
    for name in ("pairs.parquet", "events.parquet", "population.txt", "signs.ndjson", "manifest.json"):
        file = frozen.folder(home, round_.pk) / name
        content = file.read_bytes()
        file.write_bytes(content + b" ")
        with refused("round.frozen_altered"):
            draw.draw(round_.pk, nonce=NONCE, salt=SALT, home=home, by="thanhvien", at=DRAWN)
        assert any(name in fault for fault in draw.verify_round(home, Round.objects.get(pk=round_.pk)))
        file.unlink()
        assert any(f"{name}: missing" in fault for fault in frozen.verify(home, round_))
        file.write_bytes(content)
    draw.draw(round_.pk, nonce=NONCE, salt=SALT, home=home, by="thanhvien", at=DRAWN)


def something_happens_soon(home: Path) -> None:
    from django.db import transaction

    with transaction.atomic():
        something_happens()


def test_nobody_draws_before_the_instant_or_without_a_later_head(home: Path) -> None:
    round_ = sealed(home)
    tell = {"nonce": NONCE, "salt": SALT, "home": home, "by": "thanhvien"}
    with refused("round.seal_waits"):
        draw.draw(round_.pk, **tell, at=SEAL_AFTER)
    from motcua.ledger import seals

    seals.seal(home / "keys", at=NOW)  # a head before the instant does not count, whatever is in it
    with refused("round.no_head_yet"):
        draw.draw(round_.pk, **tell, at=DRAWN)
    something_happens_soon(home)
    with refused("round.wrong_nonce"):
        draw.draw(round_.pk, nonce="mưa", salt=SALT, home=home, by="thanhvien", at=DRAWN)
    draw.draw(round_.pk, **tell, at=DRAWN)
    assert Head.objects.get(size=Round.objects.get(pk=round_.pk).head_size).signed_at == DRAWN


def test_the_first_later_head_decides_not_the_one_that_suits(home: Path) -> None:
    from motcua.ledger import seals

    round_ = sealed(home)
    something_happens_soon(home)
    seals.seal(home / "keys", at=SEAL_AFTER + timedelta(minutes=10))
    from django.db import transaction

    with transaction.atomic():
        something_happens("H99.13-260302-0004", SEAL_AFTER + timedelta(minutes=15))
    seals.seal(home / "keys", at=SEAL_AFTER + timedelta(minutes=20))
    with refused("round.sample_is_fixed"):
        draw.seal(round_.pk, seal_after=SEAL_AFTER + timedelta(hours=9), by="truongdoan", at=DRAWN)
    draw.draw(round_.pk, nonce=NONCE, salt=SALT, home=home, by="nguoithu3", at=DRAWN)
    used = Head.objects.get(size=Round.objects.get(pk=round_.pk).head_size)
    assert used.signed_at == SEAL_AFTER + timedelta(minutes=10)


def test_two_persons_seal_and_neither_alone(home: Path) -> None:
    round_ = planned()
    word = sampling.commitment(NONCE, SALT)
    with refused("round.not_frozen"):
        draw.seal(round_.pk, seal_after=SEAL_AFTER, by="truongdoan", at=NOW)
    freezing.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
    with refused("round.not_committed"):
        draw.seal(round_.pk, seal_after=SEAL_AFTER, by="truongdoan", at=NOW)
    draw.commit(round_.pk, word, by="truongdoan", at=NOW)
    with refused("round.commits_alone"):
        draw.seal(round_.pk, seal_after=SEAL_AFTER, by="truongdoan", at=NOW)
    with refused("round.not_a_member"):
        draw.commit(round_.pk, word, by="ngoaidoan", at=NOW)
    draw.commit(round_.pk, word, by="nguoithu3", at=NOW)
    with refused("round.not_the_lead"):
        draw.seal(round_.pk, seal_after=SEAL_AFTER, by="thanhvien", at=NOW)
    with refused("round.seal_in_the_past"):
        draw.seal(round_.pk, seal_after=NOW, by="truongdoan", at=NOW)
    draw.seal(round_.pk, seal_after=SEAL_AFTER, by="truongdoan", at=NOW)
    with refused("round.is_sealed"):
        draw.commit(round_.pk, word, by="thanhvien", at=NOW)
    draw.unseal(round_.pk, reason="mất biên nhận", by="truongdoan", at=NOW)
    told = Change.objects.latest("pk")
    assert words.act(told.table, told.before, told.after) == "mở niêm phong: mất biên nhận"
    draw.commit(round_.pk, word, by="thanhvien", at=NOW)
    draw.seal(round_.pk, seal_after=SEAL_AFTER, by="truongdoan", at=NOW)


def test_a_plan_stands_once_its_figures_are_frozen(home: Path) -> None:
    round_ = planned()
    narrower = Plan(title="Kiểm tra một phường", period="2026-03", lead="truongdoan", members=("nguoithu3",),
                    agencies=("H99.13",), size=5)  # fmt: skip
    plan.change(round_.pk, narrower, by="truongdoan", at=NOW)
    with refused("round.not_the_lead"):
        plan.change(round_.pk, narrower, by="nguoithu3", at=NOW)
    freezing.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
    assert Round.objects.get(pk=round_.pk).population == 10
    with refused("round.is_frozen"):
        plan.change(round_.pk, narrower, by="truongdoan", at=NOW)
    with refused("round.is_frozen"):
        freezing.freeze(round_.pk, home=home, by="truongdoan", at=NOW)


UNUSABLE: list[tuple[str, dict[str, Any]]] = [
    ("title", {"title": " "}), ("2026-Q9", {"period": "2026-Q9"}), ("agencies", {"agencies": ("H99.77",)}),
    ("size", {"size": 0}), ("least", {"least": 90}), ("stratify", {"stratify": "colour"}),
    ("weights", {"weights": {"grave": 10}}), ("weights", {"weights": {"blue": 1}}),
    ("members", {"members": ()}), ("members", {"members": ("khongco",)}), ("answer_days", {"answer_days": 0}),
    ("check", {"checks": ("no_such",)}),
]  # fmt: skip


def test_a_plan_that_cannot_be_names_its_part_and_changes_nothing() -> None:
    for part, more in UNUSABLE:
        with pytest.raises(Unreadable, match=part):
            planned(**more)
    assert not Round.objects.exists() and not Change.objects.filter(table="rounds_round").exists()


def test_a_sample_without_room_for_every_group_is_told_while_the_plan_can_change(home: Path) -> None:
    round_ = planned(size=5, least=2)
    with refused("round.sample_too_small"):
        freezing.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
    assert Round.objects.get(pk=round_.pk).freezing_error["facts"] == {"size": 5, "groups": 3, "needed": 6}
    changed = Plan(title="Rộng hơn", period="2026-Q1", lead="truongdoan", members=("nguoithu3",), size=6, least=2)
    plan.change(round_.pk, changed, by="truongdoan", at=NOW)
    assert freezing.freeze(round_.pk, home=home, by="truongdoan", at=NOW).population == 30


def test_an_empty_population_is_not_frozen(home: Path) -> None:
    round_ = planned(period="2024")
    with refused("round.empty"):
        freezing.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
    assert Round.objects.get(pk=round_.pk).frozen_at is None
