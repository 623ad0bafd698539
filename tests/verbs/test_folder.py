"""A partner with a folder and no server: the same shares, holdings, account and outcomes, carried by files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from paramiko import SFTP_FAILURE, SFTP_PERMISSION_DENIED

from adapter import steer
from adapter.core.consent.last_look.pages import pages
from adapter.core.partner import Authorisation
from adapter.outward.folder import Folder
from tests.outward.sftp_server import KEY, PASSWORD, Sftp, public
from tests.verbs.agency import Agency, case_of, record, revoked
from tests.verbs.conftest import Open

NUMBER = "C-4418"
PARTNER = "fernhollow"


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Sftp]:
    (tmp_path / "drop" / "in").mkdir(parents=True)
    with Sftp(tmp_path / "drop") as server:
        yield server


@pytest.fixture
def agency(open_agency: Open, sftp: Sftp) -> Agency:
    """Fernhollow has a folder in place of its server; the others are paused."""
    settings = {
        "paused": False,
        "base_url": "",
        "folder": f"sftp://maple@127.0.0.1:{sftp.port}/in",
        "host_key": public(KEY),
        "authorisation": Authorisation("password", secret="DROP"),
    }
    agency = open_agency(each={"paused": True}, fernhollow=settings)
    way = Folder(agency.desk.catalogue.partners[PARTNER], secret=PASSWORD)
    others: Callable[[str], Any] = agency.desk.server
    desk = replace(agency.desk, server=lambda partner: way if partner == PARTNER else others(partner))
    return replace(agency, desk=desk)


def index(sftp: Sftp) -> list[dict[str, Any]]:
    (found,) = (content for name, content in sftp.files().items() if name.endswith(".index.jsonl"))
    return [json.loads(line) for line in found.splitlines()]


def file(sftp: Sftp, ending: str) -> bytes:
    (found,) = (content for name, content in sftp.files().items() if name.endswith(ending))
    return found


def inside(sftp: Sftp) -> set[str]:
    return {entry["resource"]["resourceType"] for entry in json.loads(file(sftp, ".fhir.json"))["entry"]}


def test_everything_is_in_it_and_nothing_is_told_by_a_name(agency: Agency, sftp: Sftp) -> None:
    agency.put(case_of("person-centred"))
    agency.work()
    share = agency.share(NUMBER, PARTNER)
    assert (share["state"], share["outcome"]) == ("idle", "delivered")
    assert len(sftp.files()) == 3
    assert {"Patient", "Goal", "CarePlan", "CareTeam", "Consent", "Organization"} <= inside(sftp)
    assert "Choose the aide" in " ".join(pages(file(sftp, ".pdf")).flow)
    (held,) = (held for held in agency.held(NUMBER, PARTNER).values())
    assert held.type == "DocumentReference"
    assert all(name.startswith(held.identifier[1]) for name in sftp.files())
    told = " ".join(sftp.files()) + json.dumps(index(sftp))
    assert not [word for word in ("4418", "Jas", "Comeau", "person", "plan of") if word in told]
    whole = file(sftp, ".fhir.json").decode() + " ".join(pages(file(sftp, ".pdf")).flow)
    told_of = json.loads((Path(__file__).parents[2] / "fixtures/person-centred/expected.json").read_text("utf-8"))
    assert not [marker for marker in told_of[PARTNER]["markers"] if marker in whole]
    kinds = [line.kind for line in agency.account(NUMBER, PARTNER)]
    assert kinds == ["attempted", "delivered"]


def test_a_change_replaces_the_files_and_no_change_touches_nothing(agency: Agency, sftp: Sftp) -> None:
    case = case_of("person-centred")
    agency.put(case)
    agency.work()
    before, logins = sftp.files(), sftp.logins
    record(case, "goals/g-college")["title"] = "Start college somewhere else"
    agency.put(case)
    agency.work()
    assert (sftp.files(), sftp.logins) == (before, logins)
    record(case, "goals/g-teeth")["title"] = "See the dentist on Mill Road"
    agency.put(case)
    agency.clock.pass_(seconds=120)
    agency.work()
    assert {line["version"] for line in index(sftp)} == {2}
    assert "Mill Road" in " ".join(pages(file(sftp, ".pdf")).flow)


def test_a_withdrawal_takes_the_files_away(agency: Agency, sftp: Sftp) -> None:
    case = case_of("person-centred")
    agency.put(case)
    agency.work()
    record(case, "consents/c-fern")["status"] = "revoked"
    agency.put(case)
    agency.work()
    assert agency.share(NUMBER, PARTNER)["outcome"] == "delivered"
    assert {line["status"] for line in index(sftp)} == {"withdrawn"}
    assert len(sftp.files()) == 1
    assert [line.kind for line in agency.account(NUMBER, PARTNER)][-1] == "withdrawn"
    agency.clock.pass_(days=1)
    assert agency.work() == 0


def test_a_line_that_is_cut_ends_with_one_document(agency: Agency, sftp: Sftp) -> None:
    """One looks before anything else is sent; nothing is doubled or left half done."""
    sftp.cut = lambda operation, name: operation == "rename" and name.endswith(".fhir.json")
    agency.put(case_of("person-centred"))
    agency.work()
    assert agency.share(NUMBER, PARTNER)["outcome"] == "unknown"
    sftp.cut = lambda operation, name: False
    agency.work_on()
    assert agency.share(NUMBER, PARTNER)["state"] == "idle"
    assert len(sftp.files()) == 3
    assert {(line["status"], line["version"]) for line in index(sftp)} == {("current", 1)}


def test_a_full_disk_is_tried_again_until_there_is_room(agency: Agency, sftp: Sftp) -> None:
    sftp.fault = lambda operation, name: SFTP_FAILURE if operation == "write" else None
    agency.put(case_of("person-centred"))
    agency.work()
    assert agency.share(NUMBER, PARTNER)["outcome"] == "unavailable"
    assert sftp.files() == {}
    sftp.fault = lambda operation, name: None
    agency.clock.now += timedelta(hours=1)
    agency.work_on()
    assert agency.share(NUMBER, PARTNER)["outcome"] == "delivered"
    assert len(sftp.files()) == 3


@pytest.mark.parametrize("then", ["revoked", "as before"])
@pytest.mark.parametrize("ending", [".pdf", ".fhir.json"])
@pytest.mark.parametrize("how", ["cut after", "refused at"])
def test_files_that_no_index_names_are_there_all_the_same(
    agency: Agency, sftp: Sftp, how: str, ending: str, then: str
) -> None:
    """The line is cut between a plan and its index: permission ends, and the plan stayed there for good."""
    case = case_of("person-centred")
    if how == "cut after":
        sftp.cut = lambda operation, name: operation == "rename" and name.endswith(ending)
    else:
        denied = ".index.jsonl" if ending == ".pdf" else ".pdf"
        sftp.fault = lambda operation, name: (
            SFTP_PERMISSION_DENIED if operation == "rename" and name.endswith(denied) else None
        )
    agency.put(case)
    agency.work()
    assert [name for name in sftp.files() if name.endswith(ending)] == [] or how == "cut after"
    sftp.cut, sftp.fault = lambda *_: False, lambda *_: None
    if then == "revoked":
        agency.put(revoked(case_of("person-centred")))
    elif how == "refused at":
        steer.retry(agency.desk, NUMBER, PARTNER)
    agency.work_on(hours=1)
    assert agency.share(NUMBER, PARTNER)["state"] == "idle"
    if then == "revoked":
        assert [name for name in sftp.files() if not name.endswith(".index.jsonl")] == []
    else:
        assert {line["sha256"] for line in index(sftp)} == {
            hashlib.sha256(file(sftp, each)).hexdigest() for each in (".pdf", ".fhir.json")
        }
