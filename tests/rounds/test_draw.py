"""A round from its plan to its sample: frozen, sealed, drawn, and drawn again by anybody."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
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
from motcua.ledger import audit
from motcua.ledger.models import Change, Head
from motcua.oversight import extract, figures
from motcua.oversight.figures import Filter, Question
from motcua.rounds import draw, frozen, plan, stories
from motcua.rounds.models import Round
from motcua.rounds.plan import Plan
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])


@pytest.fixture(autouse=True)
def _province(home: Path, tmp_path: Path) -> None:
    province(home, tmp_path)
    people()


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=code)


def test_the_population_is_exactly_the_dossiers_of_the_figure(home: Path) -> None:
    round_ = planned(agencies=WARDS[:2])
    frozen.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
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
    before, counted = stories.of(folder, code), frozen.sorted_rows(folder)
    extract.run(home=home, at=DRAWN + timedelta(days=1), full=True)
    assert stories.of(folder, code) == before and frozen.sorted_rows(folder) == counted
    assert before is not None and before["recorded"]["verdict"] in ("late", "on_time") and before["timeline"]
    assert "Trần Thị Thử" not in (folder / stories.FILE).read_text(), "personal values are not frozen"
    assert draw.verify_round(home, round_) == []


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
    draw.draw(round_.pk, nonce=NONCE, salt=SALT, home=home, by="nguoithu3", at=DRAWN)
    used = Head.objects.get(size=Round.objects.get(pk=round_.pk).head_size)
    assert used.signed_at == SEAL_AFTER + timedelta(minutes=10)


def test_two_persons_seal_and_neither_alone(home: Path) -> None:
    round_ = planned()
    word = sampling.commitment(NONCE, SALT)
    with refused("round.not_frozen"):
        draw.seal(round_.pk, seal_after=SEAL_AFTER, by="truongdoan", at=NOW)
    frozen.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
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
    draw.commit(round_.pk, word, by="thanhvien", at=NOW)
    draw.seal(round_.pk, seal_after=SEAL_AFTER, by="truongdoan", at=NOW)


def test_a_plan_stands_once_its_figures_are_frozen(home: Path) -> None:
    round_ = planned()
    narrower = Plan(title="Kiểm tra một phường", period="2026-03", lead="truongdoan", members=("nguoithu3",),
                    agencies=("H99.13",), size=5)  # fmt: skip
    plan.change(round_.pk, narrower, by="truongdoan", at=NOW)
    with refused("round.not_the_lead"):
        plan.change(round_.pk, narrower, by="nguoithu3", at=NOW)
    frozen.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
    assert Round.objects.get(pk=round_.pk).population == 10
    with refused("round.is_frozen"):
        plan.change(round_.pk, narrower, by="truongdoan", at=NOW)
    with refused("round.is_frozen"):
        frozen.freeze(round_.pk, home=home, by="truongdoan", at=NOW)


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


def test_an_empty_population_is_not_frozen(home: Path) -> None:
    round_ = planned(period="2024")
    with refused("round.empty"):
        frozen.freeze(round_.pk, home=home, by="truongdoan", at=NOW)
    assert Round.objects.get(pk=round_.pk).frozen_at is None
