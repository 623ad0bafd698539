"""The consents, people and teams of one case compiled to what decides: permits and denies for a partner at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from adapter.core.consent.grantors import CHILD, Grantors, read_grantors
from adapter.core.consent.provisions import ALL, Provision, Span, Terms, read_terms, span
from adapter.core.consent.rulebook import Rulebook
from adapter.core.partner import Partner
from adapter.core.schema import paths

_ANYONE = Partner(id="", name="", sectors=(), since=date.min)
"""A partner of no sector that asks for nothing in writing: what holds for it holds for any."""


@dataclass(frozen=True, slots=True)
class Test:
    """The fields of a provision that an element is held against; None is a field that leaves nothing out."""

    purposes: frozenset[str] | None
    parts: frozenset[str] | None
    topics: frozenset[str] | None
    records: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Permit:
    """A permit that counts for one partner at one time (rule 2)."""

    provision: Provision
    terms: Terms
    test: Test
    except_for: tuple[Test, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Deny:
    """A deny that counts for one partner at one time (rule 3)."""

    provision: Provision
    terms: Terms
    test: Test
    except_for: tuple[Test, ...]


@dataclass(frozen=True, slots=True, order=True)
class Alarm:
    """Something that a person must resolve: a code of `explain.ALARMS` and the path of the consent, never a value."""

    path: str
    code: str


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the consents say to one partner at one time."""

    partner: Partner
    now: datetime
    permits: tuple[Permit, ...]
    denies: tuple[Deny, ...]
    alone: bool | None
    """Rule 6: do the young person's consents alone permit? None: it cannot be told, so nobody else's do."""
    sharers: tuple[str, ...]
    """Where decision makers are marked `shared`: each of these must have permitted."""
    refused: Mapping[str, str]
    """Permit provision → why it does not count here and now (for explanations)."""
    named: frozenset[str]
    """Every record path that some provision names: nothing else about an element's place matters."""


@dataclass(frozen=True, slots=True)
class Seat:
    """An organisation's place on a team, as the receiver `care-team` sees it."""

    partner: str
    invited: bool
    active: bool
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything of a case that steers decisions, compiled once; `standing` narrows it to a partner and a time."""

    rulebook: Rulebook
    grantors: Grantors
    consents: tuple[Terms, ...]
    seats: tuple[Seat, ...]
    sectors: Mapping[str, frozenset[str]]
    """Partner → sectors that the case's organisations give it."""
    waiting: Mapping[str, frozenset[str]]
    """Tombstone → records added since, which wait until a person has said that they are not the denied one."""
    case: Mapping[str, Any] = field(repr=False)

    def standing(self, partner: str, now: datetime) -> Standing:
        """What counts towards `partner` at `now`. An unknown partner is refused with KeyError: it has no file."""
        whom = self.rulebook.partners[partner]
        permits: list[Permit] = []
        refused: dict[str, str] = {}
        for terms in self.consents:
            state = self._state(terms, whom, now)
            for p in terms.provisions:
                if p.permits:
                    why = state or self._permit_fails(terms, p, whom, now)
                    if why:
                        refused[p.path] = why
                    else:
                        permits.append(self._permit(terms, p, whom, now))
        denies = [
            self._deny(terms, p, whom, now)
            for terms in self.consents
            for p in terms.provisions
            if not p.permits and self._denies(terms, p, whom, now)
        ]
        # Of permits that cover the same, the one that lasts longest permits it: in whatever order they are written.
        permits.sort(key=lambda p: p.provision.path)
        permits.sort(key=lambda p: p.until, reverse=True)
        denies.sort(key=lambda d: d.provision.path)
        alone = self.grantors.child_alone_permits(now)
        sharers = self.grantors.current(now) if self.grantors.shared(now) else ()
        tests = [test for p in permits for test in (p.test, *p.except_for)]
        tests += [test for d in denies for test in (d.test, *d.except_for)]
        named = {path for test in tests for path in (test.records or ())}
        return Standing(whom, now, tuple(permits), tuple(denies), alone, sharers, refused, frozenset(named))

    def _state(self, terms: Terms, partner: Partner, now: datetime) -> str:
        """Why no permit of this consent counts (rules 2, 6, 7); empty when it is in force."""
        g = self.grantors
        if terms.status != "active":
            return terms.status
        if terms.faults:
            return "not-computable"
        if terms.imported:
            return "imported"
        if terms.revoked is not None and terms.revoked <= now:
            return "revoked"
        if terms.signed is None or terms.signed.start is None or terms.signed.start > now:
            return "unsigned"
        if terms.method not in ("signature", "electronic", "verbal"):
            return "unsigned"
        if terms.method == "verbal" and (not terms.collected or partner.written_only):
            return "written-only" if terms.collected else "unsigned"
        if not terms.ends:
            return "no-end"
        if not terms.period.holds(now):
            return "not-begun" if terms.period.start and now < terms.period.start else "ended"
        if self._superseded(terms, now):
            return "superseded"
        if why := g.may_permit(terms, terms.signed.start) or g.may_permit(terms, now):
            return why
        if terms.by != CHILD and g.child_alone_permits(now) is not False:
            return "own-age"
        return ""

    def _superseded(self, terms: Terms, now: datetime) -> bool:
        """Rule 7: from the start of a successor that is no draft, error or unadopted import, it permits nothing."""
        return any(
            terms.path in c.supersedes
            and c.path != terms.path
            and c.counts_for_denying
            and not c.imported
            and (c.period.start is None or c.period.start <= now)
            for c in self.consents
        )

    def _permit_fails(self, terms: Terms, p: Provision, partner: Partner, now: datetime) -> str:
        if not p.to or not p.purposes or not p.parts or p.names_no_record:
            return "names-nothing"
        if p.period is not None:
            if p.period.start is None or p.period.end is None:
                return "no-end"
            if not p.period.holds(now):
                return "not-begun" if now < p.period.start else "ended"
        return "" if self._reaches(terms, p, partner, now) else "receiver"

    def _reaches(self, terms: Terms, p: Provision, partner: Partner, now: datetime) -> bool:
        """Does a permit name this partner: itself, by a sector or `all` that it was part of when signed, or as team?"""
        if f"partners/{partner.id}" in p.to:
            return True
        if "care-team" in p.to and self._on_team(partner, now):
            return True
        if ALL in p.to or any(f"sectors/{s}" in p.to for s in partner.sectors):
            signed = terms.signed.start if terms.signed else None
            if signed is not None and self.rulebook.start_of(partner.since) <= signed:
                return True
            return any(
                who == partner.id and on <= now and self._may_confirm(by, on) and self._may_confirm(by, now)
                for who, by, on in p.confirmed
            )
        return False

    def _may_confirm(self, by: str, at: datetime) -> bool:
        """Confirming widens a permit, so it takes somebody who may permit, then and now (rules 2 and 6)."""
        if by == CHILD:
            return self.grantors.child_may_permit(at)
        return by in self.grantors.current(at) and self.grantors.child_alone_permits(at) is False

    def _on_team(self, partner: Partner, now: datetime) -> bool:
        return any(
            s.partner == partner.id and s.invited and s.active and all(x.holds(now) for x in s.spans)
            for s in self.seats
        )

    def _permit(self, terms: Terms, p: Provision, partner: Partner, now: datetime) -> Permit:
        ends = [terms.period.end, p.period.end if p.period else None]
        return Permit(
            provision=p,
            terms=terms,
            test=Test(
                purposes=None if ALL in p.purposes else frozenset(p.purposes),
                parts=self._parts(terms, p),
                topics=frozenset(p.topics),
                records=frozenset(p.records) or None,
            ),
            except_for=tuple(self._wide(x) for x in p.exceptions if self._aims_at(x, partner) and _may_hold(x, now)),
            until=min(end for end in ends if end is not None),
        )

    def _parts(self, terms: Terms, p: Provision) -> frozenset[str]:
        """`all` parts are those that were offered when it was signed."""
        if ALL not in p.parts:
            return frozenset(p.parts)
        signed = terms.signed.start if terms.signed else None
        offered = self.rulebook.parts
        # Most parts have been offered since the same day.
        there = {since for since in set(offered.values()) if signed and self.rulebook.start_of(since) <= signed}
        return frozenset(part for part, since in offered.items() if since in there)

    def _wide(self, p: Provision) -> Test:
        """What a deny reads: a field left out, or one that cannot be computed, leaves nothing out."""
        records = {*p.records, *(w for tomb in p.records for w in self.waiting.get(tomb, ()))}
        return Test(
            purposes=_unless("purposes" in p.unreadable or ALL in p.purposes, p.purposes),
            parts=_unless("parts" in p.unreadable or ALL in p.parts, p.parts),
            topics=_unless("topics" in p.unreadable, p.topics),
            records=_unless("records" in p.unreadable, records),
        )

    def _denies(self, terms: Terms, p: Provision, partner: Partner, now: datetime) -> bool:
        """Rule 3: does this deny count towards the partner now?"""
        if not terms.counts_for_denying or (terms.period.start is not None and now < terms.period.start):
            return False
        if p.period is not None and not p.period.holds(now):
            return False
        return self._aims_at(p, partner) and not self._lifted(terms, now)

    def _aims_at(self, p: Provision, partner: Partner) -> bool:
        """Does a deny reach this partner? Left out: everyone; also by a sector of the case, and as team for ever."""
        if not p.to or "to" in p.unreadable or ALL in p.to or f"partners/{partner.id}" in p.to:
            return True
        sectors = {*partner.sectors, *self.sectors.get(partner.id, ())}
        if any(f"sectors/{s}" in p.to for s in sectors):
            return True
        return "care-team" in p.to and any(s.partner == partner.id and s.invited for s in self.seats)

    def _deny(self, terms: Terms, p: Provision, partner: Partner, now: datetime) -> Deny:
        # A consent that cannot be computed never permits: not by an exception of a denial either.
        exceptions = () if terms.faults else p.exceptions
        return Deny(
            provision=p,
            terms=terms,
            test=self._wide(p),
            except_for=tuple(
                Test(
                    purposes=None if ALL in x.purposes or not x.purposes else frozenset(x.purposes),
                    parts=None if not x.parts else self._parts(terms, x),
                    topics=frozenset(x.topics) or None,
                    records=frozenset(x.records) or None,
                )
                for x in exceptions
                if self._releases(terms, x, partner, now)
            ),
        )

    def _releases(self, terms: Terms, x: Provision, partner: Partner, now: datetime) -> bool:
        """Does this exception of a deny reach the partner now? What it leaves out it takes over from the deny."""
        if x.names_no_record:
            return False
        if x.period is not None and (x.period.start is None or x.period.end is None or not x.period.holds(now)):
            return False
        return not x.to or self._reaches(terms, x, partner, now)

    def _lifted(self, terms: Terms, now: datetime) -> bool:
        """Lifted for good by a later consent, itself counting, that supersedes it, of one who may (rule 3)."""
        denied_at = terms.signed.end if terms.signed else terms.entered
        if denied_at is None:
            return False
        return any(
            terms.path in c.supersedes and c.path != terms.path and self._lifts(c, terms, denied_at, now)
            for c in self.consents
        )

    def _lifts(self, later: Terms, denied: Terms, denied_at: datetime, now: datetime) -> bool:
        if later.signed is None or later.signed.start is None or not self._has_counted(later, now):
            return False
        # Strictly later: a date is its whole day, so its first instant must not lie before the other's end.
        strictly = (
            later.signed.start >= denied_at
            if denied.signed and _is_day(denied.signed)
            else (later.signed.start > denied_at)
        )
        if not strictly:
            return False
        g = self.grantors
        moments = (later.signed.start, _began(later))
        if later.by == denied.by == CHILD:
            return all(g.incapable(at) is False for at in moments)
        if any(g.may_permit(later, at) for at in moments):
            return False
        if later.by == CHILD or later.by == denied.by:
            return True
        return later.authority == "court-order"

    def _has_counted(self, terms: Terms, now: datetime) -> bool:
        """Was this consent in force at some instant up to `now`? What it lifted then stays lifted."""
        if not terms.counts_for_denying or terms.imported or terms.faults or not terms.ends:
            return False
        if terms.signed is None or terms.signed.start is None or terms.period.start is None:
            return False
        if terms.method not in ("signature", "electronic") and not (terms.method == "verbal" and terms.collected):
            return False
        began = _began(terms)
        if terms.status == "revoked" and terms.revoked is None:
            return False
        if terms.revoked is not None and terms.revoked <= began:
            return False
        if (terms.period.end is not None and began >= terms.period.end) or self._superseded(terms, began):
            return False
        return began <= now

    def why_it_permits_nothing(self, terms: Terms, now: datetime) -> tuple[str, ...]:
        """Codes of explain.REASONS, whatever the partner; empty where it permits something, or means only to deny."""
        permits = [p for p in terms.provisions if p.permits]
        if not permits or terms.status in ("draft", "superseded", "entered-in-error"):
            return ()
        if why := self._state(terms, _ANYONE, now):
            return (why,)
        # Whom a permit names is asked of each partner, not here.
        whys = {self._permit_fails(terms, p, _ANYONE, now) for p in permits}
        return () if whys & {"", "receiver"} else tuple(sorted(whys))

    def alarms(self, now: datetime) -> tuple[Alarm, ...]:
        """What a person must look at, whatever the partner (rules 3, 7, *Not computable*)."""
        return tuple(sorted(set(self._alarms(now))))

    def _alarms(self, now: datetime) -> Iterator[Alarm]:
        for terms in self.consents:
            if terms.faults and terms.counts_for_denying:
                yield Alarm(terms.path, "not-computable")
            denies = any(not p.permits for p in terms.provisions) and terms.counts_for_denying
            unsure = not terms.signed or terms.method not in ("signature", "electronic", "verbal")
            if denies and (unsure or (terms.signed and self._never_had_authority(terms))):
                yield Alarm(terms.path, "deny-without-authority")
            for earlier in terms.supersedes:
                successor_permits = any(p.permits for p in terms.provisions) and not self._void(terms, now)
                if terms.counts_for_denying and not terms.imported and not successor_permits:
                    yield Alarm(earlier, "superseded-by-nothing")
        if not self.rulebook.agency or self._agencies() != 1:
            yield Alarm("organizations", "agency-not-found" if self._agencies() == 0 else "agency-ambiguous")

    def _void(self, terms: Terms, now: datetime) -> bool:
        return self._state(terms, _ANYONE, now) not in ("", "not-begun")

    def _never_had_authority(self, terms: Terms) -> bool:
        at = terms.signed.start if terms.signed else None
        if at is None:
            return True
        if terms.by == CHILD:
            return self.grantors.incapable(at) is not False
        return self.grantors.may_permit(terms, at) != ""

    def _agencies(self) -> int:
        return sum(1 for o in self.case.get("organizations", ()) if is_agency(o, self.rulebook))


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


def _unless(open_ended: bool, values: Iterable[str]) -> frozenset[str] | None:
    return None if open_ended else frozenset(values) or None


def _may_hold(p: Provision, now: datetime) -> bool:
    return p.period is None or p.period.holds(now)


def _began(terms: Terms) -> datetime:
    """The first instant at which a signed consent with a start could be in force."""
    assert terms.signed and terms.signed.start and terms.period.start  # noqa: S101  asked only of such
    return max(terms.period.start, terms.signed.start)


def _is_day(signed: Span) -> bool:
    return signed.start != signed.end
