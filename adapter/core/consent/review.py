"""What waits for a person's word: text that nobody has read, names of the withheld, what a denial may mean.

consent.md, *Unreviewed text* and *Not computable*: text of a source that does not label is withheld until a person has
reviewed it; what is added where a denied record was waits until a person has said that it is not the denied one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from adapter.core.consent.provisions import ALL
from adapter.core.consent.rulebook import TOPICS, Rulebook
from adapter.core.consent.rules import Rules, standing_of
from adapter.core.consent.texts import may_be_reviewed, of_place, place, texts
from adapter.core.consent.view import view
from adapter.core.consent.withheld_names import named_in
from adapter.core.keeping import Kept, reviewable
from adapter.core.schema import Schemas
from adapter.errors import NotFound, Problem, Refused

MOST_OF_A_NAME = 700
Kind = Literal["unreviewed", "named", "tombstone", "confirmation"]
SENTENCES: Mapping[str, str] = {
    "unreviewed": "Its source does not label topics: its free text is withheld until a person has read it.",
    "named": "A text that may be seen names someone who is withheld.",
    "tombstone": "A denied record was removed here; this waits until a person has said that it is not the denied one.",
    "confirmation": "The partner was connected after this was signed: the family has not confirmed it.",
}


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """One thing that waits: never what it says."""

    path: str
    kind: Kind
    about: str = ""
    """The path of who is named, or of the denied record."""
    partners: tuple[str, ...] = ()
    """Whom it is about: who may see the text that names, who waits to be confirmed. Else it is about every partner."""
    since: str = ""
    """When the record came to say what it says; empty where that is not known."""


def waiting(case: Mapping[str, Any], kept: Mapping[str, Any], rules: Rules, now: datetime) -> tuple[Waiting, ...]:
    """All that waits in one case; `case` is the effective one, and `rules` are compiled from it."""
    found = [
        *_unreviewed(case, rules.rulebook),
        *_named(case, rules, now),
        *_tombstones(kept),
        *_unconfirmed(rules, now),
    ]
    came = kept.get("came", {})
    return tuple(
        sorted(Waiting(w.path, w.kind, w.about, w.partners, came.get(_record(w.path), ("", ""))[1]) for w in found)
    )


def intake(case: Mapping[str, Any], found: Collection[Waiting]) -> Iterator[Problem]:
    """What whoever puts a case is told of it, in few words: where, never what."""
    if unread := {w.path for w in found if w.kind == "unreviewed"}:
        yield Problem("", f"Free text in {len(unread)} places waits for a review, and is withheld until then.")
    for w in found:
        if w.kind == "named":
            to = ", ".join(w.partners)
            yield Problem(pointer(case, w.path), f"A text here names {w.about}, who is withheld from {to}: review it.")
        elif w.kind == "tombstone":
            yield Problem(pointer(case, w.path), SENTENCES["tombstone"])


def released(
    body: Mapping[str, Any], kept: Mapping[str, Any], path: str, schemas: Schemas, *, by: str, on: date,
    topics: Collection[str] = (),
) -> Kept:  # fmt: skip
    """`kept` once a person has read the text at `path`, and labelled it with `topics`; bound to what it says now.

    NotFound: there is no such place. Refused: it cannot be reviewed, or labelled with these topics.
    """
    found = place(body, path)
    if found is None or not may_be_reviewed(path, schemas):
        raise NotFound("There is nothing at this path that can be reviewed.")
    wrong = [Problem("/topics", "names an unknown topic")] if set(topics) - set(TOPICS) else []
    if topics and path == "child":
        wrong.append(Problem("/topics", "cannot be given for the child: its leaves carry their own"))
    if not by.strip() or len(by) > MOST_OF_A_NAME or not by.isprintable():
        wrong.append(Problem("/by", "must name who has read it, on one line"))
    if wrong:
        raise Refused("The review breaks rules.", wrong)
    review = {"by": by, "on": on.isoformat(), "digest": reviewable(found), "topics": sorted(set(topics))}
    return {**kept, "reviews": {**kept.get("reviews", {}), path: review}}


def not_the_denied(kept: Mapping[str, Any], path: str) -> Kept:
    """`kept` once a person has said that what was added at `path` is not the denied record. NotFound: nobody asked."""
    if path not in kept.get("waiting", {}):
        raise NotFound("Nothing at this path waits for a person to say that it is not a denied record.")
    return {**kept, "waiting": {p: tombs for p, tombs in kept["waiting"].items() if p != path}}


def still_reviewed(
    kept: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], schemas: Schemas
) -> Kept:
    """`kept` with the reviews that go on, because the case changed but not one text of what was reviewed.

    A review is of text: a goal that is achieved need not be read again, one with another word in it must.
    """
    reviews = dict(kept.get("reviews", {}))
    for path, review in reviews.items():
        was, is_ = place(before, path), place(after, path)
        if was is None or is_ is None or reviewable(was) != review["digest"]:
            continue
        same = Counter(of_place(before, path, schemas).items()) == Counter(of_place(after, path, schemas).items())
        if same:
            reviews[path] = {**review, "digest": reviewable(is_)}
    return {**kept, "reviews": reviews} if reviews else dict(kept)


def pointer(case: Mapping[str, Any], path: str) -> str:
    """The JSON Pointer of a path of ids: `care_plans/p1/sections/s2` is `/care_plans/0/sections/1`. An entry without an
    id has the path of its list, `enrolment/safeguards`."""
    value: Any = case
    steps: list[str] = []
    for step in path.split("/"):
        if isinstance(value, list):
            index = next((i for i, e in enumerate(value) if isinstance(e, dict) and e.get("id") == step), None)
            if index is None:
                return f"/{path}"
            steps.append(str(index))
            value = value[index]
        else:
            steps.append(step)
            value = value.get(step) if isinstance(value, Mapping) else None
    return "/" + "/".join(steps)


def _record(path: str) -> str:
    return "/".join(path.split("/")[:2])


def _unreviewed(case: Mapping[str, Any], rulebook: Rulebook) -> Iterator[Waiting]:
    found = (t for t in texts(case, rulebook.schemas) if not t.reviewed and not rulebook.labelled(t.record))
    for path in sorted({t.place for t in found}):
        yield Waiting(path, "unreviewed")


def _named(case: Mapping[str, Any], rules: Rules, now: datetime) -> Iterator[Waiting]:
    """Text that a partner may see, nobody has reviewed, and that names whom this partner may not know of."""
    schemas = rules.rulebook.schemas
    reviewed = {(t.place, t.name) for t in texts(case, schemas) if t.reviewed}
    found: dict[tuple[str, str], list[str]] = {}
    for partner in sorted(rules.rulebook.partners):
        shown = view(case, rules, partner, now)
        seen = [t for t in texts(shown.case, schemas) if (t.place, t.name) not in reviewed]
        for where, about in sorted(named_in(seen, case, shown, rules.rulebook.partners[partner])):
            found.setdefault((where, about), []).append(partner)
    for (where, about), partners in found.items():
        yield Waiting(where, "named", about, tuple(partners))


def _tombstones(kept: Mapping[str, Any]) -> Iterator[Waiting]:
    for path, tombs in kept.get("waiting", {}).items():
        for tomb in tombs:
            yield Waiting(path, "tombstone", tomb)


def _unconfirmed(rules: Rules, now: datetime) -> Iterator[Waiting]:
    """Permits in force to `all` or to a sector, and the partners that came after they were signed."""
    refused = {partner: standing_of(rules, partner, now).refused for partner in sorted(rules.rulebook.partners)}
    for terms in rules.consents:
        for p in terms.provisions:
            later = tuple(
                partner
                for partner, whys in refused.items()
                if whys.get(p.path) == "receiver"
                and (ALL in p.to or any(f"sectors/{s}" in p.to for s in rules.rulebook.partners[partner].sectors))
            )
            if later:
                yield Waiting(p.path, "confirmation", "", later)
