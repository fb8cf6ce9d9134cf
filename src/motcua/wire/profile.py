"""How a portal behaves where nobody has verified it: every such behaviour is a named switch (contract §2.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from motcua.rules.instants import Unreadable
from motcua.wire.verdict import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The switches of one portal, with the defaults of our stand-in."""

    name: str = "demo"
    session_minutes: int = 15
    expired_session_http: Literal[200, 401] = 200
    not_json_http: Literal[200, 400] = 200
    duplicate_code: Literal[3, -3, 0] = 3
    unknown_dossier: Literal["refuse", "accept"] = "refuse"  # a step or update for a dossier that is not there
    per_item_replies: bool = True
    max_batch: int = 0  # items in one call; 0: any number
    omitted_lists: Literal["keep", "clear"] = "keep"  # what an update does to a list that it leaves out
    older_steps: Literal["accept", "refuse"] = "accept"  # a step dated before one that is there
    unknown_procedure: Literal["accept", "refuse"] = "accept"  # a dossier of a procedure that is not in the catalogue
    lookup_unknown: Literal["empty", "refuse"] = "empty"  # TraCuuHoSo of a dossier that is not there
    list_service: str = ""  # lists dossiers by code, `soLuong` after `sau`; empty: the portal offers no such list
    error_code_as: Literal["number", "text"] = "number"
    fee_kinds: Literal["bill", "empty"] = "bill"  # LoaiPhiLePhi as in a payment's bill (1 phí, 2 lệ phí), or untold
    notice_statuses: tuple[int, ...] = (2, 5)  # of promotion notices; one client sends 11 for a refusal
    adapters: tuple[Literal["A", "B", "C", "D"], ...] = ("A", "B", "C", "D")  # provincial, answered too (contract §2.6)
    three_addresses: tuple[str, str, str] = ("/dongbo/themmoi", "/dongbo/capnhat", "/dongbo/tiendo")  # adapter B
    forward_to: str = ""  # collector: each message goes on to this portal, whose answer is relayed
    movable_clock: bool = True
    max_note: int = 2000
    max_person: int = 50
    max_summary: int = 1000
    max_content: int = 2000
    refuse_empty_content: bool = True
    rule: Rule = field(default_factory=Rule)
    users: Mapping[str, str] = field(default_factory=lambda: {"demo-h99": "demo-password"})
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # user → units it may send for; absent: any
    loopback_only: bool = True


_KINDS = {int: "a whole number", str: "a text", bool: "true or false"}


def from_document(document: Mapping[str, Any]) -> Profile:
    """A profile from a parsed TOML file. Raises `Unreadable`, naming the switch."""
    known = {f.name: f for f in fields(Profile)}
    hints, values = get_type_hints(Profile), dict[str, Any]()
    for name, value in document.items():
        if name not in known:
            raise Unreadable(f"profile: no switch {name!r}; there are: {', '.join(known)}")
        if name == "rule":
            rule_names = {f.name for f in fields(Rule)}
            for switch in value:
                if switch not in rule_names:
                    raise Unreadable(f"profile: no switch rule.{switch!r}; there are: {', '.join(sorted(rule_names))}")
                _check(f"rule.{switch}", value[switch], get_type_hints(Rule)[switch])
            value = Rule(**value)
        elif name == "units":
            value = {user: tuple(units) for user, units in value.items()}
        elif name in ("notice_statuses", "adapters", "three_addresses"):
            _check(name, value, hints[name])
            value = tuple(value)
        elif name != "users":
            _check(name, value, hints[name])
        values[name] = value
    if "users" in values and "loopback_only" not in values:
        values["loopback_only"] = False
    if not values.get("loopback_only", True):  # adapters carry no session, and nobody else moves our clock
        values.setdefault("adapters", ())
        values.setdefault("movable_clock", False)
    return Profile(**values)


def _check(name: str, value: Any, kind: Any) -> None:
    """Raises `Unreadable` where a switch cannot have this value: it would quietly stand for another one."""
    if not _fits(value, kind):
        told = " or ".join(map(repr, get_args(kind))) if get_origin(kind) is Literal else _KINDS.get(kind, "a list")
        raise Unreadable(f"profile: {name} = {value!r}; it is {told}")


def _fits(value: Any, kind: Any) -> bool:
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return any(type(value) is type(each) and value == each for each in parts)
    if get_origin(kind) is tuple:
        full = isinstance(value, list) and (parts[-1] is ... or len(value) == len(parts))
        return full and all(_fits(each, parts[0]) for each in value)
    return type(value) is kind and (kind is not int or value >= 0)
