"""What happens to a case from its first day to its last, with every fault on the way; each byte that leaves is searched
as it leaves, against what its receiver may see at that moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from tests.core.consent.proofs.grants import PARTS
from tests.journeys.leaks.instance import PARTNERS, Instance
from tests.journeys.leaks.planting import Leaf, Planting
from tests.journeys.leaks.search import found
from tests.journeys.leaks.sight import permitted
from tests.outward.fault_server import Answer, CutAfter, CutBefore, Fault, Truncated, page
from tests.verbs.agency import DIRECTORY

Case = dict[str, Any]
FAULTS: tuple[Fault, ...] = (
    Answer(500), Answer(503, {"Retry-After": "60"}), Answer(429), CutBefore(), CutAfter(), Truncated(), page(502),
)  # fmt: skip


@dataclass(frozen=True)
class Leak:
    """A marker where it may not be: in which channel, at which place of it, and the leaf that it stands for."""

    channel: str
    where: str
    leaf: Leaf


@dataclass
class Finds:
    """What has been searched, channel by channel, and what was found that may not be there."""

    planting: Planting
    searched: dict[str, int] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)
    requests: int = 0

    def search(self, channel: str, where: str, data: bytes, may: Callable[[str, Leaf], bool]) -> None:
        """Search these bytes; `may` says of a marker and its leaf whether it may stand there."""
        self.searched[channel] = self.searched.get(channel, 0) + len(data)
        for token in found(data):
            leaf = self.planting.leaves.get(token)
            if leaf is not None and not may(token, leaf):
                self.leaks.append(Leak(channel, where, leaf))


@dataclass
class Story:
    """The cases of one instance. `read`: how much of what each partner's server has seen was searched already."""

    i: Instance
    finds: Finds
    random: Random
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTNERS, 0))

    def work(self, *, hours: float = 0) -> None:
        """Until nothing is due, or is within so many hours: the clock moves as far as retries need."""
        until = self.i.clock.now + timedelta(hours=hours)
        for _ in range(500):
            self.i.work()
            self._search_what_left()
            due = self.i.next_due()
            if not hours or due is None or due > until:
                return
            self.i.clock.now = max(due, self.i.clock.now)
        raise AssertionError("the shares never come to rest")

    def _search_what_left(self) -> None:
        now = self.i.clock.now
        for partner in PARTNERS:
            sights: dict[str, set[str]] = {}

            def may(token: str, leaf: Leaf, partner: str = partner, sights: dict[str, set[str]] = sights) -> bool:
                if leaf.number not in sights:
                    sights[leaf.number] = permitted(self.i, leaf.number, partner, now)
                return token in sights[leaf.number] or token in self.i.fhir(partner).given

            for seen in self.i.seen(partner)[self.read[partner] :]:
                head = f"{seen.method} {seen.path} {dict(seen.headers)}".encode()
                self.finds.search("requests to partners: addresses and headers", partner, head, may)
                self.finds.search("requests to partners: bodies", partner, seen.body, may)
                self.read[partner] += 1

    def begins(self, cases: list[Case]) -> None:
        """Every case is put; the first answers of some partners repeat what they were told, or name things by it."""
        for partner in PARTNERS:
            self.i.fhir(partner).names = self.random.random() < 0.5
        for case in cases:
            self.i.put(case)
        self.work()

    def is_refused(self, cases: list[Case]) -> None:
        """Partners refuse, with an answer that repeats what was sent; a person tries again."""
        for partner in PARTNERS:
            self.i.fhir(partner).refuses = 2
        for case in cases:
            case["child"]["name"]["preferred"] = "Anew"
            self.i.put(case)
        self.work()
        for case in cases:
            for partner in PARTNERS:
                if self.i.share(case["case"], partner).state == "stopped":
                    self.i.ask("coordinator", "POST", f"/api/shares/{case['case']}/{partner}/retry")
        self.work(hours=1)

    def narrows(self, cases: list[Case]) -> None:
        """The family narrows what it permits while partners fail in every way; then records are deleted."""
        for partner in PARTNERS:
            self.i.servers[partner].plan(*self.random.sample(FAULTS, 3))
        for case in cases:
            for consent in case.get("consents", ()):
                denied = self.random.sample(PARTS[1:], 4)
                consent["provisions"].append({"id": "narrower", "effect": "deny", "parts": denied})
            self.i.put(case)
        self.work(hours=0.3)
        for case in cases:
            for collection in ("goals", "strengths", "needs", "risks", "contacts"):
                for record in list(case.get(collection, ()))[:1]:
                    if (
                        self.i.ask(
                            "source", "DELETE", f"/api/cases/{case['case']}/{collection}/{record['id']}"
                        ).status_code
                        == 202
                    ):
                        case[collection].remove(record)
        self.work(hours=0.1)

    def revokes(self, cases: list[Case]) -> None:
        """Every consent is revoked while something is on its way: what is tried again afterwards may say nothing."""
        for case in cases:
            case["child"]["name"]["preferred"] = "Anew again"
            self.i.put(case)
        for partner in PARTNERS:
            self.i.servers[partner].plan(*(Answer(503, applied=n % 2 == 1) for n in range(4)), CutAfter())
        self.work()
        for case in cases:
            for consent in case.get("consents", ()):
                if consent["status"] == "active":
                    consent["status"] = "revoked"
            self.i.put(case)
        self.work(hours=2)
        for partner in PARTNERS:
            self.i.servers[partner].forget()

    def ends(self, cases: list[Case]) -> None:
        """The cases are deleted; then nothing of them is left at any partner."""
        for case in cases:
            assert self.i.ask("source", "DELETE", f"/api/cases/{case['case']}").status_code == 202
        self.work(hours=1)
        self.search_what_is_left()

    def search_what_is_left(self) -> None:
        """What stands on the partners' servers, of cases that are deleted."""
        for partner in PARTNERS:
            for resource in self.i.fhir(partner).resources.values():
                may = self._may_stay(partner, resource["resourceType"])
                self.finds.search("what a partner still holds of a deleted case", partner, repr(resource).encode(), may)

    def _may_stay(self, partner: str, type_: str) -> Callable[[str, Leaf], bool]:
        """Where a server refuses to delete, an organisation has no stub; where it is out of reach, it is tried on."""
        stubs = self.i.desk.catalogue.partners[partner].withdrawal == "stub" and type_ in DIRECTORY

        def may(token: str, leaf: Leaf) -> bool:
            tried = self.i.share(leaf.number, partner).state != "idle"
            return stubs or tried or token in self.i.fhir(partner).given

        return may
