"""Petitions: refused, asked about, answered and published in time (law paper §3.2, 5.2)."""

from __future__ import annotations

from collections import defaultdict

import narwhals as nw

from motcua.inspection.checks import grounds
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts
from motcua.inspection.petitions import Petition
from motcua.inspection.signs import Sign

_DAY = 86_400


def _over(petition: Petition, given: Given) -> int:
    """By how many working days a petition is late; 0 where it is not."""
    limits = {
        "refused": given.number("refuse_workdays"), "asked": given.number("ask_workdays"),
        "answered": given.number("answer_workdays"), "waiting": given.number("answer_workdays"),
        "published": given.number("publish_workdays"),
    }  # fmt: skip
    # Once more was asked, the answer waits for the person.
    waits = "asked" in petition.days
    return max(
        (days - limits[name] for name, days in petition.days.items() if not (waits and name == "answered")), default=0
    )


def _late(facts: Facts, given: Given) -> Found:
    """Agencies with petitions that were late, of those received in the period or the last days."""
    if facts.petitions is None:
        return Found((), 0, {"petitions": 1})
    scope = facts.scope
    start = scope.as_of - given.number("window_days") * _DAY if scope.start is None else scope.start
    of_agency: dict[str, list[Petition]] = defaultdict(list)
    for petition in facts.petitions:
        if start <= petition.received_s < (scope.as_of if scope.end is None else scope.end) and petition.days:
            of_agency[petition.agency].append(petition)
    signs = []
    for agency, held in sorted(of_agency.items()):
        late = sorted((-over, petition.code) for petition in held if (over := _over(petition, given)) > 0)
        if late:
            signs.append(
                Sign(check="petition_late", subject=agency, kind="unit", agency=agency,
                     evidence={"late_petitions": len(late), "out_of": len(held), "worst_petition": late[0][1],
                               "workdays_over": -late[0][0]})
            )  # fmt: skip
    return Found(signs, len(of_agency))


def _limit(name: str, workdays: int, title: str) -> Parameter:
    return Parameter(name=name, default=workdays, law=True, looser="higher", title=title)


CHECKS: tuple[Check, ...] = (
    Check(
        code="petition_late", number="V-31", severity="B", remedy="instruct_staff", concerns="unit",
        title="Chậm xử lý phản ánh, kiến nghị",
        explanation="Đơn vị có phản ánh, kiến nghị quá hạn: từ chối quá 2 ngày làm việc, yêu cầu bổ sung quá 5, trả lời"
        " quá 15, công khai quá 2 sau khi trả lời. Đã chuyển đơn vị khác thì không xét; đang chờ người dân bổ sung thì"
        " chưa tính hạn trả lời.",
        grounds=(grounds.INDEX,), evidence=("late_petitions", "out_of", "worst_petition", "workdays_over"),
        parameters=(
            _limit("refuse_workdays", 2, "ngày làm việc để từ chối"),
            _limit("ask_workdays", 5, "ngày làm việc để hỏi thêm"),
            _limit("answer_workdays", 15, "ngày làm việc để trả lời"),
            _limit("publish_workdays", 2, "ngày làm việc để công khai câu trả lời"),
            Parameter(name="window_days", default=365, law=False, least=1,
                      title="số ngày gần nhất được xét khi không hỏi theo kỳ"),
        ),
        needs=(Need(fact="petitions", title="phản ánh, kiến nghị", has=lambda: nw.lit(value=True)),),
        signs=_late,
    ),
)  # fmt: skip
