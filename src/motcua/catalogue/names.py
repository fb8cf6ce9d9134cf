"""The unit map: under which names and codes other systems know our agencies."""

from __future__ import annotations

from collections.abc import Callable

from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, AgencyName
from motcua.wire.codes import agency_forms


def resolver() -> Callable[[str], str]:
    """A function from a unit's name or code to the agency's code; empty where nobody has said.

    Read once for many names. An unresolved name is a data finding, not a guess.
    """
    by_name: dict[str, str] = {}
    for code, name in Agency.objects.values_list("code", "name"):
        by_name.setdefault(fold(name), code)
        for form in agency_forms(code):
            by_name.setdefault(fold(form), code)
    by_name.update(AgencyName.objects.values_list("name", "agency_id"))
    found: dict[str, str] = {}

    def resolve(name: str) -> str:
        if name not in found:
            found[name] = by_name.get(fold(name), "")
        return found[name]

    return resolve
