"""What an act encloses: papers handed in, fees asked for, results handed out.

Codes and amounts stand openly in the log. Names, file numbers and addresses lead to a person's papers: they enter the
hash chain as salted commitments, like every other personal field, and live in the erasable table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

#: phí, lệ phí; empty where the source does not say.
FEE_KINDS = ("", "fee", "charge")
#: When a fee is collected: at acceptance, with a supplement, at the return of the result.
COLLECTED = ("", "acceptance", "supplement", "return")
#: A paper that was there already: the component of another dossier, or a result issued before.
REUSED = ("", "component", "result")
#: The longest address that is kept.
LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A fee or charge that is asked for. `amount` is whole đồng; 0: waived, or free."""

    amount: int
    name: str = ""
    code: str = ""
    kind: str = ""  # of FEE_KINDS
    collected: str = ""  # of COLLECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A document that answers the dossier. `code`: the result's in the procedure (MAKETQUA); `file`: its number in
    the sender's store; `address`: where it can be fetched."""

    name: str = ""
    code: str = ""
    component: str = ""
    file: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper that the applicant handed in. `component`: which of the procedure's papers it is."""

    name: str = ""
    component: str = ""
    file: str = ""
    address: str = ""
    digitised: bool = False
    reused: str = ""  # of REUSED
    replaces: str = ""  # the code of the result that stands in its place


Enclosed = Fee | Result | Paper
#: The lists that an event may carry, and what stands in them.
LISTS: Mapping[str, type[Enclosed]] = {"fees": Fee, "results": Result, "papers": Paper}
#: Of these, the fields that enter the chain as a commitment.
PRIVATE: Mapping[str, tuple[str, ...]] = {
    "results": ("address", "file", "name"), "papers": ("address", "file", "name"),
}  # fmt: skip
_KNOWN: Mapping[type[Enclosed], tuple[tuple[str, Any], ...]] = {
    kind: tuple((f.name, f.default if f.name != "amount" else None) for f in fields(kind)) for kind in LISTS.values()
}


def to_values(item: Enclosed) -> dict[str, Any]:
    """JSON values, defaults left out."""
    values = ((name, getattr(item, name), default) for name, default in _KNOWN[type(item)])
    return {name: value for name, value, default in values if value != default}


def from_values(kind: type[Enclosed], values: Mapping[str, Any]) -> Enclosed:
    """The value again. Keys that a newer writer added, and commitments, are passed over."""
    known = {name for name, _ in _KNOWN[kind]}
    return kind(**{name: value for name, value in values.items() if name in known})


def opened(items: tuple[Enclosed, ...], field: str, private: Mapping[str, Mapping[str, Any]]) -> tuple[Enclosed, ...]:
    """Items with their private values, given as "results.0" → values; what was erased stays empty."""
    return tuple(replace(item, **private.get(f"{field}.{n}", {})) for n, item in enumerate(items))


def fault(item: Enclosed) -> str:
    """The code of what is wrong with it, of `moves.REFUSALS`; empty where it may be kept."""
    if isinstance(item, Fee):
        if isinstance(item.amount, bool) or not isinstance(item.amount, int) or not 0 <= item.amount < 10**15:
            return "fee.bad_amount"
        if item.kind not in FEE_KINDS or item.collected not in COLLECTED:
            return "fee.unknown_kind"
        return "" if item.name or item.code else "fee.nameless"
    if item.address and not is_address(item.address):
        return "enclosure.bad_address"
    if isinstance(item, Paper) and item.reused not in REUSED:
        return "paper.unknown_reuse"
    return "" if item.name or item.component or getattr(item, "code", "") or item.file else "enclosure.nameless"


def is_address(text: str) -> bool:
    """Whether a file can be fetched from there: a web address without blanks, of a bearable length."""
    scheme, parted, rest = text.partition("://")
    return bool(
        parted and scheme.lower() in ("http", "https") and rest.strip("/") and len(text) <= LONGEST
        and not any(sign.isspace() or ord(sign) < 32 for sign in text)
    )  # fmt: skip
