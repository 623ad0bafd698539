"""What the other fields of a provision come to: narrowly where it permits (rule 2), widely where it denies (rule 3)."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.core.consent.provisions import ALL, Provision, Terms
from adapter.core.consent.rules.compiled import Rules
from adapter.core.consent.rules.counted import Test


def parts_of(rules: Rules, terms: Terms, p: Provision) -> frozenset[str]:
    """`all` parts are those that were offered when it was signed."""
    if ALL not in p.parts:
        return frozenset(p.parts)
    signed = terms.signed.start if terms.signed else None
    offered = rules.rulebook.parts
    # Most parts have been offered since the same day.
    there = {since for since in set(offered.values()) if signed and rules.rulebook.start_of(since) <= signed}
    return frozenset(part for part, since in offered.items() if since in there)


def wide(rules: Rules, p: Provision) -> Test:
    """What a deny reads: a field left out, or one that cannot be computed, leaves nothing out."""
    records = {*p.records, *(w for tomb in p.records for w in rules.waiting.get(tomb, ()))}
    return Test(
        purposes=_unless("purposes" in p.unreadable or ALL in p.purposes, p.purposes),
        parts=_unless("parts" in p.unreadable or ALL in p.parts, p.parts),
        topics=_unless("topics" in p.unreadable, p.topics),
        records=_unless("records" in p.unreadable, records),
    )


def _unless(open_ended: bool, values: Iterable[str]) -> frozenset[str] | None:
    return None if open_ended else frozenset(values) or None
