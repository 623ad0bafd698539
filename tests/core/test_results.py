"""What a partner's answer is believed to say: nothing on trust, and never an exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.diff import Create, Delete, Update
from adapter.core.fhir.bundle import transaction
from adapter.core.fhir.results import Result, found, holding, place_of, results, unasked
from adapter.core.strict_json import digest
from tests.core.test_diff import GOAL, ORGANIZATION, held, made

CREATE = Create(GOAL)
UPDATE = Update(GOAL, held(GOAL, id="g1", version="2"))
DELETE = Delete(held(GOAL, id="g1"))
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}
FINE = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}


def bundle(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": list(entries), **more}


def entry(status: Any, **more: Any) -> dict[str, Any]:
    return {"response": {"status": status, **more}}


def read(change: Any, response: Any, **more: Any) -> tuple[str, str, str]:
    (result,) = results([change], transaction([change], {}), response, **more)
    return result.outcome, result.id, result.version


@pytest.mark.parametrize(
    ("change", "answered", "expected"),
    [
        pytest.param(
            CREATE, entry("201", location="Goal/9", etag='W/"3"'), ("delivered", "9", "3"), id="relative location"
        ),
        pytest.param(CREATE, entry("201 Created", location="Goal/9/_history/4"), ("delivered", "9", "4"), id="history"),
        pytest.param(
            CREATE,
            entry("201", location="https://x.org/a/fhir/Goal/9/_history/4"),
            ("delivered", "9", "4"),
            id="absolute",
        ),
        pytest.param(
            CREATE, entry(201, location="/Goal/9", etag='"5"'), ("delivered", "9", "5"), id="status as a number"
        ),
        pytest.param(
            CREATE, entry("201", location="Goal/9", etag="3"), ("delivered", "9", ""), id="an etag that is none"
        ),
        pytest.param(CREATE, entry("200 OK", location="Goal/9"), ("existing", "9", ""), id="found by its identifier"),
        pytest.param(
            CREATE, entry("201", location="Goal/9", outcome=FINE), ("delivered", "9", ""), id="with good words"
        ),
        pytest.param(
            CREATE, entry("201", location="Goal/9", outcome=ERROR), ("unknown", "", ""), id="with an error inside"
        ),
        pytest.param(CREATE, entry("201"), ("unknown", "", ""), id="created, but where is not said"),
        pytest.param(CREATE, entry("201", location="Patient/9"), ("unknown", "", ""), id="created as another type"),
        pytest.param(CREATE, entry("201", location="Goal/../9"), ("unknown", "", ""), id="a location that climbs"),
        pytest.param(CREATE, entry("201", location="Goal/9?x=1"), ("unknown", "", ""), id="a location with a query"),
        pytest.param(
            CREATE, entry("201", location="Goal/9\r\nX: 1"), ("unknown", "", ""), id="a location with a line break"
        ),
        pytest.param(CREATE, entry("201", location=["Goal/9"]), ("unknown", "", ""), id="a location that is a list"),
        pytest.param(CREATE, entry("204", location="Goal/9"), ("unknown", "", ""), id="no content, from a create"),
        pytest.param(
            CREATE,
            {**entry("201", location="Goal/9"), "resource": {"resourceType": "Goal", "id": "9"}},
            ("unknown", "", ""),
            id="with a resource that is not ours",
        ),
        pytest.param(
            CREATE,
            {**entry("201"), "resource": {**GOAL.resource, "id": "9", "meta": {"versionId": "6"}}},
            ("delivered", "9", "6"),
            id="with ours in place of a location",
        ),
        pytest.param(CREATE, entry("412"), ("ambiguous", "", ""), id="several match the identifier"),
        pytest.param(CREATE, entry("409 Conflict"), ("conflict", "", ""), id="two creates at once"),
        pytest.param(CREATE, entry("429"), ("throttled", "", ""), id="too many"),
        pytest.param(CREATE, entry("503"), ("unavailable", "", ""), id="not now"),
        pytest.param(CREATE, entry("422", outcome=ERROR), ("rejected", "", ""), id="refused"),
        pytest.param(CREATE, entry("404"), ("rejected", "", ""), id="no such type there"),
        pytest.param(CREATE, entry("500"), ("unknown", "", ""), id="a server error"),
        pytest.param(CREATE, entry("999"), ("unknown", "", ""), id="no status of this world"),
        pytest.param(CREATE, entry("Created"), ("unknown", "", ""), id="a word for a status"),
        pytest.param(CREATE, entry(True), ("unknown", "", ""), id="true for a status"),
        pytest.param(
            UPDATE, entry("200", location="Goal/g1/_history/3", etag='W/"3"'), ("delivered", "g1", "3"), id="updated"
        ),
        pytest.param(UPDATE, entry("200"), ("delivered", "", ""), id="updated, of unknown version"),
        pytest.param(
            UPDATE, entry("201", location="Goal/g1/_history/1"), ("delivered", "g1", "1"), id="made anew by PUT"
        ),
        pytest.param(UPDATE, entry("200", location="Goal/other"), ("unknown", "", ""), id="updated another"),
        pytest.param(UPDATE, entry("412"), ("version", "", ""), id="someone there changed it"),
        pytest.param(UPDATE, entry("404"), ("conflict", "", ""), id="someone there deleted it"),
        pytest.param(UPDATE, entry("410"), ("conflict", "", ""), id="it is gone there"),
        pytest.param(DELETE, entry("204"), ("delivered", "", ""), id="deleted"),
        pytest.param(DELETE, entry("200", outcome=FINE), ("delivered", "", ""), id="deleted, with words"),
        pytest.param(DELETE, entry("404"), ("delivered", "", ""), id="deleted before"),
        pytest.param(DELETE, entry("410 Gone"), ("delivered", "", ""), id="gone before"),
        pytest.param(DELETE, entry("202"), ("unknown", "", ""), id="perhaps deleted later"),
        pytest.param(DELETE, entry("405"), ("rejected", "", ""), id="may not be deleted"),
        pytest.param(DELETE, entry("401"), ("unauthorised", "", ""), id="token not accepted"),
    ],
)
def test_what_an_entry_says(change: Any, answered: Any, expected: tuple[str, str, str]) -> None:
    """One row for each way in which servers answer, or lie."""
    assert read(change, bundle(answered)) == expected


@pytest.mark.parametrize(
    ("response", "more", "expected"),
    [
        pytest.param(None, {}, "unknown", id="200 without a body"),
        pytest.param(ERROR, {}, "unknown", id="200 with an error in place of the Bundle"),
        pytest.param(bundle(), {}, "unknown", id="no entries"),
        pytest.param(bundle(entry("204"), entry("204")), {}, "unknown", id="an entry too many"),
        pytest.param(bundle(entry("204"), type="searchset"), {}, "unknown", id="another kind of Bundle"),
        pytest.param(
            bundle(entry("204"), type="batch-response"), {}, "delivered", id="a batch in place of a transaction"
        ),
        pytest.param(bundle(entry("204"), entry={"0": entry("204")}), {}, "unknown", id="entries that are no list"),
        pytest.param(ERROR, {"status": 400}, "rejected", id="400"),
        pytest.param(None, {"status": 400}, "rejected", id="400 without words"),
        pytest.param(bundle(entry("204")), {"status": 400}, "rejected", id="400 with success inside"),
        pytest.param(None, {"status": 308}, "rejected", id="a redirect"),
        pytest.param(None, {"status": 307}, "unknown", id="a redirect for now"),
        pytest.param(None, {"status": 401}, "unauthorised", id="401"),
        pytest.param(None, {"status": 403}, "rejected", id="403"),
        pytest.param(
            {**ERROR, "issue": [{"severity": "error", "code": "expired"}]},
            {"status": 403},
            "unauthorised",
            id="403, expired",
        ),
        pytest.param(None, {"status": 409}, "conflict", id="409"),
        pytest.param(None, {"status": 412}, "ambiguous", id="412 where no version was sent"),
        pytest.param(None, {"status": 429}, "throttled", id="429"),
        pytest.param({"__type": "ThrottlingException"}, {"status": 400}, "throttled", id="400 that means slower"),
        pytest.param(None, {"status": 503}, "unavailable", id="503"),
        pytest.param(None, {"status": 503, "waits": True}, "throttled", id="503 with Retry-After"),
        pytest.param(None, {"status": 500}, "unknown", id="500"),
        pytest.param(None, {"status": 504}, "unknown", id="504"),
        pytest.param(None, {"status": 501}, "rejected", id="501"),
        pytest.param(None, {"status": 408}, "unknown", id="408"),
    ],
)
def test_what_the_whole_says(response: Any, more: dict[str, Any], expected: str) -> None:
    """HTTP 200 is never taken for success, and an error of the whole is that of each entry."""
    assert read(DELETE, response, **more)[0] == expected


def test_412_of_the_whole_is_about_versions_where_some_were_sent() -> None:
    """And about several matches where the server says so."""
    assert read(UPDATE, None, status=412)[0] == "version"
    several = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "multiple-matches"}]}
    assert read(UPDATE, several, status=412)[0] == "ambiguous"


@pytest.mark.parametrize("status", [404, 410])
def test_a_whole_that_was_not_found_is_about_our_copy_where_one_was_to_be_updated(status: int) -> None:
    """Medplum refuses a transaction so when someone there has deleted what it updates: one looks. A server that is not
    there says it without an OperationOutcome, or to what is created."""
    assert read(UPDATE, ERROR, status=status)[0] == "conflict"
    assert read(UPDATE, None, status=status)[0] == read(CREATE, ERROR, status=status)[0] == "rejected"


def test_entries_in_another_order_are_not_believed() -> None:
    """Neither by type, nor where two changes would share one place."""
    other = Create(made("Task", "t"))
    sent = transaction([CREATE, other], {})
    turned = bundle(entry("201", location="Task/1"), entry("201", location="Goal/2"))
    assert [result.outcome for result in results([CREATE, other], sent, turned)] == ["unknown", "unknown"]
    third, fourth = Create(made("Goal", "b")), Create(made("Task", "u"))
    four = [CREATE, third, other, fourth]
    turned = bundle(*(entry("201", location=place) for place in ("Task/4", "Task/3", "Goal/2", "Goal/1")))
    assert {result.outcome for result in results(four, transaction(four, {}), turned)} == {"unknown"}
    inner = bundle(*(entry("201", location=place) for place in ("Task/4", "Goal/2", "Task/3", "Goal/1")))
    assert {result.outcome for result in results(four, transaction(four, {}), inner)} == {"unknown"}
    echoed = bundle(*({**entry("201"), "resource": {**one.made.resource, "id": "1"}} for one in (third, CREATE)))
    assert {result.outcome for result in results([CREATE, third], transaction([CREATE, third], {}), echoed)} == {
        "unknown"
    }
    twin = Create(made("Goal", "twin"))
    same = bundle(entry("201", location="Goal/1"), entry("201", location="Goal/1"))
    doubtful = results([CREATE, twin], transaction([CREATE, twin], {}), same)
    assert [(result.outcome, result.id) for result in doubtful] == [("unknown", ""), ("unknown", "")]


def test_holdings_that_follow() -> None:
    """A create is held with its hash; what was found is ours but not known to equal; a deletion is remembered."""
    created = holding(Result(CREATE, "delivered", "9", "1"))
    assert created == held(GOAL, id="9", version="1")
    existing = holding(Result(Create(ORGANIZATION), "existing", "9", "1"))
    assert existing == held(ORGANIZATION, id="9", version="1", hash="")
    updated = holding(Result(Update(GOAL, held(GOAL, hash="0", id="g1", state="frozen")), "delivered", "g1", "8"))
    assert updated == held(GOAL, id="g1", version="8")
    withdrawn = holding(Result(DELETE, "delivered"))
    assert withdrawn == held(GOAL, id="g1", version="", hash="", state="withdrawn")
    assert holding(Result(CREATE, "unknown", "9", "1")) is None
    assert updated is not None and updated.hash == digest(GOAL.resource)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"resourceType": "Bundle", "type": "searchset", "total": 0}, (), id="nothing there"),
        pytest.param(
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "entry": [
                    {"resource": {**GOAL.resource, "id": "9", "meta": {"versionId": "3"}}},
                    {
                        "resource": {
                            **GOAL.resource,
                            "id": "8",
                            "identifier": [{"system": "https://s", "value": "other"}],
                        }
                    },
                    {"resource": {**GOAL.resource, "id": "7", "resourceType": "Task"}},
                    {"resource": {**GOAL.resource, "id": "../7"}},
                    {"resource": None},
                    None,
                ],
            },
            (("9", "3"),),
            id="ours among what was not asked for",
        ),
        pytest.param(
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "entry": [
                    {"resource": {**GOAL.resource, "id": "9"}},
                    {"resource": {**GOAL.resource, "id": "8"}},
                ],
            },
            (("8", ""), ("9", "")),
            id="two of ours",
        ),
        pytest.param(ERROR, None, id="an error"),
        pytest.param({"resourceType": "Bundle", "type": "searchset", "entry": {}}, None, id="entries that are no list"),
        pytest.param([], None, id="no object"),
    ],
)
def test_what_was_found(body: Any, expected: Any) -> None:
    """After an unknown outcome: only what has our type and identifier counts."""
    assert found(body, "Goal", GOAL.identifier) == expected


SEARCHSET = {"resourceType": "Bundle", "type": "searchset"}
OTHER = {**GOAL.resource, "identifier": [{"system": "https://s", "value": "other"}]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(SEARCHSET, False, id="nothing"),
        pytest.param({**SEARCHSET, "entry": [{"resource": GOAL.resource}]}, False, id="what was asked for"),
        pytest.param({**SEARCHSET, "entry": [{"resource": GOAL.resource}, {"resource": OTHER}]}, True, id="another"),
        pytest.param(
            {**SEARCHSET, "entry": [{"resource": {"resourceType": "Goal"}}]}, True, id="one that bears no identifier"
        ),
        pytest.param({**SEARCHSET, "entry": [{"resource": {"resourceType": "Patient"}}]}, True, id="another type"),
        pytest.param({**SEARCHSET, "entry": [{"resource": ERROR}]}, False, id="a word about the search"),
        pytest.param({"resourceType": "Bundle", "entry": [{"resource": OTHER}]}, True, id="in a Bundle of no type"),
        pytest.param(OTHER, True, id="alone"),
        pytest.param(ERROR, False, id="an error"),
        pytest.param({**SEARCHSET, "entry": {"resource": OTHER}}, False, id="entries that are no list"),
        pytest.param({**SEARCHSET, "entry": [None, {}, {"resource": 7}]}, False, id="entries that are none"),
        pytest.param({"error": "x"}, False, id="no resource"),
        pytest.param([OTHER], False, id="no object"),
    ],
)
def test_what_was_not_asked_for(body: Any, expected: bool) -> None:
    assert unasked(body, "Goal", GOAL.identifier) == expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["201", "200 OK", "Goal/9", 'W/"3"', "Goal", "Bundle", "x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceType",
                    "type",
                    "entry",
                    "response",
                    "status",
                    "location",
                    "etag",
                    "outcome",
                    "resource",
                    "issue",
                    "severity",
                    "code",
                    "details",
                    "coding",
                    "expression",
                    "diagnostics",
                    "error",
                    "id",
                    "meta",
                    "identifier",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(JSON, st.lists(JSON, max_size=4), st.sampled_from([200, 201, 400, 412, 500]))
def test_no_answer_is_too_strange(answer: Any, entries: list[Any], status: int) -> None:
    """Any JSON, alone or in the right frame: one result for each change, and a success always names a place."""
    sent = [
        CREATE,
        Update(made("Task", "t"), held(made("Task", "t"), id="t1")),
        Delete(held(made("Task", "d"), id="d1")),
    ]
    for response in (answer, bundle(*entries), bundle(*([answer] * 3))):
        read = results(sent, transaction(sent, {}), response, status=status)
        assert [result.change for result in read] == sent
        for result in read:
            assert result.outcome not in ("delivered", "existing") or result.id or not isinstance(result.change, Create)
            holding(result)
    found(answer, "Goal", GOAL.identifier)
    unasked(answer, "Goal", GOAL.identifier)
    place_of(answer)
