"""Rules 1 and 4 to 6 read once more, and what an open referral adds: may this partner see this element now?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.core.consent.last_look.givers import counts, deciders, decides_alone, followed, lifted, shared
from adapter.core.consent.last_look.moment import Consent, Moment, day, path
from adapter.core.consent.last_look.provisions import Asked, computable, forbids, grants

UNDER_WAY = ("requested", "received", "accepted", "in-progress", "on-hold")


class Decider:
    """The answers for one moment, each worked out once for each part, set of topics and place in the case."""

    def __init__(self, m: Moment) -> None:
        self.m = m
        consents = m.of("consents")
        self.unclear = {each["id"] for each in consents if not computable(m, each)}
        self.permitting = [
            each for each in consents if each["id"] not in self.unclear and counts(m, each) and not followed(m, each)
        ]
        self.denying = [
            each for each in consents if each["status"] not in ("draft", "entered-in-error") and not lifted(m, each)
        ]
        self.givers = {path(each): each["granted_by"] for each in consents}
        self.referrals = [each for each in m.of("referrals") if is_open(m, each)]
        self._answers: dict[object, bool] = {}

    def permitted(self, asked: Asked, purpose: str, named: str | None = None) -> bool:
        """`named`: the one consent that a referral names."""
        key = (asked, purpose, named)
        if key not in self._answers:
            self._answers[key] = self._permitted(asked, purpose, named)
        return self._answers[key]

    def _permitted(self, asked: Asked, purpose: str, named: str | None) -> bool:
        if asked.part == "consents" or asked.part not in self.m.rulebook.parts:
            return False
        givers = {each["granted_by"] for each in self._granting(asked, purpose, named)}
        deniers = {each["granted_by"] for each in self.denying if self._denies(each, asked, purpose)}
        if "child" in givers:  # capable, or it would not count: its own decision prevails over anyone's
            return "child" not in deniers
        if deniers or decides_alone(self.m):
            return False
        return givers >= set(deciders(self.m)) if shared(self.m) else bool(givers)

    def _granting(self, asked: Asked, purpose: str, named: str | None) -> Iterator[Consent]:
        for consent in self.permitting:
            if named is not None and path(consent) != named and not self._joins(consent, named):
                continue
            if any(grants(self.m, each, consent, asked, purpose) for each in _with_effect(consent, "permit")):
                yield consent

    def _joins(self, consent: Consent, named: str) -> bool:
        """Where decisions are shared, the other decision makers' permits stand beside the consent that is named."""
        return shared(self.m) and named in self.givers and consent["granted_by"] != self.givers[named]

    def _denies(self, consent: Consent, asked: Asked, purpose: str) -> bool:
        whole = consent["id"] in self.unclear
        return any(
            forbids(self.m, each, consent, asked, purpose, whole=whole) for each in _with_effect(consent, "deny")
        )


def _with_effect(consent: Consent, effect: str) -> Iterator[Mapping[str, Any]]:
    return (each for each in consent["provisions"] if (each.get("effect") == "permit") == (effect == "permit"))


def is_open(m: Moment, referral: Mapping[str, Any]) -> bool:
    """Under way, to this partner, and not past `respond_by` without an answer."""
    answer = (referral.get("outcome") or {}).get("status")
    answered = referral["status"] not in ("requested", "received") or answer not in (None, "draft", "requested")
    late = referral.get("respond_by") is not None and day(referral["respond_by"]) < m.today
    return referral.get("to") in m.own and referral["status"] in UNDER_WAY and (answered or not late)


def package(m: Moment, referral: Mapping[str, Any]) -> frozenset[str]:
    """The records and entries that go along with a referral, besides the child's identity and contact."""
    homes = {f"providers/{each['id']}": each.get("organization") for each in m.of("providers")}
    asked_by = referral.get("requested_by") or ""
    along = [
        f"referrals/{referral['id']}",
        referral.get("from"),
        referral.get("to"),
        homes.get(asked_by, asked_by if asked_by.startswith("organizations/") else None),
        (referral.get("handover") or {}).get("contact"),
        *(each.get("need") for each in referral.get("reasons") or ()),
        *(referral.get("shares") or ()),
    ]
    return frozenset(each for each in along if each)
