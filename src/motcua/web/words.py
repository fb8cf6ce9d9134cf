"""Words and figures in templates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template

from motcua.web import labels

register = template.Library()


@register.filter
def so(value: Any) -> str:
    """A whole number as Vietnamese pages write it."""
    return labels.number(int(value or 0))


@register.filter
def tyle(value: float | None) -> str:
    """A rate; an empty group has no figure."""
    return labels.percent(value)


@register.filter
def luc(value: str | None) -> str:
    """An ISO instant as hour and day."""
    return f"{datetime.fromisoformat(value):%H:%M %d/%m/%Y}" if value else ""


@register.filter
def word(value: str | int | None, table: str) -> str:
    """A code in words, from one of the tables of `labels`."""
    words: dict[Any, str] = getattr(labels, table.upper())
    return words.get(value, "" if value is None else str(value))


@register.filter
def unlocalize_number(value: float) -> str:
    """A coordinate: always with a point, whatever the page's language."""
    return f"{value:g}"
