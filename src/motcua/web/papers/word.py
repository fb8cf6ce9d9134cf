"""A paper as Word: a template that officials can edit, its fields as `{{ name }}`, its tables where a mark stands."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from motcua.rules.instants import VIET_NAM, Unreadable
from motcua.web.papers import forms
from motcua.web.papers.paper import Block, Heading, Items, NewPage, Paper, Paragraph, Table, fields
from motcua.web.training import marks as training

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # a zip's own zero: the bytes do not tell when they were packed
_LINE_MM = 165.0  # 210 less the margins of 30 and 15


def made(paper: Paper, *, home: Path) -> bytes:
    """The bytes of the document: the same paper gives the same bytes.

    Raises `Unreadable` where a template of the province's own names a field that this paper has not.
    """
    from docxtpl import DocxTemplate
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    file = forms.template(paper.form, "docx", home)
    blocks = paper.marks
    marks = {name: f"⟦{name}⟧" for name in blocks}
    context = {**_plain(fields(paper)), **marks}
    document = DocxTemplate(io.BytesIO(file.read_bytes()))
    try:
        document.render(context, SandboxedEnvironment(autoescape=True, undefined=StrictUndefined), autoescape=True)
    except TemplateError as error:
        raise Unreadable(f"{file}: {error}; fields: {', '.join(sorted(context))}") from error
    except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise Unreadable(f"{file}: this is no Word document (.docx) that can be read: {error}") from error
    word: Any = document.docx
    _complete(word)
    for name, mark in marks.items():
        for place in [p for p in _paragraphs(word) if p.text.strip() == mark]:
            _insert(word, place, blocks[name], last_stays=name == "body")
    _fit(word)
    _sign(word, paper)
    training.on_word(word)
    stream = io.BytesIO()
    word.save(stream)
    return packed(stream)


def _plain(value: Any) -> Any:
    """Texts as Word can hold them: composed, without control characters."""
    match value:
        case str():
            return _text(value)
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
    return value


def _text(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return "".join(c for c in composed if c in "\n\t" or not unicodedata.category(c).startswith(("Cc", "Cs", "Cn")))


def _complete(word: Any) -> None:
    """A template of the province's own that lacks a style of ours gets it."""
    from docx import Document

    lent: Any = None
    for name in (*_STYLES.values(), "Point", "Cell", "Cell Dense", "Gap", "Heading 1", "Heading 2", "Table Grid"):
        if name not in word.styles:
            lent = lent or Document(str(forms.SHIPPED / f"{forms.LETTER}.docx"))
            word.styles.element.append(deepcopy(lent.styles[name].element))


def _paragraphs(word: Any) -> Iterator[Any]:
    yield from word.paragraphs
    for table in word.tables:
        for row in table.rows:
            for cell in row.cells:
                yield from cell.paragraphs


def _insert(word: Any, place: Any, blocks: Sequence[Block], *, last_stays: bool) -> None:
    """Puts blocks in the place of a mark; `last_stays`: the last with what follows, for no signature stands alone."""
    from docx.enum.text import WD_BREAK

    anchor = place._p
    for block in blocks:
        match block:
            case Heading(text, level):
                made = [word.add_paragraph(_text(text), style=f"Heading {level}")]
            case Paragraph(text, look):
                made = [word.add_paragraph(_text(text), style=_STYLES[look])]
            case Items(items):
                made = [word.add_paragraph(f"- {_text(item)}", style="Point") for item in items]
            case NewPage():
                paragraph = word.add_paragraph(style="Gap")
                paragraph.add_run().add_break(WD_BREAK.PAGE)
                made = [paragraph]
            case Table():
                made = [_table(word, block), word.add_paragraph(style="Gap")]
        for element in made:
            anchor.addprevious(element._element)
    if last_stays and blocks and not isinstance(blocks[-1], Table):
        made[-1].paragraph_format.keep_with_next = True
    anchor.getparent().remove(anchor)


_STYLES = {"text": "Body Text", "note": "Note", "strong": "Strong Line", "centre": "Centre Line"}


def _table(word: Any, block: Table) -> Any:
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm

    sides = {"left": WD_ALIGN_PARAGRAPH.LEFT, "right": WD_ALIGN_PARAGRAPH.RIGHT, "center": WD_ALIGN_PARAGRAPH.CENTER}
    table = word.add_table(rows=1 + len(block.rows), cols=len(block.columns), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    share = _LINE_MM / sum(column.width for column in block.columns)
    widths = [Mm(column.width * share) for column in block.columns]
    for grid, width in zip(table._tbl.tblGrid.findall(qn("w:gridCol")), widths, strict=True):
        grid.set(qn("w:w"), str(int(width.twips)))
    style = "Cell Dense" if block.dense else "Cell"
    lines = [[column.title for column in block.columns], *block.rows]
    for index, (row, line) in enumerate(zip(table._tbl.tr_lst, lines, strict=True)):
        properties = row.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if index == 0:
            properties.append(OxmlElement("w:tblHeader"))
        for cell, text, width, column in zip(row.tc_lst, line, widths, block.columns, strict=True):
            cell.width = width
            paragraph = cell.p_lst[0]
            paragraph.style = word.styles[style].style_id
            paragraph.alignment = sides["center" if index == 0 else column.align]
            run = paragraph.add_r()
            run.text = _text(text)
            if index == 0 or (index == 1 and block.total):
                run.get_or_add_rPr().append(OxmlElement("w:b"))
    return table


def _fit(word: Any) -> None:
    """Tables that a template's loop widened stay within the line, each column as wide as its cells."""
    from docx.oxml.ns import qn
    from docx.shared import Mm

    for table in word.tables:
        cells = table._tbl.tr_lst[0].tc_lst
        grid = table._tbl.tblGrid
        widths = [cell.width or 0 for cell in cells]
        if not all(widths):
            continue  # Word decides
        share = min(1.0, Mm(_LINE_MM) / sum(widths))
        for column in grid.findall(qn("w:gridCol")):
            grid.remove(column)
        for width in widths:
            grid.add_gridCol().w = int(width * share)
        for row in table._tbl.tr_lst:
            for cell, width in zip(row.tc_lst, widths, strict=False):
                cell.width = int(width * share)


def _sign(word: Any, paper: Paper) -> None:
    """The document's own properties: title and author, and the instant of the paper instead of the clock's."""
    core = word.core_properties
    at = paper.foot.at.astimezone(VIET_NAM).replace(microsecond=0, tzinfo=None)
    core.title, core.author, core.last_modified_by, core.comments = _text(paper.title), _text(paper.foot.by), "", ""
    core.created = core.modified = at
    core.language = "vi-VN"


def packed(stream: io.BytesIO) -> bytes:
    """The same parts in the same order, with the zip's zero day."""
    out = io.BytesIO()
    with zipfile.ZipFile(stream) as read, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            part = zipfile.ZipInfo(name, _FIRST_DAY)
            part.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(part, read.read(name))
    return out.getvalue()
