"""What a partner's resources come to for one case: records compared, resources refused, what is not there any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapter.core.inbox.comparing import alike, compared, record_at
from adapter.core.inbox.values import Compared, Proposal, Refusal
from adapter.core.mapping.inbound import Mapped, Note, Received
from adapter.core.schema import Schemas
from adapter.core.strict_json import digest

Decisions = Mapping[str, Mapping[str, Any]]
_TAKEN_BACK = ("cancelled", "entered-in-error")
CHILDLESS = "it belongs to no child: send the Patient that it is about, and refer to that"


def comparison(
    received: Received, names: Sequence[str], case: Mapping[str, Any], schemas: Schemas
) -> tuple[Compared, ...]:
    """Each record that the partner says something of, with the case's. `names`: `Type/id` of each resource."""
    here = (*received.records, *received.additions)
    found = [_compared(each, names, case, schemas) for each in here if not _elsewhere(each, received, case)]
    for each in received.incomplete:
        if record_at(case, each.path) is None:
            one = _compared(each, names, case, schemas)
            found.append(replace(one, proposals=tuple(replace(p, kind="incomplete") for p in one.proposals)))
    if (program := received.fields.get("program")) is not None:
        found.append(_program(program, case))
    return tuple(sorted(found, key=lambda each: each.path))


def refusals(received: Received, names: Sequence[str]) -> tuple[Refusal, ...]:
    """What became nothing, each element named."""
    return tuple(_refusal(note, names) for note in received.refused)


def unread(received: Received, names: Sequence[str], bodies: Sequence[Mapping[str, Any]]) -> tuple[Proposal, ...]:
    """Resources of which nothing could be taken: a person sees them once, and again when they have changed."""
    every = (*received.records, *received.additions, *received.incomplete)
    used = {index for each in every for index, _ in each.sources}
    refused = sorted({note.index for note in received.refused} - used)
    return tuple(
        Proposal(f"refused/{names[index]}", "refused", None, None, digest(bodies[index]), (names[index],))
        for index in refused
    )


def gone(arrived: Mapping[str, Mapping[str, Any]], item: str, names: Collection[str]) -> tuple[Proposal, ...]:
    """What was adopted of this item and is not at the partner any more: the agency keeps it until it says otherwise."""
    found = []
    for path, source in sorted(arrived.items()):
        name = f"{source['type']}/{source['id']}"
        if source.get("item") == item and name not in names:
            found.append(Proposal(f"gone/{path}", "gone", None, None, digest(name), (name,)))
    return tuple(found)


def with_decisions(proposals: Iterable[Proposal], decisions: Decisions) -> tuple[Proposal, ...]:
    """Each with what was decided of exactly this; what has changed since asks anew.

    What was adopted is no proposal while it stands in the case: if it is one again, the agency has another value, or
    has put its case without it, and is asked.
    """
    left = {(path, said["digest"]) for path, said in decisions.items() if said["what"] == "dismissed"}
    return tuple(each.as_decided("dismissed") if (each.path, each.digest) in left else each for each in proposals)


def inward(
    received: Received,
    bodies: Sequence[Mapping[str, Any]],
    agency: Collection[tuple[str, str]],
    case: Mapping[str, Any],
) -> Received:
    """With the direction that each referral has here, whatever it has where it comes from.

    What is asked of us comes in; how far it is, and what becomes of it, is then for us to say, but that its sender
    takes it back. One between others is neither in nor out: it is incomplete, for who adopted it as it is would answer
    it, or send it, in another's place.
    """
    places = {each.path: each.record for each in received.records}

    def whose(record: Mapping[str, Any]) -> dict[str, Any]:
        return dict(places.get(record.get("to", "")) or record_at(case, record["to"]) or {}) if "to" in record else {}

    def asks_us(mapped: Mapped) -> bool:
        named = {(each.get("system", ""), each.get("value")) for each in whose(mapped.record).get("identifiers", ())}
        told = any(_tells_direction(bodies[index]) for index, _ in mapped.sources)
        return bool(named & set(agency)) or ("to" not in mapped.record and not told)

    def turned(mapped: Mapped) -> Mapped:
        ours = record_at(case, mapped.path)
        if mapped.collection != "referrals" or (ours is None and not asks_us(mapped)):
            return mapped
        direction = ours["direction"] if ours else "in"
        leave = {"direction"} if ours else set()
        if direction == "in":
            leave |= {"outcome", *({"status"} if ours and mapped.record.get("status") not in _TAKEN_BACK else ())}
        kept = {name: value for name, value in mapped.record.items() if name not in leave}
        return replace(mapped, record=kept if ours else {**kept, "direction": "in"})

    def between_others(mapped: Mapped) -> bool:
        return mapped.collection == "referrals" and record_at(case, mapped.path) is None and not asks_us(mapped)

    others = {each.path for each in received.records if between_others(each)}
    taken = tuple(_apart(turned(each), others) for each in received.records if each.path not in others)
    left = tuple(replace(m, record=_without(m.record, "direction")) for m in received.records if m.path in others)
    additions = tuple(turned(each) for each in received.additions)
    return replace(received, records=taken, additions=additions, incomplete=(*received.incomplete, *left))


def _tells_direction(body: Mapping[str, Any]) -> bool:
    """Does an adapter say of this request which way it goes, at home?"""
    given = body.get("extension")
    urls = [each.get("url") for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return any(isinstance(url, str) and url.endswith("/csp-referral-direction") for url in urls)


def _apart(mapped: Mapped, others: Collection[str]) -> Mapped:
    """Without naming as its parallels referrals that are not taken over with it."""
    parallel = mapped.record.get("parallel")
    if mapped.collection != "referrals" or not isinstance(parallel, list):
        return mapped
    kept = [each for each in parallel if each not in others]
    plain = _without(mapped.record, "parallel")
    return replace(mapped, record={**plain, "parallel": kept} if kept else plain)


def _without(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in record.items() if each != name}


def _compared(mapped: Mapped, names: Sequence[str], case: Mapping[str, Any], schemas: Schemas) -> Compared:
    sources = tuple(dict.fromkeys(names[index] for index, _ in mapped.sources))
    return compared(case, mapped.path, mapped.record, schemas, sources)


def _elsewhere(mapped: Mapped, received: Received, case: Mapping[str, Any]) -> bool:
    """Is it an addition to a record that the case has not any more?"""
    return mapped in received.additions and record_at(case, mapped.path) is None


def _program(program: Any, case: Mapping[str, Any]) -> Compared:
    ours = case.get("program")
    if ours is not None and alike(ours, program):
        return Compared("program", (), (), ("program",))
    kind = Proposal("program", "field" if ours is None else "differs", program, ours, digest(program))
    return Compared("program", (), (kind,))


def _refusal(note: Note, names: Sequence[str]) -> Refusal:
    return Refusal(names[note.index] if note.index < len(names) else "", note.expression, note.rule)
