"""Does a provision speak of what is asked? Yes, no, or it cannot be told (None): three values, never a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from adapter.core.consent.fhir_consents.codes import (
    covers,
    either,
    every,
    is_confidentiality,
    is_sensitivity,
    rank,
    same,
)
from adapter.core.consent.fhir_consents.elements import type_of
from adapter.core.consent.fhir_consents.question import Question, Whom
from adapter.core.consent.fhir_consents.values import Actor, Coding, Data, Provision

RECIPIENTS = frozenset({"IRCP", "PRCP"})
"""v3 ParticipationType: information recipient, primary information recipient."""
_ELEMENTS = (
    "actor", "action", "purpose", "class", "resourceType", "documentType", "code", "securityLabel", "data",
    "dataPeriod", "expression",
)  # fmt: skip
_ACCESS = (Coding("", "access"),)


def matches(p: Provision, q: Question, *, permits: bool) -> bool | None:
    """All elements that a provision has must speak of what is asked (FHIR: AND between elements, OR within one).

    Of several values that are asked, a permit must cover every one; a denial is hit by any.
    """
    if any(path in (p.path, f"{p.path}.modifierExtension") for path in p.unreadable):
        return None
    return every(answer for _, answer in answers(p, q, permits=permits))


def answers(p: Provision, q: Question, *, permits: bool) -> Iterator[tuple[str, bool | None]]:
    """Each element that the provision has, by its name, with its answer."""
    codes = tuple(code for concept in p.codes for code in concept)
    table: tuple[tuple[str, object, Callable[[], bool | None]], ...] = (
        ("actor", p.actors, lambda: either(is_actor(actor, q) for actor in p.actors)),
        ("action", p.actions, lambda: _actions(p, q, permits)),
        ("purpose", p.purposes, lambda: _purposes(p, q, permits)),
        ("class", p.classes, lambda: _coded(p.classes, q.classes, permits)),
        ("documentType", p.documents, lambda: _coded(p.documents, q.classes, permits)),
        ("code", codes, lambda: _coded(codes, q.codes, permits)),
        ("securityLabel", p.labels, lambda: _permits(p.labels, q) if permits else _denies(p.labels, q)),
        ("data", p.data, lambda: either(_data(each, q, permits) for each in p.data)),
        ("dataPeriod", p.data_period, lambda: _dated(p, q, permits)),
    )
    unreadable = {name for name in _ELEMENTS if any(_is_in(path, f"{p.path}.{name}") for path in p.unreadable)}
    for name in sorted(unreadable):
        yield name, None
    for name, present, answer in table:
        if present and name not in unreadable:
            yield name, answer()


def _is_in(path: str, element: str) -> bool:
    return path == element or path.startswith((f"{element}.", f"{element}["))


def _purposes(p: Provision, q: Question, permits: bool) -> bool | None:
    if not q.purposes:
        return None
    found = (either(covers(listed, asked, permits=permits) for listed in p.purposes) for asked in q.purposes)
    return every(found) if permits else either(found)


def _actions(p: Provision, q: Question, permits: bool) -> bool | None:
    """To look is what is asked where nothing else is; a denial of any other action is then hit too."""
    listed = [code for concept in p.actions for code in concept]
    looks = _coded(listed, q.actions or _ACCESS, permits)
    return None if q.actions is None and not permits and looks is False else looks


def _coded(listed: Iterable[Coding], asked: tuple[Coding, ...] | None, permits: bool) -> bool | None:
    if asked is None:
        return None
    if not asked:
        return False
    known = list(listed)
    found = (either(same(one, other) for one in known) for other in asked)
    return every(found) if permits else either(found)


def _permits(listed: tuple[Coding, ...], q: Question) -> bool | None:
    """A permit's labels: where it lists sensitivities and the data carry some, it must list all that they carry.

    Otherwise confidentiality decides, up to the highest that is listed (R4's high-water mark).
    """
    if q.labels is None:
        return None
    high = [rank(label) for label in listed if is_confidentiality(label)]
    topics = [label for label in listed if is_sensitivity(label)]
    levels = [rank(label) for label in q.labels if is_confidentiality(label)]
    carried = [label for label in q.labels if is_sensitivity(label)]
    if topics and carried:
        return every(either(same(topic, label) for topic in topics) for label in carried)
    return _within(levels, high) if high and levels else False


def _within(levels: list[int | None], high: list[int | None]) -> bool | None:
    known = [level for level in high if level is not None]
    if not known or None in levels:
        return None
    return max(level for level in levels if level is not None) <= max(known)


def _denies(listed: tuple[Coding, ...], q: Question) -> bool | None:
    """A denial's labels: any of them hits; confidentiality from the lowest listed upward."""
    if q.labels is None:
        return None
    return either(_hits(one, label) for one in listed for label in q.labels)


def _hits(listed: Coding, label: Coding) -> bool | None:
    if is_confidentiality(listed) and is_confidentiality(label):
        low, level = rank(listed), rank(label)
        return None if low is None or level is None else low <= level
    return same(listed, label)


def _data(d: Data, q: Question, permits: bool) -> bool | None:
    """R4 data.meaning: instance; related, also what it refers to; dependents, also what refers to it; authoredby."""
    if d.meaning == "authoredby":
        return _among(d.reference, q.authors)
    found = [_one(d.reference, q.data) if q.data else None]
    if d.meaning == "related":
        found.append(_among(d.reference, q.referred_by))
    if d.meaning == "dependents" or (d.meaning == "related" and (d.both_ways or not permits)):
        found.append(_among(d.reference, q.refers_to))
    return either(found)


def _among(reference: str, given: tuple[str, ...] | None) -> bool | None:
    return None if given is None else either(_one(reference, other) for other in given)


def _one(one: str, other: str) -> bool | None:
    """Do two literal references name one resource? On two servers, or on one that is not named, it cannot be told."""
    if one == other:
        return True
    if _tail(one) == _tail(other) and (one == _tail(one) or other == _tail(other)):
        return None
    return False


def _tail(reference: str) -> str:
    return "/".join(reference.split("/")[-2:])


def _dated(p: Provision, q: Question, permits: bool) -> bool | None:
    if q.dated is None or p.data_period is None:
        return None
    first, after, span = q.dated.start, q.dated.end, p.data_period
    if first is None or after is None:
        return None
    if permits:
        return (span.start is None or span.start <= first) and (span.end is None or after <= span.end)
    return (span.start is None or span.start < after) and (span.end is None or first < span.end)


def is_actor(actor: Actor, q: Question) -> bool | None:
    """Is it the one who asks? Someone in another role than recipient (custodian, author) cannot be told."""
    if actor.roles and not any(role.code in RECIPIENTS for role in actor.roles):
        return None
    return is_whom(actor.references, actor.identifiers, actor.type, q.whom, q)


def is_whom(
    references: tuple[str, ...], identifiers: tuple[tuple[str, str], ...], kind: str, asked: Whom, q: Question
) -> bool | None:
    """By reference or identifier, exact; a reference is followed to the resources that came along."""
    known = q.known or {}
    at_hand = [known[reference] for reference in references if reference in known]
    names = {*identifiers, *(i for each in at_hand for i in each.identifiers)}
    if asked.references & set(references) or asked.identifiers & names:
        return True
    if any(asked.references & set(each.members) for each in at_hand):
        return True
    if kind == "Group" or any(each.type == "Group" for each in at_hand):
        return None
    if any(_rules_out(reference, asked) for reference in references):
        return False
    if names and asked.identifiers and (at_hand or _shares_system(names, asked.identifiers)):
        return False
    return None


def _rules_out(reference: str, asked: Whom) -> bool:
    """The one who asks was named by a reference of that type on the same server, and it is another."""
    kind, base = type_of(reference), reference.removesuffix(_tail(reference))
    return any(type_of(other) == kind != "" and other.removesuffix(_tail(other)) == base for other in asked.references)


def _shares_system(names: set[tuple[str, str]], asked: frozenset[tuple[str, str]]) -> bool:
    return bool({system for system, _ in names if system} & {system for system, _ in asked})
