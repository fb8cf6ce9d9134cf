"""Which characters the papers' typeface can print. A character that it lacks is shown as □, never left out."""

from __future__ import annotations

import struct
import unicodedata
from functools import cache
from pathlib import Path

FONTS = Path(__file__).resolve().parent.parent / "static" / "vendor" / "liberation-serif"
_MISSING = "□"
#: The shapes of states, which Typst's built-in faces lend.
_SHAPES = frozenset(map(ord, "▲◐○✓‖◇"))


@cache
def printable() -> frozenset[int]:
    """The code points of the regular face, read from its character map (OpenType `cmap`, format 4)."""
    content = (FONTS / "LiberationSerif-Regular.ttf").read_bytes()
    (tables,) = struct.unpack_from(">H", content, 4)
    places = range(12, 12 + 16 * tables, 16)
    offsets = {content[at : at + 4]: int.from_bytes(content[at + 8 : at + 12], "big") for at in places}
    cmap = offsets[b"cmap"]
    (count,) = struct.unpack_from(">H", content, cmap + 2)
    found: set[int] = set()
    for n in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", content, cmap + 4 + 8 * n)
        if (platform, encoding) == (3, 1):
            found |= _format_4(content, cmap + offset)
    return frozenset(found) | _SHAPES


def _format_4(content: bytes, at: int) -> set[int]:
    (twice,) = struct.unpack_from(">H", content, at + 6)
    segments = twice // 2
    ends = struct.unpack_from(f">{segments}H", content, at + 14)
    starts = struct.unpack_from(f">{segments}H", content, at + 16 + twice)
    return {code for start, end in zip(starts, ends, strict=True) for code in range(start, end + 1) if code != 0xFFFF}


def printed(text: str) -> str:
    """A text as it can be printed: composed letters, no control characters, □ for what the typeface lacks."""
    composed = unicodedata.normalize("NFC", text)
    kept = (c for c in composed if c in "\n\t" or not unicodedata.category(c).startswith("C"))
    return "".join(c if c in "\n\t" or ord(c) in printable() else _MISSING for c in kept)
