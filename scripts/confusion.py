"""Writes the measured part of docs/reference/checks-proof.md: what was planted against what was found.

Two provinces: the sample one, acted out over HTTP, for the causes of the bridge; the one of planted signs for every
other check. Takes some minutes: `nice .venv/bin/python scripts/confusion.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAPER = ROOT / "docs" / "reference" / "checks-proof.md"
MARK = "<!-- measured: scripts/confusion.py writes what follows -->"
DOSSIERS, SEED = 500, 2026


def main() -> None:
    """Measures and writes."""
    with tempfile.TemporaryDirectory() as scratch:
        causes = list(_causes(Path(scratch) / "demo"))
        checks = list(_checks(Path(scratch) / "signs"))
    head = PAPER.read_text(encoding="utf-8").split(MARK)[0].rstrip()
    PAPER.write_text("\n".join([head, "", MARK, "", *causes, "", *checks]) + "\n", encoding="utf-8")


# ---- the causes of the bridge ------------------------------------------------------------------------------------


def _motcua(home: Path, *words: str) -> Any:
    env = {**os.environ, "MOTCUA_HOME": str(home)}
    command = [sys.executable, "-m", "motcua.cli", *words, "--json"]
    return json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _causes(home: Path) -> Iterator[str]:
    _motcua(home, "demo", "--dossiers", str(DOSSIERS), "--seed", str(SEED), "--no-serve")
    kept = json.loads((home / "demo.json").read_text())
    found: dict[tuple[str, str, str], str] = {}
    for measure in ("all", "reception"):
        for finding in _motcua(home, "inspect", "--measure", measure, "--as-of", kept["until"])["findings"]:
            if finding["cause"]:
                found[measure, finding["dossier"], finding["leg"]] = finding["cause"]
    pairs: Counter[tuple[str, str]] = Counter()
    for fault in kept["planted"]:
        key = fault["measure"], fault["dossier"], fault["leg"]
        pairs[fault["cause"], found.pop(key, "none")] += 1
    for cause in found.values():
        pairs["none", cause] += 1
    yield "## The causes of the bridge"
    yield ""
    yield f"{DOSSIERS} dossiers of the sample province (seed {SEED}), every kind of fault at least once."
    yield "A row is a planted cause. *none* as a column is what was missed, as a row what was found where nothing was"
    yield "planted; columns stand only for what was found as something else."
    yield ""
    yield from _matrix(pairs)


def _matrix(pairs: Counter[tuple[str, str]]) -> Iterator[str]:
    rows = sorted({planted for planted, _ in pairs})
    others = sorted({found for planted, found in pairs if planted != found})
    yield f"| planted | found as itself |{''.join(f' {name} |' for name in others)} in all |"
    yield f"|---|---:|{'---:|' * len(others)}---:|"
    for row in rows:
        cells = "".join(f" {pairs[row, name] if name != row else 0} |" for name in others)
        whole = sum(count for (planted, _), count in pairs.items() if planted == row)
        yield f"| `{row}` | {pairs[row, row]} |{cells} {whole} |"
    right = sum(count for (planted, found), count in pairs.items() if planted == found)
    yield ""
    yield f"{right} of {sum(pairs.values())} on the diagonal."


# ---- every other check -------------------------------------------------------------------------------------------


def _checks(home: Path) -> Iterator[str]:
    os.environ["MOTCUA_HOME"] = str(home)
    sys.path.insert(0, str(ROOT))
    from motcua.cli.home import open_home

    opened = open_home()
    from tests import planted_signs

    from motcua.inspection.run import BY_CODE
    from motcua.oversight import scan
    from motcua.oversight.figures import Question
    from motcua.sample import signs

    planted = signs.planted()
    planted_signs.act_out(planted, opened, home)
    found = scan.scan(opened, Question(as_of=signs.UNTIL), now=signs.UNTIL)
    seen = {sign.key for sign in found.signs}
    yield "## Every other check"
    yield ""
    size = f"{len(planted.dossiers)} dossiers of {len(planted.agencies)} units"
    yield f"{size}, honest but for {len(planted.signs)} planted signs of dossiers, units, officials and procedures."
    yield ""
    yield "| check | number | kind | looked at | planted | found | missed | false |"
    yield "|---|---|---|---:|---:|---:|---:|---:|"
    totals = [0, 0, 0, 0]
    for code in dict.fromkeys(check for check in BY_CODE if check in {c for c, _ in planted.signs}):
        right, told = _of(code, planted.signs), _of(code, seen)
        counts = len(right), len(right & told), len(right - told), len(told - right)
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        check = BY_CODE[code]
        cells = (f"`{code}`", check.number, check.kind, found.looked(code).looked_at, *counts)
        yield f"| {' | '.join(map(str, cells))} |"
    yield f"| all | | | | {' | '.join(map(str, totals))} |"
    lacking = [check for check in BY_CODE.values() if check.lacks]
    yield ""
    yield "Not planted, since the facts are kept nowhere yet: " + ", ".join(
        f"`{check.code}` ({check.number}: {', '.join(check.lacks)})" for check in lacking
    ) + "."  # fmt: skip


def _of(code: str, keys: Iterable[tuple[str, str]]) -> set[str]:
    return {subject for check, subject in keys if check == code}


if __name__ == "__main__":
    main()
