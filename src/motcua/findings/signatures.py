"""The signatures of a PDF that is handed in: whole, trusted, valid when they were made, and stamped by whom with time.

A trusted time stamp (RFC 3161) *fixes* when the document was complete; the clock of the signer's machine is a claim.
Trusted are the certificates that lie in `trust/signers` and `trust/time-stamps` of the home, PEM or DER; nothing is
fetched. The extra `sign` (pyHanko) does the cryptography; without it no signature is looked at, and that is said.
Source: architecture §2; ETSI EN 319 102-1 (validity is judged at the time that the stamp proves).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from motcua.rules.instants import iso

Standing = Literal["fixes", "bounds", "claim", "none"]
#: What a look can find; the door has words for each.
CODES = (
    "stamped", "no_time_stamp", "stamp_untrusted", "stamp_broken", "certificate_expired", "certificate_early",
    "signer_untrusted", "revoked", "altered", "unsigned", "not_a_pdf", "damaged", "not_looked_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a PDF's signatures are worth: a code, what the file may stand for, and when it was complete."""

    code: str
    standing: Standing = "none"
    at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # signer, signed_at, valid_from, valid_to, authority


def trusted(home: Path, kind: Literal["signers", "time-stamps"]) -> list[Any]:
    """The certificates that a home trusts for signing or for stamping; files that are none are passed over."""
    from pyhanko.keys import load_certs_from_pemder_data

    found: list[Any] = []
    for file in sorted((home / "trust" / kind).glob("*")):
        if file.suffix in (".pem", ".crt", ".cer", ".der"):
            try:
                found += load_certs_from_pemder_data(file.read_bytes())
            except ValueError:
                logging.getLogger("motcua.findings").warning("%s holds no certificate", file.name)
    return found


def look(home: Path, content: bytes, *, now: datetime) -> Looked:
    """Looks at every signature of a PDF; the last of those that hold says when the document was complete."""
    if not content.startswith(b"%PDF-"):
        return Looked(code="not_a_pdf")
    try:
        from pyhanko.pdf_utils.misc import PdfError
        from pyhanko.pdf_utils.reader import PdfFileReader
    except ImportError:
        return Looked(code="not_looked_at", standing="claim")
    try:
        reader = PdfFileReader(BytesIO(content), strict=False)
        signatures = list(reader.embedded_regular_signatures)
    except (PdfError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Looked(code="damaged")
    if not signatures:
        return Looked(code="unsigned")
    roots, stampers = trusted(home, "signers"), trusted(home, "time-stamps")
    looks = [_one(signature, roots, stampers, now) for signature in signatures]
    good = [one for one in looks if one.standing == "fixes" and one.at is not None]
    if any(one.code == "altered" for one in looks):
        return next(one for one in looks if one.code == "altered")
    return max(good, key=lambda one: one.at or now) if good else looks[-1]


def _one(signature: Any, roots: Iterable[Any], stampers: Iterable[Any], now: datetime) -> Looked:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.errors import SignatureValidationError
    from pyhanko_certvalidator import ValidationContext

    def context(anchors: Iterable[Any], moment: datetime) -> Any:
        return ValidationContext(
            trust_roots=list(anchors), moment=moment, allow_fetching=False, revocation_mode="soft-fail"
        )

    facts: dict[str, Any] = {}
    try:
        certificate = signature.signer_cert
        valid_from, valid_to = certificate.not_valid_before, certificate.not_valid_after
        facts = {
            "signer": certificate.subject.human_friendly[:300],
            "valid_from": iso(valid_from),
            "valid_to": iso(valid_to),
        }
        first = validate_pdf_signature(signature, context(roots, now), context(stampers, now))
    except (SignatureValidationError, SigningError, ValueError, KeyError, TypeError, AttributeError):
        return Looked(code="damaged", facts=facts)
    claimed = first.signer_reported_dt
    if claimed is not None:
        facts["signed_at"] = iso(claimed)
    level = first.modification_level
    if not first.intact or not first.valid or (level is not None and level > ModificationLevel.FORM_FILLING):
        return Looked(code="altered", facts=facts)
    stamp = first.timestamp_validity
    if stamp is None:
        # The signature is still judged at the time that it claims: an expired certificate is not even a claim.
        moment = claimed or now
        wrong = _of_the_signer(signature, context(roots, moment), moment, valid_from, valid_to)
        if wrong:
            return Looked(code=wrong, facts=facts)
        return Looked(code="no_time_stamp", standing="claim", at=claimed, facts=facts)
    at = stamp.timestamp
    facts |= {"stamped_at": iso(at), "authority": stamp.signing_cert.subject.human_friendly[:300]}
    if not stamp.intact or not stamp.valid:
        return Looked(code="stamp_broken", facts=facts)
    try:
        then = validate_pdf_signature(signature, context(roots, at), context(stampers, at), skip_diff=True)
    except (SignatureValidationError, SigningError, ValueError):
        return Looked(code="damaged", facts=facts)
    if then.timestamp_validity is None or not then.timestamp_validity.trusted:
        return Looked(code="stamp_untrusted", standing="claim", at=claimed, facts=facts)
    if at > now:
        return Looked(code="stamp_broken", facts=facts)
    wrong = _fault(then, at, valid_from, valid_to)
    if wrong:
        return Looked(code=wrong, facts=facts)
    return Looked(code="stamped", standing="fixes", at=at, facts=facts)


def _of_the_signer(
    signature: Any, context: Any, moment: datetime, valid_from: datetime, valid_to: datetime
) -> str:  # fmt: skip
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.errors import SignatureValidationError

    try:
        status = validate_pdf_signature(signature, context, skip_diff=True)
    except (SignatureValidationError, ValueError):
        return "damaged"
    return _fault(status, moment, valid_from, valid_to)


def _fault(status: Any, moment: datetime, valid_from: datetime, valid_to: datetime) -> str:
    """What is wrong with the signer's certificate at a moment; empty where nothing is."""
    if moment > valid_to:
        return "certificate_expired"
    if moment < valid_from:
        return "certificate_early"
    if status.revoked:
        return "revoked"
    return "" if status.trusted else "signer_untrusted"
