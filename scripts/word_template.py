"""Makes `web/papers/forms/letter.docx`, the look of our Word papers, as bytes that are the same each time.

Officials edit a copy of it in Word; we change it here, so that a review sees what changed. A test compares the two.
"""

from __future__ import annotations

import io
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from motcua.cli.home import set_up

set_up()  # the papers' room reads settings

from motcua.web.papers import forms, word  # noqa: E402

FILE = forms.SHIPPED / "letter.docx"
_FACE = "Times New Roman"  # on every office PC; LibreOffice shows it as Liberation Serif
_CENTRE = WD_ALIGN_PARAGRAPH.CENTER


def made() -> bytes:
    """The template."""
    paper = Document()
    _page(paper)
    _styles(paper)
    _letterhead(paper)
    _line(paper, "{%p if not to %}")
    _line(paper, "{{ title }}", "Title Line")
    _line(paper, "{%p if subject %}")
    _line(paper, "{{ subject }}", "Centre Line")
    _line(paper, "{%p endif %}")
    _line(paper, "{%p endif %}")
    _line(paper, "{%p if to|length == 1 %}")
    _line(paper, "Kính gửi: {{ to[0] }}", "Addressee")
    _line(paper, "{%p elif to %}")
    _line(paper, "Kính gửi:", "Addressee")
    _line(paper, "{%p for one in to %}")
    _line(paper, "- {{ one }}", "Addressee")
    _line(paper, "{%p endfor %}")
    _line(paper, "{%p endif %}")
    _line(paper, "{{ body }}")
    _signatures(paper)
    _line(paper, "{{ annex }}")
    _foot(paper)
    core = paper.core_properties
    core.title, core.author, core.comments = "motcua", "motcua", ""
    core.created = core.modified = datetime(2026, 1, 1)  # noqa: DTZ001
    stream = io.BytesIO()
    paper.save(stream)
    return word.packed(stream)


def _page(paper: Any) -> None:
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.header_distance, section.footer_distance = Mm(10), Mm(9)


def _styles(paper: Any) -> None:
    styles = paper.styles

    def style(name: str, *, size: float, bold: bool = False, italic: bool = False, align: Any = None,
              before: float = 0, after: float = 0, first: float = 0, left: float = 0, line: float = 1.0,
              keep: bool = False) -> None:  # fmt: skip
        one = styles[name] if name in styles else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        if name != "Normal":
            one.base_style = styles["Normal"]
        one.font.name, one.font.size, one.font.bold, one.font.italic = _FACE, Pt(size), bold, italic
        one.font.color.rgb = RGBColor(0, 0, 0)
        fonts = one.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
            fonts.set(qn(kind), _FACE)
        for kind in ("w:asciiTheme", "w:hAnsiTheme", "w:cstheme", "w:eastAsiaTheme"):
            fonts.attrib.pop(qn(kind), None)
        form = one.paragraph_format
        form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), line
        form.first_line_indent, form.left_indent = Mm(first), Mm(left)
        form.alignment, form.keep_with_next, form.widow_control = align, keep, True

    style("Normal", size=13)
    style("Body Text", size=13, align=WD_ALIGN_PARAGRAPH.JUSTIFY, first=10, before=3, after=3, line=1.08)
    style("Point", size=13, align=WD_ALIGN_PARAGRAPH.JUSTIFY, first=10, before=2, after=2, line=1.08)
    style("Note", size=11, italic=True, before=2, after=3)
    style("Strong Line", size=13, bold=True, before=6, after=3, keep=True)
    style("Centre Line", size=13, bold=True, align=_CENTRE, before=3, after=6)
    style("Title Line", size=14, bold=True, align=_CENTRE, before=10, after=3)
    style("Addressee", size=13, left=30, before=5, after=3)
    style("Heading 1", size=13, bold=True, before=9, after=3, keep=True)
    style("Heading 2", size=13, bold=True, italic=True, before=6, after=3, keep=True)
    style("Cell", size=11.5, before=1.5, after=1.5)
    style("Cell Dense", size=9.5, before=1, after=1)
    style("Gap", size=4)
    style("Head Line", size=12, align=_CENTRE)
    style("Small", size=11)
    style("Foot Line", size=8)


def _line(paper: Any, text: str, style: str = "Normal") -> Any:
    return paper.add_paragraph(text, style=style)


def _bare_table(paper: Any, widths: tuple[float, ...]) -> Any:
    table = paper.add_table(rows=1, cols=len(widths))
    table.autofit = False
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "0")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.append(margins)
    for grid, cell, width in zip(table._tbl.tblGrid.findall(qn("w:gridCol")), table.rows[0].cells, widths, strict=True):
        grid.set(qn("w:w"), str(int(Mm(width).twips)))
        cell.width = Mm(width)
    return table


def _into(cell: Any, text: str, *, bold: bool = False, italic: bool = False, size: float = 12,
          style: str = "Head Line", first: bool = False) -> Any:  # fmt: skip
    paragraph = cell.paragraphs[0] if first else cell.add_paragraph()
    paragraph.style = style
    run = paragraph.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    return paragraph


def _under(cell: Any, indent_mm: float) -> None:
    """A line of so much less than the cell's width: the upper border of a thin paragraph."""
    paragraph = cell.add_paragraph(style="Gap")
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm(indent_mm)
    paragraph.paragraph_format.space_before = Pt(1)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    paragraph._p.get_or_add_pPr().append(borders)


def _letterhead(paper: Any) -> None:
    left, right = _bare_table(paper, (68, 97)).rows[0].cells
    _into(left, "{{ parent|upper }}", first=True)
    _into(left, "{{ agency|upper }}", bold=True)
    _under(left, 22)
    _into(left, "Số: {{ number_line }}", size=13)
    _into(left, "{{ subject if to else '' }}")
    _into(right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", bold=True, first=True)
    _into(right, "Độc lập - Tự do - Hạnh phúc", bold=True, size=13)
    _under(right, 19)
    _into(right, "{{ day_line }}", italic=True, size=13)


def _signatures(paper: Any) -> None:
    """One signer stands on the right, who gets a copy on the left; several stand side by side, the copies below."""
    _line(paper, "{%p if signatures|length < 2 %}", "Gap")
    copies, signer = _bare_table(paper, (75, 90)).rows[0].cells
    _copies(copies)
    _line_in(signer, "{%p for one in signatures %}")
    _signer(signer)
    _line_in(signer, "{%p endfor %}")
    _line(paper, "{%p else %}", "Gap")
    opening, signer, closing = _bare_table(paper, (5, 82, 5)).rows[0].cells
    _into(opening, "{%tc for one in signatures %}", first=True)
    _signer(signer, first=True)
    _into(closing, "{%tc endfor %}", first=True)
    _copies(paper)
    _line(paper, "{%p endif %}", "Gap")


def _signer(cell: Any, *, first: bool = False) -> None:
    _into(cell, "{{ one.title|upper }}", bold=True, size=13, first=first)
    _into(cell, "{{ one.note or '(Ký, ghi rõ họ tên)' }}", italic=True, size=11)
    for _ in range(4):
        _into(cell, "")
    _into(cell, "{{ one.name }}", bold=True, size=13)


def _copies(place: Any) -> None:
    for text in ("{%p if copies %}", "Nơi nhận:", "{%p for one in copies %}", "- {{ one }}", "{%p endfor %}",
                 "{%p endif %}"):  # fmt: skip
        paragraph = place.add_paragraph(style="Small")
        run = paragraph.add_run(text)
        run.bold = run.italic = text == "Nơi nhận:"


def _line_in(cell: Any, text: str) -> None:
    cell.add_paragraph(text, style="Gap")


def _foot(paper: Any) -> None:
    foot = paper.sections[0].footer
    paragraph = foot.paragraphs[0]
    paragraph.style = "Foot Line"
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(165), alignment=2)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "4"), ("space", "3"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    paragraph._p.get_or_add_pPr().append(borders)
    paragraph.add_run("{{ foot }}")
    paragraph.add_run("\tTrang ")
    _field(paragraph, "PAGE")
    paragraph.add_run("/")
    _field(paragraph, "NUMPAGES")


def _field(paragraph: Any, name: str) -> None:
    """A field that Word counts itself."""
    for kind in ("begin", None, "separate", "text", "end"):
        run = paragraph.add_run()._r
        if kind is None:
            inner = OxmlElement("w:instrText")
            inner.set(qn("xml:space"), "preserve")
            inner.text = f" {name} "
        elif kind == "text":
            inner = OxmlElement("w:t")
            inner.text = "1"
        else:
            inner = OxmlElement("w:fldChar")
            inner.set(qn("w:fldCharType"), kind)
        run.append(inner)


if __name__ == "__main__":
    FILE.write_bytes(made())
    print(FILE.relative_to(Path.cwd()) if Path.cwd() in FILE.parents else FILE, file=sys.stderr)
