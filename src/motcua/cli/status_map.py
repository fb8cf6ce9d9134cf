"""`motcua exchange status-map …`: the map of statuses, shown and proved."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail

if TYPE_CHECKING:
    from motcua.exchange.status_map import StatusMap
    from motcua.exchange.status_proof import Act, Break, Proof
    from motcua.rules.dossier import Status

FAULTS = {
    "unmapped": "chưa ánh xạ",
    "ended_there": "ở một cửa còn xử lý mà trên Cổng đã kết thúc",
    "open_there": "ở một cửa đã kết thúc mà trên Cổng còn xử lý",
    "says_otherwise": "trạng thái trên Cổng nói khác trạng thái của hồ sơ",
    "unlawful": "Cổng không có bước chuyển này",
}


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command beside the other verbs of `motcua exchange`."""
    acts = verbs.add_parser(
        "status-map", help="which national status each event carries: shown, proved"
    ).add_subparsers(metavar="ACT", required=True)
    for act, text in (("check", "prove a map over every order of acts"), ("show", "print a map")):
        command = acts.add_parser(act, help=text)
        command.add_argument("file", metavar="FILE.toml", nargs="?", type=Path, help="default: the map in use")
        command.set_defaults(run=_check if act == "check" else _show)
        if act == "show":
            command.add_argument("--toml", action="store_true", help="as a file to change and to check")
        else:
            command.add_argument(
                "--seen", type=Path, metavar="FILE", help="words that a source used, one a line or a column of a table"
            )
            command.add_argument("--column", metavar="NAME", help="the column of --seen that holds the words")


def _rules(file: Path | None) -> StatusMap:
    """The map that is asked for, not yet proved. Opens the home: words and catalogue come from there."""
    from motcua.cli.home import open_home
    from motcua.exchange import status_map

    open_home()

    path = file or status_map.named()
    return status_map.read(path) if path else status_map.NATIONAL


def _show(args: argparse.Namespace) -> int:
    from motcua.exchange.status_map import STANDING, written

    rules = _rules(args.file)
    document = {
        "name": rules.name,
        "events": {kind: value if value == STANDING else int(value) for kind, value in rules.events.items()},
        "steps": [{"procedure": of, "step": step, "status": int(s)} for (of, step), s in rules.steps.items()],
        "exceptions": [{"from": int(a), "to": int(b), "because": why} for (a, b), why in rules.exceptions.items()],
        "words": {word: {"state": w.state, "status": int(w.status)} for word, w in rules.words.items()},
    }
    answer(args, document, lambda: written(rules).rstrip("\n") if args.toml else "\n".join(_lines(rules)))
    return DONE


def _lines(rules: StatusMap) -> Iterable[str]:
    from motcua.exchange.status_map import STANDING
    from motcua.rules.dossier import Status
    from motcua.web import labels

    yield f"Ánh xạ trạng thái {rules.name}"
    for kind, value in rules.events.items():
        said = "theo trạng thái của hồ sơ" if value == STANDING else _status(Status(int(value)))
        yield f"  {labels.KINDS[kind]:<32} {said}"
    for (procedure, step), status in rules.steps.items():
        yield f"  bước “{step}” {f'của {procedure} ' if procedure else ''}→ {_status(status)}"
    for word, meant in rules.words.items():
        yield f"  “{word}” ({meant.state}) → {_status(meant.status)}"
    for (before, after), why in rules.exceptions.items():
        yield f"  ngoại lệ {int(before)} → {int(after)}: {why}"


def _check(args: argparse.Namespace) -> int:
    from motcua.exchange import status_proof

    rules = _rules(args.file)
    seen = _seen(args.seen, args.column) if args.seen else []
    if seen and not rules.words:
        fail(f"{args.file or 'the map in use'}: has no [words] to hold {args.seen} against")
    unmapped = [word for word in seen if word not in rules.words]
    processes = _processes()
    proofs = list(status_proof.proofs(rules, processes)) if rules.events else []
    audited = status_proof.audit(rules) if rules.words else None
    found = [proof for _, proof in proofs] + ([audited] if audited else [])
    breaks = sorted({b for proof in found for b in proof.breaks}, key=lambda b: (len(b.way), b.fault, str(b.way)))
    used = {move: way for proof in found for move, way in proof.exceptions_used.items()}
    unused = [move for move in rules.exceptions if move not in used]
    strangers = _strangers(rules, processes)
    document = {
        "name": rules.name,
        "holds": not breaks,
        "processes": len(processes),
        "kinds_of_process": len(proofs),
        "states": sum(proof.states for proof in found),
        "moves": sum(proof.moves for proof in found),
        "breaks": [_broken(b) for b in breaks],
        "exceptions": [{"from": int(a), "to": int(b), "way": _way(way)} for (a, b), way in used.items()],
        "exceptions_unused": [[int(a), int(b)] for a, b in unused],
        "steps_unknown": strangers,
        "words_unmapped": unmapped,
        "states_without_word": list(audited.without_word) if audited else [],
    }
    answer(args, document, lambda: "\n".join(_verdict(document, breaks, found)))
    return FALLS_SHORT if breaks or unmapped or strangers or unused else DONE


def _seen(file: Path, column: str | None) -> list[str]:
    """The words in a file, each once, in the order of their first use."""
    from motcua.dossiers.importing import sources
    from motcua.wire.messages import text_of

    if column is None:
        try:
            words: Iterable[Any] = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            fail(f"{file}: cannot be read as text: {error}; a table needs --column")
    else:
        rows = [row for _, row in sources.table(file)]
        if rows and column not in rows[0]:
            fail(f"{file}: no column {column!r}; there are: {', '.join(rows[0])}")
        words = [row[column] for row in rows]
    return [word for word in dict.fromkeys(text_of(word) for word in words) if word]


def _processes() -> dict[str, list[str]]:
    """The steps of every internal process of the catalogue, by procedure."""
    from motcua.catalogue.models import ProcessStep

    found: dict[str, list[str]] = {}
    rows = ProcessStep.objects.order_by("procedure", "order").values_list("procedure_id", "name")
    for procedure, name in rows.iterator():
        found.setdefault(procedure, []).append(name)
    return found


def _strangers(rules: StatusMap, processes: Mapping[str, Sequence[str]]) -> list[str]:
    """Steps that the map names and no internal process has; an empty catalogue says nothing."""
    if not processes:
        return []
    anywhere = {name for steps in processes.values() for name in steps}
    return [
        f"{of}: {step}" if of else step
        for of, step in rules.steps
        if step not in (processes.get(of, ()) if of else anywhere)
    ]


def _status(status: Status | None) -> str:
    from motcua.web import labels

    return "–" if status is None else f"{int(status)} {labels.STATUSES[int(status)]}"


def _way(way: Sequence[Act]) -> list[dict[str, Any]]:
    return [{"kind": a.kind, "named": a.named, "status": None if a.status is None else int(a.status)} for a in way]


def _broken(broken: Break) -> dict[str, Any]:
    return {
        "fault": str(broken.fault), "state": broken.state, "from": broken.before and int(broken.before),
        "to": broken.after and int(broken.after), "way": _way(broken.way),
    }  # fmt: skip


def in_words(way: Sequence[Act]) -> str:
    """A way as people say it: what happened, and what the portal was told."""
    from motcua.web import labels

    def said(act: Act) -> str:
        named = f" “{act.named}”" if act.named and act.named != "–" else ""
        return f"{labels.KINDS[act.kind].lower()}{named} ({'–' if act.status is None else int(act.status)})"

    return " → ".join(said(act) for act in way)


def _verdict(document: dict[str, Any], breaks: Sequence[Break], found: Sequence[Proof]) -> Iterable[str]:
    yield (
        f"{document['name']}: đã duyệt hết {document['states']} trạng thái, {document['moves']} bước chuyển: "
        + ("không có chỗ hỏng" if not breaks else f"{len(breaks)} chỗ hỏng")
    )
    if document["processes"]:
        yield f"  {document['processes']} quy trình nội bộ của danh mục, {document['kinds_of_process']} dạng"
    for broken in breaks:
        yield f"  ▲ {FAULTS[broken.fault]}: {_status(broken.before)} → {_status(broken.after)}"
        yield f"    {in_words(broken.way)}"
    for proof in found:
        for (before, after), way in proof.exceptions_used.items():
            yield f"  ngoại lệ {int(before)} → {int(after)}: {in_words(way)}"
    for before, after in document["exceptions_unused"]:
        yield f"  ngoại lệ {before} → {after} không bao giờ dùng đến: bỏ đi"
    for step in document["steps_unknown"]:
        yield f"  không quy trình nội bộ nào có bước “{step}”"
    for word in document["words_unmapped"]:
        yield f"  chưa ánh xạ: “{word}”"
    if document["states_without_word"]:
        yield f"  nguồn không có từ nào cho: {', '.join(document['states_without_word'])}"
