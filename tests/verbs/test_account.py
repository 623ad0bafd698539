"""The account of disclosures: written before the bytes leave, a second line for each first one, nothing left out."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from adapter.store import disclosures, shares
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON
from tests.verbs.agency import Agency, case_of, revoked


@pytest.mark.parametrize("name", ["minimal", "shared-decision"])
def test_each_attempt_is_committed_before_its_bytes_leave(agency: Agency, name: str) -> None:
    """Seen from inside the partner's server: another transaction reads the lines while the request is answered."""
    case = case_of(name)
    seen: list[tuple[int, int]] = []
    for partner in agency.servers:

        def watch(method: str, path: str, body: bytes, partner: str = partner) -> None:
            entries = json.loads(body)["entry"]
            lines = agency.account(case["case"], partner)
            told = Counter(line.kind for line in lines)
            claim = [line for line in lines if line.request_id == lines[-1].request_id]
            # A claim may need several Bundles: what an earlier one did has been settled.
            settled = {line.urn for line in claim if line.kind != "attempted"}
            latest = [line for line in claim if line.urn not in settled]
            assert {line.kind for line in latest} == {"attempted"}
            operations = Counter(
                {"POST": "create", "PUT": "update", "DELETE": "withdraw"}[e["request"]["method"]] for e in entries
            )
            assert Counter(line.operation for line in latest) == operations
            seen.append((told["attempted"], told.total()))

        agency.fhir(partner).watch = watch
    agency.put(case)
    agency.work()
    agency.put(revoked(case))
    agency.work()
    assert len(seen) >= 2
    assert all(server.fhir.writes for server in agency.servers.values() if server.seen)
    for partner in agency.servers:
        lines = agency.account(case["case"], partner)
        firsts = Counter((line.request_id, line.urn) for line in lines if line.kind == "attempted")
        seconds = Counter((line.request_id, line.urn) for line in lines if line.kind != "attempted")
        assert firsts == seconds
        assert {line.outcome for line in lines if line.kind != "attempted"} <= {"delivered"}


def test_a_line_says_what_for_what_and_under_which_consents(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    lines = [line for line in agency.account("C-0001", "lakeside") if line.about == "goals/g1"]
    assert [(x.kind, x.operation, x.outcome) for x in lines] == [
        ("attempted", "create", ""),
        ("delivered", "create", "delivered"),
    ]
    for line in lines:
        assert (line.resource_type, line.parts, line.purpose) == ("Goal", ("goals",), "education-planning")
        assert line.consents == ("consents/c1@1",)
        assert line.at == agency.clock.now
    assert len({line.request_id for line in lines}) == 1
    assert agency.seen()[0].headers["x-request-id"] == lines[0].request_id


def test_what_is_taken_back_has_its_lines_too(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    agency.delete("C-0001")
    agency.work()
    lines = [(x.kind, x.operation) for x in agency.account("C-0001") if x.about == "goals/g1"]
    assert lines[-2:] == [("attempted", "withdraw"), ("withdrawn", "withdraw")]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (faults.Answer(503), "unavailable"),
        (faults.Answer(429), "throttled"),
        (faults.Answer(401), "unauthorised"),
        (faults.Answer(422, JSON, b"{}"), "rejected"),
        (faults.CutAfter(), "unknown"),
    ],
    ids=["503", "429", "401", "422", "cut"],
)
def test_an_attempt_that_failed_says_how(agency: Agency, fault: Any, outcome: str) -> None:
    agency.servers["lakeside"].plan(fault)
    agency.put(case_of())
    agency.work()
    lines = agency.account("C-0001", "lakeside")
    assert [(x.kind, x.outcome) for x in lines] == [("attempted", "")] * 3 + [("failed", outcome)] * 3


def test_the_account_is_in_order_and_a_cut_tail_shows(agency: Agency) -> None:
    for turn in range(4):
        agency.put(case_of() if turn % 2 == 0 else revoked(case_of()))
        agency.clock.pass_(hours=1)
        agency.work()
    times = [line.at for line in agency.account("C-0001")]
    assert times == sorted(times)
    with agency.desk.store.reading() as tx:
        id_ = agency.stored("C-0001").id
        entries = disclosures.of_case(tx, id_)
        assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
        assert disclosures.heads(tx)[id_] == (len(entries), entries[-1].hash)
        assert {s.state for s in shares.of_case(tx, id_)} == {"idle"}


def test_no_name_and_no_title_stands_in_a_share_or_on_the_way(
    agency: Agency, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the partner says back may repeat a record: of it we keep codes only."""
    said = {
        "severity": "error",
        "code": "invalid",
        "diagnostics": "Théo Exemple: Tie my own shoes",
        "expression": ["Goal"],
    }
    outcome = json.dumps({"resourceType": "OperationOutcome", "issue": [said]}).encode()
    agency.servers["lakeside"].plan(faults.Answer(422, JSON, outcome))
    agency.put(case_of())
    agency.work()
    share = agency.share("C-0001")
    assert share["detail"] == "HTTP 422 error invalid at Goal"
    captured = "".join(capfd.readouterr())
    assert captured
    for word in ("Exemple", "shoes", "C-0001"):
        assert word not in f"{share} {captured}"
