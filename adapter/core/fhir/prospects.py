"""Says in plain sentences what a partner's server can do, and what the adapter will therefore do."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.core.diff import ORDER
from adapter.core.document.place import PLAN, WITH_IT, held_as_document
from adapter.core.fhir.abilities import Abilities, found_by_name, not_taken, way
from adapter.core.partner import Partner
from adapter.core.subscriptions.ours import topic_of

_MODES = {
    "transaction": "Changes go as transactions of at most {} entries: each is done whole, or not at all.",
    "batch": "Changes go as batches of at most {} entries, in the order in which they refer to each other; each entry"
    " stands alone.",
    "single": "Changes go as single calls, in the order in which they refer to each other.",
}
_MATCHING = {
    "identifier": "A child is looked for by shared identifiers; who is not found there waits for a person.",
    "match": "A child is looked for by shared identifiers, then by $match; a person confirms what is not certain.",
    "create": "A child is looked for by shared identifiers, then by $match; who is not found there is created.",
}


def can(told: Abilities | None) -> list[str]:
    """What the server states of itself; a sentence also where it states nothing."""
    if told is None:
        return ["It does not say what it can do: /metadata could not be read."]
    system = ", ".join(sorted(told.system)) or "neither transactions nor batches"
    said = [
        f"It states FHIR {told.release or 'of an unknown release'}, {system}, and {len(told.types)} resource types."
    ]
    if told.refused:
        said.append(f"Its answers have shown that it does not take: {', '.join(sorted(told.refused))}.")
    if told.topics:
        said.append(f"It states these topics of subscriptions: {', '.join(told.topics)}.")
    elif "Subscription" in told.types:
        said.append("It takes subscriptions, and states no topics of them.")
    if told.security:
        said.append(f"It states these ways to be authorised: {', '.join(told.security)}.")
    return said


def will(partner: Partner, told: Abilities | None) -> list[str]:
    """What the adapter will do."""
    how = way(partner, told)
    mode = _MODES[how.mode].format(how.chunk)
    left_out = sorted(not_taken(partner, told, ORDER))
    taken = [type_ for type_ in ORDER if type_ not in left_out]
    said = [mode + ("" if partner.mode == "auto" else f' (Its file says mode = "{partner.mode}".)')]
    first = [type_ for type_ in taken if not how.conditional(type_)]
    if first:
        said.append(f"Looked for by our identifier before they are created: {_listed(first, taken)}.")
    if len(first) < len(taken):
        under = [type_ for type_ in taken if how.conditional(type_)]
        said.append(f"Created under the condition that none is there: {_listed(under, taken)}.")
    if blind := [type_ for type_ in taken if not found_by_name(told, type_)]:
        said.append(
            f"Cannot be looked for, by what the server states: {', '.join(blind)}; a lost answer calls a person."
        )
    inside = held_as_document(partner, left_out)
    if inside:
        said.append(f"Held within one document, in place of resources: {', '.join(sorted(inside & PLAN | WITH_IT))}.")
    if apart := [type_ for type_ in left_out if type_ not in inside]:
        said.append(f"Not sent, for the server does not take them: {', '.join(apart)}.")
    said.append(_matching(partner, told))
    return [*said, *_subscription(partner, told)]


def _subscription(partner: Partner, told: Abilities | None) -> list[str]:
    """How we learn of answers where its file says that its server tells us."""
    rules = partner.referrals
    if rules.answers != "subscription":
        return []
    topic = topic_of(rules.topic, told.topics if told else ())
    if partner.release == "R5" and not topic:
        return ["Answers are asked for each hour: R5 needs a topic, and neither its file nor its server names one."]
    if told is not None and told.types and "Subscription" not in told.types:
        return ["Answers are asked for each hour, until it takes a subscription: it does not state that it does."]
    how = f"to {topic}" if topic else "by R4's plain criteria"
    every = f"{rules.every:g} minutes"
    return [f"Its server is to tell us of answers ({how}); all the same all that waits is asked for every {every}."]


def in_the_way(partner: Partner, told: Abilities | None) -> list[str]:
    """What the statement shows to be wrong, each with what to do."""
    if told is None:
        return []
    wrong = []
    if told.release not in ("", "R4", "R5"):
        wrong.append(
            f"It speaks {told.release}, and the adapter R4 and R5: ask for an address where it speaks one of these."
        )
    elif told.release and told.release != partner.release:
        wrong.append(f'It speaks {told.release}, and its file says release = "{partner.release}": correct the file.')
    if told.formats and not any("json" in each for each in told.formats):
        wrong.append("It states no JSON among its formats, and the adapter speaks nothing else.")
    if told.lacks("Patient", "create") and partner.matching == "create":
        wrong.append('It creates no Patient: set matching = "identifier" or "match", and identifier_systems.')
    return wrong


def _matching(partner: Partner, told: Abilities | None) -> str:
    own = told.types.get("Patient") if told else None
    said = _MATCHING[partner.matching]
    if partner.matching != "identifier" and not (own and own.match):
        said += " (The server does not state $match.)"
    if not partner.identifier_systems:
        said += " (Its file names no identifier_systems: nothing is shared to look by.)"
    return said


def _listed(some: Iterable[str], among: list[str]) -> str:
    names = list(some)
    return "all types" if len(names) == len(among) else ", ".join(names)
