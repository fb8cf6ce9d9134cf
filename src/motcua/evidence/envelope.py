"""The envelope of a pack: a ZIP of one form only, so that no byte of it can change unseen.

Entries stand in the order of their names, uncompressed, dated 1 January 1980, without comments or extra fields. Who
reads it builds the file again from its entries and compares every byte.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from motcua.rules.instants import Unreadable

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION, _DAY = 20, 0x0021  # 2.0; 1 January 1980
#: A pack beyond this wants to be several: plain ZIP counts in 32 bits.
LARGEST = 4_000_000_000


def sealed(entries: Mapping[str, bytes]) -> bytes:
    """The one ZIP file that holds these entries. Names are ASCII. Raises `Unreadable` where they are too large."""
    if len(entries) > 65_535 or sum(map(len, entries.values())) > LARGEST:
        raise Unreadable("the pack is too large; make several of fewer dossiers")
    local: list[bytes] = []
    central: list[bytes] = []
    offset = 0
    for name in sorted(entries):
        data, title = entries[name], name.encode("ascii")
        about = struct.pack("<HHHHHIIIHH", _VERSION, 0, 0, 0, _DAY, zlib.crc32(data), len(data), len(data), len(title),
                            0)  # fmt: skip
        local += [_LOCAL, about, title, data]
        central += [_CENTRAL, struct.pack("<H", _VERSION), about, struct.pack("<HHHII", 0, 0, 0, 0, offset), title]
        offset += len(_LOCAL) + len(about) + len(title) + len(data)
    directory = b"".join(central)
    count = len(entries)
    end = _END + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), offset, 0)
    return b"".join([*local, directory, end])


def opened(file: bytes) -> dict[str, bytes]:
    """The entries of a sealed file. Raises `Unreadable` where a single byte is not as `sealed` writes it."""
    entries: dict[str, bytes] = {}
    place = 0
    try:
        while file[place : place + 4] == _LOCAL:
            size, length = struct.unpack_from("<IH", file, place + 22)
            start = place + 30 + length
            name = file[place + 30 : start].decode("ascii")
            if name in entries:
                raise Unreadable(f"{name} stands in the pack twice")
            entries[name] = file[start : start + size]
            place = start + size
    except (struct.error, UnicodeDecodeError):
        raise Unreadable(f"the file is no evidence pack: nothing can be read at byte {place}") from None
    if not entries or sealed(entries) != file:
        raise Unreadable("the file is no evidence pack, or its frame was altered")
    return entries
