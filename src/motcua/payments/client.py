"""The gateway over HTTP, from the province's side."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import httpx2 as httpx

from motcua.mirror.client import PortalUnreachable
from motcua.mirror.gateway import PAYMENT
from motcua.payments.models import PaymentMessage
from motcua.wire import payments
from motcua.wire.gateway import Gateway
from motcua.wire.messages import read_json
from motcua.wire.payments import Answer, Start


class GatewayClient:
    """One gateway. Every message is kept raw before it is sent."""

    def __init__(self, gateway: Gateway, *, timeout_s: float = 30.0) -> None:
        self.gateway = gateway
        self._http = httpx.Client(timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def start(self, start: Start, *, at: datetime) -> Answer:
        """Begins a payment. Raises `PortalUnreachable`, `BadPayment`."""
        return self._send(start.reference, payments.build_start(start, self.gateway), at)

    def ask(self, kind: Literal["QUERY", "GET_BILL"], reference: str, *, at: datetime) -> Answer:
        """Asks about a payment, or for its receipt. Raises `PortalUnreachable`, `BadPayment`."""
        return self._send(reference, payments.build_ask(kind, reference, at, self.gateway), at)

    def _send(self, reference: str, document: dict[str, object], at: datetime) -> Answer:
        body = payments.as_body(document)
        raw = PaymentMessage.objects.create(at=at, incoming=False, reference=reference, body=body)
        try:
            reply = self._http.post(
                self.gateway.url.rstrip("/") + PAYMENT, content=body, headers={"Content-Type": "application/json"}
            )
        except httpx.HTTPError as error:
            raise PortalUnreachable(f"{self.gateway.url}: {type(error).__name__}: {error}") from None
        raw.reply = reply.text[:20_000]
        raw.save(update_fields=["reply"])
        if reply.status_code >= 500:
            raise PortalUnreachable(f"{self.gateway.url}: HTTP {reply.status_code}")
        return payments.parse_answer(read_json(reply.content))
