"""Why something is shared or withheld: for each record and partner a plain sentence and what provision decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapter.core.consent.captured import HELD
from adapter.core.consent.closure import DIRECTORY
from adapter.core.consent.decide import Decision
from adapter.core.consent.rules import Alarm, Rules, Standing, alarms_of, standing_of
from adapter.core.consent.sight import Refused
from adapter.core.consent.view import View
from adapter.core.schema import records

REASONS = {
    "permitted": "The family permits it.",
    "denied": "The family said no to it.",
    "silence": "No consent says yes to it.",
    "purpose": "The consent is for another purpose.",
    "part": "The consent does not name this part of the case.",
    "records": "The consent names single records, and this is not one of them.",
    "topic": "It is about a sensitive topic that the consent does not name.",
    "exception": "The consent leaves it out by an exception.",
    "shared": "Each decision maker must have permitted it, and not each of them has.",
    "own-age": "At this age only the young person's own consent permits, and there is none that does.",
    "age-unknown": "The birth date or an assessment is missing, so that it cannot be told whose consent counts.",
    "never": "It never leaves the agency.",
    "identity": "The partner may not be told who the child is, so nothing is shared.",
    "unreferenced": "Nothing that the partner may see refers to it.",
    "incomplete": "What is left of it would not be worth sharing.",
    "form": "A consent form, or a document that may not be passed on, is never in a view.",
    "draft": "The consent is a draft.",
    "revoked": "The consent was revoked.",
    "superseded": "A later consent takes its place.",
    "entered-in-error": "The consent was entered in error.",
    "not-computable": "The consent cannot be computed; a person must look at it.",
    "imported": "The consent came from elsewhere and has not been adopted.",
    "unsigned": "The consent is not signed.",
    "written-only": "The partner needs a consent in writing.",
    "no-end": "The consent does not say from when and until when.",
    "not-begun": "The consent has not begun.",
    "ended": "The consent has ended.",
    "no-authority": "The one who gave the consent may not consent for the child.",
    "no-capacity": "The child's capacity is not on record.",
    "names-nothing": "The consent does not name to whom, for what and which parts.",
    "receiver": "The consent does not name this partner.",
    "held": "The family wrote limits by hand, and nobody has turned them into provisions yet.",
}
_AGENCY = "The system and the value of an [[agency.identifiers]] of adapter.toml must stand"
ALARMS = {
    "not-computable": "This consent cannot be computed: it permits nothing, and denies all that it may deny. "
    "`adapter preview --as explain` says why: correct it where it was written.",
    "deny-without-authority": "This denial counts although it is unsigned or without authority. Ask the family: "
    "have it signed, or have whoever may lift it sign a later consent with this one under `supersedes`.",
    "superseded-by-nothing": "This consent was superseded by one that itself permits nothing. Look at that one: "
    "what it lacks stands under the consents that permit nothing.",
    "limits-held": "The family wrote limits by hand: this consent permits nothing until they are provisions. "
    "Read them with the family, then enter them with `adapter consent limits`.",
    "agency-not-found": "No organisation of this case is the settings' coordinating agency: nobody is exempt. "
    f"{_AGENCY} under the `identifiers` of the agency among the case's `organizations`.",
    "agency-ambiguous": "Several organisations of this case are the settings' coordinating agency: nobody is exempt. "
    f"{_AGENCY} under the `identifiers` of one of the case's `organizations` only.",
}
"""What has happened, and what to do next."""
_TELLING = (
    "ended", "not-begun", "revoked", "no-end", "unsigned", "written-only", "no-authority", "no-capacity",
    "not-computable", "superseded", "imported", "names-nothing", "draft", "held",
    "entered-in-error",
)  # fmt: skip
"""Why permits that would have fitted do not count, the most useful to say first."""


def explain(case: Mapping[str, Any], rules: Rules, partner: str, now: datetime, shown: View) -> dict[str, Any]:
    """`{"records": [{path, outcome, reasons: [{part, why, sentence, provision}]}], "consents": […], "alarms": […]}`.

    `outcome` is `shared`, `partly` or `withheld`. For people inside the agency: it names what is withheld.
    """
    standing = standing_of(rules, partner, now)
    refused: dict[str, list[Refused]] = {}
    for r in shown.refused:
        refused.setdefault("/".join(r.path.split("/")[:2]), []).append(r)
    return {
        "partner": partner,
        "at": now.isoformat(),
        "records": [
            _record(collection, path, rules, standing, shown, refused.get(path, []))
            for collection, path, _ in records(case)
            if collection != "consents"
        ],
        "consents": [_consent(t.path, t.faults, rules, standing) for t in rules.consents],
        "alarms": [{"path": a.path, "alarm": a.code, "sentence": ALARMS[a.code]} for a in alarms(rules, now)],
    }


def alarms(rules: Rules, now: datetime) -> tuple[Alarm, ...]:
    """What a person must look at: what the rules find, and consents that handwritten limits hold."""
    held = (Alarm(terms.path, "limits-held") for terms in rules.consents if terms.status == HELD)
    return tuple(sorted({*alarms_of(rules, now), *held}))


def _record(
    collection: str, path: str, rules: Rules, standing: Standing, shown: View, refused: list[Refused]
) -> dict[str, Any]:
    there = path in shown.labels
    outcome = "withheld" if not there else "partly" if refused else "shared"
    reasons = list(_reasons(rules, standing, refused))
    if there:
        parts = shown.labels[path].parts
        reasons = [_reason(part, "permitted", _permit(part, shown, standing)) for part in parts] + reasons
    elif not shown.labels:
        reasons = reasons or [_reason("", "identity", "")]
    elif collection in DIRECTORY:
        reasons = reasons or [_reason("", "unreferenced", "")]
    else:
        reasons = reasons or [_reason("", "form" if collection == "documents" else "incomplete", "")]
    return {"path": path, "outcome": outcome, "reasons": reasons}


def _reason(part: str, why: str, provision: str) -> dict[str, Any]:
    return {"part": part, "why": why, "sentence": REASONS[why], "provision": provision or None}


def _permit(part: str, shown: View, standing: Standing) -> str:
    found = (p for p in standing.permits if p.terms.path in shown.consents and p.test.parts and part in p.test.parts)
    return next((p.provision.path for p in found), "")


def _reasons(rules: Rules, standing: Standing, refused: list[Refused]) -> Iterator[dict[str, Any]]:
    said: set[tuple[str, str, str, str]] = set()
    for r in refused:
        why, provision = _why(rules, standing, r.part, r.decision)
        key = (r.path, r.part, why, provision)
        if key not in said:
            said.add(key)
            yield {**_reason(r.part, why, provision), "path": r.path, "topics": sorted(r.topics)}


def _why(rules: Rules, standing: Standing, part: str, decision: Decision) -> tuple[str, str]:
    """Where no permit counts at all, the consent that would have fitted says why it does not."""
    if decision.why not in ("silence", "part"):
        return decision.why, decision.because
    found = [
        (_TELLING.index(why), why, p.path)
        for terms in rules.consents
        for p in terms.provisions
        if (why := standing.refused.get(p.path, "")) in _TELLING
        and (part in p.parts or "all" in p.parts or why == "names-nothing")
        and (f"partners/{standing.partner.id}" in p.to or not p.to or len(p.to) > 0 and _aimed(p.to, standing))
    ]
    if found:
        _, why, path = min(found)
        return why, path
    return decision.why, decision.because


def _aimed(to: tuple[str, ...], standing: Standing) -> bool:
    return "all" in to or "care-team" in to or any(f"sectors/{s}" in to for s in standing.partner.sectors)


def _consent(path: str, faults: tuple[str, ...], rules: Rules, standing: Standing) -> dict[str, Any]:
    """What this consent permits towards the partner: something, or nothing and why."""
    counts = any(p.terms.path == path for p in standing.permits)
    found = {why for p, why in standing.refused.items() if p.startswith(f"{path}/")}
    sentences = [] if counts else [REASONS[why] for why in sorted(found)]
    return {
        "path": path,
        "counts": counts,
        "reasons": sentences + [f"{fault[0].upper()}{fault[1:]}." for fault in faults],
    }
