"""A mail server on loopback: takes what it is handed, or refuses a recipient, and keeps the messages."""

from __future__ import annotations

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from threading import Thread


@dataclass
class Office:
    """What came in; `refuses` are recipients that it does not know."""

    port: int = 0
    refuses: frozenset[str] = frozenset()
    messages: list[Message] = field(default_factory=list)
    connections: int = 0

    def texts(self) -> dict[str, str]:
        """Recipient → subject and text."""
        return {
            str(m["To"]): f"{make_header(decode_header(str(m['Subject'])))}\n{m.get_payload(decode=True).decode()}"  # type: ignore[union-attr]
            for m in self.messages
        }


@contextmanager
def open_office(*, refuses: frozenset[str] = frozenset()) -> Iterator[Office]:
    """The server for as long as the block runs."""
    office = Office(refuses=refuses)

    class Counter(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            office.connections += 1
            self._say("220 post office")
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb == "DATA":
                    self._say("354 go on")
                    office.messages.append(message_from_bytes(self._letter()))
                    self._say("250 kept")
                elif verb == "RCPT" and any(name in line for name in office.refuses):
                    self._say("550 no such mailbox")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 yes")

        def _letter(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return b"".join(lines)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Counter)
    office.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
