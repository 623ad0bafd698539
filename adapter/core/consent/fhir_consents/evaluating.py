"""Decides what FHIR Consents say to one question: permit, deny, or not computable; a denial wins, silence is denial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from adapter.core.consent.fhir_consents.matching import answers, is_whom, matches
from adapter.core.consent.fhir_consents.question import Question, codings, dated, know, whom
from adapter.core.consent.fhir_consents.reading import read
from adapter.core.consent.fhir_consents.values import ConsentValue, Provision

SILENCE = "No consent permits it."
_PERMITS = "This provision permits it, and nothing denies it."
_DENIES = "This provision denies it, and a denial wins."
_MAY_DENY = "This consent is not computable, and it may deny it: a person must read it."
_MAY_PERMIT = "This consent is not computable, and it may permit it: a person must read it."
_SEVERAL = "These consents are about several people: say about whom is asked."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided, by which consent and which of its provisions, and one plain sentence."""

    consent: str
    provision: str
    reading: str
    reason: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Permit(Outcome):
    decision: Literal["permit"] = "permit"


@dataclass(frozen=True, slots=True)
class Deny(Outcome):
    decision: Literal["deny"] = "deny"


@dataclass(frozen=True, slots=True)
class NotComputable(Outcome):
    decision: Literal["not computable"] = "not computable"


def evaluate(
    consents: Sequence[Any],
    *,
    actor: Sequence[str],
    at: datetime,
    purpose: Sequence[str] = (),
    class_: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    codes: Sequence[str] | None = None,
    action: Sequence[str] | None = None,
    patient: str = "",
    data: str = "",
    refers_to: Sequence[str] | None = None,
    referred_by: Sequence[str] | None = None,
    authors: Sequence[str] | None = None,
    data_date: str | None = None,
    resources: Sequence[Any] = (),
    zone: tzinfo = UTC,
) -> Permit | Deny | NotComputable:
    """What these Consents (JSON values) together say.

    `actor`: all names of the one who asks, each a reference or `system|value`. Codes are `code` or `system|code`. What
    is left out is not known: a denial that looks at it is hit, a permit that looks at it is not; the word `none` (or an
    empty result of it) says that the data have none. `resources` came along, and references are followed to them.
    Total and pure; the order of consents does not matter.
    """
    known = know(resources)
    question = Question(
        whom=whom(actor, known),
        purposes=codings(purpose),
        classes=codings(class_),
        labels=codings(labels),
        codes=codings(codes),
        actions=codings(action),
        at=at,
        patient=patient,
        data=data,
        refers_to=None if refers_to is None else tuple(refers_to),
        referred_by=None if referred_by is None else tuple(referred_by),
        authors=None if authors is None else tuple(authors),
        dated=dated(data_date, zone),
        known=known,
    )
    return decide([read(consent, zone=zone) for consent in consents], question)


def decide(consents: Sequence[ConsentValue], q: Question) -> Permit | Deny | NotComputable:
    """Across consents: a denial wins; then what may deny but cannot be computed; then a permit; silence is denial."""
    notes = {f"{_name(consent)}: {note}" for consent in consents for note in consent.notes}
    about = []
    for consent in consents:
        if why := _says_nothing(consent, q):
            notes.add(f"{_name(consent)}: {why}")
        else:
            about.append(consent)
    if not q.patient and len({consent.patients for consent in about if consent.patients}) > 1:
        return NotComputable("", "", "", _SEVERAL, tuple(sorted(notes)))
    said = []
    for consent in about:
        why = "" if consent.faults else _permits_nothing(consent, q)
        for rank, outcome in _says(consent, q):
            if why and isinstance(outcome, Permit):
                notes.add(f"{_name(consent)}: {why}")
            else:
                said.append((rank, outcome.consent, outcome.provision, outcome.reason, outcome.reading, outcome))
    chosen = min(said, key=lambda each: each[:5])[5] if said else Deny("", "", "", SILENCE)
    return replace(chosen, notes=tuple(sorted(notes)))


def _name(consent: ConsentValue) -> str:
    return consent.id or "a Consent without an id"


def is_about_sharing(consent: ConsentValue) -> bool:
    """Is its scope privacy, as far as is known? Research, treatment and advance directives agree to something else."""
    codes = {scope.code for scope in consent.scopes}
    return not codes or not codes <= {"research", "treatment", "adr"} or "Consent" in consent.root.unreadable


def _says_nothing(consent: ConsentValue, q: Question) -> str:
    """Why a consent says nothing here and now; empty where it does, or where that cannot be told."""
    faulty = {fault.path for fault in consent.faults}
    if "Consent.status" not in faulty and consent.status != "active":
        return "it is not active, and says nothing"
    if not is_about_sharing(consent):
        return "its scope is not privacy, and it says nothing about sharing"
    if consent.period is not None and "Consent.period" not in faulty and not consent.period.holds(q.at):
        return "it has not begun, or has ended"
    if _is_over(consent.root, q.at):
        return "it has not begun, or has ended"
    if q.patient and consent.patients and _is_about(consent, q) is False:
        return "it is about someone else"
    return ""


def _permits_nothing(consent: ConsentValue, q: Question) -> str:
    """Why what it permits does not count; what it denies does all the same."""
    if consent.dated is not None and consent.dated.start is not None and consent.dated.start > q.at:
        return "it is dated later than the time asked about, and permits nothing yet"
    if not consent.verified:
        return "it says of itself that it was not verified, and permits nothing"
    if consent.scopes and not any(scope.code == "patient-privacy" for scope in consent.scopes):
        return "its scope is not known to be privacy, and it permits nothing"
    if q.patient and _is_about(consent, q) is not True:
        return "it cannot be told whether it is about the one asked about, and it permits nothing"
    return ""


def _is_about(consent: ConsentValue, q: Question) -> bool | None:
    references = tuple(p for p in consent.patients if "|" not in p)
    identifiers = tuple((s, v) for s, _, v in (p.partition("|") for p in consent.patients if "|" in p))
    return is_whom(references, identifiers, "Patient", whom([q.patient], q.known or {}), q)


def _says(consent: ConsentValue, q: Question) -> Iterator[tuple[int, Permit | Deny | NotComputable]]:
    """What one consent in force says, each with its rank among what all of them say."""
    reading = "; ".join(consent.readings)
    if consent.faults:
        faults = " ".join(f"{fault.path}: {fault.why}." for fault in consent.faults[:5])
        if denies := _may(consent.root, q, permits=False):
            yield 1, NotComputable(consent.id, denies.path, reading, f"{_MAY_DENY} {faults}")
        if permits := _may(consent.root, q, permits=True):
            yield 3, NotComputable(consent.id, permits.path, reading, f"{_MAY_PERMIT} {faults}")
        return
    says = _judge(consent.root, q)
    if says is None:
        return
    if says.effect == "permit":
        yield 2, Permit(consent.id, says.path, reading, _PERMITS)
    else:
        unsure = [name for name, answer in answers(says, q, permits=False) if answer is None]
        more = f" Its {', '.join(unsure)} cannot be told from what is asked, and counts against it." if unsure else ""
        yield 0, Deny(consent.id, says.path, reading, _DENIES + more)


def _judge(p: Provision, q: Question) -> Provision | None:
    """Which provision of the tree decides: one that permits for certain, one that denies or may; None: it is silent."""
    if p.period is not None and not p.period.holds(q.at):
        return None
    return _judge_permit(p, q) if p.effect == "permit" else _judge_deny(p, q)


def _judge_permit(p: Provision, q: Question) -> Provision | None:
    """What is below it is an exception to all that it, and what widens it, permits."""
    hit = matches(p, q, permits=True)
    below = [_judge(inherit(child, p) if child.effect == "permit" else child, q) for child in p.provisions]
    wider = next((found for found in below if found is not None and found.effect == "permit"), None)
    denied = next((found for found in below if found is not None and found.effect == "deny"), None)
    if denied is not None and (hit is not False or wider is not None):
        return denied
    return wider or (p if hit else None)


def _judge_deny(p: Provision, q: Question) -> Provision | None:
    hit = matches(p, q, permits=False)
    if hit is False:
        return None
    below = [_judge(child, q) for child in p.provisions]
    if any(found is not None and found.effect == "deny" for found in below):
        return next(found for found in below if found is not None and found.effect == "deny")
    released = next((found for found in below if found is not None and found.effect == "permit"), None)
    if released is None:
        return p
    return released if hit else None


def inherit(child: Provision, parent: Provision) -> Provision:
    """A permit below a permit takes over what it leaves out."""
    return replace(
        child,
        actors=child.actors or parent.actors,
        actions=child.actions or parent.actions,
        purposes=child.purposes or parent.purposes,
        classes=child.classes or parent.classes,
        documents=child.documents or parent.documents,
        codes=child.codes or parent.codes,
        labels=child.labels or parent.labels,
        data=child.data or parent.data,
        data_period=child.data_period or parent.data_period,
    )


def _may(p: Provision, q: Question, *, permits: bool) -> Provision | None:
    """The level, this or one below, of which it cannot be ruled out that it permits (or denies)."""
    if _is_over(p, q.at):
        return None
    other = "deny" if permits else "permit"
    if p.effect != other and matches(p, q, permits=permits) is not False:
        return p
    return next((found for child in p.provisions if (found := _may(child, q, permits=permits))), None)


def _is_over(p: Provision, at: datetime) -> bool:
    return p.period is not None and not any(".period" in u for u in p.unreadable) and not p.period.holds(at)
