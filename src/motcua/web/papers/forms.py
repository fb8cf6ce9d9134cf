"""Where a paper's template and wording lie: the province's own file first, then the one that is shipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from motcua.rules.instants import Unreadable
from motcua.web.papers.paper import Block, Heading, Items, NewPage, Paragraph

SHIPPED = Path(__file__).resolve().parent / "forms"
#: The form whose look serves every paper without one of its own.
LETTER = "letter"


def own(home: Path) -> Path:
    """The folder of the province's own templates and wordings."""
    return home / "templates"


def template(form: str, kind: str, home: Path) -> Path:
    """The template of a form: `kind` is `docx` or `typ`."""
    for name in (form, LETTER):
        for folder in (own(home), SHIPPED):
            if (file := folder / f"{name}.{kind}").is_file():
                return file
    raise FileNotFoundError(form)


def wording(
    form: str, home: Path, facts: Mapping[str, str], blocks: Mapping[str, Sequence[Block]] | None = None
) -> list[Block]:
    """The text of a form with its fields filled in. Raises `Unreadable` naming file and line.

    A line is a paragraph; `# ` begins a heading, `## ` one below it, `- ` a point, `= ` a bold line in the middle,
    `> ` a small note, `[name]` stands for blocks of that name, `---` begins a new page, `{name}` for a field.
    `?name ` before a line keeps it only where the field has a value.
    """
    file = next(f for f in (own(home) / f"{form}.txt", SHIPPED / f"{form}.txt") if f.is_file())
    found: list[Block] = []
    points: list[str] = []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Unreadable(f"{file}: the wording is not UTF-8 text; save it as UTF-8") from None
    for number, line in enumerate(lines, 1):
        try:
            made = list(_line(line.strip(), facts, blocks or {}))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            known = ", ".join(sorted([*facts, *(f"[{name}]" for name in blocks or {})]))
            raise Unreadable(f"{file}, line {number}: {error} is no field of this paper; there are: {known}") from None
        for block in made:
            if isinstance(block, str):
                points.append(block)
                continue
            if points:
                found.append(Items(tuple(points)))
                points = []
            found.append(block)
    if points:
        found.append(Items(tuple(points)))
    return found


def _line(line: str, facts: Mapping[str, str], blocks: Mapping[str, Sequence[Block]]) -> Iterator[Block | str]:
    """The blocks of a line; a text is a point of a list."""
    if line.startswith("?"):
        name, _, line = line[1:].partition(" ")
        if not facts[name]:
            return
    if not line or line.startswith("//"):
        return
    if line.startswith("[") and line.endswith("]"):
        yield from blocks[line[1:-1]]
        return
    mark, _, rest = line.partition(" ")
    text = (rest if mark in _MARKS else line).format_map(facts)
    match mark:
        case "#":
            yield Heading(text)
        case "##":
            yield Heading(text, 2)
        case "-":
            yield text
        case "=":
            yield Paragraph(text, "centre")
        case ">":
            yield Paragraph(text, "note")
        case "---":
            yield NewPage()
        case _:
            yield Paragraph(text)


_MARKS = ("#", "##", "-", "=", ">", "---")
