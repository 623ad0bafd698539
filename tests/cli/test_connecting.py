"""Connecting a partner from the command line: its file written, its connection tried."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paramiko import SFTP_PERMISSION_DENIED

from tests.cli.conftest import Run, printed
from tests.outward import fault_server as faults
from tests.outward.authority import Authority
from tests.outward.fault_server import JSON, FaultServer
from tests.outward.memory_fhir import Can
from tests.outward.sftp_server import KEY, OTHER_KEY, PASSWORD, Sftp, public

GIVEN = ("--yes", "--name", 'The "Lakeside" board, École', "--sector", "education")


@pytest.fixture
def agency(instance: Path, tmp_path: Path) -> Path:
    """An instance that a test may write in."""
    return Path(shutil.copytree(instance, tmp_path / "agency"))


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as partner:
        partner.apart = True
        yield partner


def add(run: Run, agency: Path, server: FaultServer, *more: str, name: str = "newcomer") -> Any:
    open_ = ("--base-url", server.base_url, "--private-addresses", "--authorisation", "none")
    return run("--instance", agency, "partner", "add", name, *GIVEN, *open_, *more)


def test_what_is_added_passes_the_check(run: Run, agency: Path, server: FaultServer) -> None:
    """Whatever characters a name has; and the file's path is what is printed."""
    system = "https://schools.example.ca/numbers"
    result = add(
        run, agency, server, "--matching", "match", "--identifier-system", system, "--identifier", "https://r|9"
    )
    path = Path(result.stdout.strip())
    assert (result.exit_code, path) == (0, agency / "partners" / "newcomer.toml")
    assert run("--instance", agency, "check").exit_code == 0
    listed = printed(run("--instance", agency, "partner", "list", "--json"))
    assert 'The "Lakeside" board, École' in [each["name"] for each in listed]


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param(("bearer",), id="a token"),
        pytest.param(
            ("client-secret", "--client-id", "us", "--token-url", "https://x.example.ca/token"), id="a secret"
        ),
        pytest.param(("smart-backend", "--client-id", "us", "--scope", "system/*.cruds"), id="a signed assertion"),
        pytest.param(("mtls", "--certificate", "OUR_CERTIFICATE"), id="a certificate"),
    ],
)
def test_each_way_to_show_who_we_are_passes_the_check(
    run: Run, agency: Path, server: FaultServer, credentials: tuple[str, ...]
) -> None:
    assert run("--instance", agency, "key", "new").exit_code == 0
    result = add(run, agency, server, "--base-url", "https://x.example.ca/fhir", "--authorisation", *credentials)
    assert result.exit_code == 0, result.stderr
    checked = run("--instance", agency, "check")
    assert checked.exit_code == 0, checked.output


def test_a_partner_whose_id_begins_with_a_digit_has_a_variable_that_there_can_be(
    run: Run, agency: Path, server: FaultServer
) -> None:
    result = add(run, agency, server, "--authorisation", "bearer", "--yes", name="3-rivers")
    assert result.exit_code == 0, result.stderr
    assert 'secret = "_3_RIVERS_TOKEN"' in (agency / "partners" / "3-rivers.toml").read_text("utf-8")


def test_a_person_is_asked(run: Run, agency: Path) -> None:
    """A health partner is asked whether it may learn that something was withheld."""
    said = "Harbour Hospital\nhospital, health\nhttps://fhir.harbour.example.ca/r4\nR4\ntreatment\nbearer\nauto\nidentifier\n"
    given = f"{said}https://health.example.ca/card\nHARBOUR\nn\n"
    result = run("--instance", agency, "partner", "add", "harbour", given=given.encode())
    assert result.exit_code == 0, result.stderr
    text = (agency / "partners" / "harbour.toml").read_text("utf-8")
    assert 'sectors = ["hospital", "health"]' in text and "withheld_notice = false" in text
    assert 'secret = "HARBOUR"' in text
    assert run("--instance", agency, "check").exit_code == 0


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param(("--sector", "kitchen"), "sectors", id="a sector that is none"),
        pytest.param(("--base-url", "ftp://x"), "base_url", id="another protocol"),
        pytest.param(("--secret", "a token itself", "--authorisation", "bearer"), "secret", id="a secret"),
        pytest.param(
            ("--secret", "d41d8cd98f00b204e9800998ecf8427e", "--authorisation", "bearer"), "never the secret", id="hex"
        ),
        pytest.param(("--identifier-system", "card"), "identifier_systems", id="a system that is no URI"),
        pytest.param(
            ("--identifier", "https://schools.example.ca/boards|INVENTED-B-42"), "identifiers", id="another's"
        ),
        pytest.param(("--sector", "hospital"), "notice", id="a health partner that has not chosen"),
        pytest.param(("--name", "two\nlines"), "name", id="a name of two lines"),
    ],
)
def test_what_is_wrong_is_not_written(
    run: Run, agency: Path, server: FaultServer, more: tuple[str, ...], says: str
) -> None:
    result = add(run, agency, server, *more)
    assert result.exit_code in (1, 2) and says in result.stderr
    assert not (agency / "partners" / "newcomer.toml").exists()


@pytest.mark.parametrize("name", ["../lakeside", "a b", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(run: Run, agency: Path, server: FaultServer, name: str) -> None:
    assert add(run, agency, server, name=name).exit_code == 2


def test_a_file_that_is_there_is_left_alone(run: Run, agency: Path, server: FaultServer) -> None:
    before = (agency / "partners" / "lakeside.toml").read_bytes()
    result = add(run, agency, server, name="lakeside")
    assert result.exit_code == 2 and "is there already" in result.stderr
    assert (agency / "partners" / "lakeside.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("can", "says"),
    [
        pytest.param(Can(), "transactions of at most", id="transactions"),
        pytest.param(Can(transaction=False), "Changes go as batches", id="batches"),
        pytest.param(Can(transaction=False, batch=False, conditions=False), "Looked for by our", id="single"),
        pytest.param(Can(types=frozenset({"Patient", "Goal"})), "does not take them: Appointment", id="few types"),
        pytest.param(Can(mute=True), "/metadata could not be read (HTTP 404)", id="no statement"),
    ],
)
def test_a_check_says_what_the_server_can_and_what_follows(
    run: Run, agency: Path, server: FaultServer, can: Can, says: str
) -> None:
    server.fhir.can = can
    assert add(run, agency, server, "--matching", "create").exit_code == 0
    result = run("--instance", agency, "partner", "check", "newcomer")
    assert result.exit_code == 0, result.stderr
    assert says in result.stdout
    assert [s.method for s in server.seen] == ["GET"] and server.fhir.resources == {}
    found = printed(run("--instance", agency, "partner", "check", "newcomer", "--json"))
    assert found["wrong"] == [] and says in json.dumps(found, ensure_ascii=False)


OTHERS = [
    {"resourceType": "Patient", "id": f"kid-{n}", "identifier": [{"system": "https://mrn", "value": f"55{n}"}],
     "name": [{"family": "Comeau", "given": ["Jas"]}], "birthDate": "2016-05-04"}
    for n in range(3)
]  # fmt: skip


def searchset(*found: dict[str, Any], **more: Any) -> bytes:
    entries = [{"resource": each, "search": {"mode": "match"}} for each in found]
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(searchset(*OTHERS, total=3), id="all that it has"),
        pytest.param(
            searchset(
                OTHERS[0], total=9000, link=[{"relation": "next", "url": "https://x/Patient?page=2&name=Comeau"}]
            ),
            id="the first page of all",
        ),
        pytest.param(json.dumps(OTHERS[1]).encode(), id="one of them alone"),
    ],
)
def test_a_server_that_answers_with_other_children_is_wrong_and_none_is_told_of(
    run: Run, agency: Path, server: FaultServer, body: bytes
) -> None:
    assert add(run, agency, server).exit_code == 0
    for more in ((), ("--json",)):
        server.plan(faults.Answer(200, JSON, body))
        result = run("--instance", agency, "partner", "check", "newcomer", *more)
        assert result.exit_code == 1 and "does not heed identifier in a search of Patient" in result.stderr
        for word in ("Comeau", "Jas", "kid-", "55", "2016", "mrn", "9000"):
            assert word not in result.output.replace(str(server.port), "")


def test_a_word_about_the_search_is_no_child(run: Run, agency: Path, server: FaultServer) -> None:
    assert add(run, agency, server).exit_code == 0
    word = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
    server.plan(faults.Answer(200, JSON, searchset(word)))
    assert run("--instance", agency, "partner", "check", "newcomer").exit_code == 0


STU3 = {"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"}
DSTU2 = {"resourceType": "Conformance", "fhirVersion": "1.0.2"}
R5 = {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0", "format": ["xml"]}


@pytest.mark.parametrize(
    ("statement", "read", "says"),
    [
        pytest.param(None, faults.Answer(401), "does not let us in (HTTP 401)", id="no token"),
        pytest.param(None, faults.Answer(500, JSON, b"{}"), "not answered with a searchset (HTTP 500)", id="an error"),
        pytest.param(None, faults.page(), "content type", id="a page"),
        pytest.param(None, faults.CutBefore(), "cannot be reached", id="cut"),
        pytest.param(faults.Answer(200, JSON, json.dumps(R5).encode()), None, "speaks R5", id="another release"),
        pytest.param(faults.Answer(200, JSON, json.dumps(R5).encode()), None, "no JSON", id="XML only"),
        pytest.param(faults.Answer(200, JSON, json.dumps(STU3).encode()), None, "speaks STU3", id="too old a release"),
        pytest.param(faults.Answer(200, JSON, json.dumps(DSTU2).encode()), None, "speaks DSTU2", id="an older one"),
    ],
)
def test_a_check_that_fails_says_so_and_ends_with_1(
    run: Run, agency: Path, server: FaultServer, statement: Any, read: Any, says: str
) -> None:
    assert add(run, agency, server).exit_code == 0
    server.statement_fault = statement
    server.plan(read)
    result = run("--instance", agency, "partner", "check", "newcomer")
    assert result.exit_code == 1 and says in result.stderr
    assert run("--instance", agency, "partner", "check", "nobody").exit_code == 1


def test_a_check_says_why_no_answer_came_and_where_to_look(run: Run, agency: Path, server: FaultServer) -> None:
    """A server without TLS at an https address; a token endpoint that does not know us, in its own word."""
    encrypted = server.base_url.replace("http:", "https:")
    assert add(run, agency, server, "--base-url", encrypted, name="encrypted").exit_code == 0
    result = run("--instance", agency, "partner", "check", "encrypted")
    assert result.exit_code == 1 and "(no TLS): its certificate has ended" in result.stderr

    client = ("--authorisation", "client-secret", "--client-id", "us", "--secret", "THEIRS")
    asked = (*client, "--token-url", f"{server.base_url}/token")
    assert add(run, agency, server, *asked, name="unknown").exit_code == 0
    server.plan(*[faults.Answer(401, JSON, b'{"error": "invalid_client"}')] * 4)
    result = run("--instance", agency, "partner", "check", "unknown", env={"THEIRS": "s3cret"})
    assert result.exit_code == 1 and "(token refused: invalid_client): its token endpoint" in result.stderr


def beside(agency: Path, authority: Authority, name: str = "their-ca.pem") -> str:
    (agency / "partners" / name).write_bytes(authority.file.read_bytes())
    return name


def test_a_partner_with_its_own_authority_is_added_and_checked(run: Run, agency: Path, tmp_path: Path) -> None:
    """Asked for where the address is private and encrypted, and only there."""
    authority = Authority(tmp_path)
    name = beside(agency, authority)
    with FaultServer(authority.server()) as server:
        said = f"Harbour\neducation\n{server.base_url}\nR4\ncare-coordination\nnone\nauto\nidentifier\n\n{name}\n"
        add_ = ("--instance", agency, "partner", "add", "harbour", "--private-addresses")
        assert run(*add_, given=said.encode()).exit_code == 0
        assert f'trust = "{name}"' in (agency / "partners" / "harbour.toml").read_text("utf-8")
        assert run("--instance", agency, "check").exit_code == 0
        result = run("--instance", agency, "partner", "check", "harbour")
        assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("file", "says"),
    [
        pytest.param("nowhere.pem", "names nowhere.pem, which cannot be read", id="no such file"),
        pytest.param("../their-ca.pem", "must be the name of a .pem file", id="a file elsewhere"),
    ],
)
def test_an_authority_that_cannot_be_read_is_not_written(
    run: Run, agency: Path, server: FaultServer, tmp_path: Path, file: str, says: str
) -> None:
    (agency / "their-ca.pem").write_bytes(Authority(tmp_path).file.read_bytes())
    encrypted = server.base_url.replace("http:", "https:")
    result = add(run, agency, server, "--base-url", encrypted, "--trust", file)
    assert result.exit_code == 1 and says in result.stderr
    assert not (agency / "partners" / "newcomer.toml").exists()


@pytest.mark.parametrize(
    ("days", "authority_days", "named", "says"),
    [
        pytest.param(1, 1, "another", "signed by none of those in their-ca.pem", id="another authority's"),
        pytest.param(-1, 1, "theirs", "its certificate has ended", id="its certificate has ended"),
        pytest.param(1, -1, "theirs", "The authority's certificate in their-ca.pem (trust) ended on", id="ended"),
        pytest.param(1, 1, "", "a private authority's is named by trust", id="no authority named"),
        pytest.param(1, 1, "elsewhere", "is another host's; see base_url", id="another host"),
    ],
)
def test_a_check_says_what_is_wrong_with_the_certificate(
    run: Run, agency: Path, tmp_path: Path, days: int, authority_days: int, named: str, says: str
) -> None:
    theirs = Authority(tmp_path, "theirs", days=authority_days)
    beside(agency, Authority(tmp_path, "another") if named == "another" else theirs)
    with FaultServer(theirs.server(days=days)) as server:
        trust = ("--trust", "their-ca.pem") if named else ()
        url = server.base_url.replace("127.0.0.1", "localhost") if named == "elsewhere" else server.base_url
        assert add(run, agency, server, "--base-url", url, *trust).exit_code == 0
        result = run("--instance", agency, "partner", "check", "newcomer")
        assert result.exit_code == 1 and says in result.stderr
        assert server.seen == []


def test_a_check_says_that_it_may_be_the_token_endpoints_certificate(run: Run, agency: Path, tmp_path: Path) -> None:
    theirs = Authority(tmp_path, "theirs")
    beside(agency, theirs)
    with FaultServer(theirs.server()) as server, FaultServer(Authority(tmp_path, "another").server()) as login:
        client = ("--authorisation", "client-secret", "--client-id", "us", "--secret", "THEIRS")
        asked = ("--base-url", server.base_url, *client, "--token-url", f"{login.base_url}/token")
        assert add(run, agency, server, *asked, "--trust", "their-ca.pem").exit_code == 0
        result = run("--instance", agency, "partner", "check", "newcomer", env={"THEIRS": "s3cret"})
        assert result.exit_code == 1 and "or that of its token endpoint (token_url), is signed by none" in result.stderr
        assert (login.seen, server.seen) == ([], [])


DROP = """\
name = "Maple Clinic"
sectors = ["education"]
since = 2026-01-15
folder = "sftp://maple@127.0.0.1:{port}/{at}"
host_key = "{key}"
private_addresses = true
timeout = 10
[authorisation]
kind = "password"
secret = "DROP"
"""


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Sftp]:
    (tmp_path / "drop" / "in").mkdir(parents=True)
    with Sftp(tmp_path / "drop") as server:
        yield server


def drop(run: Run, agency: Path, sftp: Sftp, *, at: str = "in", key: Any = KEY, secret: str = PASSWORD) -> Any:
    (agency / "partners" / "maple.toml").write_text(DROP.format(port=sftp.port, at=at, key=public(key)), "utf-8")
    return run("--instance", agency, "partner", "check", "maple", "--json", env={"DROP": secret} if secret else {})


def test_a_folder_is_tried_and_what_follows_is_said(run: Run, agency: Path, sftp: Sftp) -> None:
    (sftp.root / "in" / "Jas Comeau.pdf").write_text("theirs")
    result = drop(run, agency, sftp)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["wrong"] == [] and "lets us in" in found["can"][0] and len(found["can"]) == 6
    assert "one document" in found["will"][0]
    assert "Comeau" not in result.output and set(sftp.files()) == {"Jas Comeau.pdf"}
    plain = run("--instance", agency, "partner", "check", "maple", env={"DROP": PASSWORD})
    assert "  It can take the place of another, whole." in plain.stdout and "It can be sent to." in plain.stderr


@pytest.mark.parametrize(
    ("given", "fails", "says"),
    [
        pytest.param({"key": OTHER_KEY}, "", "(no TLS): its host shows another key than host_key", id="another host"),
        pytest.param({"secret": "x"}, "", "Its host does not let us in", id="another password"),
        pytest.param({"secret": ""}, "", "set the variable DROP", id="no password"),
        pytest.param({"at": "elsewhere"}, "", "There is no such folder", id="no folder"),
        pytest.param({}, "open", "No file can be written there: it is not allowed", id="it may not be written in"),
        pytest.param({}, "rename", "must know posix-rename@openssh.com", id="nothing can be replaced"),
        pytest.param({}, "remove", "what is no longer permitted could not be taken back", id="nothing can be removed"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(
    run: Run, agency: Path, sftp: Sftp, given: dict[str, Any], fails: str, says: str
) -> None:
    sftp.fault = lambda operation, _: SFTP_PERMISSION_DENIED if operation == fails else None
    result = drop(run, agency, sftp, **given)
    assert result.exit_code == 1 and says in result.stderr
    assert [sentence for sentence in json.loads(result.stdout)["wrong"] if says in sentence]


def test_a_folder_whose_names_cannot_be_listed_serves_as_well(run: Run, agency: Path, sftp: Sftp) -> None:
    sftp.fault = lambda operation, _: SFTP_PERMISSION_DENIED if operation == "list" else None
    result = drop(run, agency, sftp)
    assert result.exit_code == 0 and "the names in the folder cannot be listed" in result.stdout


def test_a_partner_that_is_called_nowhere_is_told_so(run: Run, agency: Path) -> None:
    reader = 'name = "Reader"\nsectors = ["education"]\nsince = 2026-01-15\nreads = true\n'
    (agency / "partners" / "reader.toml").write_text(reader, "utf-8")
    result = run("--instance", agency, "partner", "check", "reader")
    assert result.exit_code == 1 and "neither base_url nor folder" in result.stderr
