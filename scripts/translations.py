"""Brings locale/en up to date with the marked texts, and compiles it: no gettext tools are needed.

Run after a text changed: new texts appear in django.po without a translation, texts that are gone go. Write the
translation, run again: django.mo is made anew. tests/house/test_translations.py holds the two complete.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from motcua.inspection.run import CHECKS
from motcua.rules.policies import POLICIES
from motcua.rules.public_holidays import DAYS
from motcua.rules.workdays import WEEKDAYS

SOURCE = Path(__file__).resolve().parent.parent / "src" / "motcua"
LOCALE = SOURCE / "web" / "locale" / "en" / "LC_MESSAGES"
PO, MO = LOCALE / "django.po", LOCALE / "django.mo"
#: Rooms whose words reach the screen; the command line speaks to operators and is not translated.
ROOMS = ("rules", "oversight", "web")
HEADER = (
    "Project-Id-Version: motcua\nLanguage: en\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
    "Content-Transfer-Encoding: 8bit\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
)
_TAG = re.compile(r'\{% translate "([^"]*)" %\}|\{% blocktranslate[^%]*%\}(.*?)\{% endblocktranslate %\}', re.S)
_FIELD = re.compile(r"\{\{ (\w+) \}\}")


@dataclass(frozen=True, slots=True)
class Text:
    """A marked text; `plural` where it counts something."""

    source: str
    plural: str = ""


def templates() -> Iterator[tuple[Path, str]]:
    """The templates of the web."""
    for file in sorted((SOURCE / "web" / "templates").rglob("*")):
        if file.is_file():
            yield file, file.read_text(encoding="utf-8")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """The modules whose texts are translated."""
    for room in ROOMS:
        for file in sorted((SOURCE / room).rglob("*.py")):
            yield file, ast.parse(file.read_text(encoding="utf-8"))


def marked(tree: ast.AST) -> Iterator[Text]:
    """The texts that a module marks: arguments of gettext, ngettext and say, values of Words."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
            continue
        match node.func.id:
            case "gettext" | "say":
                yield from (Text(text) for text in _constants(node.args[0]))
            case "ngettext":
                yield Text(*(text for argument in node.args[:2] for text in _constants(argument)))
            case "Words" if isinstance(node.args[0], ast.Dict):
                yield from (Text(text) for value in node.args[0].values for text in _constants(value))


def _constants(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def check_words() -> Iterator[str]:
    """What the library of checks says: titles, explanations, parameters, facts needed."""
    for check in CHECKS:
        yield from (check.title, check.explanation)
        yield from (parameter.title for parameter in check.parameters)
        yield from (need.title for need in check.needs)


def wanted() -> dict[Text, list[str]]:
    """Every marked text with the files that have it, in the order of the files."""
    found: dict[Text, list[str]] = {}

    def add(text: Text, file: str) -> None:
        places = found.setdefault(text, [])
        if file not in places:
            places.append(file)

    for path, page in templates():
        for tag, block in _TAG.findall(page):
            add(Text(tag or _FIELD.sub(r"%(\1)s", block)), path.relative_to(SOURCE).as_posix())
    for path, tree in modules():
        for text in marked(tree):
            add(text, path.relative_to(SOURCE).as_posix())
    for title in (policy.title for policy in POLICIES.values()):
        add(Text(title), "rules/policies.py")
    for words in check_words():
        add(Text(words), "inspection/checks")
    for title in (*WEEKDAYS, *(day.title for day in DAYS)):  # tables, read without a mark
        add(Text(title), "rules/public_holidays.py" if title not in WEEKDAYS else "rules/workdays.py")
    return found


# ---- the two formats ---------------------------------------------------------------------------------------------


def read(path: Path) -> dict[Text, list[str]]:
    """A .po file: each text with its translation, or two where it counts."""
    found: dict[Text, list[str]] = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        parts: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            head = re.match(r'(msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$', line)
            if head:
                name = head[1]
                parts[name] = ast.literal_eval(head[2])
            elif line.startswith('"'):
                parts[name] += ast.literal_eval(line)
        if parts.get("msgid"):
            strings = [value for key, value in parts.items() if key.startswith("msgstr")]
            found[Text(parts["msgid"], parts.get("msgid_plural", ""))] = strings
    return found


def written(translations: dict[Text, list[str]], places: dict[Text, list[str]]) -> str:
    """The same as the text of a .po file."""
    blocks = ["\n".join(['msgid ""', 'msgstr ""', *(_quoted(line + "\n") for line in HEADER.splitlines())])]
    for text, files in places.items():
        lines = [f"#: {file}" for file in files] + [f"msgid {_quoted(text.source)}"]
        strings = translations.get(text, [""])
        if text.plural:
            lines.append(f"msgid_plural {_quoted(text.plural)}")
            lines += [f"msgstr[{n}] {_quoted(string)}" for n, string in enumerate((*strings, "")[:2])]
        else:
            lines.append(f"msgstr {_quoted(strings[0])}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def compiled(translations: dict[Text, list[str]]) -> bytes:
    """The .mo file: a sorted table of sources, one of translations, then the texts (GNU gettext manual §10.3)."""
    pairs = {"": HEADER} | {
        text.source + (f"\0{text.plural}" if text.plural else ""): "\0".join(strings)
        for text, strings in translations.items()
        if all(strings)
    }
    entries = sorted((source.encode(), target.encode()) for source, target in pairs.items())
    count, start = len(entries), 28
    offset = start + 16 * count
    tables: list[bytes] = []
    texts = b""
    for column in (0, 1):
        for entry in entries:
            tables.append(struct.pack("<2I", len(entry[column]), offset + len(texts)))
            texts += entry[column] + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, count, start, start + 8 * count, 0, 0) + b"".join(tables) + texts


def main() -> None:
    """Writes both files; says what is left to translate."""
    LOCALE.mkdir(parents=True, exist_ok=True)
    known = read(PO) if PO.exists() else {}
    places = wanted()
    kept = {text: known.get(text, [""] * (2 if text.plural else 1)) for text in places}
    PO.write_text(written(kept, places), encoding="utf-8")
    MO.write_bytes(compiled(kept))
    missing = [text.source for text, strings in kept.items() if not all(strings)]
    print(f"{len(kept)} texts, {len(missing)} without a translation")
    for source in missing:
        print(f"  {source}")
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
