"""The files of a partner's folder, over SFTP: each put there whole or not at all, and what went wrong as a status."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from adapter.outward.sftp import Session

LARGEST = 65_536
"""Bytes of a file that are read at most: what stands in a folder may be anybody's."""

LISTED = 10_000
"""Names of a folder that are looked through at most for what a cut line left half written."""

T = TypeVar("T")


class Wrong(Exception):
    """This one change is refused: an HTTP status and a FHIR issue code that say so."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class Files:
    """A folder's files during one session. What is not there is None, or nothing to do; a lost line is an OSError."""

    open: Session
    path: str

    def read(self, file: str) -> bytes | None:
        """What is in it; Wrong where that is more than is ever ours."""
        return self.act(lambda: self.read_whole(file))

    def write(self, file: str, content: bytes, mark: str) -> None:
        """Under another name, and whole, before it takes the place of what is there. `mark`: of this delivery."""
        half = f".{file}.{hashlib.sha256(mark.encode()).hexdigest()[:12]}.part"

        def put() -> None:
            self.put_whole(half, content)
            self.rename(half, file)

        try:
            self.act(put, missing=Wrong(404, "not-found"))
        except Wrong:
            self.remove(half)
            raise

    def size(self, file: str) -> int | None:
        """In bytes."""
        return self.act(lambda: self.open.files.stat(f"{self.path}/{file}").st_size)

    def remove(self, file: str) -> None:
        """Also where it is gone already."""
        self.act(lambda: self.open.files.remove(f"{self.path}/{file}"))

    def sweep(self, name: str) -> None:
        """What a cut line left half written of a document. What cannot be listed is left: it counts for nobody."""
        try:
            for file in self.act(self.names) or ():
                if file.startswith(f".{name}.") and file.endswith(".part"):
                    self.remove(file)
        except Wrong:
            return

    def act(self, act: Callable[[], T], *, missing: Wrong | None = None) -> T | None:
        """What the act gives; None, or `missing`, where the file is not there. What the server says no to is told from
        a lost line."""
        try:
            return act()
        except FileNotFoundError:
            if missing:
                raise missing from None
            return None
        except PermissionError:
            raise Wrong(403, "forbidden") from None
        except OSError as error:
            if error.errno == errno.ENOENT or not self.open.lives or isinstance(error, TimeoutError | ConnectionError):
                raise
            raise Wrong(503, "no-store") from None  # a full disk, or whatever else it fails at

    # The single steps, for `act`.

    def names(self) -> list[str]:
        """Those of the folder, not more than LISTED."""
        return [each.filename for each in islice(self.open.files.listdir_iter(self.path), LISTED)]

    def read_whole(self, file: str) -> bytes:
        """As `read`."""
        with self.open.files.open(f"{self.path}/{file}", "rb") as found:
            content: bytes = found.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Wrong(409, "conflict")
        return content

    def put_whole(self, file: str, content: bytes) -> None:
        """Written, and looked at: a full disk may cut it without a word."""
        with self.open.files.open(f"{self.path}/{file}", "wb") as made:
            made.write(content)
        if self.open.files.stat(f"{self.path}/{file}").st_size != len(content):
            raise OSError("not all of it was written")

    def rename(self, file: str, to: str) -> None:
        """In one step, whatever is there of that name."""
        self.open.files.posix_rename(f"{self.path}/{file}", f"{self.path}/{to}")
