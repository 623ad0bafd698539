"""What one partner should hold of one case now, and what it takes to get there: view, map, check, diff in one value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapter.core.consent.endings import frozen, next_change
from adapter.core.consent.explain import alarms
from adapter.core.consent.rulebook import Rulebook
from adapter.core.consent.rules import Alarm, Rules, compile_rules
from adapter.core.consent.view import View, view
from adapter.core.diff import Change, Delete, Holding, Made, Update, changes
from adapter.core.document import Scene, held_as_document, in_place, lacking, within
from adapter.core.fhir.checker import Checker
from adapter.core.fhir.models import problems
from adapter.core.identity import Identity, Key
from adapter.core.keeping import effective, rulebook_for
from adapter.core.leaving_out import without
from adapter.core.mapping.resources import Mappings, resources
from adapter.core.partner import Release
from adapter.core.referral.table import Dialect
from adapter.core.referral.task import shared
from adapter.core.residue import Residue
from adapter.core.schema import paths as paths_of
from adapter.core.sheet import Sheet
from adapter.errors import Problem


@dataclass(frozen=True, slots=True)
class Bench:
    """The values that do not change while an instance runs: all that a case and a partner are held against."""

    rulebook: Rulebook
    mappings: Mapping[Release, Mappings]
    identity_secret: bytes
    identifier_system: str
    checkers: Mapping[Release, Checker]
    paper: Callable[[Sheet], bytes]
    """Makes a PDF of a sheet, the same one each time."""
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    """By which tables partners answer referrals; a partner of none that is here moves nothing."""

    def identity(self, partner: str) -> Identity:
        """A partner's own names for our resources."""
        return Identity(self.identity_secret, partner, self.identifier_system)

    def dialect(self, partner: str) -> Dialect:
        """The table by which this partner moves a referral."""
        name = self.rulebook.partners[partner].referrals.dialect
        return self.dialects.get(name, Dialect(name, {}))


@dataclass(frozen=True, slots=True)
class Subject:
    """One case as the rules read it: the agency's number, the effective case ({} once it is deleted), what is kept."""

    number: str
    case: dict[str, Any]
    kept: Mapping[str, Any]

    @staticmethod
    def of(number: str, body: Mapping[str, Any], kept: Mapping[str, Any]) -> Subject:
        """Of what the store has: the case file as it was put, and what is kept beside it."""
        return Subject(number, effective(body, kept), kept)


@dataclass(frozen=True, slots=True)
class Desired:
    """What a partner should hold now. `wrong`: what our own check found; then nothing of it may leave.

    `mapped`: every resource that the view became, also where `made` has it within a document only.
    """

    made: tuple[Made, ...]
    mapped: tuple[Made, ...]
    view: View
    wrong: tuple[Problem, ...]
    findings: tuple[Problem, ...]
    alarms: tuple[Alarm, ...]
    next_change: datetime | None
    left_out: tuple[str, ...] = ()
    """Types of which something would be there, did its server take it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for one share."""

    changes: tuple[Change, ...]
    desired: Desired


def rules_of(bench: Bench, subject: Subject) -> Rules:
    """What steers in this case, by the rule book that its records' sources ask for."""
    return compile_rules(subject.case, rulebook_for(bench.rulebook, subject.kept), subject.kept)


def desire(
    bench: Bench, subject: Subject, partner: str, now: datetime, *, not_taken: Collection[str] = frozenset()
) -> Desired:
    """view ▸ map ▸ check (design.md section 4), in the release that the partner speaks. Pure; the same for the same
    permitted content.

    `not_taken`: the types of which its server lacks create or update. Where the plan's are among them, and where its
    file says so, it holds one document in their place.
    """
    rules = rules_of(bench, subject)
    identity = bench.identity(partner)
    receiver = bench.rulebook.partners[partner]
    not_taken = lacking(receiver, not_taken)
    if "Binary" in not_taken:
        receiver = replace(receiver, bytes="inline")
    release = receiver.release
    shown = view(
        subject.case, rules, partner, now, tie=lambda path: identity.urn(Key(subject.number, path, path.split("/")[0]))
    )
    mappings = bench.mappings[release]
    mapped = resources(
        shown,
        mappings,
        case_number=subject.number,
        partner=receiver,
        identity=identity,
        program=subject.case.get("program", ""),
        now=now,
    )
    made = shared(
        mapped.made,
        subject.case,
        subject.kept,
        partner=partner,
        dialect=bench.dialect(partner),
        business=mappings.codes.get("business-status"),
        identity=identity,
        number=subject.number,
        release=release,
    )
    guided = mappings.guides.get(receiver.dialect, {})
    scene = Scene(receiver, identity, subject.number, mappings.codes, bench.paper, guided)
    placed = in_place(made, shown, scene, held_as_document(receiver, not_taken))

    def sound(some: Sequence[Made]) -> set[str]:
        return {each.urn for each in some if not mistakes(bench, release, [each])}

    sent, left_out = without(placed.made, not_taken, sound)
    return Desired(
        made=sent,
        mapped=made,
        view=shown,
        wrong=(*mistakes(bench, release, sent), *_mistakes_in(bench, release, placed.document)),
        findings=mapped.findings,
        alarms=alarms(rules, now),
        next_change=next_change(rules, now),
        left_out=left_out,
    )


def mistakes(bench: Bench, release: Release, resources: Sequence[Made]) -> tuple[Problem, ...]:
    """What fhir.resources and our checker find in these: each resource is held against both before it leaves."""
    checked = bench.checkers[release].each([(made.urn, made.resource) for made in resources])
    return tuple(
        Problem(f"{made.type} of {made.about}{problem.pointer}", problem.detail)
        for made, found in zip(resources, checked, strict=True)
        for problem in (*problems(made.resource, release=release), *found)
    )


def _mistakes_in(bench: Bench, release: Release, document: dict[str, Any] | None) -> list[Problem]:
    """The same of the FHIR document inside: a Bundle whose entries refer to each other."""
    if document is None:
        return []
    (checked,) = bench.checkers[release].each([("", document)])
    found = {*problems(document, release=release), *checked}
    return [Problem(f"Bundle of the document{problem.pointer}", problem.detail) for problem in sorted(found)]


def plan(
    bench: Bench,
    subject: Subject,
    partner: str,
    now: datetime,
    holdings: Sequence[Holding],
    *,
    directory: Mapping[str, Holding],
    kept_elsewhere: Collection[str],
    not_taken: Collection[str] = frozenset(),
    equal_at: datetime | None = None,
) -> Plan:
    """What makes the partner's copy equal to what consent allows now (exchange.md: map(view) ∪ residue(holdings)).

    `not_taken` as in `desire`: of these types no residue is left either. `equal_at`: when the partner last held what it
    should; None where that is not known.
    """
    desired = desire(bench, subject, partner, now, not_taken=not_taken)
    return toward(
        bench, subject, partner, now, desired, holdings,
        directory=directory, kept_elsewhere=kept_elsewhere, not_taken=not_taken, equal_at=equal_at,
    )  # fmt: skip


def stays(
    bench: Bench,
    subject: Subject,
    partner: str,
    now: datetime,
    unwanted: Collection[Holding],
    equal_at: datetime | None,
) -> set[str]:
    """The urns of what is no longer desired, and stays as it is, because only a date ran out (consent.md, *When
    permission ends*). What was still to be there at `equal_at` is not there for a date that had passed by then."""
    rules = rules_of(bench, subject)
    found: set[str] = set()
    for state, since in (("active", equal_at), ("frozen", None)):
        if held := [h for h in unwanted if h.state == state]:
            paths = frozen(subject.case, rules, partner, now, since=since)
            found |= {h.urn for h in held if within(h.about, paths)}
    return found


def toward(
    bench: Bench,
    subject: Subject,
    partner: str,
    now: datetime,
    desired: Desired,
    holdings: Sequence[Holding],
    *,
    directory: Mapping[str, Holding],
    kept_elsewhere: Collection[str],
    not_taken: Collection[str] = frozenset(),
    equal_at: datetime | None = None,
) -> Plan:
    """The plan for what is desired already: so that only what it asks for need be read of a partner's directory."""
    wanted_urns = {made.urn for made in desired.made}
    staying = stays(bench, subject, partner, now, [h for h in holdings if h.urn not in wanted_urns], equal_at)
    if staying:
        # What stays may refer to who is no longer in the case: deleting that would be refused.
        there = paths_of(subject.case)
        staying |= {h.urn for h in holdings if h.directory and h.about not in there} - wanted_urns
    receiver = bench.rulebook.partners[partner]
    not_taken = lacking(receiver, not_taken)
    stubs = receiver.withdrawal == "stub"
    residue = Residue(bench.identity(partner), subject.number, receiver.release, stubs=stubs)
    wanted = residue.beside(desired.made, holdings, staying)
    beside = [made for made in wanted[len(desired.made) :] if made.type not in not_taken]
    # A mistake there is told of and stops the share; it still goes, for what it takes the place of must not stay.
    desired = replace(desired, wrong=(*desired.wrong, *mistakes(bench, receiver.release, beside)))
    wanted = [*desired.made, *beside]
    # Nothing can be deleted there, and a directory resource has no stub: one Delete would have the whole refused.
    kept = {h.urn for h in holdings if h.directory} if stubs else kept_elsewhere
    return Plan(changes(wanted, holdings, frozen=staying, directory=directory, kept_elsewhere=kept), desired)


def narrows(needed: Iterable[Change]) -> bool:
    """Do these take back something of the case? Where they may not be sent, the partner then holds too much."""
    for change in needed:
        match change:
            case Delete(held) if not held.directory:
                return True
            case Update(made, held) if not ({*held.parts, *held.topics} <= {*made.parts, *made.topics}):
                return True
            case Update(made, held) if not held.directory and not {*held.about.split()} <= {*made.about.split()}:
                return True  # a document without something that was in it
    return False
