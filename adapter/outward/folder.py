"""A partner's folder in place of a FHIR server: per case a PDF, a FHIR Bundle and an index, put there by SFTP.

It answers as a server would (server.py): each transaction holds DocumentReferences with their bytes within. What a file
is called is the partner's own opaque identifier: `ID.pdf`, `ID.fhir.json`, and `ID.index.jsonl`, which is written last
and says what counts. A folder holds no index of everything: workers of several cases would write over each other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from paramiko.ssh_exception import SSHException

from adapter.core import strict_json
from adapter.core.partner import Partner
from adapter.errors import Malformed, TooLarge
from adapter.outward.answer import Answer, Answered, NotSent, Unknown
from adapter.outward.files import LARGEST, Files, Wrong
from adapter.outward.sftp import Refused, Session, Unreached, session
from adapter.outward.trial import tried

TYPE = "DocumentReference"
ENDINGS = {"application/pdf": "pdf", "application/fhir+json": "fhir.json"}
_NAME = re.compile(r"[0-9a-f]{32}\Z")
_LOST = (SSHException, EOFError, OSError)


@dataclass(frozen=True, slots=True)
class Index:
    """What the index of a case says: its version, and the files that count with their hashes; none: withdrawn."""

    version: int
    hashes: Mapping[str, str]
    sizes: Mapping[str, int]


class Folder:
    """One partner's folder; a connection for each exchange. `secret`: the password or private key itself."""

    def __init__(self, partner: Partner, *, secret: str | None) -> None:
        self._partner, self._secret = partner, secret
        self._path = unquote(urlsplit(partner.folder).path).rstrip("/")

    def transact(self, body: bytes, *, request_id: str, echo: bool = False) -> Answer:
        """Does each entry in its order; each has its own outcome. What is there already and equal stays."""
        entries = json.loads(body)["entry"]

        def work(desk: _Desk) -> Any:
            done = [desk.entry(entry, request_id) for entry in entries]
            return {"resourceType": "Bundle", "type": "transaction-response", "entry": done}

        return self._ask(work)

    def find(self, type_: str, identifier: tuple[str, str], *, request_id: str = "") -> Answer:
        """Looks at the index of the document with this identifier."""

        def work(desk: _Desk) -> Any:
            there = desk.stands(identifier[1]) if type_ == TYPE else None
            entries = [{"resource": _told(identifier[1], there, identifier[0])}] if there else []
            return {"resourceType": "Bundle", "type": "searchset", **({"entry": entries} if entries else {})}

        return self._ask(work)

    def read(self, type_: str, id_: str, *, request_id: str = "") -> Answer:
        """Looks at the index of the document that has this name there."""

        def work(desk: _Desk) -> Any:
            there = desk.stands(id_) if type_ == TYPE else None
            return _told(id_, there) if there else None

        return self._ask(work)

    def trial(self, mark: str) -> Answer:
        """Does what a delivery does, with a file that tells nothing and is gone again; the body is trial.py's."""
        return self._ask(lambda desk: tried(desk.files, mark))

    def close(self) -> None:
        """Nothing is kept open."""

    def _ask(self, work: Callable[[_Desk], Any]) -> Answer:
        open_: Session | None = None
        try:
            with session(self._partner, self._secret) as open_:
                body = work(_Desk(Files(open_, self._path)))
        except Unreached as unreached:
            return NotSent(unreached.reason)
        except Refused:
            return Answered(401)
        except Wrong as wrong:
            return Answered(wrong.status, body=_outcome(wrong))
        except _LOST:
            return Unknown("time ran out" if open_ is not None and open_.is_over else "connection lost")
        return Answered(200, body=body) if body is not None else Answered(404, body=_outcome(Wrong(404, "not-found")))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is done in the folder during one session."""

    files: Files

    def entry(self, entry: Mapping[str, Any], mark: str) -> dict[str, Any]:
        """One change, and its outcome as an entry of a transaction-response."""
        request = entry["request"]
        try:
            status, name, version = self._done(request, entry.get("resource"), mark)
        except Wrong as wrong:
            return {"response": {"status": str(wrong.status), "outcome": _outcome(wrong)}}
        place = {"location": f"{TYPE}/{name}/_history/{version}", "etag": f'W/"{version}"'}
        return {"response": {"status": str(status), **place}}

    def stands(self, name: str) -> Index | None:
        """What there is of a document: as its index says, or files that no index names, for the connection was cut
        before. What it left half written is removed."""
        self.files.sweep(name)
        found = self._index(name)
        if found and found.hashes:
            return found
        left = [file for file in _names(name) if self.files.size(file) is not None]
        return Index(found.version if found else 0, dict.fromkeys(left, ""), {}) if left else None

    def _done(self, request: Mapping[str, str], resource: Any, mark: str) -> tuple[int, str, int]:
        type_, _, id_ = request["url"].partition("/")
        if type_ != TYPE:
            raise Wrong(404, "not-supported")
        name = id_ or str(resource["identifier"][0]["value"])
        there = self._index(name)
        match request["method"]:
            case "POST" if there and there.hashes:
                return 200, name, there.version
            case "DELETE":
                return 204, name, self._withdraw(name, there, mark)
            case "PUT" if there and request.get("ifMatch", f'W/"{there.version}"') != f'W/"{there.version}"':
                raise Wrong(412, "conflict")
        known = re.search(r"\d+", request.get("ifMatch", ""))
        before = there.version if there else int(known[0]) if known else 0
        return 200 if id_ else 201, name, self._put(name, resource, there, before, mark)

    def _put(self, name: str, resource: Any, there: Index | None, before: int, mark: str) -> int:
        files, date = _files(name, resource)
        hashes = {file: hashlib.sha256(content).hexdigest() for file, (_, content) in files.items()}
        if there and there.hashes == hashes and all(self.files.size(file) == len(files[file][1]) for file in files):
            return there.version  # looked at, and equal: it arrived before
        lines = [
            {"document": name, "version": before + 1, "date": date, "status": "current", "file": file,
             "contentType": kind, "size": len(content), "sha256": hashes[file]}
            for file, (kind, content) in files.items()
        ]  # fmt: skip
        try:
            for file, (_, content) in files.items():
                self.files.write(file, content, mark)
            self.files.write(f"{name}.index.jsonl", _lines(lines), mark)
        except Wrong:
            if not (there and there.hashes):
                for file in files:  # it is refused: then none of it stays
                    self.files.remove(file)
            raise
        return before + 1

    def _withdraw(self, name: str, there: Index | None, mark: str) -> int:
        """First the files go: where the line is cut then, the index still names them, and one looks and tries again."""
        version = (there.version if there else 0) + 1
        today = datetime.now(UTC).date().isoformat()
        gone = _names(name)
        said = {"document": name, "version": version, "date": today, "status": "withdrawn"}
        for file in gone:
            self.files.remove(file)
        if there is None or there.hashes:
            self.files.write(f"{name}.index.jsonl", _lines([said | {"file": file} for file in gone]), mark)
        return version

    def _index(self, name: str) -> Index | None:
        if not _NAME.match(name):
            raise Wrong(404, "not-found")
        content = self.files.read(f"{name}.index.jsonl")
        if content is None:
            return None
        try:
            lines = [strict_json.parse(line, max_bytes=LARGEST) for line in content.splitlines()]
            current = [line for line in lines if line["status"] == "current"]
            return Index(
                max(int(line["version"]) for line in lines),
                {str(line["file"]): str(line["sha256"]) for line in current},
                {str(line["file"]): int(line["size"]) for line in current},
            )
        except (Malformed, TooLarge, KeyError, TypeError, ValueError):
            raise Wrong(409, "conflict") from None  # somebody else's: a person looks


def _names(name: str) -> list[str]:
    """The files of a document, beside its index."""
    return [f"{name}.{ending}" for ending in ENDINGS.values()]


def _files(name: str, resource: Any) -> tuple[dict[str, tuple[str, bytes]], str]:
    """File → (content type, bytes), and the day that the document bears."""
    files: dict[str, tuple[str, bytes]] = {}
    date = ""
    for attachment in (content["attachment"] for content in resource["content"]):
        kind = attachment["contentType"]
        files[f"{name}.{ENDINGS[kind]}"] = kind, base64.b64decode(attachment["data"])
        date = attachment["creation"]
    return files, date


def _lines(lines: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(strict_json.dump(line) + b"\n" for line in lines)


def _told(name: str, there: Index, system: str = "") -> dict[str, Any]:
    identifier = {"system": system, "value": name} if system else {"value": name}
    meta = {"versionId": str(there.version)}
    return {"resourceType": TYPE, "id": name, "meta": meta, "identifier": [identifier]}


def _outcome(wrong: Wrong) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": wrong.code}]}
