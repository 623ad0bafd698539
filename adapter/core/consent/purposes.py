"""For which purposes a partner may see what: its standing one, and *referral* for the package of an open referral."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapter.core.consent.rules import Standing, is_agency
from adapter.core.consent.topics import Topics

OPEN = ("requested", "received", "accepted", "in-progress", "on-hold")
UNANSWERED = ("requested", "received")
CHILD_PARTS = ("identity", "contact")
"""What of the child goes along with every referral."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One purpose with the package it reaches: every path where `package` is None. `only`: the consent it names."""

    purpose: str
    package: frozenset[str] | None = None
    only: str = ""

    def reaches(self, part: str, chain: tuple[str, ...]) -> bool:
        if self.package is None:
            return True
        if chain[0] == "child":
            return part in CHILD_PARTS
        return not self.package.isdisjoint(chain)


def scopes(case: Mapping[str, Any], standing: Standing, topics: Topics) -> tuple[Scope, ...]:
    """The partner's standing purpose, and one scope for each open referral that it is the receiver of."""
    return (Scope(standing.partner.purpose), *_referrals(case, standing, topics))


def _referrals(case: Mapping[str, Any], standing: Standing, topics: Topics) -> Iterator[Scope]:
    rulebook = topics.rulebook
    agencies = [f"organizations/{o['id']}" for o in case.get("organizations", ()) if is_agency(o, rulebook)]
    for referral in case.get("referrals", ()):
        if referral.get("to", "") not in topics.own or not _is_open(referral, standing, topics):
            continue
        parties = [referral["to"], referral.get("from", ""), referral.get("requested_by", "")]
        package = {
            f"referrals/{referral['id']}",
            *(reason["need"] for reason in referral.get("reasons", ()) if "need" in reason),
            *referral.get("shares", ()),
            *(party for party in parties if party.startswith("organizations/")),
            *(agencies if "from" not in referral and len(agencies) == 1 else ()),
            referral.get("handover", {}).get("contact", ""),
        }
        yield Scope("referral", frozenset(package - {""}), referral.get("consent", ""))


def _is_open(referral: Mapping[str, Any], standing: Standing, topics: Topics) -> bool:
    """Open: in one of the open states on both sides, and not past `respond_by` without an answer."""
    status, answer = referral["status"], referral.get("outcome", {}).get("status", "")
    if status not in OPEN or (answer and answer not in OPEN):
        return False
    if "respond_by" in referral and status in UNANSWERED and answer in ("", *UNANSWERED):
        return standing.now < topics.rulebook.end_of(date.fromisoformat(referral["respond_by"]))
    return True
