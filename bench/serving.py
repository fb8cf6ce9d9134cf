"""Server processes of a bench."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx2 as httpx

PATIENCE_S = 60


@contextmanager
def answering(command: Sequence[str], port: int, **env: str) -> Iterator[str]:
    """The address of a process, from its first answer to the end of the block."""
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, env={**os.environ, **env}, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                httpx.post(f"{url}/mapi/login", json={}, trust_env=False)
                break
            except httpx.HTTPError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


@contextmanager
def serving(app: str, *, threads: int = 4, **env: str) -> Iterator[str]:
    """The address of an application that is served as in production."""
    from motcua.cli.demo import free_port
    from motcua.cli.mirror import granian

    port = free_port()
    with answering(granian(app, "127.0.0.1", port, {}, threads=threads), port, **env) as url:
        yield url
