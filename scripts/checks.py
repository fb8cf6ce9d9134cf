"""Writes docs/reference/checks.md: the library of checks as it is in the code."""

from __future__ import annotations

from pathlib import Path

from motcua.inspection.checks.check import Check
from motcua.inspection.run import CHECKS
from translations import PO, Text, read

PAPER = Path(__file__).resolve().parent.parent / "docs" / "reference" / "checks.md"
#: The numbers of the catalogue of violations that the library covers.
NUMBERS = tuple(f"V-{n:02}" for n in range(1, 38))


def text() -> str:
    """The paper."""
    return "\n".join([_HEAD, *_table(), "", *(line for check in CHECKS for line in _whole(check))]).rstrip() + "\n"


_HEAD = """# The library of checks

Written by `scripts/checks.py`; `motcua checks` prints the same, `motcua checks CODE` one of them. A check sees *signs*
(dấu hiệu); whether a sign is a violation (vi phạm) a person concludes.

Every check says what it looks at, which facts it needs, and by which law. A fact that is missing makes the check *not
scanned* there: `motcua inspect` gives for each check how many it looked at, how many signs it saw, and which facts were
missing in which source. *By source* means that a source which states the fact of any dossier is held to it in all; one
that never keeps it is not scanned. Thresholds are marked *law* or *ours*; a province sets its
own value on the library's page or with `motcua checks --set`, and the page says where that is looser than the law.

*Certain* checks hold by their facts alone. *Statistical* ones compare units, officials or texts with their peers: exact
binomial tails with the rate of peers doing the same procedures, widened where all scatter more than chance explains, a
least number of cases, and a bound on the share of wrong signs among all (`level`); their confidence is 1 less the
q-value. [What they promise and how it is tried](checks-proof.md).

A province adds its own: a package with an entry point in the group `motcua.checks` that gives a
`motcua.inspection.checks.check.Check` or several. One that breaks is reported by name and stops no other.
"""


def _table() -> list[str]:
    lines = ["| number | code | severity | kind | Vietnamese title | lacks |", "|---|---|---|---|---|---|"]
    for check in sorted(CHECKS, key=lambda check: (not check.number, check.number)):
        lacks = ", ".join(f"`{fact}`" for fact in check.lacks)
        cells = (check.number, f"[`{check.code}`](#{check.code})", check.severity, check.kind, check.title, lacks)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _whole(check: Check) -> list[str]:
    english = read(PO)

    def said(words: str) -> str:
        strings = english.get(Text(words))
        return strings[0] if strings else words

    numbered = f"{check.number}, " if check.number else ""
    kind = f"{numbered}{check.severity}, {check.kind}, of a {check.concerns}"
    told = f"**{check.title}** ({kind}). {said(check.title)}. {said(check.explanation)}"
    lines = [f"### {check.code}", "", told, ""]
    for ground in check.grounds:
        since = f" from {ground.valid_from:%d/%m/%Y}" if ground.valid_from else ""
        until = f" to {ground.valid_to:%d/%m/%Y}" if ground.valid_to else ""
        lines.append(
            f"- ground: {f'{ground.text} {ground.article}'.strip()}{since}{until} ([{ground.key}](../law/README.md))"
        )
    for parameter in check.parameters:
        kind = "law" if parameter.law else "ours"
        lines.append(f"- parameter `{parameter.name}` = `{parameter.default!r}` ({kind}): {said(parameter.title)}")
    for need in check.needs:
        how = "kept nowhere yet" if need.has is None else "by source" if need.by_source else "by dossier"
        lines.append(f"- needs `{need.fact}` ({how}): {said(need.title)}")
    if check.evidence:
        lines.append(f"- evidence: {', '.join(f'`{name}`' for name in check.evidence)}")
    return [*lines, f"- remedy: `{check.remedy}`", ""]


if __name__ == "__main__":
    PAPER.write_text(text(), encoding="utf-8")
