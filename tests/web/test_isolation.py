"""Partners are alone: nothing of one can be found, told from nothing, or referred to by another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.conftest import Web
from tests.web.test_fhir import goal
from tests.web.test_fhir_transaction import bundle, entry

MARKER = "Zephyrine-Quill"
SECRET: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "zq1",
    "identifier": [{"system": "https://other.example", "value": MARKER}],
    "name": [{"family": MARKER}],
}
FORM = "application/x-www-form-urlencoded"

ASKED: dict[str, tuple[str, str, Any, dict[str, str]]] = {
    "read": ("GET", "/fhir/Patient/{id}", None, {}),
    "version read": ("GET", "/fhir/Patient/{id}/_history/1", None, {}),
    "read unless it has a version": ("GET", "/fhir/Patient/{id}", None, {"If_None_Match": 'W/"1"'}),
    "delete": ("DELETE", "/fhir/Patient/{id}", None, {}),
    "delete a version": ("DELETE", "/fhir/Patient/{id}", None, {"If_Match": 'W/"1"'}),
    "search by id": ("GET", "/fhir/Patient?_id={id}", None, {}),
    "search by posted id": ("POST", "/fhir/Patient/_search", b"_id={id}", {"Content_Type": FORM}),
    "count": ("GET", "/fhir/Patient?_summary=count", None, {}),
    "search by reference": ("GET", "/fhir/Goal?subject=Patient/{id}", None, {}),
    "refer to it": ("POST", "/fhir/Goal", goal("Patient/{id}"), {}),
    "refer to it in a transaction": ("POST", "/fhir", bundle(entry("POST", "Goal", goal("Patient/{id}"))), {}),
    "update a version": ("PUT", "/fhir/Patient/{id}", {"resourceType": "Patient", "id": "{id}"}, {"If_Match": 'W/"1"'}),
    "read in a batch": ("POST", "/fhir", bundle(entry("GET", "Patient/{id}"), kind="batch"), {}),
    "delete in a transaction": ("POST", "/fhir", bundle(entry("DELETE", "Patient/{id}")), {}),
}


def filled(value: Any, name: str) -> Any:
    if isinstance(value, bytes):
        return value.replace(b"{id}", name.encode())
    return json.loads(json.dumps(value).replace("{id}", name)) if value is not None else None


@pytest.mark.parametrize(("method", "path", "body", "headers"), ASKED.values(), ids=ASKED)
def test_another_partner_s_resource_is_like_nothing(
    web: Web, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    """The answer about what another partner has, and about what nobody has, is the same but for the name asked for."""
    assert web.ask("riverside", "PUT", "/fhir/Patient/zq1", SECRET).status_code == 201
    there, nowhere = (
        web.ask("lakeside", method, path.replace("{id}", name), filled(body, name), **headers)
        for name in ("zq1", "zq2")
    )
    assert there.status_code == nowhere.status_code
    assert there.text.replace("zq1", "zq2") == nowhere.text
    kept = {name: value for name, value in there.headers.items() if name not in ("Date", "Last-Modified")}
    assert kept == {name: value for name, value in nowhere.headers.items() if name not in ("Date", "Last-Modified")}
    assert MARKER not in there.text
    assert web.ask("riverside", "GET", "/fhir/Patient/zq1").json["name"] == [{"family": MARKER}]


def test_a_marker_of_one_partner_is_in_no_byte_of_another(web: Web) -> None:
    """Every type, every search, every error; and the same id, identifier and condition make another resource."""
    web.ask("riverside", "PUT", "/fhir/Patient/zq1", SECRET)
    web.ask("riverside", "POST", "/fhir/Goal", goal("Patient/zq1", description={"text": MARKER}))
    own = {"resourceType": "Patient", "identifier": SECRET["identifier"]}
    condition = f"identifier=https://other.example|{MARKER}"
    made = web.ask("lakeside", "POST", "/fhir/Patient", own, If_None_Exist=condition)
    assert made.status_code == 201
    assert made.json["id"] != "zq1"
    assert "name" not in made.json
    mine = web.ask("lakeside", "PUT", "/fhir/Patient/zq1", {"resourceType": "Patient", "id": "zq1", "gender": "male"})
    assert (mine.status_code, mine.headers["ETag"]) == (201, 'W/"1"')
    seen = [mine]
    types = [each["type"] for each in web.ask("lakeside", "GET", "/fhir/metadata").json["rest"][0]["resource"]]
    for type_ in types:
        seen.append(web.ask("lakeside", "GET", f"/fhir/{type_}"))
        seen.append(web.ask("lakeside", "GET", f"/fhir/{type_}/zq1"))
    told = b"".join(answer.data + str(answer.headers).encode() for answer in seen)
    assert told.count(MARKER.encode()) == 1  # the identifier that the partner wrote itself
    assert web.ask("riverside", "GET", "/fhir/Patient/zq1").headers["ETag"] == 'W/"1"'
