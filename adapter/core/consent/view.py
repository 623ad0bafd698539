"""The permitted part of a case for one partner at one time: built up from what is permitted, never cut down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from adapter.core.consent.closure import DIRECTORY, close
from adapter.core.consent.rules import Permit, Rules, Standing, standing_of
from adapter.core.consent.sight import Grown, Refused, Seen, Sight, Verdict, complete
from adapter.core.schema import records as records_of

OWN = "consents/own"
"""The path of the partner's own Consent in a view."""


@dataclass(frozen=True, slots=True)
class Label:
    """What permits a record or an entry, and what it tells of: for `meta.security` and for the account."""

    purposes: tuple[str, ...]
    topics: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A smaller case. Every record and every entry with an id also has `path`; an empty view has `case == {}`."""

    case: dict[str, Any]
    labels: Mapping[str, Label]
    withheld: bool
    consents: tuple[str, ...] = ()
    """The consents in force that permitted something in it, for the account of disclosures."""
    refused: tuple[Refused, ...] = ()
    """Whatever was asked for and may not be seen; for explanations inside the agency only."""


def view(
    case: Mapping[str, Any], rules: Rules, partner: str, now: datetime, tie: Callable[[str], str] = lambda path: path
) -> View:
    """`view(case, rules, partner, now)` of design.md section 2. `now` is timezone-aware.

    `tie` gives the partner's own identifier of a path: ranks are renumbered, ties broken by it.
    """
    return view_of(case, rules, standing_of(rules, partner, now), tie)


def view_of(
    case: Mapping[str, Any], rules: Rules, standing: Standing, tie: Callable[[str], str] = lambda path: path
) -> View:
    """The view that a given standing allows; `view` asks for the one of the moment."""
    sight = Sight.of(case, rules, standing)
    grown = {path: record for path, record in _grown(case, sight) if record.tree}
    whole = len(grown)
    closed = close(sight, grown, case) if "child" in grown else {}
    if "child" not in closed:
        # If identity is not permitted, the view is empty.
        return View({}, {}, withheld=bool(case), refused=sight.refused())
    trees = {path: record.tree for path, record in closed.items()}
    _rank_again(trees, tie)
    verdicts: set[Verdict] = set()
    labels: dict[str, Label] = {}
    plain = _plain(trees, case, labels, verdicts)
    permits = {p.provision.path: p for verdict in verdicts for p in verdict.permits}
    labels[OWN] = _label(verdicts)
    plain["consents"] = [_own_consent(permits.values(), labels[OWN], plain, rules.rulebook.time_zone)]
    kept = sum(1 for path in closed if path.split("/")[0] not in DIRECTORY)
    consents = tuple(sorted({p.terms.path for p in permits.values()}))
    refused = sight.refused()
    return View(plain, labels, bool(refused) or kept < whole, consents, refused)


def _grown(case: Mapping[str, Any], sight: Sight) -> Iterator[tuple[str, Grown]]:
    rules = sight.rules
    trees = rules.rulebook.schemas.collections
    forms = {c["document"] for c in rules.case.get("consents", ()) if "document" in c}
    for collection, path, record in records_of(case):
        if collection in (*DIRECTORY, "consents") or path in forms:
            continue
        forwarded = record.get("may_forward", True) or record.get("originator", "") in sight.topics.own
        if collection == "documents" and not forwarded:
            continue
        node = trees[collection]
        grown = sight.grow(collection, path, record, node)
        if complete(grown.tree, node):
            yield path, grown


Trees = dict[str, dict[str, Any]]
"""Path → the record, its leaves `Seen`."""


def _rank_again(trees: Trees, tie: Callable[[str], str]) -> None:
    """Ranks 1, 2, 3… of what is there: a gap would tell of a goal that is not (consent.md, *Computed values*)."""
    ranked = [
        (g["rank"].value, tie(path), path) for path, g in trees.items() if path.startswith("goals/") and "rank" in g
    ]
    for number, (_, _, path) in enumerate(sorted(ranked), start=1):
        trees[path] = {**trees[path], "rank": trees[path]["rank"]._replace(value=number)}


def _plain(trees: Trees, case: Mapping[str, Any], labels: dict[str, Label], verdicts: set[Verdict]) -> dict[str, Any]:
    """The case that mapping reads: values again, each record and entry with its path, in the order of the source."""
    plain: dict[str, Any] = {}
    values = _Values(labels, {})
    for collection, path, _ in records_of(case):
        if path not in trees:
            continue
        record = values.entry(trees[path], path, verdicts)
        if "/" in path:
            plain.setdefault(collection, []).append(record)
        else:
            plain[collection] = record
    if "enrolment" in plain and "program" in case:
        plain["program"] = case["program"]
    return plain


@dataclass(slots=True)
class _Values:
    """Turns what was seen into values again, and labels each record and entry by the verdicts on what it holds."""

    labels: dict[str, Label]
    known: dict[frozenset[Verdict], Label]

    def entry(self, tree: dict[str, Any], path: str, around: set[Verdict]) -> dict[str, Any]:
        verdicts: set[Verdict] = set()
        plain = {"path": path, **self._fields(tree, path, verdicts)}
        found = frozenset(verdicts)
        if found not in self.known:
            self.known[found] = _label(found)
        self.labels[path] = self.known[found]
        around |= verdicts
        return plain

    def _fields(self, tree: dict[str, Any], path: str, verdicts: set[Verdict]) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for name, child in tree.items():
            if type(child) is Seen:
                verdicts.add(child.verdict)
                plain[name] = child.value
            elif isinstance(child, list):
                plain[name] = [self._one(each, f"{path}/{name}", verdicts) for each in child]
            elif isinstance(child, dict):
                plain[name] = self._fields(child, f"{path}/{name}", verdicts)
            else:
                plain[name] = child
        return plain

    def _one(self, each: Any, below: str, verdicts: set[Verdict]) -> Any:
        if isinstance(each, Seen):
            verdicts.add(each.verdict)
            return each.value
        if "id" in each:
            return self.entry(each, f"{below}/{each['id']}", verdicts)
        return self._fields(each, below, verdicts)


def _label(verdicts: Iterable[Verdict]) -> Label:
    return Label(
        purposes=tuple(sorted({purpose for verdict in verdicts for purpose in verdict.purposes})),
        topics=tuple(sorted({topic for verdict in verdicts for topic in verdict.topics})),
        parts=tuple(sorted({verdict.part for verdict in verdicts})),
    )


def _own_consent(permits: Iterable[Permit], together: Label, plain: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """The partner's own Consent: one, merged; only what the view holds some of; until the earliest end."""
    found = sorted(permits, key=lambda p: p.provision.path)
    there = {"child", *(f"people/{person['id']}" for person in plain.get("people", ()))}
    signed = [p.terms.signed.start for p in found if p.terms.signed and p.terms.signed.start]
    began = [p.terms.period.start for p in found if p.terms.period.start]
    own: dict[str, Any] = {
        "id": "own",
        "path": OWN,
        "status": "active",
        "granted_by": sorted({p.terms.by for p in found} & there),
        "signed_at": _day(max(signed), zone) if signed else "",
        "period": {
            "start": _day(max(began), zone) if began else "",
            "end": _day(min(p.until for p in found) - timedelta(microseconds=1), zone),
        },
        "purposes": list(together.purposes),
        "parts": list(together.parts),
        "topics": list(together.topics),
        "notices": sorted({notice for p in found for notice in p.terms.notices}),
    }
    return {name: value for name, value in own.items() if value or name == "id"}


def _day(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()
