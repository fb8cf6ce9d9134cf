"""A hostile network before a portal: what may happen to a message on its way, seeded and counted.

python -m bench.chaos PORT UPSTREAM_PORT SEED RATE COUNTS_FILE
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path

#: What happens to a message, and how much of it.
FAULTS = {
    "drop": 4,  # never arrives
    "lose_answer": 4,  # arrives, the answer does not
    "late": 3,  # arrives after later ones (reorder); the sender gets no answer
    "duplicate": 4,  # arrives twice
    "error_500": 4,
    "busy": 3,  # 200 with an error
    "not_json": 2,  # 200 with a page of some proxy
    "half_closed": 3,  # the answer breaks off
    "slow": 1,  # the answer comes when nobody waits any more
    "expired": 3,  # the session is gone
    "not_applied": 4,  # acknowledged, and not stored
}
_WRITES = (b"DongBoHoSoMC", b"CapNhatTienDoHoSoMC")
SLOW_S = 1.5


class Chaos:
    """The network between one sender and one portal."""

    def __init__(self, upstream: int, seed: int, rate: float) -> None:
        self.upstream, self.random, self.rate = upstream, random.Random(seed), rate
        self.counts: Counter[str] = Counter()
        self.late: set[asyncio.Task[bytes]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the sender."""
        try:
            while (request := await _message(reader)) is not None:
                answer = await self._answer(request)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: bytes) -> bytes | None:
        """The answer to pass on; None: the connection ends."""
        self.counts["messages"] += 1
        fault = ""
        if b"/mapi/g" in request[:200] and self.random.random() < self.rate:
            fault = self.random.choices(list(FAULTS), list(FAULTS.values()))[0]
            if fault == "not_applied" and not any(name in request for name in _WRITES):
                fault = ""
        self.counts[fault or "untouched"] += 1
        match fault:
            case "drop":
                return None
            case "late":
                task = asyncio.create_task(self._later(request, self.random.uniform(0.05, 1.0)))
                self.late.add(task)
                task.add_done_callback(self.late.discard)
                return None
            case "error_500":
                return _reply("500 Internal Server Error", "<h1>500</h1>")
            case "busy":
                return _reply("200 OK", json.dumps({"error_code": -1, "message": "Hệ thống đang bận"}))
            case "not_json":
                return _reply("200 OK", "<html>gateway</html>")
            case "expired":
                return _reply("200 OK", json.dumps({"error_code": -1, "message": "Phiên làm việc đã hết hạn"}))
            case "not_applied":
                return _reply("200 OK", json.dumps({"error_code": 0, "message": "Đồng bộ thành công"}))
        answer = await self._forward(request)
        match fault:
            case "lose_answer":
                return None
            case "duplicate":
                await self._forward(request)
            case "half_closed":
                return answer[: len(answer) // 2] + b""
            case "slow":
                await asyncio.sleep(SLOW_S)
        return answer

    async def _later(self, request: bytes, after_s: float) -> bytes:
        await asyncio.sleep(after_s)
        return await self._forward(request)

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        writer.write(request)
        await writer.drain()
        answer = await _message(reader)
        writer.close()
        return answer or b""


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """A whole HTTP message with a Content-Length; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head + (await reader.readexactly(length) if length else b"")


def _reply(status: str, body: str) -> bytes:
    data = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


async def main(port: int, upstream: int, seed: int, rate: float, counts: Path) -> None:
    """Serves until it is ended; writes its counts every second."""
    chaos = Chaos(upstream, seed, rate)
    server = await asyncio.start_server(chaos.handle, "127.0.0.1", port, limit=1 << 26)
    async with server:
        while True:
            counts.write_text(json.dumps(chaos.counts))
            await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5])))
