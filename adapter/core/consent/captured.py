"""Consents that people took here: what is kept of them beside a case, and what handwritten limits hold.

`kept`: `{"captured": [consent…], "taken": {"consents/c2": {"by", "at", "ticks"}}, "held": {"consents/c2": {"text",
"since", "by"}}, "limits": {"consents/c2": {"text", "since", "provisions", "by", "on"}}}`. No put of the agency removes
any of it (consent.md, *Consent forms*).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapter.core.case import check
from adapter.core.consent.ticks import Taken
from adapter.core.schema import Schemas
from adapter.errors import Problem

HELD = "held"
"""The status, while the rules read it, of a consent with handwritten limits; no record is ever stored with it."""


def captured(
    kept: Mapping[str, Any], taken: Taken, ticks: Mapping[str, Any], *, by: str, now: datetime
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What to keep with these consents, and the ids of those that stand there already, saying something else.

    The same ticks taken twice change nothing.
    """
    there = {consent["id"]: consent for consent in kept.get("captured", ())}
    others = tuple(c["id"] for c in taken.consents if c["id"] in there and not _same(kept, there[c["id"]], c, taken))
    fresh = [consent for consent in taken.consents if consent["id"] not in there]
    paths = [f"consents/{consent['id']}" for consent in fresh]
    made = {
        **kept,
        "captured": [*kept.get("captured", ()), *fresh],
        "taken": {
            **kept.get("taken", {}),
            **{path: {"by": by, "at": now.isoformat(), "ticks": dict(ticks)} for path in paths},
        },
    }
    if taken.limits and paths:
        note = {"text": taken.limits, "since": now.isoformat(), "by": by}
        made["held"] = {**kept.get("held", {}), **dict.fromkeys(paths, note)}
    return made, others


def _same(kept: Mapping[str, Any], there: Mapping[str, Any], consent: Mapping[str, Any], taken: Taken) -> bool:
    """Is it the same as when it was taken: but for the limits that a person has turned into provisions since?"""
    path = f"consents/{there['id']}"
    known = kept.get("held", {}).get(path) or kept.get("limits", {}).get(path) or {}
    since = {p["id"] for p in known.get("provisions", ())}
    before = [p for p in there["provisions"] if p["id"] not in since]
    return {**there, "provisions": before} == consent and known.get("text", "") == taken.limits


def limited(kept: Mapping[str, Any], path: str, provisions: Sequence[Any], *, by: str, now: datetime) -> dict[str, Any]:
    """What to keep once a person has turned the handwritten limits of this consent into provisions: it is in force."""
    note = kept["held"][path]
    return {
        **kept,
        "captured": [
            {**consent, "provisions": [*consent["provisions"], *provisions]}
            if f"consents/{consent['id']}" == path
            else consent
            for consent in kept["captured"]
        ],
        "held": {other: each for other, each in kept["held"].items() if other != path},
        "limits": {
            **kept.get("limits", {}),
            path: {
                "text": note["text"],
                "since": note["since"],
                "provisions": list(provisions),
                "by": by,
                "on": now.isoformat(),
            },
        },
    }


def limit_problems(
    provisions: Any, consent: Mapping[str, Any], case: Mapping[str, Any], schemas: Schemas
) -> list[Problem]:
    """What is wrong with provisions that are to put handwritten limits into effect: a limit only takes away.

    None at all is right where a person has read the text and found no limit in it.
    """
    if not isinstance(provisions, list):
        return [Problem("/provisions", "must be a list")]
    problems = [
        Problem(f"/provisions/{i}/effect", "a limit takes away: it must be deny")
        for i, p in enumerate(provisions)
        if not isinstance(p, Mapping) or p.get("effect") != "deny"
    ]
    others = [c for c in case.get("consents", ()) if c["id"] != consent["id"]]
    first = len(consent["provisions"])
    whole = {**consent, "provisions": [*consent["provisions"], *provisions]}
    prefix = f"/consents/{len(others)}/provisions/"
    for problem in check({**case, "consents": [*others, whole]}, schemas):
        index, slash, rest = problem.pointer.removeprefix(prefix).partition("/")
        if problem.pointer.startswith(prefix) and int(index) >= first:
            problems.append(Problem(f"/provisions/{int(index) - first}{slash}{rest}", problem.detail))
    return sorted(set(problems))


def revoked(kept: Mapping[str, Any], path: str, *, on: str, by: str) -> dict[str, Any]:
    """What to keep once the family has taken a captured consent back; its denials stay (consent.md, rule 3)."""
    return {
        **kept,
        "captured": [
            {**consent, "status": "revoked", "revoked_on": on, "revoked_by": by}
            if f"consents/{consent['id']}" == path
            else consent
            for consent in kept["captured"]
        ],
        "held": {other: each for other, each in kept.get("held", {}).items() if other != path},
    }


def as_read(kept: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The captured consents as the rules read them.

    One with limits that nobody has read is `held`: of this status nothing permits, its denials count, and what it
    supersedes permits nothing any more; without an end it never counted, so it lifts no earlier denial (rules 2, 3, 7).
    """
    for consent in kept.get("captured", ()):
        if f"consents/{consent['id']}" not in kept.get("held", {}):
            yield consent
            continue
        start = consent.get("period", {}).get("start")
        yield {
            **{name: value for name, value in consent.items() if name != "period"},
            "status": HELD,
            **({"period": {"start": start}} if start else {}),
        }
