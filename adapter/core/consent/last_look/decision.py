"""Rules 1 and 4 to 6 read once more, and what an open referral adds: may this partner see this element now?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.core.consent.last_look.givers import counts, deciders, decides_alone, followed, lifted, shared
from adapter.core.consent.last_look.moment import Consent, Moment, Provision, day, path
from adapter.core.consent.last_look.provisions import Asked, aims, computable, grants, hits, reaches, spares

Reason = tuple[str, str | None]
"""A purpose, and the consent that the referral names which brought it."""
UNDER_WAY = frozenset({"requested", "received", "accepted", "in-progress", "on-hold"})


class Decider:
    """The answers for one moment, each worked out once for each part, set of topics and place in the case."""

    def __init__(self, m: Moment) -> None:
        self.m = m
        consents = m.of("consents")
        self.unclear = {each["id"] for each in consents if not computable(m, each)}
        counting = [each for each in consents if each["id"] not in self.unclear and counts(m, each)]
        standing = [each for each in consents if each["status"] not in ("draft", "entered-in-error")]
        self.permits = [
            (consent, each)
            for consent in counting
            if not followed(m, consent, m.today)
            for each in consent["provisions"]
            if each["effect"] == "permit" and reaches(m, each, consent)
        ]
        self.denials = [
            (consent, each)
            for consent in standing
            if not lifted(m, consent, self.unclear)
            for each in consent["provisions"]
            if each.get("effect") != "permit" and aims(m, each, consent)
        ]
        self.givers = {path(each): each["granted_by"] for each in consents}
        self.referrals = [(each, package(m, each)) for each in m.of("referrals") if is_open(m, each)]
        self.deciders, self.shared, self.alone = set(deciders(m)), shared(m), decides_alone(m, m.today)
        self.seen: dict[tuple[str, frozenset[str], str], list[Reason]] = {}
        """Part, topics and pointer of the entry: what was asked before, with the reasons for which it may be seen."""

    def permitted(self, asked: Asked, purpose: str, named: str | None = None) -> bool:
        """`named`: the one consent that a referral names."""
        if asked.part == "consents" or asked.part not in self.m.rulebook.parts:
            return False
        givers = {each["granted_by"] for each in self._granting(asked, purpose, named)}
        deniers = {each["granted_by"] for each in self._denying(asked, purpose)}
        if "child" in givers:  # capable, or it would not count: its own decision prevails over anyone's
            return "child" not in deniers
        if deniers or self.alone is not False or not givers:
            return False
        if not self.shared:
            return True
        # The others stand beside the consent that is named, never in its place.
        return givers >= self.deciders and (named is None or self.givers.get(named) in givers)

    def _granting(self, asked: Asked, purpose: str, named: str | None) -> Iterator[Consent]:
        for consent, permit in self.permits:
            counted = named is None or path(consent) == named or self._joins(consent, named)
            if counted and grants(self.m, permit, consent, asked, purpose):
                yield consent

    def _denying(self, asked: Asked, purpose: str) -> Iterator[Consent]:
        for consent, deny in self.denials:
            if hits(self.m, deny, asked, purpose) and not self._spared(deny, consent, asked, purpose):
                yield consent

    def _spared(self, deny: Provision, consent: Consent, asked: Asked, purpose: str) -> bool:
        """Where a consent is not computable, what it may deny is denied: its exceptions are not heard."""
        return consent["id"] not in self.unclear and any(
            spares(self.m, each, deny, consent, asked, purpose) for each in deny.get("except") or ()
        )

    def _joins(self, consent: Consent, named: str) -> bool:
        """Where decisions are shared, the other decision makers' permits stand beside the consent that is named."""
        return self.shared and named in self.givers and consent["granted_by"] != self.givers[named]


def is_open(m: Moment, referral: Mapping[str, Any]) -> bool:
    """Under way on both sides, to this partner, and not past `respond_by` without an answer."""
    status, answer = referral["status"], (referral.get("outcome") or {}).get("status") or "received"
    answered = not {status, answer} <= {"requested", "received"}
    late = referral.get("respond_by") is not None and day(referral["respond_by"]) < m.today
    return referral.get("to") in m.own and {status, answer} <= UNDER_WAY and (answered or not late)


def package(m: Moment, referral: Mapping[str, Any]) -> frozenset[str]:
    """The records and entries that go along with a referral, besides the child's identity and contact."""
    asked_by = referral.get("requested_by") or ""
    along = [
        f"referrals/{referral['id']}",
        referral.get("from") or m.agency,
        referral.get("to"),
        asked_by if asked_by.startswith("organizations/") else None,
        (referral.get("handover") or {}).get("contact"),
        *(each.get("need") for each in referral.get("reasons") or ()),
        *(referral.get("shares") or ()),
    ]
    return frozenset(each for each in along if each)
