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


def inward(received: Received, agency: Collection[tuple[str, str]], case: Mapping[str, Any]) -> Received:
    """With the direction that each referral has here. What is asked of us comes in, also where its sender calls it
    outward; how far it is, and what becomes of it, is then for us to say, but that its sender takes it back."""
    places = {each.path: each.record for each in received.records}

    def turned(mapped: Mapped) -> Mapped:
        if mapped.collection != "referrals":
            return mapped
        record, ours = dict(mapped.record), record_at(case, mapped.path) or {}
        to = (places.get(record["to"]) or record_at(case, record["to"]) or {}) if "to" in record else {}
        named = {(each.get("system", ""), each.get("value")) for each in to.get("identifiers", ())}
        if record.get("direction") == "out" and (named & set(agency) or ours.get("direction") == "in"):
            record["direction"] = "in"
        if "in" in (record.get("direction"), ours.get("direction")):
            record.pop("outcome", None)
        if ours.get("direction") == "in" and record.get("status") not in _TAKEN_BACK:
            record.pop("status", None)
        return replace(mapped, record=record)

    return replace(
        received,
        records=tuple(turned(each) for each in received.records),
        additions=tuple(turned(each) for each in received.additions),
    )


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
