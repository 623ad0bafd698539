"""Describes the API to programs: OpenAPI 3.1, made from the routes, their roles and the record schemas.

What a view's docstring says is its summary; who may ask stands in auth.py; so the description cannot fall behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app
from werkzeug.routing import Rule

from adapter import __version__
from adapter.core.account.words import LANGUAGES
from adapter.core.fhir.patch import MOST_OPERATIONS
from adapter.core.fhir.search import PARAMETERS
from adapter.core.referral.table import STATES
from adapter.errors import NotFound
from adapter.show.account import STATEMENTS
from adapter.web.api.account import ACCOUNTS
from adapter.web.api.asked import FORMS, MOST
from adapter.web.api.schemas import SCHEMAS
from adapter.web.auth import admission
from adapter.web.errors import FHIR_JSON, PROBLEM_JSON
from adapter.wiring import Wiring

_JSON = "application/json"
_BODIES = {
    "api.put_case": "case",
    "api.preview": "Preview",
    "api.retry": "Retried",
    "api.purged": "Purged",
    "api.matching.give": "Matched",
    "api.resume": "Resumed",
    "api.notices.replay": "Replayed",
    "api.account.enter": "Told",
    "api.review.give": "Reviewed",
    "api.referrals.cancel": "Cancellation",
    "api.referrals.cancel_others": "Cancellation",
    "api.referrals.make_link": "LinkAsked",
    "api.referrals.hand_over": "HandOver",
    "api.referrals.answer": "ReferralAnswer",
    "api.forms.capture": "Ticks",
    "api.forms.what_if": "WhatIf",
    "api.forms.limit": "Limits",
    "api.forms.revoke": "Revocation",
    "api.inbox.match": "Whose",
    "api.inbox.open_case": "Opened",
    "api.inbox.adopt": "Adopted",
    "api.inbox.dismiss": "Dismissed",
    "api.forms.cancel": "Cancellation",
}
_ANSWERS = {
    "api.get_case": "case",
    "api.put_case": "Saved",
    "api.delete_case": "Saved",
    "api.put_record": "Saved",
    "api.delete_record": "Saved",
}
_STATUS = {
    "Saved": "202",
    "api.retry": "202",
    "api.purged": "201",
    "api.matching.give": "202",
    "api.inbox.match": "202",
    "api.inbox.open_case": "202",
    "api.inbox.adopt": "202",
    "api.inbox.dismiss": "202",
    "api.pause": "202",
    "api.resume": "202",
    "api.notices.replay": "202",
    "api.account.enter": "201",
    "api.referrals.cancel": "202",
    "api.referrals.cancel_others": "202",
    "api.referrals.make_link": "201",
    "api.referrals.accept": "202",
    "api.referrals.hand_over": "202",
    "api.referrals.answer": "202",
    "api.forms.capture": "202",
    "api.forms.limit": "202",
    "api.forms.revoke": "202",
    "api.forms.cancel": "202",
    "fhir.create": "201",
    "fhir.delete": "204",
    "fhir.delete_by_condition": "204",
}
_QUERY = {
    "api.matching.waiting": ("share.after",),
    "api.inbox.sources": ("sources.as",),
    "api.inbox.items": ("of.partner", "item.state", "case", "item.after", "limit"),
    "api.notices.listed": ("share.after", "limit"),
    "api.cases": ("after", "limit"),
    "api.view": ("as", "at"),
    "api.preview": ("as", "at"),
    "api.account.disclosures": ("account.as",),
    "api.account.statement": ("statement.as", "language"),
    "api.review.waiting": ("case", "text", "after", "limit"),
    "api.referrals.board": ("case", "state", "after", "limit"),
    "api.review.due": ("case", "days", "due.as", "after", "limit"),
    "api.review.waitlist": ("region", "program"),
    "api.review.alarms": ("case", "after", "limit"),
}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "after": {"schema": {"type": "string"}, "description": "The case behind which the page begins."},
    "share.after": {"schema": {"type": "integer", "minimum": 0}, "description": "As `next` of the page before said."},
    "sources.as": {"schema": {"enum": ["records", "fhir"]}, "description": "Records, or a Bundle of Provenance."},
    "of.partner": {"schema": {"type": "string"}, "description": "What this partner sent only."},
    "item.state": {"schema": {"enum": ["waiting", "settled"]}, "description": "Items in this state only."},
    "item.after": {"schema": {"type": "integer", "minimum": 0}, "description": "As `next` of the page before said."},
    "case": {"schema": {"type": "string"}, "description": "One case only."},
    "state": {"schema": {"enum": list(STATES)}, "description": "Referrals in this state only."},
    "text": {"schema": {"type": "boolean"}, "description": "Also the text that is to be read; for people only."},
    "days": {"schema": {"type": "integer", "minimum": 0}, "description": "How far ahead, in days."},
    "limit": {"schema": {"type": "integer", "minimum": 1, "maximum": MOST}, "description": "How many at most."},
    "as": {"schema": {"enum": list(FORMS)}, "description": "The form of the view; records if left out."},
    "due.as": {"schema": {"enum": ["records", "fhir"]}, "description": "Records, or a Bundle of Tasks."},
    "region": {"schema": {"type": "string"}, "description": "Only its part of the list."},
    "program": {"schema": {"type": "string"}, "description": "One program only."},
    "account.as": {"schema": {"enum": list(ACCOUNTS)}, "description": "Lines, or a Bundle of AuditEvents."},
    "statement.as": {"schema": {"enum": list(STATEMENTS)}, "description": "A page, or a table for spreadsheets."},
    "language": {"schema": {"enum": list(LANGUAGES)}, "description": "Of the words; English if left out."},
    "at": {"schema": {"type": "string"}, "description": "Another time than now: a date or date-time (ISO 8601)."},
}


def schema(wiring: Wiring, collection: str) -> dict[str, Any]:
    """The schema of a collection as it stands in mappings/records. NotFound: there is no such collection."""
    found: Mapping[str, Any] | None = wiring.catalogue.schemas.files.get(collection)
    if found is None:
        raise NotFound("There is no such collection.")
    return dict(found)


def openapi(wiring: Wiring, address: str) -> dict[str, Any]:
    """The whole description, for the server at this address."""
    paths: dict[str, dict[str, Any]] = {}
    for rule, method in _routes():
        paths.setdefault(_path(rule), {})[method.lower()] = _operation(rule, method)
    records = {name: _inside(found, name) for name, found in wiring.catalogue.schemas.files.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "FHIR adapter for coordinated service planning",
            "version": __version__,
            "description": "Case systems put records; partners exchange FHIR under /fhir (R4, or R5"
            " where the partner's file says so; see /fhir/metadata).",
        },
        "servers": [{"url": address}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": SCHEMAS | records,
        },
    }


def _routes() -> Iterator[tuple[Rule, str]]:
    """Every route but those of the pages."""
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint.startswith(("api.", "fhir.", "smart.", "notices.")):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


def _operation(rule: Rule, method: str) -> dict[str, Any]:
    admitted = admission(method, rule.rule)
    roles = sorted(admitted.roles) if admitted else []
    view = current_app.view_functions[rule.endpoint]
    made: dict[str, Any] = {
        "operationId": "_".join(
            [*rule.endpoint.split("."), *(value for value in (rule.defaults or {}).values() if value)]
        ),
        "summary": (view.__doc__ or "").strip().splitlines()[0],
        "tags": [rule.endpoint.split(".")[0]],
        "parameters": [*_in_path(rule), *_in_query(rule.endpoint)],
        "responses": _responses(rule, method, bool(roles)),
        "security": [{"token": []}] if roles else [],
    }
    if roles:
        made["description"] = f"Roles: {', '.join(roles)}."
    if body := _body(rule, method):
        made["requestBody"] = body
    return made


def _in_path(rule: Rule) -> Iterator[dict[str, Any]]:
    for name in sorted(rule.arguments - set(rule.defaults or {})):
        choices = {"schema": {"enum": list(PARAMETERS)}} if name == "type_" else {"schema": {"type": "string"}}
        yield {"name": name.rstrip("_"), "in": "path", "required": True, **choices}


def _in_query(endpoint: str) -> Iterator[dict[str, Any]]:
    for name in _QUERY.get(endpoint, ()):
        yield {"name": name.rpartition(".")[2], "in": "query", **_PARAMETERS[name]}


def _body(rule: Rule, method: str) -> dict[str, Any] | None:
    if rule.endpoint in ("fhir.search_by_post", "smart.token"):
        return {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}
    if rule.endpoint == "fhir.patch":
        operations = {"type": "array", "items": {"type": "object"}, "maxItems": MOST_OPERATIONS}
        return {"required": True, "content": {"application/json-patch+json": {"schema": operations}}}
    if rule.endpoint.startswith("fhir."):
        return (
            {"required": True, "content": {FHIR_JSON: {"schema": {"type": "object"}}}}
            if method in ("POST", "PUT")
            else None
        )
    if rule.endpoint == "api.put_record":
        return {"required": True, "content": {_JSON: {"schema": {"type": "object"}}}}
    if name := _BODIES.get(rule.endpoint):
        required = name not in ("Resumed", "Replayed")
        return {"required": required, "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
    return None


def _responses(rule: Rule, method: str, guarded: bool) -> dict[str, Any]:
    fhir = rule.endpoint.startswith("fhir.")
    name = _ANSWERS.get(rule.endpoint, "")
    status = _STATUS.get(name) or _STATUS.get(rule.endpoint, "200")
    answer: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{name}"}} if name else {"schema": {}}
    content = {} if status == "204" else {"content": {FHIR_JSON if fhir else _JSON: answer}}
    error = {"schema": {"type": "object"}} if fhir else {"schema": {"$ref": "#/components/schemas/Problem"}}
    wrong = {"description": "What is wrong", "content": {FHIR_JSON if fhir else PROBLEM_JSON: error}}
    codes = [*(["401", "403"] if guarded else []), *(["404"] if rule.arguments else []), "default"]
    return {status: {"description": "Done", **content}, **dict.fromkeys(codes, wrong)}


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+?)_?>", r"{\1}", rule.rule)


def _inside(value: Any, name: str) -> Any:
    """A record schema as a part of the description: its references by `$id` become references within."""
    if isinstance(value, list):
        return [_inside(inner, name) for inner in value]
    if not isinstance(value, Mapping):
        return value
    made = {key: _inside(inner, name) for key, inner in value.items() if key not in ("$schema", "$id")}
    if isinstance(target := made.get("$ref"), str):
        inner = f"{name}{target[1:]}" if target.startswith("#") else target.rsplit("/", 1)[-1]
        made["$ref"] = f"#/components/schemas/{inner}"
    return made
