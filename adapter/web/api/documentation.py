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
from adapter.core.account.entering import LONGEST
from adapter.core.account.words import HOW, LANGUAGES
from adapter.core.consent.rulebook import TOPICS
from adapter.core.fhir.patch import MOST_OPERATIONS
from adapter.core.fhir.search import PARAMETERS
from adapter.core.purge import LONGEST_REASON
from adapter.core.referral.course import HANDOVER
from adapter.core.referral.inward import ANSWERS
from adapter.core.referral.table import STATES
from adapter.errors import NotFound
from adapter.link import MOST_DAYS
from adapter.show.account import STATEMENTS
from adapter.steer import LEAST_PER_MINUTE, MOST_PER_MINUTE
from adapter.web.api.account import ACCOUNTS
from adapter.web.api.asked import FORMS, MOST
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
_OWN: dict[str, dict[str, Any]] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457: what is wrong; never a value from a record.",
        "required": ["type", "title", "status", "detail", "errors"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Pointed"}},
        },
    },
    "Pointed": {
        "type": "object",
        "description": "A rule, and the JSON Pointer (RFC 6901) of where it is broken.",
        "required": ["pointer", "detail"],
        "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
    },
    "Saved": {
        "type": "object",
        "required": ["version", "changed", "due", "warnings"],
        "properties": {
            "version": {"type": "integer", "description": "Of the case; also the ETag."},
            "changed": {"type": "boolean", "description": "False where what was put is what was there."},
            "due": {"type": "array", "items": {"type": "string"}, "description": "Partners whose share is now due."},
            "warnings": {"type": "array", "items": {"$ref": "#/components/schemas/Pointed"}},
        },
    },
    "Ticks": {
        "type": "object",
        "description": "What a family ticked and signed on a form (docs/consent-forms.md).",
        "required": ["form", "version", "boxes", "period", "signed"],
        "properties": {
            "form": {"type": "string"},
            "version": {"type": "string"},
            "language": {"enum": list(LANGUAGES)},
            "to": {"type": "array", "items": {"type": "string"}, "description": "Partners; not with columns."},
            "boxes": {"type": "object", "description": "Box to true or initials; with columns, by partner."},
            "period": {"type": "object", "description": "start, and end or choice."},
            "signed": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            "limits": {"type": "string", "description": "Handwritten: it holds the consent until it is provisions."},
            "supersedes": {"type": "array", "items": {"type": "string"}},
            "document": {"type": "string"},
            "id": {"type": "string"},
        },
    },
    "WhatIf": {
        "type": "object",
        "description": "A consent, or ticks (which nobody needs to have signed).",
        "properties": {
            "consent": {"$ref": "#/components/schemas/consents"},
            "ticks": {"$ref": "#/components/schemas/Ticks"},
            "partner": {"type": "string", "description": "All partners if left out."},
            "language": {"enum": list(LANGUAGES)},
        },
    },
    "Limits": {
        "type": "object",
        "description": "Denials that put handwritten limits into effect; none where they limit nothing.",
        "required": ["provisions", "by"],
        "properties": {"provisions": {"type": "array", "items": {"type": "object"}}, "by": {"type": "string"}},
    },
    "Revocation": {
        "type": "object",
        "description": "Who took the consent back (people/… or child), and on which day.",
        "required": ["by"],
        "properties": {"by": {"type": "string"}, "on": {"type": "string", "format": "date"}},
    },
    "Resumed": {
        "type": "object",
        "description": "The pace at which what has become due meanwhile goes on; may be left out whole.",
        "additionalProperties": False,
        "properties": {
            "per_minute": {"type": "number", "minimum": LEAST_PER_MINUTE, "maximum": MOST_PER_MINUTE},
        },
    },
    "Replayed": {
        "type": "object",
        "description": "Behind which number everything is told again; left out: telling goes on where it had stopped.",
        "additionalProperties": False,
        "properties": {"after": {"type": "integer", "minimum": 0}},
    },
    "Cancellation": {
        "type": "object",
        "description": "Why: of a consent, why it is an error; of a referral, what its receiver reads.",
        "required": ["reason"],
        "additionalProperties": False,
        "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 2000}},
    },
    "LinkAsked": {
        "type": "object",
        "description": "For how many days the link opens.",
        "additionalProperties": False,
        "properties": {"days": {"type": "integer", "minimum": 1, "maximum": MOST_DAYS}},
    },
    "HandOver": {
        "type": "object",
        "description": "A step of a warm hand-over, and the day on which it was; today if left out.",
        "required": ["step"],
        "additionalProperties": False,
        "properties": {"step": {"enum": list(HANDOVER)}, "on": {"type": "string", "format": "date"}},
    },
    "ReferralAnswer": {
        "type": "object",
        "description": "The answer to a referral that came in; who gives it, why, and what came of it.",
        "required": ["status"],
        "additionalProperties": False,
        "properties": {
            "status": {"enum": list(ANSWERS)},
            "business_status": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$"},
            "reason": {"type": "string", "minLength": 1, "maxLength": 2000},
            "result": {"type": "string", "minLength": 1, "maxLength": 2000},
            "by": {"type": "string", "minLength": 1, "maxLength": 300},
        },
    },
    "Told": {
        "type": "object",
        "description": "What was told outside of the adapter.",
        "required": [*LONGEST, "at", "how", "parts"],
        "additionalProperties": False,
        "properties": {
            **{name: {"type": "string", "minLength": 1, "maxLength": longest} for name, longest in LONGEST.items()},
            "at": {"type": "string", "description": "When: a date or date-time (ISO 8601), not in the future."},
            "how": {"enum": list(HOW)},
            "parts": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        },
    },
    "Matched": {
        "type": "object",
        "description": "Which Patient there the child is, or that it is none of them and is to be created.",
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {"accept": {"type": "string"}, "create": {"const": True}},
    },
    "Whose": {
        "type": "object",
        "description": "Which case the child of an item is of (null: the match is undone), and which of its records"
        " resources of the partner are.",
        "required": ["case"],
        "additionalProperties": False,
        "properties": {
            "case": {"type": ["string", "null"]},
            "pairs": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        },
    },
    "Opened": {
        "type": "object",
        "description": "The new case of a child that is unknown here.",
        "required": ["case", "program"],
        "additionalProperties": False,
        "properties": {
            "case": {"type": "string"},
            "program": {"type": "string"},
            "first_contact": {"type": "string", "format": "date"},
        },
    },
    "Adopted": {
        "type": "object",
        "description": "All, or the paths of records and fields; `with` adds fields to a record that is new.",
        "additionalProperties": False,
        "properties": {
            "all": {"const": True},
            "paths": {"type": "array", "minItems": 1, "items": {"type": "string"}},
            "with": {"type": "object", "additionalProperties": {"type": "object"}},
        },
    },
    "Dismissed": {
        "type": "object",
        "description": "All, or paths, and why.",
        "required": ["reason"],
        "additionalProperties": False,
        "properties": {
            "all": {"const": True},
            "paths": {"type": "array", "minItems": 1, "items": {"type": "string"}},
            "reason": {"type": "string", "minLength": 1, "maxLength": 2000},
        },
    },
    "Retried": {
        "type": "object",
        "description": "What becomes of copies that were changed at the partner; may be left out.",
        "additionalProperties": False,
        "properties": {"theirs": {"enum": ["overwrite", "leave"]}},
    },
    "Purged": {
        "type": "object",
        "description": "What the partner says it has done with its copies of what was taken back.",
        "required": ["answer"],
        "additionalProperties": False,
        "properties": {
            "answer": {"enum": ["done", "kept"]},
            "reason": {"type": "string", "minLength": 1, "maxLength": LONGEST_REASON},
            "how": {"enum": list(HOW)},
            "on": {
                "type": "string",
                "description": "When it said so: a date or date-time (ISO 8601), not before it was asked.",
            },
            "asked": {
                "type": "string",
                "description": "The request that is answered: its `asked` in GET …/shares. After another one, 409.",
            },
        },
    },
    "Reviewed": {
        "type": "object",
        "description": "A text has been read, and is about these topics (none: ordinary); or it is not the denied one.",
        "required": ["path"],
        "properties": {
            "path": {"type": "string", "description": "goals/g1, care_plans/p1/sections/s1, child."},
            "topics": {"type": "array", "items": {"enum": list(TOPICS)}},
            "by": {"type": "string", "description": "Who has read it, beside the label of the token."},
            "not_denied": {"type": "boolean", "description": "It is not the record that the family denied."},
        },
    },
    "Preview": {
        "type": "object",
        "required": ["case", "partner"],
        "properties": {"case": {"$ref": "#/components/schemas/case"}, "partner": {"type": "string"}},
    },
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
            "schemas": _OWN | records,
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
