"""A folder reached by SFTP, in place of a server: the same answers, whatever happens on the way. Real sockets."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko import SFTP_FAILURE, SFTP_PERMISSION_DENIED

from adapter.core.partner import Authorisation, Partner
from adapter.outward.answer import Answered, NotSent, Unknown
from adapter.outward.folder import Folder
from tests.outward.sftp_server import KEY, OTHER_KEY, PASSWORD, Sftp, public

NAME = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
SYSTEM = "https://agency.example.ca/id"
PAGE, BUNDLE = b"%PDF-1.4 a plan", b'{"resourceType": "Bundle"}'


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Sftp]:
    (tmp_path / "in" / "plans").mkdir(parents=True)
    with Sftp(tmp_path) as server:
        yield server


def partner(sftp: Sftp, **changes: Any) -> Partner:
    given: dict[str, Any] = {
        "folder": f"sftp://maple@127.0.0.1:{sftp.port}/in/plans",
        "host_key": public(KEY),
        "private_addresses": True,
        "timeout": 10.0,
        "authorisation": Authorisation("password", secret="DROP"),
    }
    return Partner("drop", "Drop", ("hospital",), date(2026, 1, 1), **(given | changes))


def folder(sftp: Sftp, *, secret: str | None = PASSWORD, **changes: Any) -> Folder:
    return Folder(partner(sftp, **changes), secret=secret)


def reference(page: bytes = PAGE, bundle: bytes = BUNDLE, day: str = "2026-11-20") -> dict[str, Any]:
    kinds = {"application/fhir+json": bundle, "application/pdf": page}
    files = [
        {"contentType": kind, "data": base64.b64encode(content).decode(), "creation": day}
        for kind, content in kinds.items()
    ]
    return {
        "resourceType": "DocumentReference",
        "identifier": [{"system": SYSTEM, "value": NAME}],
        "content": [{"attachment": each} for each in files],
    }


def create(resource: dict[str, Any] | None = None) -> dict[str, Any]:
    request = {"method": "POST", "url": "DocumentReference", "ifNoneExist": f"identifier={SYSTEM}%7C{NAME}"}
    return {"fullUrl": "urn:uuid:1", "resource": resource or reference(), "request": request}


def update(resource: dict[str, Any], version: int, name: str = NAME) -> dict[str, Any]:
    request = {"method": "PUT", "url": f"DocumentReference/{name}", "ifMatch": f'W/"{version}"'}
    return {"resource": {**resource, "id": name}, "request": request}


DELETE = {"request": {"method": "DELETE", "url": f"DocumentReference/{NAME}"}}


def send(way: Folder, *entries: dict[str, Any], request_id: str = "r1") -> Any:
    payload = {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
    return way.transact(json.dumps(payload).encode(), request_id=request_id)


def status(answer: Any) -> str:
    assert isinstance(answer, Answered), answer
    assert answer.status == 200
    (entry,) = answer.body["entry"]
    return str(entry["response"]["status"])


def index(sftp: Sftp) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sftp.files()[f"{NAME}.index.jsonl"].splitlines()]


def test_a_first_drop_is_a_pdf_a_bundle_and_an_index_that_says_what_counts(sftp: Sftp) -> None:
    assert status(send(folder(sftp), create())) == "201"
    assert sftp.files() == {
        f"{NAME}.pdf": PAGE,
        f"{NAME}.fhir.json": BUNDLE,
        f"{NAME}.index.jsonl": sftp.files()[f"{NAME}.index.jsonl"],
    }
    for line in index(sftp):
        assert (line["document"], line["version"], line["date"]) == (NAME, 1, "2026-11-20")
        assert line["status"] == "current"
        assert line["sha256"] == hashlib.sha256(sftp.files()[line["file"]]).hexdigest()
        assert line["size"] == len(sftp.files()[line["file"]])
    assert {line["contentType"] for line in index(sftp)} == {"application/pdf", "application/fhir+json"}


def test_each_file_comes_whole_under_another_name_and_the_index_last(sftp: Sftp) -> None:
    send(folder(sftp), create())
    named = [name for operation, name in sftp.done if operation == "rename"]
    assert named[-1] == f"{NAME}.index.jsonl" and len(named) == 3
    assert all(name.startswith(".") for operation, name in sftp.done if operation == "write")


def test_a_change_replaces_it_and_counts_on(sftp: Sftp) -> None:
    way = folder(sftp)
    send(way, create())
    assert status(send(way, update(reference(page=b"%PDF-1.4 another"), 1))) == "200"
    assert sftp.files()[f"{NAME}.pdf"] == b"%PDF-1.4 another"
    assert {line["version"] for line in index(sftp)} == {2}
    assert not [name for name in sftp.files() if name.endswith(".part")]


def test_a_withdrawal_deletes_the_files_and_the_index_says_so(sftp: Sftp) -> None:
    way = folder(sftp)
    send(way, create())
    assert status(send(way, DELETE)) == "204"
    assert set(sftp.files()) == {f"{NAME}.index.jsonl"}
    assert {(line["status"], line["version"]) for line in index(sftp)} == {("withdrawn", 2)}
    assert not {"sha256", "size"} & {key for line in index(sftp) for key in line}
    assert status(send(way, DELETE)) == "204", "again"
    assert status(send(way, create())) == "201", "and given again"
    assert {(line["status"], line["version"]) for line in index(sftp)} == {("current", 3)}


def test_it_is_found_and_read_as_a_resource_is(sftp: Sftp) -> None:
    way = folder(sftp)
    empty = way.find("DocumentReference", (SYSTEM, NAME))
    assert isinstance(empty, Answered) and "entry" not in empty.body
    gone = way.read("DocumentReference", NAME)
    assert isinstance(gone, Answered) and gone.status == 404
    send(way, create())
    found = way.find("DocumentReference", (SYSTEM, NAME))
    assert isinstance(found, Answered)
    (entry,) = found.body["entry"]
    assert (entry["resource"]["id"], entry["resource"]["meta"]["versionId"]) == (NAME, "1")
    assert entry["resource"]["identifier"] == [{"system": SYSTEM, "value": NAME}]
    send(way, DELETE)
    again = way.find("DocumentReference", (SYSTEM, NAME))
    assert isinstance(again, Answered) and "entry" not in again.body


def test_what_somebody_else_put_there_is_a_conflict(sftp: Sftp) -> None:
    """Another version, an index that is none, one that is too long: a person looks."""
    way = folder(sftp)
    send(way, create())
    assert status(send(way, update(reference(page=b"%PDF other"), 7))) == "412"
    place = sftp.root / "in" / "plans" / f"{NAME}.index.jsonl"
    for text in ("not an index", "{}\n", "[1]\n", "x" * 70_000):
        place.write_text(text)
        assert status(send(way, update(reference(page=b"%PDF other"), 1))) == "409"
    assert sftp.files()[f"{NAME}.pdf"] == PAGE


def test_files_that_the_partner_has_fetched_and_removed_are_put_there_again(sftp: Sftp) -> None:
    way = folder(sftp)
    send(way, create())
    for path in (sftp.root / "in" / "plans").iterdir():
        path.unlink()
    assert status(send(way, update(reference(), 1))) == "200"
    assert {line["version"] for line in index(sftp)} == {2}


@pytest.mark.parametrize("at", ["write", "rename", "stat"])
@pytest.mark.parametrize("file", ["pdf", "fhir.json", "index.jsonl"])
def test_a_line_cut_after_any_step_is_unknown_and_looking_settles_it(sftp: Sftp, at: str, file: str) -> None:
    """Afterwards one looks, and writes what is missing; nothing is doubled, and what half arrived is swept away. A file
    that has its name is there, whether or not the index tells of it yet."""
    way = folder(sftp)
    sftp.cut = lambda operation, name: operation == at and f"{NAME}.{file}" in name
    answer = send(way, create())
    assert answer == Unknown("connection lost")
    sftp.cut = lambda operation, name: False
    stands = any(name.startswith(NAME) for name in sftp.files())
    found = way.find("DocumentReference", (SYSTEM, NAME))
    assert isinstance(found, Answered)
    assert ("entry" in found.body) == stands
    version = int(found.body["entry"][0]["resource"]["meta"]["versionId"]) if stands else 0
    assert version == (at == "rename" and file == "index.jsonl")
    again = send(way, update(reference(), version) if stands else create(), request_id="r2")
    assert status(again) in ("200", "201")
    assert set(sftp.files()) == {f"{NAME}.pdf", f"{NAME}.fhir.json", f"{NAME}.index.jsonl"}
    assert {line["version"] for line in index(sftp)} == {1}


@pytest.mark.parametrize("at", ["remove", "write", "rename"])
def test_a_line_cut_while_files_are_taken_back_leaves_none_behind(sftp: Sftp, at: str) -> None:
    """As long as a file may be there the index names it, so that looking finds it and it is taken back again."""
    way = folder(sftp)
    send(way, create())
    sftp.cut = lambda operation, name: operation == at
    assert send(way, DELETE) == Unknown("connection lost")
    sftp.cut = lambda operation, name: False
    there = way.read("DocumentReference", NAME)
    assert isinstance(there, Answered)
    assert (there.status == 200) == (at != "rename")
    if there.status == 200:
        assert status(send(way, DELETE, request_id="r2")) == "204"
    assert set(sftp.files()) == {f"{NAME}.index.jsonl"}
    assert {line["status"] for line in index(sftp)} == {"withdrawn"}


def test_what_arrived_before_is_not_written_again(sftp: Sftp) -> None:
    """Looked at by hash and size: equal content is no traffic but a look."""
    way = folder(sftp)
    send(way, create())
    done = len(sftp.done)
    assert status(send(way, update(reference(), 1))) == "200"
    assert {operation for operation, _ in sftp.done[done:]} <= {"open", "stat"}


def test_a_full_disk_is_unavailable_and_loses_nothing(sftp: Sftp) -> None:
    way = folder(sftp)
    send(way, create())
    sftp.fault = lambda operation, name: SFTP_FAILURE if operation == "write" else None
    answer = send(way, update(reference(page=b"%PDF-1.4 another"), 1))
    assert status(answer) == "503"
    assert answer.body["entry"][0]["response"]["outcome"]["issue"] == [{"severity": "error", "code": "no-store"}]
    assert sftp.files()[f"{NAME}.pdf"] == PAGE
    assert not [name for name in sftp.files() if name.endswith(".part")]
    sftp.fault = lambda operation, name: None
    assert status(send(way, update(reference(page=b"%PDF-1.4 another"), 1))) == "200"


def test_what_is_forbidden_is_rejected(sftp: Sftp) -> None:
    sftp.fault = lambda operation, name: SFTP_PERMISSION_DENIED if name.endswith(".part") else None
    assert status(send(folder(sftp), create())) == "403"


def test_a_folder_that_may_not_be_listed_serves_as_well(sftp: Sftp) -> None:
    """Its names are looked through only to sweep away what was left half written."""
    sftp.fault = lambda operation, name: SFTP_PERMISSION_DENIED if operation == "list" else None
    way = folder(sftp)
    assert status(send(way, create())) == "201"
    found = way.find("DocumentReference", (SYSTEM, NAME))
    assert isinstance(found, Answered) and len(found.body["entry"]) == 1


def test_a_folder_that_is_not_there_is_rejected(sftp: Sftp) -> None:
    way = folder(sftp, folder=f"sftp://maple@127.0.0.1:{sftp.port}/elsewhere")
    assert status(send(way, create())) == "404"


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a/b", "", NAME.upper(), NAME + "\n"])
def test_no_name_leads_out_of_the_folder(sftp: Sftp, name: str) -> None:
    """Names of files are ours, and nothing else: also where a holding was tampered with."""
    (sftp.root / "in" / f"{NAME}.pdf").write_bytes(b"somebody else's")
    way = folder(sftp)
    answer = way.read("DocumentReference", name)
    assert isinstance(answer, Answered) and answer.status == 404
    assert status(send(way, {"request": {"method": "DELETE", "url": f"DocumentReference/../{NAME}"}})) == "404"
    assert sftp.files() == {f"{NAME}.pdf": b"somebody else's"}


def test_another_host_is_not_spoken_to(sftp: Sftp) -> None:
    """Its key is not the pinned one: not even the name of the user is told."""
    assert send(folder(sftp, host_key=public(OTHER_KEY)), create()) == NotSent("no TLS")
    ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKpXGgXkGVzqZ5Tn1Yp9g5rX0c0h9y1c2Qp3Zk1dZ0aB"
    assert send(folder(sftp, host_key=ed25519), create()) == NotSent("no TLS")
    assert sftp.logins == 0 and sftp.files() == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"private_addresses": False}, "address not allowed", id="a private address that is not allowed"),
        pytest.param({"folder": "sftp://maple@169.254.169.254/in"}, "address not allowed", id="a metadata address"),
        pytest.param({"folder": "sftp://maple@nowhere.invalid/in"}, "no name", id="no such host"),
        pytest.param({"folder": "sftp://maple@127.0.0.1:1/in"}, "no connection", id="nobody listens"),
        pytest.param({"host_key": ""}, "not configured", id="no key of the host"),
        pytest.param({"secret": None}, "not configured", id="no secret"),
    ],
)
def test_what_never_gets_there_was_not_sent(sftp: Sftp, changes: dict[str, Any], reason: Any) -> None:
    assert send(folder(sftp, **changes), create()) == NotSent(reason)
    assert sftp.done == []


def test_a_wrong_password_is_unauthorised(sftp: Sftp) -> None:
    answer = send(folder(sftp, secret="another"), create())
    assert isinstance(answer, Answered) and answer.status == 401


@pytest.mark.parametrize("kind", [paramiko.ECDSAKey, paramiko.RSAKey], ids=["ECDSA", "RSA"])
def test_a_key_in_place_of_a_password(sftp: Sftp, kind: Any) -> None:
    key = kind.generate(bits=2048) if kind is paramiko.RSAKey else kind.generate()
    text = io.StringIO()
    key.write_private_key(text)
    sftp.user_key = key
    with_key = {"authorisation": Authorisation("ssh-key", secret="DROP")}
    assert status(send(folder(sftp, secret=text.getvalue(), **with_key), create())) == "201"
    assert send(folder(sftp, secret="no key", **with_key), create()) == NotSent("not configured")


def test_a_server_that_is_slow_ends_with_the_time_for_the_whole(sftp: Sftp) -> None:
    """Each step in time, together too long: the limit is one for the exchange."""
    sftp.slow = 0.3
    assert send(folder(sftp, timeout=1.5), create()) == Unknown("time ran out")


def test_a_host_that_says_nothing_ends_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = Sftp(Path("/nonexistent"))
        silent.port = listener.getsockname()[1]
        answer = send(folder(silent, timeout=0.5), create())  # the system accepts, and nobody answers
    assert answer == NotSent("no TLS")


def test_only_documents_go_there(sftp: Sftp) -> None:
    goal = {"resourceType": "Goal", "identifier": [{"system": SYSTEM, "value": NAME}]}
    request = {"method": "POST", "url": "Goal"}
    assert status(send(folder(sftp), {"resource": goal, "request": request})) == "404"
    assert sftp.files() == {}


def tried(answer: Any) -> tuple[str, int, bool]:
    assert isinstance(answer, Answered) and answer.status == 200, answer
    return answer.body["failed"], answer.body["status"], answer.body["listed"]


MARK = "ab" * 16


def test_a_trial_does_what_a_delivery_does_and_leaves_nothing(sftp: Sftp) -> None:
    """Under names that begin with a dot and end in .part, as half a file has them; what was there stays."""
    way = folder(sftp)
    send(way, create())
    before = sftp.files()
    sftp.done.clear()
    answer = way.trial(MARK)
    assert tried(answer) == ("", 0, True)
    assert answer.body["done"] == ["find", "write", "replace", "read", "remove"]  # type: ignore[union-attr]
    assert sftp.files() == before
    assert {"list", "write", "rename", "remove"} <= {operation for operation, _ in sftp.done}
    named = {name for operation, name in sftp.done if operation != "list"}
    assert all(name.startswith(".") and name.endswith(".part") for name in named)


@pytest.mark.parametrize("status", [SFTP_PERMISSION_DENIED, SFTP_FAILURE], ids=["forbidden", "failing"])
@pytest.mark.parametrize(
    ("operation", "step"),
    [("open", "write"), ("write", "write"), ("stat", "write"), ("rename", "replace"), ("remove", "remove")],
)
def test_a_trial_names_the_step_that_fails(sftp: Sftp, operation: str, step: str, status: int) -> None:
    sftp.fault = lambda done, name: status if done == operation else None
    failed, said, listed = tried(folder(sftp).trial(MARK))
    assert (failed, listed) == (step, True)
    assert said == {SFTP_PERMISSION_DENIED: 403, SFTP_FAILURE: 503}[status]
    assert len(sftp.files()) == (operation == "remove"), "what can be removed is"


def test_a_folder_that_takes_and_shows_nothing_is_told(sftp: Sftp) -> None:
    """Read again, for an index that cannot be read tells nothing after a cut line."""
    written: set[str] = set()

    def fault(operation: str, name: str) -> int | None:
        if operation == "rename":
            written.add(name)
        return SFTP_PERMISSION_DENIED if operation == "open" and name in written else None

    sftp.fault = fault
    assert tried(folder(sftp).trial(MARK)) == ("read", 403, True)
    assert sftp.files() == {}


def test_a_folder_that_is_missing_or_may_not_be_listed_is_told(sftp: Sftp) -> None:
    missing = folder(sftp, folder=f"sftp://maple@127.0.0.1:{sftp.port}/elsewhere")
    assert tried(missing.trial(MARK)) == ("find", 404, True)
    sftp.fault = lambda operation, name: SFTP_PERMISSION_DENIED if operation == "list" else None
    assert tried(folder(sftp).trial(MARK)) == ("", 0, False)
    assert tried(missing.trial(MARK)) == ("write", 404, False)


@pytest.mark.parametrize("at", ["write", "rename", "stat"])
def test_what_a_cut_trial_leaves_the_next_one_sweeps(sftp: Sftp, at: str) -> None:
    """Its own alone: what else begins with a dot is somebody's."""
    place = sftp.root / "in" / "plans"
    others = {".adapter-check.part", f".{NAME}.pdf.0123456789ab.part", ".profile"}
    for name in others:
        (place / name).write_text("theirs")
    sftp.cut = lambda operation, name: operation == at
    assert folder(sftp).trial("cd" * 16) == Unknown("connection lost")
    sftp.cut = lambda operation, name: False
    assert len(sftp.files()) == 4
    assert tried(folder(sftp).trial(MARK)) == ("", 0, True)
    assert set(sftp.files()) == others


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        pytest.param({"host_key": public(OTHER_KEY)}, NotSent("no TLS"), id="another host"),
        pytest.param({"secret": "another"}, Answered(401), id="another password"),
    ],
)
def test_a_trial_goes_to_the_right_host_and_only_as_we_are(sftp: Sftp, changes: dict[str, Any], answer: Any) -> None:
    assert folder(sftp, **changes).trial(MARK) == answer
    assert sftp.done == []
