"""A paper as PDF/A with tags (PDF/A-2a, PDF/UA-1): set by Typst in our own typeface, without the system's fonts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from motcua.rules.instants import Unreadable
from motcua.web.papers import forms
from motcua.web.papers.glyphs import FONTS, printed
from motcua.web.papers.paper import Block, Heading, Items, NewPage, Paper, Paragraph, Table, fields
from motcua.web.training import marks as training

_STANDARDS = ["a-2a", "ua-1"]


def made(paper: Paper, *, home: Path) -> bytes:
    """The bytes of the PDF: the same paper gives the same bytes.

    Raises `Unreadable` where a template of the province's own cannot be set, with Typst's words and the file.
    """
    content: bytes = _set(paper, home, "pdf", pdf_standards=_STANDARDS, timestamp=int(paper.foot.at.timestamp()))
    return content


def pictures(paper: Paper, *, home: Path) -> list[bytes]:
    """Its pages as PNG, for a look on the screen."""
    pages: bytes | list[bytes] = _set(paper, home, "png", ppi=72.0)
    return pages if isinstance(pages, list) else [pages]


def _set(paper: Paper, home: Path, kind: str, **options: Any) -> Any:
    import typst

    main = forms.template(paper.form, "typ", home)
    shared = next(f for f in (forms.own(home) / "blocks.typ", forms.SHIPPED / "blocks.typ") if f.is_file())
    document = {
        **fields(paper),
        **{name: [_block(block) for block in blocks] for name, blocks in paper.marks.items()},
    }
    compiled: Any = typst.compile  # its types know no mapping of files, its program does
    try:
        return compiled(
            {"main.typ": training.on_typst().encode() + main.read_bytes(), "blocks.typ": shared.read_bytes()},
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            format=kind,
            sys_inputs={"paper": json.dumps(_printed(document), ensure_ascii=False)},
            **options,
        )
    except typst.TypstError as error:
        raise Unreadable(f"{main}: {error.message}") from error


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading(text, level):
            return {"kind": "heading", "text": text, "level": level}
        case Paragraph(text, look):
            return {"kind": "paragraph", "text": text, "look": look}
        case Items(items):
            return {"kind": "items", "items": list(items)}
        case Table():
            return {
                "kind": "table",
                "columns": [{"title": c.title, "width": c.width, "align": c.align} for c in block.columns],
                "rows": [list(row) for row in block.rows],
                "total": block.total,
                "dense": block.dense,
            }
        case NewPage():
            return {"kind": "page"}


def _printed(value: Any) -> Any:
    match value:
        case str():
            return printed(value)
        case Mapping():
            return {key: _printed(inner) for key, inner in value.items()}
        case Sequence():
            return [_printed(inner) for inner in value]
    return value
