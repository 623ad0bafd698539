"""What steers decisions about one case, compiled once: its consents, people, teams and organisations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.core.consent.grantors import Grantors, read_grantors
from adapter.core.consent.provisions import Span, Terms, read_terms, span
from adapter.core.consent.rulebook import Rulebook
from adapter.core.schema import paths


@dataclass(frozen=True, slots=True)
class Seat:
    """An organisation's place on a team, as the receiver `care-team` sees it."""

    partner: str
    invited: bool
    active: bool
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything of a case that steers decisions, compiled once; `standing_of` narrows it to a partner and a time."""

    rulebook: Rulebook
    grantors: Grantors
    consents: tuple[Terms, ...]
    seats: tuple[Seat, ...]
    sectors: Mapping[str, frozenset[str]]
    """Partner → sectors that the case's organisations give it."""
    waiting: Mapping[str, frozenset[str]]
    """Tombstone → records added since, which wait until a person has said that they are not the denied one."""
    case: Mapping[str, Any] = field(repr=False)


def compile_rules(case: Mapping[str, Any], rulebook: Rulebook, kept: Mapping[str, Any] | None = None) -> Rules:
    """Compile what steers. `kept`: what the adapter keeps about the case: tombstones, waiting records, entry dates."""
    kept = kept or {}
    known = {*paths(case), "child", "enrolment", *kept.get("tombstones", ())}
    waiting: dict[str, set[str]] = {}
    for path, tombs in kept.get("waiting", {}).items():
        for tomb in tombs:
            waiting.setdefault(tomb, set()).add(path)
    entered = kept.get("entered", {})
    consents = [
        read_terms(record, rulebook, known=known, entered=entered.get(f"consents/{record['id']}"))
        for record in case.get("consents", ())
    ]
    organizations = {f"organizations/{o['id']}": o for o in case.get("organizations", ())}
    sectors: dict[str, set[str]] = {}
    for o in organizations.values():
        if "partner" in o:
            sectors.setdefault(o["partner"], set()).update(sectors_of(o))
    return Rules(
        rulebook=rulebook,
        grantors=read_grantors(case, rulebook),
        consents=tuple(sorted(consents, key=lambda t: t.path)),
        seats=tuple(_seats(case, organizations, rulebook)),
        sectors={partner: frozenset(found) for partner, found in sectors.items()},
        waiting={tomb: frozenset(found) for tomb, found in waiting.items()},
        case=case,
    )


def sectors_of(organization: Mapping[str, Any]) -> tuple[str, ...]:
    """The sectors of an organisation record: one, or several."""
    sector = organization.get("sector", ())
    return (sector,) if isinstance(sector, str) else tuple(sector)


def is_agency(organization: Mapping[str, Any], rulebook: Rulebook) -> bool:
    """Is this the coordinating agency, by an identifier of the settings?"""
    return any((i.get("system", ""), i["value"]) in rulebook.agency for i in organization.get("identifiers", ()))


def _seats(
    case: Mapping[str, Any], organizations: Mapping[str, Mapping[str, Any]], rulebook: Rulebook
) -> Iterator[Seat]:
    employer = {f"providers/{p['id']}": p.get("organization", "") for p in case.get("providers", ())}
    for team in case.get("care_teams", ()):
        for member in team.get("members", ()):
            organization = organizations.get(employer.get(member["member"], member["member"]))
            if organization is not None and "partner" in organization:
                yield Seat(
                    partner=organization["partner"],
                    invited=member.get("invited_by_family", False),
                    active=team["status"] == "active",
                    spans=(span(team.get("period", {}), rulebook), span(member, rulebook, "since", "until")),
                )
