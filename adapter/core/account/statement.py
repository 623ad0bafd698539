"""The account for the family: what happened, by day and to whom, without our names for things (*Accounting*).

Topics are left out on purpose: the page is read at a kitchen table, and not only by whoever gave the consent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from adapter.core.account.chain import LOOK, PURGED, TOLD, Entry, Line
from adapter.core.consent.view import OWN
from adapter.core.keeping import version_of
from adapter.core.residue import PURGE


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened on a day, to one partner (its id), to somebody else (`to`), or among us (neither).

    `kind`: one of KINDS. `parts` and `purposes` are codes; `consents` as lines name them; `times` how often, of looks.
    """

    day: date
    partner: str
    kind: str
    parts: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    to: str = ""
    how: str = ""
    basis: str = ""
    by: str = ""
    times: int = 1


def facts(entries: Sequence[Entry], zone: tzinfo, *, order: Iterable[str] = ()) -> list[Fact]:
    """What the account comes to, by day, then by whom it concerns, us last, then by kind.

    Lines of one day, partner, kind, purpose and consent are one fact with all their parts, in this `order` of parts.
    """
    carried: dict[str, tuple[str, ...]] = {}
    answered, purges = _answered(entries), _purges(entries)
    gathered: dict[Fact, tuple[set[str], int]] = {}
    for entry in entries:
        line = entry.line
        kind = _kind(line, carried, open_=answered.get(line.urn, 0) < entry.seq)
        kind = purges.get(entry.seq, "") if kind == "purge" else kind
        parts = line.parts or carried.get(line.urn, ())
        if line.kind == "delivered" and line.parts:
            carried[line.urn] = line.parts
        if kind:
            fact = _fact(line, kind, zone)
            seen, times = gathered.setdefault(fact, (set(), 0))
            gathered[fact] = (seen | set(() if kind in _WITHOUT_PARTS else parts), times + 1)
    rank = {part: place for place, part in enumerate(order)}
    found = [
        _with(fact, tuple(sorted(parts, key=lambda part: (rank.get(part, len(rank)), part))), times)
        for fact, (parts, times) in gathered.items()
    ]
    # Of several requests of one day to one partner the last says whether it has answered.
    waiting = {(fact.day, fact.partner) for fact in found if fact.kind == "purge-open"}
    found = [fact for fact in found if fact.kind != "purge" or (fact.day, fact.partner) not in waiting]
    return sorted(found, key=_place)


def signatures(case: Mapping[str, Any]) -> dict[str, date]:
    """`consents/c1` → the day it was signed, of the consents as they stand in the (effective) case."""
    signed = {f"consents/{c['id']}": c["signed_at"] for c in case.get("consents", ()) if "signed_at" in c}
    return {path: date.fromisoformat(at[:10]) for path, at in signed.items()}


def authorities(case: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, str]:
    """`consents/c1@3` → on whose authority it was given, of the consents as they stand in the (effective) case."""
    named = {version_of(kept, f"consents/{consent['id']}"): consent for consent in case.get("consents", ())}
    own = {name: "self" for name, c in named.items() if c.get("granted_by") == "child"}
    return {name: c["authority"] for name, c in named.items() if "authority" in c} | own


_PURGES: Mapping[str, str] = {
    "done": "purge-done", "refused": "purge-refused", "failed": "purge-not-done", "kept": "purge-kept",
    "called-off": "purge-over",
}  # fmt: skip
"""What has become of a request to purge; that a partner has taken it up is no answer yet."""
KINDS = (
    "received", "open", "unknown", "failed", "frozen", "taken-back", "not-taken-back", "ended", "purge", "purge-open",
    "purge-failed", *_PURGES.values(), "told", "looked", "looked-view",
)  # fmt: skip
"""In the order in which a family reads them."""
_WITHOUT_PARTS = ("ended", "purge", "purge-open", "purge-failed", *_PURGES.values(), "looked", "looked-view")


def _place(fact: Fact) -> tuple[date, bool, str, str, int]:
    among_us = not fact.partner and not fact.to
    return fact.day, among_us, fact.partner, fact.to, KINDS.index(fact.kind)


def _answered(entries: Sequence[Entry]) -> dict[str, int]:
    """urn → the number of the last line that says how something ended."""
    return {entry.line.urn: entry.seq for entry in entries if entry.line.kind != "attempted"}


def _purges(entries: Sequence[Entry]) -> dict[int, str]:
    """Number of the line by which a request to purge arrived → purge-open while nothing has become of it; it is left
    out where it said that nothing is to be purged any more, for the line that says so tells of it."""
    found: dict[int, str] = {}
    last: dict[str, int] = {}
    for entry in entries:
        line = entry.line
        if line.about == PURGE and line.kind == "delivered":
            if line.urn in last:
                found[last[line.urn]] = "purge"
            last[line.urn], found[entry.seq] = entry.seq, "purge-open"
        elif line.kind == PURGED and line.outcome in _PURGES and line.urn in last:
            found[last[line.urn]] = "" if line.outcome == "called-off" else "purge"
    return found


def _kind(line: Line, carried: Mapping[str, tuple[str, ...]], *, open_: bool) -> str:
    """What a line means to a family; empty where another line says it, or it says nothing of the plan."""
    match line.kind, line.operation:
        case "attempted", _:
            return "open" if open_ and line.about not in (OWN, PURGE) else ""
        case "look", _:
            return "looked-view" if line.about.startswith("views/") else "looked"
        case "told", _:
            return "told"
        case "purge", _:
            return _PURGES.get(line.outcome, "")
        case "frozen", _:
            return "" if line.about == OWN else "frozen"
        case "withdrawn", _:
            return "taken-back" if line.about != PURGE else ""
        case "failed", operation if line.about == PURGE:
            return "purge-failed" if operation != "withdraw" else ""
        case "failed", _ if line.about == OWN:
            return ""
        case "failed", "withdraw":
            return "not-taken-back"
        case "failed", _:
            return "unknown" if line.outcome == "unknown" else "failed"
        case _, _ if line.about == PURGE:
            return "purge"
        case _, _ if line.about == OWN:
            return "" if line.parts else "ended"
        case _, "update" if not line.parts and line.urn in carried:
            return "taken-back"  # a stub in the place of what its server would not delete
    return "received"


def _fact(line: Line, kind: str, zone: tzinfo) -> Fact:
    day = (line.happened or line.at).astimezone(zone).date()
    if line.kind == LOOK:
        return Fact(day, "", kind, by=line.role)
    if line.kind == TOLD:
        return Fact(day, "", kind, to=line.to, how=line.operation, basis=line.basis, by=line.by)
    if kind in ("received", "failed", "unknown", "open"):
        return Fact(day, line.partner, kind, purposes=tuple(line.purpose.split()), consents=line.consents)
    return Fact(day, line.partner, kind, how=line.how)


def _with(fact: Fact, parts: tuple[str, ...], times: int) -> Fact:
    return Fact(
        fact.day,
        fact.partner,
        fact.kind,
        parts,
        fact.purposes,
        fact.consents,
        fact.to,
        fact.how,
        fact.basis,
        fact.by,
        times,
    )
