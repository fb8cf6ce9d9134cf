"""/metrics for Prometheus: shut but to listed addresses, or to whoever shows the token."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from motcua.exchange import overview
from motcua.exchange.models import Delivery
from motcua.jobs import lease
from motcua.mirror import watch


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of now; 403 to anybody else, also where nothing is set."""
    if not _may_read(request):
        return HttpResponse("not for this address\n", status=403, content_type="text/plain; charset=utf-8")
    registry = CollectorRegistry()
    registry.register(Figures(timezone.now()))
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read(request: HttpRequest) -> bool:
    listed = [host for host in os.environ.get("MOTCUA_METRICS_HOSTS", "").split(",") if host]
    if request.META.get("REMOTE_ADDR") in listed:
        return True
    file = os.environ.get("MOTCUA_METRICS_TOKEN_FILE")
    token = Path(file).read_text().strip() if file else ""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and secrets.compare_digest(token.encode(), given.encode())


class Figures(Collector):
    """What Prometheus reads: spans in seconds, counts as gauges, since what is sent can wait again."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: the names stand in the reference."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """The families, as they stand now."""
        report = overview.report(now=self.now)
        read, today = report["read_back"], report["today"]
        yield _family("deliveries", "events by what became of their message", "state",
                      {state: report[state] for state in Delivery.State.values})  # fmt: skip
        yield _single("oldest_waiting_seconds", "age of the oldest undelivered event", report["oldest_waiting_s"] or 0)
        yield _family("messages_today", "messages since midnight by outcome", "outcome",
                      {name: today[name] for name in ("taken", "refused", "in_vain")})  # fmt: skip
        yield _single("late_because_of_us", "dossiers that the portal will show late within 24 hours only because "
                      "something waits here", len(report["late_because_of_us"]))  # fmt: skip
        yield _family("portal_up", "1 while the circuit is closed", "url",
                      {each["url"]: int(each["state"] == "closed") for each in report["circuits"]})  # fmt: skip
        yield _family("sender_silence_seconds", "since the last dossier message at the collector", "sender",
                      {each["sender"]: each["silence_s"] for each in report["sources"]})  # fmt: skip
        yield _family("sender_silent", "1 where messages are missing by the sender's own habit", "sender",
                      {each["sender"]: int(bool(each["silent"])) for each in report["sources"]})  # fmt: skip
        gap = next((gap for gap in watch.gaps(self.now, self.now) if gap.until is None), None)
        yield _single("collector_away_seconds", "since the collector last gave a sign of life; 0 while it runs, or "
                      "where none ever ran", (self.now - gap.since).total_seconds() if gap else 0)  # fmt: skip
        yield _single("open_dossiers", "open dossiers that read-back knows", read["open"])
        yield _single("open_dossiers_read_back", "of these, read back within 24 hours", read["open_seen_in_a_day"])
        yield _single("differing_dossiers", "dossiers that the portal shows otherwise", read["dossiers_differing"])
        yield _family("tickets", "tickets that are not closed", "owner_kind", report["tickets"]["by_owner"])
        by_kind: dict[str, int] = {}
        for alert in report["alerts"]:
            if alert["acknowledged_at"] is None:
                by_kind[alert["kind"]] = by_kind.get(alert["kind"], 0) + 1
        yield _family("alerts", "alerts that nobody has acknowledged", "kind", by_kind)
        jobs = lease.health(now=self.now)
        ages = {job["name"]: job["heartbeat_age_s"] for job in jobs}
        yield _family("job_heartbeat_age_seconds", "since a job of the worker last ended", "job",
                      {name: age for name, age in ages.items() if age is not None})  # fmt: skip
        yield _family("job_failures", "failed runs of a job in a row", "job",
                      {job["name"]: job["failures"] for job in jobs})  # fmt: skip


def _single(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"motcua_{name}", text, value=value)


def _family(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"motcua_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
