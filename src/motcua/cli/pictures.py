"""What commands show to people: the bridge as a waterfall of text, tables, one dossier's story."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from motcua.web import labels

_WIDTH = 40


def bridge_text(document: Mapping[str, Any]) -> str:
    """The bridge, whole and by group."""
    head = (
        f"ĐỐI CHIẾU TRỄ HẠN · {labels.MEASURES[document['measure']]} · số liệu đến {_at(document['as_of'])}"
        f" · {labels.number(document['population'])} hồ sơ · cách tính {document['policy']}"
    )
    shown, recorded, true = (document[f"late_{side}"] for side in ("shown", "recorded", "true"))
    most = max(shown, recorded, true, 1)
    lines = [head, "", _total("Trên Cổng DVCQG", shown, most)]
    lines += _legs(document["causes"], "sync")
    lines.append(_total("Theo một cửa", recorded, most))
    lines += _legs(document["causes"], "record")
    lines.append(_total("Thực tế", true, most))
    beside = (
        f"chưa có chứng cứ {labels.number(document['unproven'])} · khác nhau theo cách tính "
        f"{labels.number(document['disputed'])} · không có hẹn trả {labels.number(document['no_due'])} · "
        f"chưa đủ dữ liệu {labels.number(document['not_enough_data'])}"
    )
    lines += ["", f"ngoài ra: {beside}"]
    if document["rows"]:
        lines += ["", f"{'':<44}{'hồ sơ':>8}{'Cổng':>8}{'một cửa':>9}{'thực tế':>9}"]
        lines += [
            f"{row['name'][:42]:<44}{row['population']:>8}{row['late_shown']:>8}{row['late_recorded']:>9}"
            f"{row['late_true']:>9}"
            for row in document["rows"]
        ]
    return "\n".join(lines)


def _total(title: str, value: int, most: int) -> str:
    return f"{title:<18}{labels.number(value):>8}  {'█' * round(_WIDTH * value / most)}"


def _legs(causes: list[Mapping[str, Any]], leg: str) -> list[str]:
    lines = []
    for cause in causes:
        if cause["leg"] != leg or (not cause["removed"] and not cause["added"]):
            continue
        parts = [f"− {labels.number(cause['removed'])}"] if cause["removed"] else []
        parts += [f"+ {labels.number(cause['added'])}"] if cause["added"] else []
        lines.append(f"    {labels.CAUSES[cause['cause']]:<38}{' '.join(parts):>12}")
    return lines


def rates_text(document: Mapping[str, Any]) -> str:
    """On-time figures as a table."""
    names = ("received", "finished", "early", "on_time", "late", "open", "open_overdue", "no_due")
    titles = ("tiếp nhận", "xong", "sớm", "đúng", "trễ", "đang", "quá hạn", "k.hẹn")
    lines = [
        f"{labels.SIDES[document['verdict']]} · số liệu đến {_at(document['as_of'])}",
        f"{'':<40}" + "".join(f"{title:>10}" for title in titles) + f"{'tỷ lệ':>18}",
    ]
    for row in document["rows"]:
        cells = "".join(f"{labels.number(row[name]):>10}" for name in names)
        lines.append(f"{(row['name'] or 'Tất cả')[:38]:<40}{cells}{labels.percent(row['rate']):>18}")
    return "\n".join(lines)


def findings_text(document: Mapping[str, Any]) -> str:
    """Findings, a line each; below them what differs without changing a verdict."""
    lines = [
        f"{f['severity']}  {f['dossier'] or f['subject']:<36} {_sign(f):<47} {f['agency_name']}"
        for f in document["findings"]
    ] or [f"Không có dấu hiệu nào. Quét đến {_at(document['as_of'])}."]
    if document["data_findings"]:
        lines += ["", f"Ngoài ra, không đổi kết quả trễ hạn hay đúng hạn: {len(document['data_findings'])}", ""]
        lines += [
            f"{f['severity']}  {f['dossier']:<36} {labels.DATA_CHECKS[f['check']]:<47} {f['agency_name']}"
            for f in document["data_findings"]
        ]
    unseen = [looked for looked in document["checks"] if looked["state"] == "not_scanned"]
    if unseen:
        lines += ["", f"Chưa quét được {len(unseen)} dấu hiệu (motcua checks nói vì sao):"]
        lines += [f"   {looked['check']:<28} thiếu {', '.join(looked['missing']) or '-'}" for looked in unseen]
    lines += [f"! {name}: {wrong}" for name, wrong in document["broken"].items()]
    return "\n".join(lines)


def _sign(finding: Mapping[str, Any]) -> str:
    """A sign in words: the cause in its leg, or the title of its check."""
    if finding["cause"]:
        return f"{labels.LEGS[finding['leg']]:<12} {labels.CAUSES[finding['cause']]}"
    return str(finding["title"])


def explain_text(document: Mapping[str, Any]) -> str:
    """One dossier: verdicts, sentence, minutes, timeline, certificate."""
    lines = [f"{document['dossier']} · {document['procedure_name']} · {document['agency_name']}", ""]
    for side, title in labels.SIDES.items():
        verdict = document[side]
        finished = f", kết thúc {_at(verdict['finished_at'])}" if verdict["finished_at"] else ""
        due = f" (hẹn trả {_at(verdict['due_at'])}{finished})" if verdict["due_at"] else finished
        lines.append(f"{title:<18}{labels.VERDICTS[verdict['verdict']]}{due}")
    lines += ["", document["sentence"], ""]
    for entry in document["minutes"]:
        late = f", trong đó trễ {entry['late_minutes']}" if entry["late_minutes"] else ""
        who = " · ".join(part for part in (entry["step"], entry["actor"], entry["unit"]) if part)
        lines.append(f"  {labels.OWNERS[entry['owner']]:<28}{entry['minutes']:>7} phút{late}  {who}")
    lines.append("")
    for line in document["certificate"]["explain"]:
        lines.append(f"  {line['day']}  {line['worked_minutes']:>4} phút  {line['why']}")
    return "\n".join(lines)


def _at(text: str) -> str:
    return f"{datetime.fromisoformat(text):%H:%M %d/%m/%Y}"
