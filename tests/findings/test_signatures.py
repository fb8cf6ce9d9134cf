"""A signed PDF fixes its time only by a trusted stamp; everything else is a claim or nothing, and says why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.findings.notary import Notary, blank, holder
from tests.story import at

from motcua.findings import files, signatures
from motcua.rules.instants import Unreadable

NOW = at("2026-04-01T09:00")
STAMPED = at("2026-03-06T10:04")
NOTARY = Notary(at("2026-01-05T00:00"))


@pytest.fixture
def trusting(tmp_path: Path) -> Path:
    NOTARY.trust(tmp_path)
    return tmp_path


def _look(home: Path, content: bytes) -> signatures.Looked:
    return signatures.look(home, content, now=NOW)


def test_a_trusted_stamp_fixes_the_instant(trusting: Path) -> None:
    looked = _look(trusting, NOTARY.signed(stamped_at=STAMPED))
    assert (looked.code, looked.standing, looked.at) == ("stamped", "fixes", STAMPED)
    assert "Nguyễn Văn Ký" in looked.facts["signer"] and "Dấu thời gian thử" in looked.facts["authority"]


def test_the_signers_clock_alone_is_a_claim(trusting: Path) -> None:
    fresh = Notary(at("2026-01-05T00:00"))
    fresh.trust(trusting)
    looked = signatures.look(trusting, fresh.signed(), now=NOW + timedelta(days=700))
    assert (looked.code, looked.standing) == ("no_time_stamp", "claim")
    assert "signed_at" in looked.facts


@pytest.mark.parametrize(
    ("make", "code", "standing"),
    [
        (lambda: NOTARY.signed(by=NOTARY.lapsed, stamped_at=STAMPED), "certificate_expired", "none"),
        (lambda: NOTARY.signed(by=NOTARY.lapsed, stamped_at=at("2026-01-07T09:00")), "stamped", "fixes"),
        (lambda: NOTARY.signed(by=NOTARY.stranger, stamped_at=STAMPED), "signer_untrusted", "none"),
        (lambda: NOTARY.signed(stamped_at=at("2026-05-01T09:00")), "stamp_broken", "none"),
        (blank, "unsigned", "none"),
        (lambda: b"%PDF-1.7 torn", "damaged", "none"),
        (lambda: b"\x89PNG\r\n\x1a\n", "not_a_pdf", "none"),
    ],
    ids=["expired when it was stamped", "expired since, valid then", "nobody's root", "from the future", "unsigned",
         "torn", "a picture"],
)  # fmt: skip
def test_what_else_a_file_is_worth(trusting: Path, make, code: str, standing: str) -> None:  # type: ignore[no-untyped-def]
    looked = _look(trusting, make())
    assert (looked.code, looked.standing) == (code, standing)


def test_a_stamp_of_an_unknown_authority_is_a_claim(trusting: Path) -> None:
    start, end = at("2026-01-05T00:00"), at("2030-01-05T00:00")
    rogue = holder("Đồng hồ nhà làm", valid_from=start, valid_to=end, by=holder("Gốc nhà làm", valid_from=start,
                                                                                valid_to=end), stamps=True)  # fmt: skip
    looked = _look(trusting, NOTARY.signed(stamped_at=STAMPED, authority=rogue))
    assert (looked.code, looked.standing) == ("stamp_untrusted", "claim")


def test_an_empty_trust_list_trusts_nobody(tmp_path: Path) -> None:
    assert _look(tmp_path, NOTARY.signed(stamped_at=STAMPED)).standing != "fixes"


def test_of_several_signatures_the_last_stamp_counts(trusting: Path) -> None:
    once = NOTARY.signed(stamped_at=STAMPED)
    looked = _look(trusting, NOTARY.signed(stamped_at=STAMPED + timedelta(hours=3), page=once, field="Dau"))
    assert (looked.code, looked.at) == ("stamped", STAMPED + timedelta(hours=3))


def test_a_byte_changed_after_signing_is_found(trusting: Path) -> None:
    content = NOTARY.signed(stamped_at=STAMPED)
    changed = content.replace(b"0 0 m", b"9 9 m", 1)
    assert changed != content
    assert _look(trusting, changed).code == "altered"


def test_files_come_in_by_what_they_are(tmp_path: Path) -> None:
    kept = files.keep(tmp_path, blank())
    assert kept.media == "application/pdf"
    assert files.keep(tmp_path, blank()).digest == kept.digest
    assert files.read(tmp_path, kept.digest) == blank()
    for content, why in (
        (b"", "empty"), (b"MZ\x90", "kind"), (b"<html>", "kind"), (b"PK\x03\x04 torn", "kind"),
        (b"%PDF-" + b"0" * files.MOST_BYTES, "too_big"),
    ):  # fmt: skip
        with pytest.raises(Unreadable, match=why):
            files.keep(tmp_path, content)
    files.place(tmp_path, kept.digest).write_bytes(b"%PDF-other")
    with pytest.raises(Unreadable, match="altered"):
        files.read(tmp_path, kept.digest)
    assert files.safe_name("../../etc/pass\nwd.exe", "application/pdf") == "passwd.pdf"
