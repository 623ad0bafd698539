"""What another consent would change: for each partner, what it would newly see and what it would see no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from adapter.core.case import check
from adapter.core.consent.closure import DIRECTORY
from adapter.core.consent.explain import REASONS
from adapter.core.consent.forms import Form
from adapter.core.consent.grantors import CHILD, Grantors, read_grantors
from adapter.core.consent.rulebook import Rulebook
from adapter.core.consent.ticks import take
from adapter.core.consent.view import OWN, View
from adapter.core.schema import Schemas
from adapter.errors import Problem

SENTENCES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "added": "{partner} would newly see: {parts}.",
            "removed": "{partner} would no longer see: {parts}.",
            "more": "Of {count} more, {partner} would see more than now.",
            "less": "Of {count} more, {partner} would see less than now.",
            "same": "Nothing changes for {partner}.",
            "nothing": "{partner} would see nothing at all.",
            "held": "Nothing of it is shared until somebody has turned the handwritten limits into provisions.",
        },
        "fr": {
            "added": "{partner} verrait désormais : {parts}.",
            "removed": "{partner} ne verrait plus : {parts}.",
            "more": "De {count} autres éléments, {partner} verrait plus qu'aujourd'hui.",
            "less": "De {count} autres éléments, {partner} verrait moins qu'aujourd'hui.",
            "same": "Rien ne change pour {partner}.",
            "nothing": "{partner} ne verrait rien du tout.",
            "held": "Rien n'en est communiqué avant que quelqu'un ait traduit les limites manuscrites en dispositions.",
        },
    }
)
Titles = Mapping[str, Mapping[str, str]]
"""Part → language → what families read."""


def difference(before: View, after: View, *, partner: str, titles: Titles, language: str) -> dict[str, Any]:
    """`{"added", "removed": [{path, parts, topics}], "more", "less": [path…], "counts", "sentences"}`.

    Paths are records and entries with an id; the partner's own Consent is not counted. `more` and `less` are in both
    views, with other leaves. `removed` says why, where a rule decided it. `partner` is its name.
    """
    now, then = set(before.labels) - {OWN}, set(after.labels) - {OWN}
    fields_now, fields_then = dict(_fields(before.case)), dict(_fields(after.case))
    more = sorted(path for path in now & then if fields_then.get(path, set()) - fields_now.get(path, set()))
    less = sorted(path for path in now & then if fields_now.get(path, set()) - fields_then.get(path, set()))
    added = [_told(path, after) for path in sorted(then - now)]
    removed = [{**_told(path, before), **_why(path, after)} for path in sorted(now - then)]
    counts = {"now": len(now), "then": len(then), "added": len(added), "removed": len(removed)}
    counts |= {"more": len(more), "less": len(less)}
    say = SENTENCES[language]
    sentences = []
    for kind, paths in (("added", added), ("removed", removed)):
        if parts := _parts(paths, titles, language):
            sentences.append(say[kind].format(partner=partner, parts=parts))
    for kind, found in (("more", more), ("less", less)):
        if found:
            sentences.append(say[kind].format(partner=partner, count=len(found)))
    if not then and now:
        sentences.append(say["nothing"].format(partner=partner))
    return {
        "added": added,
        "removed": removed,
        "more": more,
        "less": less,
        "counts": counts,
        "sentences": sentences or [say["same"].format(partner=partner)],
    }


def _told(path: str, view: View) -> dict[str, Any]:
    label = view.labels[path]
    return {"path": path, "parts": list(label.parts), "topics": list(label.topics)}


def _why(path: str, after: View) -> dict[str, Any]:
    """The first refusal of a leaf of it; none where it only is not referred to any more, or no one may be named."""
    refused = next((r for r in after.refused if r.path == path or r.path.startswith(f"{path}/")), None)
    return {} if refused is None else {"why": refused.decision.why, "sentence": REASONS[refused.decision.why]}


def _parts(paths: list[dict[str, Any]], titles: Titles, language: str) -> str:
    """`Goals (2), The team (1)`: records and entries by part; who is only mentioned in them is not counted."""
    counted = Counter(part for each in paths if each["path"].split("/")[0] not in DIRECTORY for part in each["parts"])
    return ", ".join(f"{titles[part][language]} ({counted[part]})" for part in titles if part in counted)


def _fields(value: Any) -> Iterator[tuple[str, set[str]]]:
    """Each path of a view's case with what is there of it: names of fields, and each value of a list of values."""
    if isinstance(value, Mapping):
        if "path" in value:
            yield value["path"], set(_trails(value))
        for child in value.values():
            yield from _fields(child)
    elif isinstance(value, list):
        for child in value:
            yield from _fields(child)


def _trails(value: Any, trail: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _trails(child, f"{trail}/{name}")
    elif isinstance(value, list):
        for child in value:
            # An entry with an id has a path of its own.
            if not (isinstance(child, Mapping) and "path" in child):
                yield from _trails(child, f"{trail}=" if isinstance(child, Mapping) else f"{trail}={child}")
    else:
        yield trail


def held(language: str) -> str:
    """What to say where limits were written by hand."""
    return SENTENCES[language]["held"]


@dataclass(frozen=True, slots=True)
class Supposed:
    """The consents that a question is about. `assumed`: pointers of what was taken for granted."""

    consents: tuple[dict[str, Any], ...]
    limits: str
    assumed: tuple[str, ...]
    problems: tuple[Problem, ...]


def suppose_record(consent: Any, case: Mapping[str, Any], schemas: Schemas) -> Supposed:
    """A consent record, in place of one of the same id."""
    if not isinstance(consent, dict) or not isinstance(consent.get("id"), str):
        return Supposed((), "", (), (Problem("/consent/id", "a required field is missing"),))
    others = [c for c in case.get("consents", ()) if c["id"] != consent["id"]]
    prefix = f"/consents/{len(others)}"
    found = check({**case, "consents": [*others, consent]}, schemas)
    wrong = [p for p in found if p.pointer == prefix or p.pointer.startswith(f"{prefix}/")]
    problems = tuple(Problem(f"/consent{p.pointer.removeprefix(prefix)}", p.detail) for p in wrong)
    return Supposed(() if problems else (consent,), "", (), problems)


def suppose_ticks(
    form: Form, ticks: Mapping[str, Any], case: Mapping[str, Any], rulebook: Rulebook, now: datetime
) -> Supposed:
    """Ticked boxes; where nobody has signed yet, as if everyone who has to had signed now."""
    assumed: tuple[str, ...] = ()
    if not ticks.get("signed"):
        day = now.astimezone(rulebook.time_zone).date().isoformat()
        signers = must_sign(read_grantors(case, rulebook), now)
        ticks = {**ticks, "signed": [{"by": who, "at": day, "method": "signature"} for who in signers]}
        assumed = ("/ticks/signed",)
    taken = take(form, ticks, case, rulebook)
    problems = tuple(Problem(f"/ticks{p.pointer}", p.detail) for p in taken.problems)
    return Supposed(taken.consents, taken.limits, assumed, problems)


def must_sign(grantors: Grantors, now: datetime) -> tuple[str, ...]:
    """Whose signatures together permit: the young person's, each decision maker's where shared, else one's (rule 6)."""
    if grantors.child_alone_permits(now) is not False:
        return (CHILD,)
    deciders = grantors.current(now)
    if not deciders:
        return (CHILD,) if grantors.child_may_permit(now) else ()
    return deciders if grantors.shared(now) else deciders[:1]
