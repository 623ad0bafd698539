"""Whole situations to decide about: a case valid by the schemas, a partner, a rulebook and a time near a boundary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from adapter import wiring
from adapter.core.case import check
from adapter.core.consent.rulebook import TOPICS, Rulebook
from adapter.core.consent.rules import Rules, compile_rules
from adapter.core.consent.view import View, view
from adapter.core.desired import Bench
from adapter.core.partner import Partner
from tests.core.consent.proofs.flesh import Flesh, Markers, schema
from tests.core.consent.proofs.grants import Grants

TODAY = date(2026, 11, 2)
SECTORS = (
    "coordination", "health", "hospital", "education", "child-welfare", "mental-health", "developmental",
    "rehabilitation", "respite", "early-intervention", "justice", "community",
)  # fmt: skip
MANY = {"strengths": 3, "needs": 4, "goals": 5, "assessments": 2, "contacts": 2, "risks": 2, "documents": 3}
"""At most so many records of a collection; as many as likely again in a full case."""


@cache
def bench() -> Bench:
    """The bench of the fixtures' agency: the committed schemas, parts, topics, programs and mappings."""
    return wiring.wire_without_instance().bench


@dataclass(frozen=True, repr=False)
class Situation:
    """May `partner` see it, in this case, by this rulebook, now?"""

    case: dict[str, Any]
    bench: Bench
    partner: str
    now: datetime

    def __repr__(self) -> str:
        # The whole case would hide what matters; and hypothesis objects to what is longer.
        consents = json.dumps(self.case.get("consents"))[:20_000]
        return f"Situation(partner={self.partner!r}, now={self.now.isoformat()}, consents={consents})"

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        # Hypothesis prints the fields of a dataclass whatever its repr is, unless it is told how.
        printer.text(repr(self))

    @property
    def rulebook(self) -> Rulebook:
        return self.bench.rulebook

    @property
    def whom(self) -> Partner:
        return self.rulebook.partners[self.partner]

    def rules(self) -> Rules:
        return compile_rules(self.case, self.rulebook)

    def view(self) -> View:
        return view(self.case, self.rules(), self.partner, self.now)

    def but(self, case: dict[str, Any] | None = None, now: datetime | None = None) -> Situation:
        """The same with another case, or at another time."""
        return replace(self, case=self.case if case is None else case, now=now or self.now)


@st.composite
def situations(draw: st.DrawFn, full: int = 45) -> Situation:
    """`full`: how likely each optional field is there, in 100."""
    return situation(draw(st.randoms(use_true_random=False)), full)


def seeds() -> st.SearchStrategy[Random]:
    """Chance for the test itself, which hypothesis need not follow draw by draw."""
    return st.integers(min_value=0, max_value=(1 << 32) - 1).map(Random)


def situation(random: Random, full: int = 45) -> Situation:
    """One situation. What steers is drawn from `random`, which shrinks; texts and the like from a seed of it."""
    made = _Maker(random, full).make()
    if problems := check(made.case, made.rulebook.schemas):
        raise AssertionError(f"the generator made a case that is not valid: {problems[:5]}")
    return made


class _Maker:
    def __init__(self, random: Random, full: int) -> None:
        self.random = random
        seed = random.randrange(1 << 30)
        self.markers = Markers(seed)
        self.loose = Random(seed + 1)
        self.full = full
        self.partner = self._partner()
        self.paths: dict[str, list[str]] = {}

    def make(self) -> Situation:
        days = [(TODAY + timedelta(days=n)).isoformat() for n in (-400, -90, -30, -7, -1, 0, 1, 7, 60, 200)]
        self.flesh = Flesh(self.loose, self.markers, self.paths, days, self.full)
        people = self._ids("people", ["mother", *(["father"] if self.chance(60) else []), *self._some("kin", 2)])
        organizations, providers = self._organizations()
        counts = {name: self._ids(name, self._some(name, most)) for name, most in MANY.items()}
        plans = self._ids("care_plans", self._some("plan", 2, least=1))
        services = {plan: self._some("service", 4) for plan in plans}
        self.paths["care_plans/services"] = [f"care_plans/{p}/services/{s}" for p in plans for s in services[p]]
        teams = self._ids("care_teams", self._some("team", 1))
        referrals = self._ids("referrals", self._some("referral", 2))
        documents = list(self.paths["documents"])
        case: dict[str, Any] = {
            "case": f"C-{self.markers.word()}",
            "program": self.random.choice(("ontario-csp", "ontario-csp", "early-intervention", "wraparound")),
            "child": self._child(),
            "people": [self._person(name) for name in people],
            "organizations": organizations,
            "providers": providers,
            "care_teams": [self._team(name) for name in teams],
            **{collection: [self._plain(collection, name) for name in names] for collection, names in counts.items()},
            "care_plans": [self._plan(name, services[name]) for name in plans],
        }
        if self.chance(75):
            coordinator = "providers/worker0" if self.chance(80) else self.random.choice(self.paths["providers"])
            case["enrolment"] = self.flesh.record("enrolment", coordinator=coordinator, retention=None)
        named = [path for group, paths in self.paths.items() if group not in ("consents", "child") for path in paths]
        named += [f"care_plans/{p['id']}/sections/{s['id']}" for p in case["care_plans"] for s in p.get("sections", ())]
        adult = case["child"].get("birth_date", "9999") <= TODAY.replace(year=TODAY.year - 16).isoformat()
        deciders = [f"people/{p['id']}" for p in case["people"] if p.get("decision_maker")]
        if adult and self.chance(90):
            deciders = ["child", *deciders]
        everyone = ["child", *(f"people/{p['id']}" for p in case["people"])]
        grants = Grants(self.random, self.partner, TODAY, deciders, everyone, named, documents)
        case["consents"] = grants.consents()
        self.paths["consents"] = [f"consents/{c['id']}" for c in case["consents"]]
        case["referrals"] = [self._referral(name) for name in referrals]
        case = {name: value for name, value in case.items() if value}
        rulebook = replace(
            bench().rulebook,
            partners={**bench().rulebook.partners, self.partner.id: self.partner},
            labels_topics=self.chance(75),
        )
        return Situation(case, replace(bench(), rulebook=rulebook), self.partner.id, self._now(case))

    def _partner(self) -> Partner:
        base = bench().rulebook.partners[self.random.choice(("lakeside", "riverside", "harbour-cas", "northstar"))]
        return replace(
            base,
            written_only=self.chance(10),
            withheld_notice=self.chance(30),
            since=TODAY - timedelta(days=self.random.choice((10, 150, 400, 400, 400, 400, 400))),
            audience=("school-number",) if self.chance(10) else (),
            sectors=base.sectors if self.chance(85) else (*base.sectors, "mental-health"),
        )

    def _organizations(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        kinds = ["agency", "own", *self._some("other", 3)]
        names = [self._id(kind) for kind in kinds]
        self.paths["organizations"] = [f"organizations/{name}" for name in names]
        self.paths["providers"] = [f"providers/worker{n}" for n in range(len(names))]
        made = []
        for kind, name in zip(kinds, names, strict=True):
            sector: Any = self.random.choice(SECTORS)
            given: dict[str, Any] = {"partner": None, "identifiers": None}
            if kind == "agency":
                sector = "coordination"
                if self.chance(90):
                    system, value = min(bench().rulebook.agency)
                    given["identifiers"] = [{"system": system, "value": value}]
            elif kind == "own":
                sector = list(self.partner.sectors) if self.chance(90) else sector
                given["partner"] = self.partner.id if self.chance(92) else None
            elif self.chance(30):
                given["partner"] = self.random.choice(sorted(bench().rulebook.partners))
            made.append(self._labelled(self.flesh.record("organizations", id=name, sector=sector, **given)))
        workers = [
            self._labelled(
                self.flesh.record(
                    "providers",
                    id=f"worker{n}",
                    organization=f"organizations/{name}",
                    name={"given": [self.markers.word()], "family": self.markers.word()},
                )
            )
            for n, name in enumerate(names)
        ]
        return made, workers

    def _child(self) -> dict[str, Any]:
        near = self.random.randrange(100)
        years, days = (16, self.random.randrange(-3, 4)) if near < 18 else (self.random.choice((4, 8, 11, 14, 17)), 40)
        birth = TODAY.replace(year=TODAY.year - years) + timedelta(days=days)
        assessed = [
            {
                "capable": self.chance(85),
                **({"assessed_by": "Dr. A."} if self.chance(90) else {}),
                **({"assessed_on": self._day(-300, 5)} if self.chance(90) else {}),
            }
            for _ in range(self.random.choice((0, 0, 0, 1, 2)))
        ]
        home = {"kind": "home", "since": self._day(-300, 0)}
        reviewed = {"reviewed": {"by": "The coordinator", "on": self._day(-30, 0)}} if self.chance(40) else {}
        return self.flesh.record(
            "child",
            name={"given": [self.markers.word().capitalize()], "family": self.markers.word().capitalize()},
            birth_date=birth.isoformat() if self.chance(96) else None,
            decision_making=assessed or None,
            placement=home if self.chance(70) else self._value("child", "placement"),
            **reviewed,
        )

    def _person(self, name: str) -> dict[str, Any]:
        decides = name.startswith("mother") or (name.startswith("father") and self.chance(70)) or self.chance(5)
        given: dict[str, Any] = {
            "relationship": name[:6] if name[:6] in ("mother", "father") else None,
            "decision_maker": decides if decides else None,
            "authority": self.random.choice(("parent", None, "court-order")) if decides else None,
            "shared": True if decides and self.chance(10) else None,
            "since": self._day(-500, -300) if self.chance(10) else None,
            "until": self._day(-3, 60) if self.chance(8) else None,
        }
        if given["relationship"] is None:
            given["relationship"] = self.random.choice(("grandparent", "elder", "foster-parent", "sibling", "friend"))
        return self._labelled(self.flesh.record("people", id=name, **given), 8)

    def _plain(self, collection: str, name: str) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if collection == "documents":
            given["may_forward"] = False if self.chance(10) else None
        if collection == "goals":
            given["steps"] = [self.flesh.entry("goals", "steps", id=each) for each in self._some("step", 2)] or None
        return self._labelled(self.flesh.record(collection, id=name, **given))

    def _team(self, name: str) -> dict[str, Any]:
        seats = [
            self.flesh.entry(
                "care_teams",
                "members",
                id=self._id("seat"),
                invited_by_family=self.chance(60) or None,
                since=self._day(-200, 2) if self.chance(20) else None,
                until=self._day(-2, 90) if self.chance(20) else None,
                member=self.random.choice(self.paths["providers"] + self.paths["organizations"] + self.paths["people"]),
            )
            for _ in range(self.random.choice((1, 2, 4)))
        ]
        status = self.random.choice(("active", "active", "active", "proposed", "inactive"))
        return self._labelled(self.flesh.record("care_teams", id=name, status=status, members=seats, period=None))

    def _plan(self, name: str, services: list[str]) -> dict[str, Any]:
        def entries(listing: str, ids: list[str], percent: int) -> list[dict[str, Any]] | None:
            made = [self.flesh.entry("care_plans", listing, id=each) for each in ids]
            return [self._labelled(each, percent) for each in made] if percent else made

        return self._labelled(
            self.flesh.record(
                "care_plans",
                id=name,
                services=entries("services", services, 12) or None,
                sections=entries("sections", self._some("section", 4), 10) or None,
                signatures=entries("signatures", self._some("signature", 2), 0) or None,
                transitions=entries("transitions", self._some("transition", 2), 0) or None,
            ),
            5,
        )

    def _referral(self, name: str) -> dict[str, Any]:
        own = self.paths["organizations"][1]
        kinds = ("strengths", "needs", "documents", "care_plans/services")
        shared = [path for kind in kinds for path in self.paths[kind]]
        shares = self.random.sample(shared, min(len(shared), self.random.randrange(0, 4)))
        return self._labelled(
            self.flesh.record(
                "referrals",
                id=name,
                to=own if self.chance(65) else self.random.choice(self.paths["organizations"]),
                status=self.random.choice(("requested", "accepted", "in-progress", "completed", "draft", "received")),
                respond_by=self._day(-3, 30) if self.chance(30) else None,
                outcome=None if self.chance(80) else self._value("referrals", "outcome"),
                shares=shares or None,
                consent=self.random.choice(self.paths["consents"]) if self.chance(25) else None,
            )
        )

    def _labelled(self, record: dict[str, Any], percent: int = 12) -> dict[str, Any]:
        """Topics that a person set or lifted, and a review, here and there."""
        if self.chance(percent):
            record["topics"] = self.random.sample(TOPICS, self.random.choice((1, 1, 2)))
        if self.chance(percent):
            record["topics_lifted"] = self.random.sample(TOPICS, self.random.choice((1, 3)))
        if self.chance(35):
            record["reviewed"] = {"by": "The coordinator", "on": self._day(-30, 0)}
        return record

    def _now(self, case: Mapping[str, Any]) -> datetime:
        """Mostly an afternoon; else within a second of a midnight at which some consent begins or ends."""
        zone = bench().rulebook.time_zone
        if self.chance(65):
            return datetime(TODAY.year, TODAY.month, TODAY.day, 15, tzinfo=zone).astimezone(UTC)
        days = [date.fromisoformat(day) for c in case["consents"] for day in c.get("period", {}).values()]
        day = self.random.choice(days or [TODAY]) + timedelta(days=self.random.choice((0, 1)))
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        return midnight + self.random.choice((timedelta(0), timedelta(microseconds=-1), timedelta(hours=9)))

    def _ids(self, collection: str, names: list[str]) -> list[str]:
        self.paths[collection] = [f"{collection}/{name}" for name in names]
        return names

    def _some(self, word: str, most: int, least: int = 0) -> list[str]:
        return [self._id(word) for _ in range(self.random.randrange(least, most + 1))]

    def _id(self, word: str) -> str:
        return f"{word}-{self.markers.word()}"

    def _value(self, collection: str, name: str) -> Any:
        return self.flesh.value(schema(collection)["properties"][name], f"{collection}.{name}")

    def _day(self, first: int, last: int) -> str:
        return (TODAY + timedelta(days=self.random.randrange(first, last + 1))).isoformat()

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent
