"""May this partner see this element, for this purpose, now? The decision of consent.md, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from adapter.core.consent.grantors import CHILD
from adapter.core.consent.provisions import ALL
from adapter.core.consent.rulebook import UNREVIEWED
from adapter.core.consent.rules import Deny, Permit, Standing, Test


class Element(NamedTuple):
    """The smallest thing that is decided: a leaf, by its part, its topics and the path of each entry it stands in."""

    part: str
    topics: frozenset[str]
    chain: tuple[str, ...]


class Decision(NamedTuple):
    """`permits` are the provisions that permit it (one; one of each decision maker where they share); `because` is the
    path of the provision that decided, if one did; `why` a code of explain.REASONS."""

    permitted: bool
    why: str
    because: str = ""
    permits: tuple[Permit, ...] = ()


def decide(standing: Standing, element: Element, purpose: str, *, only: str = "") -> Decision:
    """Permit only what one permit in force covers whole; a denial wins; silence is a denial (consent.md, rules 1-6).

    `only` names the one consent whose permits count (a referral that names its consent): others count only as those of
    the other decision makers where they share. The denies of every consent count always.
    """
    covering = [p for p in standing.permits if covers(p, element, purpose)]
    own = [p for p in covering if p.terms.by == CHILD and only in ("", p.terms.path)]
    for deny in standing.denies:
        # Rule 6: where a capable child permits, only the child's own denial stands against it.
        if (not own or deny.terms.by == CHILD) and hits(deny, element, purpose):
            return Decision(False, "denied", deny.provision.path)
    if own:
        return Decision(True, "permitted", own[0].provision.path, (own[0],))
    if standing.alone is not False:
        return Decision(False, "own-age" if standing.alone else "age-unknown")
    given = [p for p in covering if p.terms.by != CHILD]
    named = [p for p in given if only in ("", p.terms.path)]
    if not named:
        return _silence(standing, element, purpose)
    if not standing.sharers:
        return Decision(True, "permitted", named[0].provision.path, (named[0],))
    each = [next((p for p in (*named, *given) if p.terms.by == who), None) for who in standing.sharers]
    found = tuple(p for p in each if p is not None)
    if len(found) < len(each):
        return Decision(False, "shared", named[0].provision.path)
    return Decision(True, "permitted", found[0].provision.path, found)


def covers(permit: Permit, element: Element, purpose: str) -> bool:
    """Rule 4: receiver, purpose, part and every topic, by this one permit, but for what its exceptions take out."""
    t = permit.test
    if t.purposes is not None and purpose not in t.purposes:
        return False
    if t.parts is None or element.part not in t.parts or t.topics is None or not element.topics <= t.topics:
        return False
    if t.records is not None and t.records.isdisjoint(element.chain):
        return False
    return not any(_touches(x, element, purpose) for x in permit.except_for)


def hits(deny: Deny, element: Element, purpose: str) -> bool:
    """Rule 3: does the denial reach the element, and does no exception release the whole of it?"""
    return _touches(deny.test, element, purpose) and not any(
        _releases(x, deny.test, element, purpose) for x in deny.except_for
    )


def _touches(t: Test, element: Element, purpose: str) -> bool:
    if t.purposes is not None and purpose not in t.purposes:
        return False
    if t.parts is not None and element.part not in t.parts:
        return False
    if t.records is not None and t.records.isdisjoint(element.chain):
        return False
    if t.topics is None:
        return True
    # Unreviewed text may be about any topic: every denial of a topic hits it.
    return (ALL in t.topics and bool(element.topics)) or UNREVIEWED in element.topics or bool(t.topics & element.topics)


def _releases(x: Test, denied: Test, element: Element, purpose: str) -> bool:
    if x.purposes is not None and purpose not in x.purposes:
        return False
    if x.parts is not None and element.part not in x.parts:
        return False
    if x.records is not None and x.records.isdisjoint(element.chain):
        return False
    if x.topics is None:
        return True
    of_the_denial = (
        element.topics
        if denied.topics is None or ALL in denied.topics
        else element.topics & {*denied.topics, UNREVIEWED}
    )
    # An exception that names topics says nothing of what is about none.
    return bool(of_the_denial) and of_the_denial <= x.topics


_NEARNESS = ("names-nothing", "receiver", "purpose", "part", "records", "topic", "exception")


def _silence(standing: Standing, element: Element, purpose: str) -> Decision:
    """Of all permits, the one that came nearest says why it is silent."""
    near = max(_misses(standing, element, purpose), default=(-1, "silence", ""))
    return Decision(False, near[1], near[2])


def _misses(standing: Standing, element: Element, purpose: str) -> Iterator[tuple[int, str, str]]:
    for p in standing.permits:
        why = _miss(p, element, purpose)
        yield _NEARNESS.index(why), why, p.provision.path


def _miss(p: Permit, element: Element, purpose: str) -> str:
    t = p.test
    if t.purposes is not None and purpose not in t.purposes:
        return "purpose"
    if t.parts is None or element.part not in t.parts:
        return "part"
    if t.records is not None and t.records.isdisjoint(element.chain):
        return "records"
    if t.topics is None or not element.topics <= t.topics:
        return "topic"
    return "exception"
