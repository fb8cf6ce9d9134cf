"""Server processes of a bench."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.served import running


@contextmanager
def answering(command: list[str], port: int, **env: str) -> Iterator[str]:
    """The address of a process, from its first answer to the end of the block."""
    url = f"http://127.0.0.1:{port}"
    with running(command, url, env={**os.environ, **env}, start_new_session=True, stdout=subprocess.DEVNULL):
        yield url


@contextmanager
def serving(app: str, *, threads: int = 4, **env: str) -> Iterator[str]:
    """The address of an application that is served as in production."""
    from motcua.cli.demo import free_port
    from motcua.cli.mirror import granian

    port = free_port()
    with answering(granian(app, "127.0.0.1", port, {}, threads=threads), port, **env) as url:
        yield url
