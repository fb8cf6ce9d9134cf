"""What this room refuses, by codes: the doors have the words."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """Not done, and the person can act on it: a code and the facts of the case."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code, self.facts = code, facts

    def __str__(self) -> str:
        return self.code + "".join(f" {name}={value}" for name, value in self.facts.items())


#: Every code that this room refuses with; a test holds the doors' words complete.
REFUSALS = (
    "account.not_yours", "account.name", "account.name_taken", "account.email", "account.email_taken",
    "account.full_name", "account.national_id", "account.national_id_taken", "account.phone", "account.known",
    "post.role", "post.role_not_yours", "post.unit", "post.unit_unknown", "post.unit_not_yours", "post.days",
    "post.held", "post.has_ended", "post.last_administrator", "post.your_own", "post.same", "post.not_proposed",
    "deputy.same", "deputy.not_of_the_unit", "deputy.of_a_deputy", "deputy.outside", "password.short",
    "password.common", "password.digits", "password.yours", "password.again", "invitation.dead", "invitation.email",
    "roster.none", "roster.taken", "roster.nothing", "factor.code", "factor.none", "factor.key", "tries.wait",
)  # fmt: skip
