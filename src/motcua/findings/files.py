"""Files that are handed in: admitted by their first bytes, never by their name, and kept once under their digest."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from motcua.rules.instants import Unreadable

#: Ten megabytes: a scanned result with its annexes.
MOST_BYTES = 10 * 1024 * 1024
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: First bytes → media type. Office files are looked into further.
_SIGNATURES = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
_OFFICE = {"xl/workbook.xml": _SPREADSHEET, "word/document.xml": _WORD}
ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", _SPREADSHEET: "xlsx", _WORD: "docx"}
#: Macros and embedded programs.
_DANGEROUS = ("vbaproject.bin", "activex", "embeddings/")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was kept: its SHA-256, its size and what it is."""

    digest: str
    size: int
    media: str


def media_of(content: bytes) -> str:
    """What a file is. Raises `Unreadable`: `empty`, `too_big`, `kind`, `macros`."""
    if not content:
        raise Unreadable("empty")
    if len(content) > MOST_BYTES:
        raise Unreadable("too_big")
    for first, media in _SIGNATURES:
        if content.startswith(first):
            return media
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    raise Unreadable("kind")


def _office(content: bytes) -> str:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise Unreadable("kind") from None
    if any(part in name.lower() for name in names for part in _DANGEROUS):
        raise Unreadable("macros")
    found = next((media for part, media in _OFFICE.items() if part in names), None)
    if found is None or "[Content_Types].xml" not in names:
        raise Unreadable("kind")
    return found


def place(home: Path, digest: str) -> Path:
    """Where a file lies."""
    return home / "files" / digest[:2] / digest


def keep(home: Path, content: bytes) -> Kept:
    """Keeps a file, once for all who hand it in; whole or not at all. Raises `Unreadable` (`media_of`)."""
    media = media_of(content)
    digest = hashlib.sha256(content).hexdigest()
    target = place(home, digest)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{secrets.token_hex(8)}")
        with open(draft, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    return Kept(digest, len(content), media)


def read(home: Path, digest: str) -> bytes:
    """A kept file. Raises `Unreadable` where it is gone, or is not what its digest says any more."""
    try:
        content = place(home, digest).read_bytes()
    except OSError:
        raise Unreadable("gone") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise Unreadable("altered")
    return content


def safe_name(name: str, media: str) -> str:
    """The name under which a file is given back: no folders, no control signs, the ending of what it really is."""
    stem = "".join(sign for sign in Path(name.replace("\\", "/")).name if sign.isprintable() and sign not in '"<>|:*?')
    stem = stem.rsplit(".", 1)[0].strip(" .")[:120] or "tep"
    return f"{stem}.{ENDINGS.get(media, 'bin')}"
