"""Words, figures and shapes in templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from motcua.web import labels, links
from motcua.web.collector import words as collector_words
from motcua.web.console import sync_words
from motcua.web.evidence import words as evidence_words
from motcua.web.findings import words as finding_words

register = template.Library()


@register.filter
def number(value: Any) -> str:
    """A whole number as Vietnamese pages write it."""
    return labels.number(int(value or 0))


@register.filter
def dossiers(count: int) -> str:
    """So many dossiers, in words."""
    return labels.dossiers(count)


@register.filter
def signs(count: int) -> str:
    """So many signs, in words."""
    return labels.signs(count)


@register.filter
def rate(value: float | None) -> str:
    """A rate; an empty group has no figure."""
    return labels.percent(value)


@register.filter
def moment(value: str | None) -> str:
    """An ISO instant as hour and day."""
    return labels.instant(value)


@register.filter
def stamp(value: str | None) -> str:
    """An ISO instant in a table: the day first, so that columns line up."""
    return labels.stamp(value)


@register.filter
def day(value: str) -> str:
    """An ISO day with its weekday."""
    return labels.day(value)


@register.filter
def worked(minutes: int) -> str:
    """Working minutes as days, hours and minutes."""
    return labels.worked(minutes)


@register.filter
def word(value: str | int | None, table: str) -> str:
    """A code in words, from one of the tables of `labels`."""
    words: Mapping[Any, str] = getattr(labels, table.upper())
    return words.get(value, "" if value is None else str(value))


@register.filter
def point(value: float) -> str:
    """A coordinate: always with a point, whatever the page's language."""
    return f"{value:g}"


@register.filter
def period(text: str) -> str:
    """A reporting period in words."""
    return labels.period(text)


@register.filter
def ago(seconds: int) -> str:
    """An age in words."""
    return labels.ago(seconds)


@register.filter
def at(values: Any, index: int) -> Any:
    """One of a list."""
    return values[index]


@register.filter
def row_of(index: int) -> int:
    """Where the n-th of three thin bars lies."""
    return 1 + 7 * index


@register.filter
def in_source(row: Mapping[str, Any]) -> str:
    """The address of a dossier in the system that it lives in; empty where none is set, or only the portal has it."""
    absent = "missing_here" in (row.get("cause"), row.get("sync_cause"), row.get("causes", {}).get("sync"))
    return "" if absent else links.to(row["dossier"], row["source"] or "")


@register.filter
def sync_word(value: str | None, table: str) -> str:
    """A code of the synchronisation in words, from one of the tables of `sync_words`."""
    words: Mapping[Any, str] = getattr(sync_words, table)
    return words.get(value, str(value or ""))


@register.filter
def evidence_word(value: str | None, table: str) -> str:
    """A code of an evidence pack in words, from one of the tables of `evidence.words`."""
    words: Mapping[Any, str] = getattr(evidence_words, table)
    return words.get(value, str(value or ""))


@register.filter
def collector_word(value: str | None, table: str) -> str:
    """A code of the collector in words, from one of the tables of `collector.words`."""
    words: Mapping[Any, str] = getattr(collector_words, table)
    return words.get(value, str(value or ""))


@register.filter
def finding_word(value: str | None, table: str) -> str:
    """A code of a finding in words, from one of the tables of `findings.words`."""
    words: Mapping[Any, str] = getattr(finding_words, table)
    return words.get(value, str(value or ""))


@register.filter
def findings(count: int) -> str:
    """So many findings, in words."""
    return finding_words.findings(count)


@register.filter
def units(count: int) -> str:
    """So many units, in words."""
    return finding_words.units(count)


@register.filter
def hour(at: Any) -> str:
    """An instant as hour and day."""
    return sync_words.hour(at)


@register.filter
def age(seconds: int | None) -> str:
    """An age in words, in days where it is long."""
    return sync_words.age(seconds)


@register.filter
def per_hour(value: float | None) -> str:
    """A rate in an hour."""
    return sync_words.rate(value)


@register.filter
def messages_of(count: int) -> str:
    """So many messages, in words."""
    return sync_words.messages(count)


@register.filter
def alert(row: Mapping[str, Any]) -> str:
    """An alert in a sentence."""
    return sync_words.alert(row["kind"], row["subject"], row["facts"])


@register.simple_tag
def shape(name: str) -> SafeString:
    """The shape of a state, from the sprite at the top of the page."""
    return format_html('<svg class="mark {0}" aria-hidden="true"><use href="#shape-{0}"/></svg>', name)
