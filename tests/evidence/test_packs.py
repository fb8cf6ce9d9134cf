"""Evidence packs: they prove without us, every byte is protected, and what is blacked out leaves the rest proved."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.story import Case, at

from motcua.dossiers.importing.run import Order, import_files
from motcua.evidence import check, envelope, leaves, make, tree, verify
from motcua.evidence.make import BlackOut, Made
from motcua.evidence.models import Pack
from motcua.ledger import audit, seals
from motcua.ledger.chain import canonical, commitment
from motcua.ledger.models import Head, PersonalValue
from motcua.mirror.load import load
from motcua.oversight import extract
from motcua.rules.instants import Unreadable
from motcua.web.evidence.papers import papers

databases = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW, LATER = at("2026-04-01T09:00"), at("2026-04-02T09:00")
CODE, OTHER = "H99.12-260302-0001", "H99.12-260302-0002"
NAME, NUMBER, THEIR_NAME = "Nguyễn Văn Kín", "099300000001", "Lê Thị Lạ"
CHECKER = Path(check.__file__)


@pytest.fixture
def house(home: Path, tmp_path: Path) -> Path:
    """Two dossiers, one message about both: a pause, a late click, a lost update."""
    case = Case()
    for code, name in ((CODE, NAME), (OTHER, THEIR_NAME)):
        case.dossier(code, applicant=name)
        case.event(code, "supplement_requested", "2026-03-03T10:00", document="yes")
        case.event(code, "supplement_received", "2026-03-04T10:00")
        case.event(code, "finished", "2026-03-16T10:00", evidence="2026-03-06T15:00")
        case.record(code, 2, updating=False, ChuHoSo=name, SoGiayToChuHoSo=NUMBER if code == CODE else "099300000777")
    both = {**case.messages[0], "data": [*case.messages[0]["data"], *case.messages[1]["data"]]}
    case.messages = [both]
    dossiers, events, messages = case.write(tmp_path)
    import_files(Order(files=(dossiers, events), home=home, at=NOW, create_missing=True))
    load([messages], at=NOW)
    extract.run(home=home, at=NOW)
    return home


def _made(house: Path, *codes: str, black_out: BlackOut = "none", **more: Any) -> Made:
    subject = make.dossiers(codes or (CODE,))
    return make.make(house, subject, at=NOW, by="thanhtra", papers=papers, black_out=black_out, **more)


def _checked(file: bytes, **options: Any) -> dict[str, Any]:
    """What both verifiers say; they must agree."""
    keys, heads = options.get("keys"), options.get("heads")
    ours = verify.verify(file, keys=keys, heads=heads)
    theirs = check.Check(file, next(iter(keys)) if keys else None, heads).answer
    assert ours["ok"] == theirs["ok"], (ours["faults"], theirs["faults"])
    if ours["ok"]:
        assert ours == theirs
    return ours


@databases
def test_a_pack_proves_on_a_machine_without_motcua(house: Path, tmp_path: Path) -> None:
    made = _made(house, CODE, OTHER)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "pack.zip").write_bytes(made.file)
    (folder / "check.py").write_bytes(envelope.opened(made.file)["check.py"])
    command = [sys.executable, "-I", "-S", "check.py", "pack.zip", "--key", made.manifest["key"]["public"]]
    found = subprocess.run([*command, "--json"], cwd=folder, env={}, capture_output=True, check=False)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["dossiers"], told["events"], told["key_known"]) == (2, 8, True)
    spoken = subprocess.run(command, cwd=folder, env={}, capture_output=True, check=False)
    assert spoken.stdout.decode().startswith("ĐẠT / PROVED")
    damaged = bytearray(made.file)
    damaged[len(damaged) // 2] ^= 1
    (folder / "pack.zip").write_bytes(damaged)
    refused = subprocess.run(command, cwd=folder, env={}, capture_output=True, check=False)
    assert refused.returncode == 1 and "KHÔNG ĐẠT" in refused.stdout.decode()


def test_the_checker_needs_nothing_but_an_old_python() -> None:
    tree_ = ast.parse(CHECKER.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree_) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree_) if isinstance(node, ast.ImportFrom) and node.module != "__future__"]


@databases
@pytest.mark.parametrize("black_out", ["none", "officials"])
def test_any_flipped_byte_fails(house: Path, black_out: BlackOut) -> None:
    file = bytearray(_made(house, black_out=black_out).file)
    pdf = range(file.index(b"%PDF"), file.index(b"%%EOF"))
    for place in range(len(file)):
        if (place in pdf and place % 101) or (black_out == "officials" and place % 7):
            continue  # a part is a part: the long one, and the second pack, are tried here and there
        file[place] ^= 1 << (place % 8)
        assert not verify.verify(bytes(file))["ok"], place
        if place % 101 == 0:
            assert not check.Check(bytes(file)).answer["ok"], place
        file[place] ^= 1 << (place % 8)
    assert _checked(bytes(file))["ok"]


@databases
def test_a_byte_flipped_inside_a_mended_frame_fails_too(house: Path) -> None:
    """Whoever alters a part can mend the ZIP around it: then the hashes, the signature and the commitments refuse."""
    made = _made(house)
    entries = envelope.opened(made.file)
    for name, data in entries.items():
        step = max(1, len(data) // 300)
        for place in range(0, len(data), step):
            altered = bytearray(data)
            altered[place] ^= 1 << (place % 7)
            file = envelope.sealed({**entries, name: bytes(altered)})
            assert not verify.verify(file)["ok"], (name, place)
            if place % (97 * step) == 0:
                assert not check.Check(file).answer["ok"], (name, place)


@databases
def test_cut_lengthened_doubled_added_and_swapped_packs_fail(house: Path) -> None:
    file = _made(house, CODE, OTHER).file
    entries = envelope.opened(file)
    swapped = dict(entries)
    one, two = "dossiers/0001/events.json", "dossiers/0002/events.json"
    swapped[one], swapped[two] = swapped[two], swapped[one]
    opened = json.loads(entries["openings.json"])
    fewer = {**opened, "opened": opened["opened"][1:]}
    twice = {**opened, "opened": [opened["opened"][0], *opened["opened"]]}
    bad = {
        "empty": b"",
        "cut": file[:-1],
        "cut in the middle": file[: len(file) // 2],
        "lengthened": file + b"\0",
        "a prefix": b"MZ" + file,
        "twice": file + file,
        "a part more": envelope.sealed({**entries, "dossiers/0003/events.json": b"{}"}),
        "a part less": envelope.sealed({n: d for n, d in entries.items() if n != "cover.html"}),
        "no openings": envelope.sealed({n: d for n, d in entries.items() if n != "openings.json"}),
        "swapped": envelope.sealed(swapped),
        "a value gone without a word": envelope.sealed({**entries, "openings.json": canonical(fewer)}),
        "a value twice": envelope.sealed({**entries, "openings.json": canonical(twice)}),
        "openings in another form": envelope.sealed({**entries, "openings.json": entries["openings.json"] + b"\n"}),
    }
    for what, altered in bad.items():
        assert not _checked(altered)["ok"], what


@databases
def test_another_house_cannot_sign_for_this_one(house: Path) -> None:
    made = _made(house)
    entries = envelope.opened(made.file)
    stranger = Ed25519PrivateKey.generate()
    public = stranger.public_key().public_bytes_raw().hex()
    manifest = canonical({**made.manifest, "key": {"name": public[:16], "public": public}})
    entries |= {"manifest.json": manifest, "manifest.sig": f"{stranger.sign(manifest).hex()}\n".encode()}
    forged = envelope.sealed(entries)
    ours = {made.manifest["key"]["public"]}
    assert _checked(made.file, keys=ours)["key_known"]
    refused = _checked(forged, keys=ours)
    assert not refused["ok"] and "key" in {fault["code"] for fault in refused["faults"]}


@databases
@pytest.mark.parametrize("black_out", ["personal", "messages"])
def test_what_is_blacked_out_when_the_pack_is_made_is_not_in_it(house: Path, black_out: BlackOut) -> None:
    made = _made(house, black_out=black_out)
    for secret in (NAME, NUMBER):
        assert secret.encode() not in made.file and json.dumps(secret)[1:-1].encode() not in made.file
    report = _checked(made.file)
    assert report["ok"] and report["withheld"] == len(made.manifest["withheld"]) > 2
    assert (b"20260302083000" in made.file) is (black_out == "personal"), "instants of messages name nobody"


@databases
def test_who_acted_and_notes_are_blacked_out_and_their_acts_keep_their_place(home: Path, tmp_path: Path) -> None:
    case = Case()
    case.dossier(CODE, applicant=NAME)
    case.event(CODE, "suspended", "2026-03-03T10:00", actor="Bùi Ngọc Nga", unit="Phòng Một", note="mật: chờ ý kiến")
    case.event(CODE, "resumed", "2026-03-04T10:00", actor="Bùi Ngọc Nga", unit="Phòng Một")
    case.event(CODE, "finished", "2026-03-05T10:00")
    import_files(Order(files=case.write(tmp_path)[:2], home=home, at=NOW, create_missing=True))
    extract.run(home=home, at=NOW)
    shown, hidden = _made(home, black_out="personal"), _made(home, black_out="officials")
    secrets = [text.encode() for text in ("Bùi Ngọc Nga", "Phòng Một", "mật: chờ ý kiến")]
    assert all(secret in shown.file for secret in secrets)
    assert not any(secret in hidden.file for secret in secrets)
    assert "Bùi Ngọc Nga" not in _text_of_pdf(hidden, tmp_path)
    report = _checked(hidden.file)
    assert report["ok"] and report["events_closed"] >= 2 and _checked(shown.file)["events_closed"] == 0
    cover = envelope.opened(hidden.file)["cover.html"].decode()
    assert "(đã che)" in cover
    # whoever knows the value can hold it against the commitment that the house opens
    events = json.loads(envelope.opened(hidden.file)["dossiers/0001/events.json"])["events"]
    [act] = [event for event in events if event["kind"] == "suspended"]
    _, private = seals.key(home / "keys")
    secret = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    salt = leaves.Salts(secret).of(CODE, f"event {act['seq']}", "actor")
    assert commitment("actor", "Bùi Ngọc Nga", salt) == act["actor"]["commitment"]
    # an act cannot be put in another's place, nor a name be written where none is
    entries = envelope.opened(hidden.file)
    for change in ({"actor": "Người khác"}, {"position": act["position"] + 1}, {"hash": events[0]["hash"]}):
        altered = [{**event, **(change if event is act else {})} for event in events]
        part = canonical({"dossier": CODE, "events": altered})
        assert not _checked(envelope.sealed({**entries, "dossiers/0001/events.json": part}))["ok"], change


def _text_of_pdf(made: Made, folder: Path) -> str:
    if shutil.which("pdftotext") is None:
        return ""
    (folder / "cover.pdf").write_bytes(envelope.opened(made.file)["cover.pdf"])
    return subprocess.run(
        ["pdftotext", str(folder / "cover.pdf"), "-"], capture_output=True, check=True
    ).stdout.decode()


@databases
def test_other_dossiers_of_a_message_and_session_marks_are_never_shown(house: Path) -> None:
    made = _made(house, black_out="none")
    assert NAME.encode() in made.file and THEIR_NAME.encode() not in made.file
    [message] = [m for m in json.loads(envelope.opened(made.file)["dossiers/0001/messages.json"])["messages"]
                 if m["kind"] == "request"]  # fmt: skip
    kinds = {path: kind for path, kind, _ in message["leaves"]}
    assert kinds["/session"] == "secret" and kinds["/data/1"] == "foreign" and kinds["/data/0/ChuHoSo"] == "personal"
    assert {f"0001/message/1/{n}" for n, leaf in enumerate(message["leaves"]) if leaf[1] in ("secret", "foreign")} <= {
        *made.manifest["withheld"]
    }


@databases
def test_a_holder_blacks_out_more_and_the_rest_still_proves(house: Path, tmp_path: Path) -> None:
    full = _made(house, black_out="none")
    assert NAME.encode() in full.file
    shorter = verify.withheld_again(full.file, lambda ref, kind: kind == "personal")
    assert shorter == check.Check(full.file).blacked_out({"personal"})
    assert NAME.encode() not in shorter and NUMBER.encode() not in shorter
    before, after = _checked(full.file), _checked(shorter)
    assert after["ok"] and after["withheld_later"] == after["withheld"] - before["withheld"] > 0
    (tmp_path / "full.zip").write_bytes(full.file)
    command = [sys.executable, "-I", "-S", str(CHECKER), "full.zip", "--black-out", "personal", "--to", "less.zip"]
    assert subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, check=False).returncode == 0
    assert (tmp_path / "less.zip").read_bytes() == shorter
    entries = envelope.opened(shorter)
    again = json.loads(entries["openings.json"])
    again["withheld"].remove(again["withheld"][0])
    assert not _checked(envelope.sealed({**entries, "openings.json": canonical(again)}))["ok"]


@databases
def test_an_erased_value_leaves_the_proof_whole(house: Path) -> None:
    PersonalValue.objects.filter(dossier=CODE).delete()
    made = _made(house, black_out="none")
    assert _checked(made.file)["ok"]
    assert "0001/event/1/applicant" in made.manifest["withheld"]


@databases
def test_the_same_state_and_instant_give_the_same_bytes(house: Path) -> None:
    assert _made(house).file == _made(house).file


@databases
def test_heads_that_were_given_away_bind_the_pack(house: Path, tmp_path: Path) -> None:
    first = seals.seal(house / "keys", at=NOW)
    assert first is not None
    given = {first.size: bytes(first.root).hex(), 3: tree.Log.of_the_house().root(0, 3).hex()}
    case = Case()
    case.dossier("H99.12-260305-0009")
    import_files(Order(files=case.write(tmp_path)[:1], home=house, at=LATER, create_missing=True))
    extract.run(home=house, at=LATER)
    made = make.make(house, make.dossiers(["H99.12-260305-0009"]), at=LATER, by="x", papers=papers, heads=given)
    assert made.manifest["head"]["size"] == first.size + 1
    report = _checked(made.file, heads=given)
    assert report["ok"] and report["heads_compared"] == 2
    assert _checked(made.file, heads={first.size: given[first.size]})["ok"], "earlier heads come without asking"
    for wrong in ({first.size: "0" * 64}, {made.manifest["head"]["size"]: "1" * 64}, {2: given[3]}):
        assert not _checked(made.file, heads=wrong)["ok"], wrong
    with pytest.raises(Unreadable, match="is not of this log"):
        _made(house, heads={3: "0" * 64})


@databases
def test_a_rewritten_log_gives_no_pack(house: Path) -> None:
    """Whoever holds the database can seal a false history; not one that continues a head given away before."""
    seals.seal(house / "keys", at=NOW)
    Head.objects.update(root=b"\1" * 32)
    with pytest.raises(Unreadable, match="does not prove"):
        _made(house)


@databases
def test_verdicts_that_contradict_their_instants_are_refused(house: Path) -> None:
    made = _made(house)
    entries = envelope.opened(made.file)
    private = seals.key(house / "keys")[1]

    def signed(name: str, change: Callable[[dict[str, Any]], None]) -> bytes:
        """The pack as a dishonest house would sign it."""
        document = json.loads(entries[name])
        change(document)
        data = canonical(document)
        parts = [
            {**part, "bytes": len(data), "sha256": check.sha256(data).hex()} if part["name"] == name else part
            for part in made.manifest["parts"]
        ]
        manifest = canonical({**made.manifest, "parts": parts})
        signature = f"{private.sign(manifest).hex()}\n".encode()
        return envelope.sealed({**entries, name: data, "manifest.json": manifest, "manifest.sig": signature})

    folder = "dossiers/0001/"
    lies: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
        ("verdict", "verdicts.json", lambda d: d["true"].update(verdict="late")),
        ("timeline", "verdicts.json", lambda d: d["timeline"][0].update(at="2026-03-01T08:30:00+07:00")),
        ("certificate", "certificate.json", lambda d: d["explain"][1].update(worked_minutes=7)),
        ("certificate", "certificate.json", lambda d: d["pauses"].clear()),
        ("event", "events.json", lambda d: d["events"][1].update(actor="ai khác")),
        ("chain", "events.json", lambda d: d["events"].pop(1)),
        ("inclusion", "events.json", lambda d: d["events"][1].update(position=7)),
    ]
    for code, name, change in lies:
        report = _checked(signed(folder + name, change))
        assert code in {fault["code"] for fault in report["faults"]}, (code, report["faults"])


@databases
def test_a_pack_that_left_the_house_is_written_down(house: Path) -> None:
    made = _made(house, CODE, OTHER)
    make.kept(made, reason="gửi tòa án", at=NOW, by="thanhtra")
    [pack] = Pack.objects.all()
    assert (pack.made_by, pack.reason, pack.black_out, pack.sha256) == ("thanhtra", "gửi tòa án", "none", made.sha256)
    assert sorted(pack.dossiers.values_list("dossier", flat=True)) == [CODE, OTHER]
    assert audit.verify() == {"changes": 1, "faults": [], "ok": True}


@databases
def test_an_unknown_dossier_gives_no_pack(house: Path) -> None:
    with pytest.raises(Unreadable, match="H99-NO"):
        _made(house, CODE, "H99-NO")


@databases
def test_a_pack_of_a_finding_tells_what_was_seen_and_who_handed_in_what(house: Path) -> None:
    from motcua.evidence import subjects
    from motcua.findings.models import Act, Attachment, Finding

    found = Finding.objects.create(
        check_code="late_entry", subject=CODE, agency="H99.12", severity="B", evidence={"due_at": "x", "n": 3},
        digest="d", opened_at=NOW, last_at=NOW,
    )  # fmt: skip
    Act.objects.create(finding=found, seq=1, kind="opened", at=NOW, role="data", body={"text": NAME})
    Attachment.objects.create(
        finding=found, digest="a" * 64, name=f"{NAME}.pdf", media="application/pdf", at=NOW, by="x"
    )
    made = make.make(house, subjects.finding(found.pk), at=NOW, by="thanhtra", papers=papers)
    assert _checked(made.file)["ok"] and NAME.encode() not in made.file
    parts = envelope.opened(made.file)
    assert json.loads(parts["subject.json"])["facts"]["acts"][0]["kind"] == "opened"
    [paper] = json.loads(parts["dossiers/0001/documents.json"])["documents"]
    assert (paper["kind"], paper["sha256"]) == ("attached", "a" * 64)
    with pytest.raises(Unreadable, match="finding 999"):
        subjects.finding(999)


@databases
def test_a_pack_of_a_round_tells_its_plan_and_its_sample(house: Path) -> None:
    from motcua.evidence import subjects
    from motcua.rounds.models import Item, Round

    drawn = Round.objects.create(title="Đợt 1", period="2026-Q1", created_at=NOW, created_by="x", drawn_at=NOW)
    for code in (CODE, OTHER):
        Item.objects.create(round=drawn, dossier=code, risk=1, numerator=1, denominator=2, sort="clean")
    made = make.make(house, subjects.round_(drawn.pk), at=NOW, by="thanhtra", papers=papers)
    report = _checked(made.file)
    assert report["ok"] and report["dossiers"] == 2 and report["subject"]["kind"] == "round"
    facts = json.loads(envelope.opened(made.file)["subject.json"])["facts"]
    assert facts["sample"][0]["probability"] == [1, 2] and facts["plan"]["period"] == "2026-Q1"


# ---- the independent checker and ours, on random input ----------------------------------------------------------


@given(st.integers(1, 60), st.data())
def test_the_tree_by_blocks_is_that_of_the_whole_log_and_both_proofs_hold(size: int, data: st.DataObject) -> None:
    events = [check.sha256(b"%d" % n) for n in range(size + data.draw(st.integers(0, 9)))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "BLOCK", 4)
        full = [seals._root(events[n : n + 4]) for n in range(0, len(events) - 3, 4)]
        log = tree.Log(full, lambda low, high: events[low:high])
        root = seals._root(events[:size])
        assert log.root(0, size) == root
        index = data.draw(st.integers(0, size - 1))
        path = log.inclusion(index, size)
        assert path == seals.proof(events[:size], index)
        leaf = check.sha256(b"\x00", events[index])
        assert check.root_by_inclusion(leaf, index, size, path) == root
        earlier = data.draw(st.integers(1, size))
        old, steps = seals._root(events[:earlier]), log.consistency(earlier, size)
    assert tree.beginning(earlier, old, size, root, steps)
    assert check.roots_by_consistency(earlier, size, old, steps) == (old, root)
    if steps:
        wrong = [*steps[:-1], bytes(32)]
        assert not tree.beginning(earlier, old, size, root, wrong)
        assert check.roots_by_consistency(earlier, size, old, wrong) != (old, root)
    assert not tree.beginning(earlier, bytes(32), size, root, steps)


@given(st.binary(max_size=40), st.binary(min_size=32, max_size=32), st.integers(0, 511))
@settings(max_examples=40)
def test_the_checkers_signatures_are_those_of_the_library(message: bytes, secret: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert check.signed(public, signature, message)
    altered = bytearray(signature)
    altered[bit // 8] ^= 1 << bit % 8
    assert not check.signed(public, bytes(altered), message)
    assert not check.signed(public, signature, message + b"!")
    more = int.from_bytes(signature[32:], "little") + check.ORDER
    if more < 2**256:  # the same point, written otherwise
        assert not check.signed(public, signature[:32] + more.to_bytes(32, "little"), message)


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(documents)
def test_leaves_hold_a_whole_message_each_under_a_name_of_its_own(document: Any) -> None:
    found = list(leaves.leaves(document, CODE))
    assert len({leaf.path for leaf in found}) == len(found)
    for leaf in found:
        value = document
        for name in leaf.path.split("/")[1:]:
            key = name.replace("~1", "/").replace("~0", "~")
            value = value[int(key)] if isinstance(value, list) else value[key]
        assert leaves.text(value) == leaf.text


@given(st.dictionaries(st.text("abc/.", min_size=1, max_size=6), st.binary(max_size=30), min_size=1, max_size=5))
def test_both_frames_are_the_same_and_open_again(entries: dict[str, bytes]) -> None:
    file = envelope.sealed(entries)
    assert check.frame(entries) == file
    assert envelope.opened(file) == check.entries_of(file) == entries
