"""The description of the API is whole, valid, and true to the table of roles and to docs/api.md."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from adapter.web.auth import ADMISSIONS
from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error

PAGES = {
    "/",
    "/partners/<partner>",
    "/inbox",
    "/inbox/<item>",
    "/referrals",
    "/referrals/<case>/<referral>",
    "/cases/<case>",
    "/purges/<case>/<partner>",
    "/waitlist",
    "/r/<token>",
    "/waiting",
    "/waiting/<case>",
    "/waiting/<case>/match/<partner>",
    "/sign-in",
    "/sign-out",
    "/static/<path:filename>",
}
DESCRIBED = {key: admission for key, admission in ADMISSIONS.items() if key[1] not in PAGES}


@pytest.fixture(scope="module")
def said(shared_web: Web) -> Any:
    return shared_web.ask(None, "GET", "/openapi.json").json


def test_every_route_is_described(said: Any) -> None:
    """Each method of each route, with its roles; and nothing that is not there."""
    described = {(method.upper(), path) for path, methods in said["paths"].items() for method in methods}
    assert described == {(method, re.sub(r"<(\w+?)_?>", r"{\1}", rule)) for method, rule in DESCRIBED}
    for (method, rule), admission in DESCRIBED.items():
        operation = said["paths"][re.sub(r"<(\w+?)_?>", r"{\1}", rule)][method.lower()]
        assert operation["summary"].endswith((".", "?", ":"))
        assert bool(operation["security"]) == (admission.door == "token")
        assert all(role in operation.get("description", "") for role in admission.roles)


def test_each_operation_has_a_name_of_its_own(said: Any) -> None:
    """operationId is unique, and every parameter of the path is described."""
    operations = [(path, operation) for path, methods in said["paths"].items() for operation in methods.values()]
    names = [operation["operationId"] for _, operation in operations]
    assert len(names) == len(set(names))
    for path, operation in operations:
        told = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert told == set(re.findall(r"{(\w+)}", path))


def test_every_reference_inside_leads_somewhere(said: Any) -> None:
    """Programs can follow each $ref within the document."""
    for target in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(said))):
        place = said
        assert target.startswith("#/")
        for step in target[2:].split("/"):
            place = place[step]


def test_the_schema_of_a_case_inside_accepts_a_case(said: Any) -> None:
    """The schemas were not changed on their way into the description."""
    import jsonschema

    case = json.loads((ROOT / "fixtures" / "ontario-csp" / "case.json").read_text(encoding="utf-8"))
    whole = {"$ref": "#/components/schemas/case", "components": said["components"]}
    jsonschema.Draft202012Validator(whole).validate(case)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(whole).validate(case | {"colour": 1})


def test_each_collection_has_its_schema(shared_web: Web) -> None:
    """As it stands in mappings/records; another name is 404."""
    for file in (ROOT / "mappings" / "records").glob("*.schema.json"):
        answer = shared_web.ask("engineer", "GET", f"/api/schemas/{file.name.split('.')[0]}")
        assert answer.json == json.loads(file.read_text(encoding="utf-8"))
    assert_error(shared_web.ask("engineer", "GET", "/api/schemas/none"), 404)


def test_the_page_for_people_has_the_same_table() -> None:
    """docs/api.md lists every route with its roles, and no other."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (GET|PUT|POST|PATCH|DELETE) \| `([^`]+)` \| ([a-z, ]+) \|", text, re.MULTILINE)
    told = {(method, path): {role.strip() for role in roles.split(",")} for method, path, roles in rows}
    wanted = {
        (method, re.sub(r"<(?:path:)?(\w+?)_?>", r"{\1}", rule)): set(admission.roles) or {"everyone"}
        for (method, rule), admission in ADMISSIONS.items()
    }
    assert told == wanted
