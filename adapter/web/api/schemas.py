"""The schemas of what programs send and are answered, but for the records: those are in mappings/records."""

from __future__ import annotations

from typing import Any

from adapter.core.account.entering import LONGEST
from adapter.core.account.words import HOW, LANGUAGES
from adapter.core.consent.rulebook import TOPICS
from adapter.core.purge import LONGEST_REASON
from adapter.core.referral.course import HANDOVER
from adapter.core.referral.inward import ANSWERS
from adapter.link import MOST_DAYS
from adapter.steer import LEAST_PER_MINUTE, MOST_PER_MINUTE

SCHEMAS: dict[str, dict[str, Any]] = {
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
"""Name → JSON Schema; they refer to each other, and to the records, as parts of the description."""
