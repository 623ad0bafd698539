"""An SFTP server on a real socket, over a folder of its own, that fails where a test says so."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface

KEY = paramiko.ECDSAKey.generate()
OTHER_KEY = paramiko.ECDSAKey.generate()
PASSWORD = "a password of the tests"

Fault = Callable[[str, str], int | None]
"""What an operation on a path answers instead of being done: an SFTP status; None: it is done."""


def public(key: paramiko.PKey) -> str:
    """As a partner file pins it."""
    return f"{key.get_name()} {key.get_base64()}"


@dataclass
class Sftp:
    """`done`: what was done, in order. `fault` is asked before each operation, `cut` after it: True ends the line."""

    root: Path
    fault: Fault = lambda operation, name: None
    cut: Callable[[str, str], bool] = lambda operation, name: False
    slow: float = 0.0
    user_key: paramiko.PKey | None = None
    done: list[tuple[str, str]] = field(default_factory=list)
    logins: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # On Linux a close alone leaves accept() waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for transport in self._open:
            transport.close()

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.root.rglob("*")) if path.is_file()}

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(line)
            transport.add_server_key(KEY)
            transport.set_subsystem_handler("sftp", SFTPServer, _Files, self, transport)
            self._open.append(transport)
            try:
                transport.start_server(server=_Door(self))
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()


class _Door(paramiko.ServerInterface):
    def __init__(self, server: Sftp) -> None:
        self.server = server

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        self.server.logins += 1
        right = username == "maple" and password == PASSWORD and self.server.user_key is None
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        right = username == "maple" and key == self.server.user_key
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED


class _Files(SFTPServerInterface):
    def __init__(self, door: Any, server: Sftp, transport: paramiko.Transport, *_: Any) -> None:
        super().__init__(door)
        self.server, self.transport = server, transport

    def _place(self, path: str) -> Path:
        return self.server.root / path.lstrip("/")

    def answer(self, operation: str, path: str, act: Callable[[Path], Any]) -> Any:
        name = path.rpartition("/")[2]
        time.sleep(self.server.slow)
        if (status := self.server.fault(operation, name)) is not None:
            return status
        try:
            found = act(self._place(path))
        except OSError as error:
            return SFTPServer.convert_errno(error.errno or errno.EIO)
        self.server.done.append((operation, name))
        if self.server.cut(operation, name):
            self.transport.close()
        return paramiko.SFTP_OK if found is None else found

    def list_folder(self, path: str) -> Any:
        return self.answer("list", path, lambda at: [_attributes(each) for each in at.iterdir()])

    def stat(self, path: str) -> Any:
        return self.answer("stat", path, _attributes)

    lstat = stat

    def remove(self, path: str) -> Any:
        return self.answer("remove", path, lambda at: at.unlink())

    def posix_rename(self, oldpath: str, newpath: str) -> Any:
        return self.answer("rename", newpath, lambda at: os.replace(self._place(oldpath), at))

    def open(self, path: str, flags: int, attr: Any) -> Any:
        def act(at: Path) -> SFTPHandle:
            handle = _Handle(flags)
            handle.server, handle.name = self, path
            mode = "rb" if not flags & os.O_WRONLY and not flags & os.O_RDWR else "wb"
            handle.readfile = handle.writefile = at.open(mode)  # type: ignore[attr-defined]
            return handle

        return self.answer("open", path, act)


class _Handle(SFTPHandle):
    server: _Files
    name: str

    def write(self, offset: int, data: bytes) -> Any:
        return self.server.answer("write", self.name, lambda _: self._written(offset, data))

    def _written(self, offset: int, data: bytes) -> None:
        if (status := super().write(offset, data)) != paramiko.SFTP_OK:
            raise OSError(errno.EIO, str(status))


def _attributes(path: Path) -> SFTPAttributes:
    return SFTPAttributes.from_stat(path.stat(), path.name)
