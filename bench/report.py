"""Figures of a bench, printed and kept in bench/results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FOLDER = Path("bench/results")


def keep(name: str, figures: Mapping[str, Any]) -> None:
    """As a file of the bench's name, for whoever compares two runs."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    (_FOLDER / f"{name}.json").write_text(json.dumps(figures, indent=1))


def tell(name: str, figures: Mapping[str, Any]) -> None:
    """A line a figure, and the file."""
    for each, value in figures.items():
        shape = {float: ">14,.2f", int: ">14"}.get(type(value), "")
        print(f"{each:<34}{value:{shape}}")
    keep(name, figures)
