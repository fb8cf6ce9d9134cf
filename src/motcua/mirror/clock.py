"""The sandbox's clock: real time, until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class MovableClock:
    """Runs on from wherever it is put. Called, it gives the instant."""

    def __init__(self) -> None:
        self._offset = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def put(self, at: datetime) -> None:
        """Sets it to an instant."""
        self._offset = at - datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        """Moves it on, or back."""
        self._offset += by
