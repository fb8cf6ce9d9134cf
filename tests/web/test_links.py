"""Links into source systems: http and https only, with the code in its place."""

from __future__ import annotations

import pytest

from motcua.rules.instants import Unreadable
from motcua.web import links


@pytest.mark.parametrize(
    "text",
    [
        '{"": "javascript:alert(1)//{dossier}"}',
        '{"": "ftp://example.vn/{dossier}"}',
        '{"": "//example.vn/{dossier}"}',
        '{"": "https:///{dossier}"}',
        '{"": "https://{dossier}.example.vn/"}',
        '{"": "https://example.vn/"}',
        '{"": 1}',
        "https://example.vn/{dossier}",
        "[]",
    ],
    ids=["a script", "another protocol", "no protocol", "no host", "the code as host", "no place", "no text",
         "no JSON", "no object"],
)  # fmt: skip
def test_a_pattern_that_leads_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="MOTCUA_SOURCE_LINKS"):
        links.patterns(text)


def test_a_source_has_its_own_pattern_and_the_code_is_escaped(settings: object) -> None:
    patterns = '{"": "https://mc.vn/{dossier}", "land": "http://dat.vn/?ma={dossier}", "*": "https://tim.vn/{dossier}"}'
    settings.SOURCE_LINKS = links.patterns(patterns)  # type: ignore[attr-defined]
    assert links.to("H99/1 2", "") == "https://mc.vn/H99%2F1%202"
    assert links.to("H99", "land") == "http://dat.vn/?ma=H99"
    assert links.to("H99", "civil status") == "https://tim.vn/H99"


def test_nothing_is_set_and_nothing_is_shown(settings: object) -> None:
    assert links.patterns(None) == links.patterns("") == {}
    settings.SOURCE_LINKS = {}  # type: ignore[attr-defined]
    assert links.to("H99", "") == ""
