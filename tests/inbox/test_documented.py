"""docs/inbox.md is true: its calls run in their order, and its table names every kind."""

from __future__ import annotations

import json
import re
from typing import get_args

from adapter.core.inbox.values import Kind
from tests.core.mapping_files.views import ROOT
from tests.inbox.conftest import GOAL, PATIENT
from tests.inbox.test_deciding import MOTHER
from tests.verbs.agency import case_of
from tests.web.conftest import Web, desk, keys, opened, upgraded, web  # noqa: F401

TEXT = (ROOT / "docs" / "inbox.md").read_text("utf-8")
CALLS = [
    call
    for block in re.findall(r"```http\n(.*?)```", TEXT, re.DOTALL)
    for call in re.findall(r"(GET|POST) (\S+)\n(\{.*\})?", block)
]


def test_the_calls_run_in_their_order(web: Web) -> None:  # noqa: F811
    case = case_of("minimal")
    assert web.ask("source", "PUT", f"/api/cases/{case['case']}", case).status_code == 202
    for resource in (PATIENT, GOAL, MOTHER, {**PATIENT, "id": "p2"}):
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        assert web.ask("lakeside", "PUT", path, resource).status_code == 201
    item, other = (each["id"] for each in web.ask("source", "GET", "/api/inbox").json["items"])
    assert len(CALLS) > 7
    for method, path, body in CALLS:
        asked = path.replace("{item}", item).replace("{other}", other)
        answer = web.ask("coordinator", method, asked, json.loads(body) if body else None)
        assert answer.status_code in (200, 202), (path, answer.json)
    settled = {each["case"]: each["state"] for each in web.ask("source", "GET", "/api/inbox").json["items"]}
    assert settled == {"C-0001": "settled", "C-2001": "settled"}


def test_the_table_names_every_kind() -> None:
    assert re.findall(r"^\| `([a-z]+)` \| .* \| .* \|$", TEXT, re.MULTILINE) == list(get_args(Kind))
