"""Papers: Word and PDF say the same, are the same bytes each time, and cut no diacritic; a province brings its own."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from tests.story import at

from motcua.rules.instants import Unreadable
from motcua.web.papers import forms, glyphs, pdf, word
from motcua.web.papers.paper import (
    Column,
    Foot,
    Heading,
    Items,
    NewPage,
    Paper,
    Paragraph,
    Signature,
    Table,
)

ROOT = Path(__file__).resolve().parents[2]
FOOT = Foot(by="Nguyễn Thị Ấn", at=at("2026-03-06T16:40"), as_of=at("2026-03-06T16:30"), policy="mặc định",
            formula="bridge-1", code="12ab-34cd-56ef")  # fmt: skip
LETTERS = "ẮẰẲẴẶ ẾỀỂỄỆ ỐỒỔỖỘ ỚỜỞỠỢ ỨỪỬỮỰ ÝỲỶỸỴ Đđ ắằẳẵặ ếềểễệ ốồổỗộ ớờởỡợ ứừửữự ýỳỷỹỵ"


def _paper(**more: object) -> Paper:
    given: dict[str, object] = {
        "form": "urge", "title": "Đôn đốc giải quyết hồ sơ", "foot": FOOT, "agency": "Văn phòng Ủy ban nhân dân tỉnh",
        "parent": "Ủy ban nhân dân tỉnh Mẫu", "place": "Mẫu", "symbol": "VP-KSTT",
        "subject": "V/v giải trình hồ sơ quá hạn", "to": ("Sở Mẫu", "Ủy ban nhân dân phường Mẫu"),
        "body": [
            Paragraph("Còn 12 hồ sơ <quá hạn> & chưa giải trình. " + LETTERS), Items(["Rà soát", "Trả lời"]),
            Paragraph("Danh sách kèm theo.", "note"), Heading("Việc cần làm"), Paragraph("Giữa dòng", "centre"),
            Paragraph("Đậm", "strong"),
        ],
        "annex": [Heading("Phụ lục"), Table(
            [Column("STT", 1, "right"), Column("Mã hồ sơ", 4), Column("Nguyên nhân", 5)],
            [["", "Tất cả", "60"], *([str(n), f"H99.12-260302-{n:04}", "chưa gửi cập nhật"] for n in range(1, 60))],
            total=True, dense=True)],
        "signatures": [Signature("Chánh Văn phòng", "Trần Văn Bình")], "copies": ["Như trên", "Lưu: VT, KSTT"],
    }  # fmt: skip
    return Paper(**{**given, **more})  # type: ignore[arg-type]


def words_of(content: bytes) -> str:
    """The text of a Word paper, tables and all, in one line."""
    xml = zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode()
    texts = re.findall(r"<w:t(?: [^>]*)?>([^<]*)</w:t>|(</w:p>)", xml)
    joined = "".join(text or " " for text, _ in texts)
    return " ".join(joined.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").split())


def text_of(content: bytes, folder: Path) -> str:
    """The text of a PDF in one line; skips, visibly, where the machine has no pdftotext."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine (apt-get install poppler-utils)")
    file = folder / "paper.pdf"
    file.write_bytes(content)
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True)
    return " ".join(unicodedata.normalize("NFC", done.stdout.decode()).split())


@pytest.mark.django_db
def test_word_and_pdf_say_the_same_with_every_diacritic(tmp_path: Path) -> None:
    said = words_of(word.made(_paper(), home=tmp_path))
    wanted = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "ỦY BAN NHÂN DÂN TỈNH MẪU",
              "Kính gửi:", "Sở Mẫu", "Còn 12 hồ sơ <quá hạn> & chưa giải trình.", LETTERS[:30], "CHÁNH VĂN PHÒNG",
              "Trần Văn Bình", "Nơi nhận:", "Lưu: VT, KSTT", "H99.12-260302-0059", "tháng")  # fmt: skip
    assert [part for part in wanted if part not in said] == []
    assert said.index("Trần Văn Bình") < said.index("Phụ lục"), "the annex lies behind the signature"
    printed = text_of(pdf.made(_paper(), home=tmp_path), tmp_path)
    flowing = ("Kính gửi:", "Sở Mẫu", "CHÁNH VĂN PHÒNG", "Trần Văn Bình", "H99.12-260302-0059", "Nơi nhận:")
    assert [part for part in flowing if part not in printed] == []
    assert set(LETTERS) <= set(printed)
    assert "Số liệu đến 16:30 06/03/2026" in printed and "12ab-34cd-56ef" in printed and "Trang 1/" in printed


@pytest.mark.django_db
def test_a_signature_stands_on_no_page_alone(tmp_path: Path) -> None:
    for lines in (26, 28, 30):  # there is room for the last line, and none below it for the signature
        paper = _paper(body=[*[Paragraph("Một dòng.")] * lines, Paragraph("Câu cuối.")], annex=())
        pages = text_of(pdf.made(paper, home=tmp_path), tmp_path).split("Trang ")
        [signed] = [page for page in pages if "CHÁNH VĂN PHÒNG" in page]
        assert "Câu cuối." in signed, lines
    last = [p for p in Document(io.BytesIO(word.made(paper, home=tmp_path))).paragraphs if p.text == "Câu cuối."]
    assert [p.paragraph_format.keep_with_next for p in last] == [True]


@pytest.mark.django_db
def test_the_same_paper_is_the_same_bytes(tmp_path: Path) -> None:
    for kind in (word, pdf):
        assert kind.made(_paper(), home=tmp_path) == kind.made(_paper(), home=tmp_path)
        assert kind.made(_paper(), home=tmp_path) != kind.made(_paper(title="Chấn chỉnh"), home=tmp_path)
    core = Document(io.BytesIO(word.made(_paper(), home=tmp_path))).core_properties
    assert (core.title, core.author, f"{core.created:%Y-%m-%dT%H:%M}") == (
        "Đôn đốc giải quyết hồ sơ", "Nguyễn Thị Ấn", "2026-03-06T16:40"
    )  # fmt: skip


@pytest.mark.django_db
def test_a_pdf_is_an_archive_copy_with_its_own_typeface(tmp_path: Path) -> None:
    content = pdf.made(_paper(), home=tmp_path)
    assert content.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in content and b"<pdfuaid:part>1</pdfuaid:part>" in content
    assert b"LiberationSerif" in content


@pytest.mark.django_db
def test_number_and_day_are_blank_until_the_document_system_gives_them(tmp_path: Path) -> None:
    assert _paper().number_line == "          /VP-KSTT"
    assert _paper().day_line == "Mẫu, ngày        tháng        năm 2026"
    signed = _paper(number="12", on=date(2026, 2, 3), to=())
    assert (signed.number_line, signed.day_line) == ("12/VP-KSTT", "Mẫu, ngày 03 tháng 02 năm 2026")
    assert _paper(on=date(2026, 3, 16)).day_line == "Mẫu, ngày 16 tháng 3 năm 2026"
    said = words_of(word.made(signed, home=tmp_path))
    assert "12/VP-KSTT" in said and "Đôn đốc giải quyết hồ sơ" in said and "Kính gửi" not in said


@pytest.mark.django_db
def test_pages_hold_ink_where_it_belongs_and_none_in_the_margins(tmp_path: Path) -> None:
    """A coarse look: A4 pages, ink inside, white outside the margins of 30 and 15 mm."""
    pages = pdf.pictures(_paper(annex=()), home=tmp_path)
    assert len(pages) == 1
    width, height, rows = _grey(pages[0])
    assert (width, height) == (595, 842)
    left, right = round(30 / 210 * width), round(195 / 210 * width)
    assert all(min(row[: left - 4]) > 250 and min(row[right + 6 :]) > 250 for row in rows)
    inked = sum(min(row) < 128 for row in rows)
    assert 100 < inked < 600


def _grey(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of a PNG as one byte a point (the darkest of its colours)."""
    import struct
    import zlib

    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    size = {2: 3, 6: 4}[kind]
    data, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += 12 + length
    raw, rows, before = zlib.decompress(data), [], bytearray(width * size)
    for y in range(height):
        start = y * (width * size + 1)
        way, line = raw[start], bytearray(raw[start + 1 : start + 1 + width * size])
        for x in range(len(line)):
            a = line[x - size] if x >= size else 0
            b, c = before[x], before[x - size] if x >= size else 0
            match way:
                case 1:
                    add = a
                case 2:
                    add = b
                case 3:
                    add = (a + b) // 2
                case 4:
                    p = a + b - c
                    add = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                case _:
                    add = 0
            line[x] = (line[x] + add) & 255
        rows.append(bytes(min(line[x : x + 3]) for x in range(0, len(line), size)))
        before = line
    return width, height, rows


@pytest.mark.django_db
@pytest.mark.parametrize("signers", [0, 1, 2, 3])
def test_signatures_stand_side_by_side_within_the_line(signers: int, tmp_path: Path) -> None:
    paper = _paper(signatures=[Signature(f"Người ký {n}") for n in range(signers)], to=(), annex=())
    document = Document(io.BytesIO(word.made(paper, home=tmp_path)))
    for table in document.tables:
        widths = [cell.width for cell in table.rows[0].cells]
        assert sum(widths) <= 165.1 * 36000
        assert [column.width for column in table.columns] == widths
    said = words_of(word.made(paper, home=tmp_path))
    assert [f"NGƯỜI KÝ {n}" in said for n in range(3)] == [n < signers for n in range(3)]
    assert pdf.made(paper, home=tmp_path)


@pytest.mark.django_db
def test_what_the_typeface_lacks_is_shown_as_a_box_and_nothing_breaks(tmp_path: Path) -> None:
    strange = _paper(body=[Paragraph("a😀b\x07c 中 e\u0301 #let [x] $y$ {{ agency }} {% if %}")], annex=())
    assert glyphs.printed("a😀b\x07c 中 e\u0301") == "a□bc □ é"
    assert pdf.made(strange, home=tmp_path)
    assert "a😀bc 中 é #let [x] $y$ {{ agency }} {% if %}" in words_of(word.made(strange, home=tmp_path))
    assert all(ord(letter) in glyphs.printable() for letter in LETTERS + "▲◐○✓‖→−·…“”")


@pytest.mark.django_db
def test_a_province_brings_its_own_template_and_its_own_words(tmp_path: Path) -> None:
    own = forms.own(tmp_path)
    own.mkdir()
    mine = Document()
    mine.add_paragraph("Kính trình {{ signer_of_day }}: {{ title }}")
    mine.add_paragraph("{{ body }}")
    mine.save(str(own / "urge.docx"))
    paper = _paper(facts={"signer_of_day": "Ông <B>"})
    for style in ("Point", "Note", "Strong Line", "Centre Line", "Cell", "Cell Dense", "Gap"):
        assert style not in [s.name for s in mine.styles]
    said = words_of(word.made(paper, home=tmp_path))
    assert said.startswith("Kính trình Ông <B>: Đôn đốc giải quyết hồ sơ Còn 12 hồ sơ <quá hạn>")
    assert "CỘNG HÒA" in words_of(word.made(_paper(form="correct"), home=tmp_path)), "other forms keep theirs"
    (own / "urge.typ").write_text(
        "#let paper = json(bytes(sys.inputs.paper))\n#set document(title: paper.title)\n"
        '#set text(font: "Liberation Serif", lang: "vi")\n= #paper.title\n#paper.signer_of_day\n'
    )
    assert "Ông <B>" in text_of(pdf.made(paper, home=tmp_path), tmp_path)
    (own / "urge.txt").write_text("\ufeffGửi {who}: còn {n} hồ sơ.\n- {n} việc\n[annex]\n", encoding="utf-8")
    blocks = forms.wording("urge", tmp_path, {"who": "Sở {x}", "n": "3"}, {"annex": [NewPage()]})
    assert blocks == [Paragraph("Gửi Sở {x}: còn 3 hồ sơ."), Items(("3 việc",)), NewPage()]


@pytest.mark.django_db
def test_a_mistake_in_a_template_of_ones_own_names_the_file_and_the_fields(tmp_path: Path) -> None:
    own = forms.own(tmp_path)
    own.mkdir()
    mine = Document()
    mine.add_paragraph("{{ chairman }}")
    mine.save(str(own / "urge.docx"))
    with pytest.raises(Unreadable, match=r"urge\.docx: 'chairman' is undefined; fields: agency"):
        word.made(_paper(), home=tmp_path)
    (own / "urge.typ").write_text("#nothing-here")
    with pytest.raises(Unreadable, match=r"urge\.typ: unknown variable: nothing-here"):
        pdf.made(_paper(), home=tmp_path)
    (own / "urge.txt").write_text("Một dòng\nGửi {ai}\n", encoding="utf-8")
    with pytest.raises(Unreadable, match=r"urge\.txt, line 2: 'ai' is no field of this paper; there are: n"):
        forms.wording("urge", tmp_path, {"n": "1"})
    (own / "urge.docx").write_bytes(b"not a Word file")
    with pytest.raises(Unreadable, match=r"urge\.docx"):
        word.made(_paper(), home=tmp_path)


def test_the_shipped_template_is_what_its_program_makes() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    import word_template

    assert word_template.FILE.read_bytes() == word_template.made(), "run scripts/word_template.py"


@pytest.mark.django_db
def test_libreoffice_opens_the_word_paper_and_draws_its_pages(tmp_path: Path) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not on this machine")
    file = tmp_path / "paper.docx"
    file.write_bytes(word.made(_paper(annex=()), home=tmp_path))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(file)],
                   check=True, capture_output=True, timeout=120)  # fmt: skip
    drawn = text_of((tmp_path / "paper.pdf").read_bytes(), tmp_path)
    assert "Trang 1/1" in drawn and "Trần Văn Bình" in drawn and set(LETTERS) <= set(drawn)
