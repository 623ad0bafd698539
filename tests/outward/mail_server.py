"""A mail server on loopback that keeps what it was sent; with TLS from the first byte, after STARTTLS, or without."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from contextlib import ExitStack, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


class MailServer:
    """`mails`: what was taken, `said`: each command as it came, and whether it came encrypted."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: str = "") -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.said: list[tuple[str, bool]] = []
        self.answer_to_data = "250 taken"
        self._tls, self._implicit, self._login = tls, implicit, login
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> MailServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with ExitStack() as stack:
            stack.enter_context(suppress(OSError, ValueError))
            stack.enter_context(connection)
            if self._implicit:
                connection = stack.enter_context(self._secured(connection))
            self._talk(connection, self._implicit, stack)

    def _secured(self, connection: socket.socket) -> ssl.SSLSocket:
        assert self._tls is not None
        return self._tls.wrap_socket(connection, server_side=True)

    def _talk(self, connection: socket.socket, encrypted: bool, stack: ExitStack) -> None:
        lines: Any = stack.enter_context(connection.makefile("rb"))
        connection.sendall(b"220 here\r\n")
        receivers: list[str] = []
        while line := lines.readline().decode().strip():
            self.said.append((line, encrypted))
            match line.split(" ")[0].upper():
                case "EHLO":
                    offers = ["250-here", *(["250-STARTTLS"] if self._tls and not encrypted else []), "250 AUTH PLAIN"]
                    connection.sendall("\r\n".join(offers).encode() + b"\r\n")
                case "STARTTLS":
                    connection.sendall(b"220 go on\r\n")
                    connection = stack.enter_context(self._secured(connection))
                    lines, encrypted = stack.enter_context(connection.makefile("rb")), True
                case "AUTH":
                    right = base64.b64decode(line.split(" ")[2]).decode() == f"\0{self._login.replace(':', chr(0), 1)}"
                    connection.sendall(b"235 you are\r\n" if right else b"535 you are not\r\n")
                case "RCPT":
                    receivers.append(line.split("<")[1].rstrip(">"))
                    connection.sendall(b"250 well\r\n")
                case "DATA":
                    connection.sendall(b"354 say it\r\n")
                    said = b""
                    while (piece := lines.readline()) != b".\r\n":
                        said += piece
                    connection.sendall(self.answer_to_data.encode() + b"\r\n")
                    if self.answer_to_data.startswith("250"):
                        self.mails.append((receivers, message_from_bytes(said, policy=policy.default)))
                case "QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                case _:
                    connection.sendall(b"250 well\r\n")
