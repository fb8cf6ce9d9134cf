"""E-mail of the house, by the server of the settings; a training house sends none, not even to this machine's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from django.core.mail.backends.smtp import EmailBackend

from motcua.catalogue import training


class Backend(EmailBackend):
    """Django's own, behind the rule that nothing leaves a training house."""

    def open(self) -> bool | None:
        """Opens the connection; a training house has none."""
        return None if training.is_on() else super().open()

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """How many were sent; in a training house all count as sent, so that exercises go on as in earnest."""
        if training.is_on():
            structlog.get_logger("motcua.training").info("no e-mail leaves a training house", kept=len(email_messages))
            return len(email_messages)
        return int(super().send_messages(email_messages) or 0)
