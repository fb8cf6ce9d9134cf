"""The mark of a training house on pages, file names, Word and PDF papers; Excel has its own in `catalogue.sheets`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db import Error
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from motcua.catalogue import training

Answer = Callable[[HttpRequest], HttpResponseBase]
_WORD = """
<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"
 xmlns:o="urn:schemas-microsoft-com:office:office"><w:r><w:pict>
<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800"
 path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/>
<v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/>
<v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/></v:formulas>
<v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/></v:shapetype>
<v:shape id="training-mark" type="#_x0000_t136" alt="{mark}" stroked="f" fillcolor="#a8201a"
 style="position:absolute;width:420pt;height:105pt;rotation:315;z-index:-251658752;\
mso-position-horizontal:center;mso-position-horizontal-relative:margin;\
mso-position-vertical:center;mso-position-vertical-relative:margin">
<v:fill opacity=".25"/><v:textpath style="font-family:&quot;Times New Roman&quot;;font-size:1pt;font-weight:bold"
 string="{mark}"/></v:shape></w:pict></w:r></w:p>
"""


class Named:
    """Middleware: a file from a training house says so in its name, wherever it lies later."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        reply = self.answer(request)
        told = reply.headers.get("Content-Disposition", "")
        if told.startswith("attachment") and is_on():
            marked = re.sub(r'filename="', 'filename="TAP-HUAN_', told)
            reply.headers["Content-Disposition"] = re.sub(r"filename\*=utf-8''", "filename*=utf-8''TAP-HUAN_", marked)
        return reply


def is_on() -> bool:
    """Whether to mark; not where the database is away, so that the page which says so can be shown."""
    try:
        return training.is_on()
    except Error:
        return False


def mark() -> str:
    """What every page of a training house says; empty in any other."""
    return training.MARK if is_on() else ""


def on_word(document: Any) -> None:
    """Puts the mark behind the text of each page of a Word document (of python-docx)."""
    if not is_on():
        return
    from docx.oxml import parse_xml

    for section in document.sections:
        heads = [section.header]
        if section.different_first_page_header_footer:
            heads.append(section.first_page_header)
        for head in heads:
            head.is_linked_to_previous = False
            head._element.append(parse_xml(_WORD.format(mark=training.MARK)))


def on_typst() -> str:
    """What to set before a Typst document so that each page bears the mark; empty in a house that is none."""
    if not is_on():
        return ""
    return (
        '#set page(foreground: rotate(-40deg, text(size: 90pt, weight: "bold",'
        f" fill: rgb(168, 32, 26, 45))[{training.MARK}]))\n"
    )
