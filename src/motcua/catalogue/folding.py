"""Texts as people compare them: NFC, without case, without marks; `đ` is a letter, not d with a mark."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
#: The marks that decomposed Vietnamese and other Latin letters carry.
_MARKS = re.compile("[\u0300-\u036f]+")
_D = str.maketrans("đĐ", "dd")


def nfc(text: str) -> str:
    """The text composed (NFC), as everything from outside is kept."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """The text for comparing and searching: "Hòa", "Hoà" and "hoa" fold to one."""
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFD", text)).translate(_D)
    return _SPACES.sub(" ", text).strip().casefold()
