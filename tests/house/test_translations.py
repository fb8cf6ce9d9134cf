"""Every word of the screen is marked, every marked text is translated, and what is compiled is what is written."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import translations  # noqa: E402

_FIELDS = re.compile(r"%\(\w+\)s|\{[^{}]*\}|</?\w+>")
_VIETNAMESE = re.compile("[À-ỹđĐ]")
_SPOKEN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.S)
_BLOCK = re.compile(r"\{% blocktranslate.*?\{% endblocktranslate %\}", re.S)


def test_every_marked_text_has_its_english() -> None:
    known = translations.read(translations.PO)
    assert set(known) == set(translations.wanted()), "run scripts/translations.py"
    assert [text.source for text, strings in known.items() if not all(strings)] == []
    for text, strings in known.items():
        for source, string in zip((text.source, text.plural or text.source), strings, strict=False):
            left = set(_FIELDS.findall(string))
            assert left <= set(_FIELDS.findall(source)), string
            if not text.plural:  # the singular may say "one"
                assert left == set(_FIELDS.findall(source)), string


def test_no_translation_is_left_in_vietnamese() -> None:
    for text, strings in translations.read(translations.PO).items():
        assert not any(_VIETNAMESE.search(string) for string in strings), text.source


def test_what_is_compiled_is_what_is_written() -> None:
    made = translations.compiled(translations.read(translations.PO))
    assert translations.MO.read_bytes() == made, "run scripts/translations.py"


def test_templates_say_nothing_without_a_mark() -> None:
    for path, page in translations.templates():
        bare = _SPOKEN.sub("", _BLOCK.sub("", page)).replace(">Tiếng Việt<", "><")
        assert not _VIETNAMESE.search(bare), (path.name, _VIETNAMESE.search(bare))


def test_modules_say_nothing_without_a_mark() -> None:
    own = {"settings.py", "gateway.py"}  # the languages under their own names; what one machine says to another
    for path, tree in translations.modules():
        if path.name in own or ("web" not in path.parts and path.name not in {"explain.py", "clock.py"}):
            continue
        marked = {part for text in translations.marked(tree) for part in (text.source, text.plural)}
        for text in _spoken(tree):
            assert text in marked or not _VIETNAMESE.search(text), (path.name, text)


def _spoken(tree: ast.Module) -> Iterator[str]:
    """The strings of a module but its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


@pytest.mark.parametrize("source", ['msgid "a"\nmsgstr "b"', 'msgid ""\n"a "\n"b"\nmsgstr "c \\"d\\" é"'])
def test_a_written_text_is_read_as_it_was(source: str, tmp_path: Path) -> None:
    file = tmp_path / "django.po"
    file.write_text(source)
    once = translations.read(file)
    file.write_text(translations.written(once, {text: ["x"] for text in once}))
    assert translations.read(file) == once
    assert len(once) == 1
