"""Consents as families and offices really write them: good ones mostly, and every way in which one can be broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from adapter.core.consent.rulebook import PURPOSES, TOPICS
from adapter.core.partner import Partner

PARTS = (
    "identity", "contact", "family", "culture", "education", "health", "strengths", "needs", "goals", "plan",
    "services", "team", "enrolment", "assessments", "referrals", "reviews", "transition", "crisis", "documents",
)  # fmt: skip


@dataclass(frozen=True)
class Grants:
    """Writes consents of one case. `deciders`: who may consent; `paths`: everything that a provision can name."""

    random: Random
    partner: Partner
    today: date
    deciders: Sequence[str]
    everyone: Sequence[str]
    paths: Sequence[str]
    documents: Sequence[str]

    def consents(self) -> list[dict[str, Any]]:
        """A good consent of each decision maker, mostly; then others of any kind, some in place of earlier ones."""
        made: list[dict[str, Any]] = []
        for who in self.deciders or ("people/mother",):
            if not made or self.chance(90):
                made.append(self.consent(f"c{len(made) + 1}", who, good=True, earlier=()))
        for _ in range(self.random.choice((0, 0, 1, 1, 2))):
            who = self.random.choice([*self.deciders, *self.everyone])
            made.append(self.consent(f"c{len(made) + 1}", who, good=False, earlier=[c["id"] for c in made]))
        if self.chance(55):
            made += [self.plain(f"plain{n}", who) for n, who in enumerate(self.deciders)]
        self.random.shuffle(made)
        return made

    def plain(self, name: str, who: str) -> dict[str, Any]:
        """A consent with nothing wrong and nothing clever in it."""
        permit = {"id": "p", "effect": "permit", "to": [f"partners/{self.partner.id}"], "purposes": "all"}
        permit |= {"parts": "all" if self.chance(60) else self.parts(), "topics": self.topics(unreviewed=60)}
        return {
            "id": name,
            "status": "active",
            "granted_by": who,
            "method": "signature",
            "signed_at": self.day(-120, -60),
            "period": {"start": self.day(-60, -20), "end": self.day(100, 200)},
            "provisions": [permit],
        }

    def consent(self, name: str, who: str, *, good: bool, earlier: Sequence[str]) -> dict[str, Any]:
        signed = self.day(-200, -1 if good else 3)
        made: dict[str, Any] = {
            "id": name,
            "status": "active"
            if good or self.chance(60)
            else self.random.choice(("draft", "active", "revoked", "superseded", "entered-in-error")),
            "granted_by": who,
            "method": self.random.choice(("signature", "signature", "electronic", "verbal")),
            "signed_at": signed if self.chance(80) else f"{signed}T{self.random.choice(('09:30', '23:59'))}:00-05:00",
            "period": {
                "start": signed if self.chance(80) else self.day(-90, 3),
                "end": self.day(1 if good else -5, 300),
            },
            "provisions": [self.permit(f"p{i + 1}") for i in range(self.random.choice((1, 1, 2)))],
        }
        if made["method"] == "verbal" and self.chance(90):
            made["collected_by"] = "people/mother"
        if self.chance(35):
            made["provisions"].append(self.deny("d1"))
        if self.chance(30):
            made["notices"] = [f"Keep it to yourselves ({name})"]
        if self.chance(30) and self.documents:
            made["document"] = self.random.choice(self.documents)
        if earlier and self.chance(25):
            made["supersedes"] = [f"consents/{self.random.choice(earlier)}"]
        if made["status"] == "revoked":
            made |= {"revoked_on": self.day(-60, 5), "revoked_by": who}
        if not good and self.chance(30):
            self._break(made)
        if made["period"].get("end", "9") < made["period"].get("start", "0"):
            made["period"]["end"] = made["period"]["start"]
        self.random.shuffle(made["provisions"])
        return made

    def permit(self, name: str) -> dict[str, Any]:
        standing = self.partner.purpose
        made: dict[str, Any] = {
            "id": name,
            "effect": "permit",
            "to": self.receivers(),
            "purposes": self.random.choice(("all", "all", [standing], [standing, "referral"], ["referral"])),
            "parts": "all" if self.chance(45) else self.parts(),
        }
        if self.chance(65):
            made["topics"] = self.topics(unreviewed=50)
        if self.chance(8):
            made["records"] = ["child", *self.some(self.paths, 9)]
        if self.chance(12):
            made["period"] = {"start": self.day(-60, 2), "end": self.day(2, 90)}
        if self.chance(20):
            made["except"] = [self.carve(f"{name}x", "deny")]
        if ("all" in made["to"] or any(each.startswith("sectors/") for each in made["to"])) and self.chance(30):
            by = self.random.choice([*self.deciders, *self.everyone])
            made["confirmed"] = [{"partner": self.partner.id, "by": by, "on": self.day(-60, 3)}]
        return made

    def deny(self, name: str) -> dict[str, Any]:
        made: dict[str, Any] = {"id": name, "effect": "deny"}
        aims = self.random.randrange(4)
        if aims in (0, 3):
            made["topics"] = self.topics(unreviewed=15) if self.chance(80) else ["all"]
        if aims in (1, 3):
            made["parts"] = self.some(PARTS[1:], 4)
        if aims == 2:
            made["records"] = self.some(self.paths, 4)
        if self.chance(60):
            made["to"] = self.receivers()
        if self.chance(15):
            made["purposes"] = self.some(PURPOSES, 2)
        if self.chance(15):
            made["period"] = {"start": self.day(-60, 2), **({"end": self.day(2, 60)} if self.chance(70) else {})}
        if self.chance(25):
            made["except"] = [self.carve(f"{name}x", "permit")]
        return made

    def carve(self, name: str, effect: str) -> dict[str, Any]:
        """An exception: mostly a single field, so that it carves out little."""
        made: dict[str, Any] = {"id": name, "effect": effect}
        match self.random.randrange(4):
            case 0:
                made["topics"] = self.topics(unreviewed=10)
            case 1:
                made["parts"] = self.some(PARTS[1:], 3)
            case 2:
                made["records"] = self.some(self.paths, 3)
            case 3:
                made |= {"to": self.receivers(), "parts": self.some(PARTS[1:], 3)}
        if self.chance(20):
            made["period"] = {"start": self.day(-40, 2), "end": self.day(2, 60)}
        return made

    def _break(self, consent: dict[str, Any]) -> None:
        """What is accepted as a record and cannot permit: no end, no signature, unknown words, too deep a nesting."""
        provision = self.random.choice(consent["provisions"])
        match self.random.randrange(10):
            case 0:
                consent["period"].pop("end")
            case 1:
                consent.pop("signed_at")
            case 2:
                consent.pop("method")
            case 3:
                provision["parts"] = ["identity", "horoscope"]
            case 4:
                provision["topics"] = ["sorcery"]
            case 5:
                provision["to"] = ["everybody"]
            case 6:
                provision["purposes"] = "marketing"
            case 7:
                other = "deny" if provision["effect"] == "permit" else "permit"
                deep = {"id": f"{provision['id']}y", "effect": provision["effect"]}
                carved = {"id": f"{provision['id']}x", "effect": other, "parts": ["team"], "except": [deep]}
                provision["except"] = [carved]
            case 8:
                consent["imported"] = True
            case 9:
                provision.pop("parts", None)

    def receivers(self) -> list[str]:
        sector = self.random.choice(self.partner.sectors or ("health",))
        return self.random.choice(
            (
                [f"partners/{self.partner.id}"],
                [f"partners/{self.partner.id}"],
                [f"partners/{self.partner.id}", "care-team"],
                [f"sectors/{sector}"],
                ["all"],
                ["care-team"],
                [f"partners/{self.partner.id}", "partners/somebody-else"],
                [f"partners/{self.partner.id}"] if self.chance(60) else ["care-team", "partners/somebody-else"],
            )
        )

    def parts(self) -> list[str]:
        return ["identity", *self.some(PARTS[1:], 18)]

    def topics(self, *, unreviewed: int) -> list[str]:
        found = list(TOPICS) if self.chance(30) else self.some(TOPICS, 6)
        return [*found, "unreviewed"] if self.chance(unreviewed) else found

    def some(self, values: Sequence[str], most: int) -> list[str]:
        return self.random.sample(list(values), min(len(values), self.random.randrange(1, most + 1))) if values else []

    def day(self, first: int, last: int) -> str:
        return (self.today + timedelta(days=self.random.randrange(first, last + 1))).isoformat()

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent
