"""Consent decided the slow way, from raw JSON and consent.md alone: dates as text, one question at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from adapter.core.consent.rulebook import TOPICS
from tests.core.consent.proofs.generators import Situation
from tests.core.consent.proofs.layout import Spot

Json = Mapping[str, Any]
OPEN = ("requested", "received", "accepted", "in-progress", "on-hold")
ONLY_THE_REFERENCE = ("coordinator", "requested_by", "collected_by")


class Naive:
    """One situation. Supersession that lifts a denial (rule 3) is left out: `denied` then says nothing."""

    def __init__(self, s: Situation) -> None:
        self.s, self.case, self.rulebook, self.partner = s, s.case, s.rulebook, s.whom
        self.day = s.now.astimezone(s.rulebook.time_zone).date().isoformat()
        self.consents: list[Json] = s.case.get("consents", [])
        self.by_path = {f"organizations/{o['id']}": o for o in s.case.get("organizations", ())}
        self.workers = {f"providers/{p['id']}": p for p in s.case.get("providers", ())}
        self.people = {f"people/{p['id']}": p for p in s.case.get("people", ())}
        agencies = [path for path, o in self.by_path.items() if self._is_agency(o)]
        self.agency = agencies[0] if len(agencies) == 1 else ""
        coordinator = s.case.get("enrolment", {}).get("coordinator", "")
        led = self.agency and self.workers.get(coordinator, {}).get("organization") == self.agency
        self.ours = {self.agency, coordinator if led else ""} - {""}
        """The coordinating agency and its coordinator carry no topic but for a person's labels."""
        self.own = {path for path, o in self.by_path.items() if o.get("partner") == self.partner.id}
        self.own |= {path for path, p in self.workers.items() if p.get("organization") in self.own}
        self.packages = list(self._packages())
        self.permits = [(c, p) for c in self.consents for p in c["provisions"] if p["effect"] == "permit"]
        self.permits = [(c, p) for c, p in self.permits if self.counts(c, p)]

    # The elements.

    def part(self, spot: Spot) -> str:
        by = spot.node.get("x-part-by")
        if not by:
            return str(spot.node.get("x-part", ""))
        code = spot.entries[-1][0].get(by["field"], "")
        if by["table"] == "identifiers":
            told = self.rulebook.audience.get(code, ())
            if code in self.partner.audience:
                part = self.rulebook.part_tables["identifiers"][code]
                return "identity" if part == "consents" else part
            if told is not None and not set(told) & set(self.partner.sectors):
                return "consents"
        return self.rulebook.part_tables[by["table"]].get(code, "")

    def topics(self, spot: Spot) -> set[str]:
        """Labels of people; codes and references of each entry around, but for what is lifted or the partner's own."""
        labels: set[str] = set()
        implied: set[str] = set()
        unlike: set[str] = set()
        for entry, listing, node in spot.entries:
            labels |= set(entry.get("topics", ()))
            unlike |= set(entry.get("topics_lifted", ()))
            if self._own_entry(spot.collection, entry, listing):
                unlike |= {topic for sector in self.partner.sectors for topic in self._of("sector", sector)}
            if listing or spot.chain[0] not in self.ours:
                implied |= self._implied(spot.collection, entry, node)
        if spot.collection in ("organizations", "providers"):
            implied |= self.sensitive(spot.chain[0])
        found = labels | (implied - unlike) | set(spot.node.get("x-topics", ()))
        if "x-ref" in spot.node and (spot.collection in ("child", "enrolment") or spot.field in ONLY_THE_REFERENCE):
            found |= self.sensitive(spot.value)
        if spot.pointer.startswith(("/child/placement/", "/child/lives_with/")):
            placement = self.case["child"].get("placement", {})
            found |= {t for name in ("kind", "at_intake") for t in self._of("placement", placement.get(name, ""))}
        reviewed = any("reviewed" in entry for entry, _, _ in spot.entries)
        if spot.node.get("x-text") and not reviewed and not self.rulebook.labels_topics:
            found.add("unreviewed")
        return found

    def _implied(self, collection: str, entry: Json, node: Json) -> set[str]:
        found: set[str] = set()
        for name, value in entry.items():
            sub = node["properties"][name]
            if isinstance(value, dict):
                found |= self._implied(collection, value, sub)
                continue
            leaf = sub.get("items", sub)
            leaf = leaf["anyOf"][0] if "anyOf" in leaf and "x-codes" not in leaf else leaf
            for one in value if isinstance(value, list) else [value]:
                if not isinstance(one, dict):
                    if leaf.get("x-codes") not in (None, "placement", "sector"):
                        found |= set(self._of(leaf["x-codes"], one))
                    if "x-ref" in leaf and collection not in ("child", "enrolment") and name not in ONLY_THE_REFERENCE:
                        found |= self.sensitive(one)
        return found

    def sensitive(self, reference: str) -> set[str]:
        """What a reference to an organisation, or to somebody who works there, says by itself."""
        if reference in self.own or reference == self.agency:
            return set()
        home = self.workers[reference].get("organization", "") if reference in self.workers else reference
        if home == self.agency:
            return set()
        sector = self.by_path.get(home, {}).get("sector", [])
        return {t for each in ([sector] if isinstance(sector, str) else sector) for t in self._of("sector", each)}

    def _own_entry(self, collection: str, entry: Json, listing: str) -> bool:
        names = {
            ("referrals", ""): ("to", "from", "requested_by"),
            ("care_plans", "services"): ("organization", "provider"),
            ("care_teams", "members"): ("member",),
        }.get((collection, listing), ())
        if collection in ("organizations", "providers") and listing == "":
            return f"{collection}/{entry['id']}" in self.own
        return any(entry.get(name) in self.own for name in names)

    def _of(self, table: str, code: Any) -> tuple[str, ...]:
        return self.rulebook.topics.get(table, {}).get(str(code), ())

    def _is_agency(self, organization: Json) -> bool:
        numbers = organization.get("identifiers", ())
        return any((i.get("system", ""), i["value"]) in self.rulebook.agency for i in numbers)

    # What a permit must be (rule 2), and whom it reaches.

    def counts(self, consent: Json, p: Json) -> bool:
        signed = consent.get("signed_at", "")
        period, own = consent.get("period", {}), p.get("period", {})
        method = consent.get("method")
        in_writing = method in ("signature", "electronic")
        verbal = method == "verbal" and "collected_by" in consent and not self.partner.written_only
        return bool(
            consent["status"] == "active"
            and not consent.get("imported")
            and not self._revoked(consent)
            and signed
            and self._is_past(signed)
            and (in_writing or verbal)
            and self._in(period, both=True)
            and ("period" not in p or self._in(own, both=True))
            and not self._succeeded(consent)
            and self._may(consent, self._signing_day(signed))
            and self._may(consent, self.day)
            and (consent["granted_by"] == "child" or not self._child_alone())
            and all(self._readable(each) for each in consent["provisions"])
            and p.get("to")
            and p.get("purposes")
            and p.get("parts")
            and p.get("records") != []
            and self._receives(consent, p)
        )

    def _readable(self, p: Json) -> bool:
        """Known words only, and no exception inside an exception, nor one of the same effect."""
        exceptions = p.get("except", ())
        return (
            set(_list(p, "parts")) <= {*self.rulebook.parts, "all"}
            and set(_list(p, "topics")) <= {*TOPICS, "unreviewed", *(["all"] if p["effect"] == "deny" else [])}
            and all(to in ("all", "care-team") or to.split("/")[0] in ("partners", "sectors") for to in _list(p, "to"))
            and "marketing" not in _list(p, "purposes")
            and all(x["effect"] != p["effect"] and not x.get("except") and self._readable(x) for x in exceptions)
        )

    def _receives(self, consent: Json, p: Json) -> bool:
        to = _list(p, "to")
        if f"partners/{self.partner.id}" in to:
            return True
        if "care-team" in to and self._on_team():
            return True
        if "all" in to or any(f"sectors/{sector}" in to for sector in self.partner.sectors):
            confirmed = any(
                c["partner"].removeprefix("partners/") == self.partner.id
                and c["on"] <= self.day
                and self._confirms(c["by"], c["on"])
                and self._confirms(c["by"], self.day)
                for c in p.get("confirmed", ())
            )
            return confirmed or self.partner.since.isoformat() <= self._signing_day(consent["signed_at"])
        return False

    def _confirms(self, who: str, day: str) -> bool:
        """Whoever confirms a later partner must be one who may permit."""
        return self._child_may(day) if who == "child" else self._decides(who, day) and not self._child_alone(day)

    def _on_team(self) -> bool:
        return any(
            team["status"] == "active"
            and seat.get("invited_by_family")
            and self._employer(seat["member"]).get("partner") == self.partner.id
            and self._in(team.get("period", {}))
            and self._in(seat, "since", "until")
            for team in self.case.get("care_teams", ())
            for seat in team.get("members", ())
        )

    def _employer(self, path: str) -> Json:
        home = self.workers[path].get("organization", "") if path in self.workers else path
        return self.by_path.get(home, {})

    def _succeeded(self, consent: Json) -> bool:
        return any(
            f"consents/{consent['id']}" in other.get("supersedes", ())
            and other is not consent
            and other["status"] not in ("draft", "entered-in-error")
            and not other.get("imported")
            and other.get("period", {}).get("start", "") <= self.day
            for other in self.consents
        )

    def _revoked(self, consent: Json) -> bool:
        return "revoked_on" in consent and consent["revoked_on"] <= self.day

    # Who may permit (rules 2 and 6).

    def _may(self, consent: Json, day: str) -> bool:
        who = consent["granted_by"]
        if who == "child":
            return consent.get("authority", "self") == "self" and self._child_may(day)
        mine, theirs = consent.get("authority"), self.people[who].get("authority")
        return self._decides(who, day) and mine != "self" and (not mine or not theirs or mine == theirs)

    def _decides(self, who: str, day: str) -> bool:
        person = self.people.get(who, {})
        return bool(person.get("decision_maker")) and person.get("since", "") <= day <= person.get("until", "9999")

    def _child_may(self, day: str) -> bool:
        found = self._assessments(day)
        if self._of_age(day):
            undated = any("assessed_on" not in a and not a["capable"] for a in self._all_assessments())
            return not undated and all(a["capable"] for a in found)
        return bool(found) and all(a["capable"] and "assessed_by" in a for a in found)

    def _child_alone(self, day: str = "") -> bool:
        """Or not to be told: then nobody else permits either."""
        day = day or self.day
        if self._of_age(day) is False:
            return False
        found = self._assessments(day)
        if any("assessed_on" not in a and not a["capable"] for a in self._all_assessments()):
            return True
        return not (found and not any(a["capable"] for a in found))

    def _all_assessments(self) -> list[Json]:
        return list(self.case["child"].get("decision_making", ()))

    def _assessments(self, day: str) -> list[Json]:
        dated = [a for a in self._all_assessments() if a.get("assessed_on", "9999") <= day]
        return [a for a in dated if a["assessed_on"] == max(each["assessed_on"] for each in dated)]

    def _of_age(self, day: str) -> bool | None:
        birth = self.case["child"].get("birth_date")
        if birth is None:
            return None
        age = self.rulebook.age_of_own_consent[self.case["program"]]
        return f"{int(birth[:4]) + age}{birth[4:]}" <= day

    def sharers(self) -> list[str]:
        current = [path for path in self.people if self._decides(path, self.day)]
        return current if any(self.people[path].get("shared") for path in current) else []

    # Does one permit cover the whole of it (rule 4)?

    def covered(self, part: str, topics: set[str], chain: tuple[str, ...]) -> bool:
        """By one permit; by one of each decision maker where they share."""
        for purpose, package, only in [(self.partner.purpose, None, ""), *self.packages]:
            if not self._reached(part, chain, package):
                continue
            fit = [(c, p) for c, p in self.permits if self._covers(p, part, topics, chain, purpose)]
            named = [c for c, _ in fit if only in ("", f"consents/{c['id']}")]
            if any(c["granted_by"] == "child" for c in named):
                return True
            if named and not self._child_alone() and {c["granted_by"] for c, _ in fit} >= set(self.sharers()):
                return True
        return False

    def by_the_child(self, part: str, topics: set[str], chain: tuple[str, ...]) -> bool:
        return any(
            c["granted_by"] == "child" and self._covers(p, part, topics, chain, purpose)
            for c, p in self.permits
            for purpose in (self.partner.purpose, "referral")
        )

    def _covers(self, p: Json, part: str, topics: set[str], chain: tuple[str, ...], purpose: str) -> bool:
        return (
            (purpose in _list(p, "purposes") or "all" in _list(p, "purposes"))
            and (part in _list(p, "parts") or ("all" in _list(p, "parts") and part in self.rulebook.parts))
            and part != "consents"
            and topics <= set(_list(p, "topics"))
            and (not p.get("records") or bool(set(p["records"]) & set(chain)))
            and not any(self.touches(x, part, topics, chain, purpose) for x in p.get("except", ()))
        )

    def touches(self, p: Json, part: str, topics: set[str], chain: tuple[str, ...], purpose: str) -> bool:
        """Does a denial, or an exception of a permit, reach it? A field left out leaves nothing out of its reach."""
        to = _list(p, "to")
        here = [self.by_path[path] for path in self.own if path in self.by_path]
        sectors = {*self.partner.sectors, *(sector for o in here for sector in _sectors(o))}
        ever = any(
            seat.get("invited_by_family") and self._employer(seat["member"]).get("partner") == self.partner.id
            for team in self.case.get("care_teams", ())
            for seat in team.get("members", ())
        )
        aimed = not to or any(
            each in ("all", f"partners/{self.partner.id}")
            or (each.startswith("sectors/") and each.removeprefix("sectors/") in sectors)
            or (each == "care-team" and ever)
            for each in to
        )
        names = set(_list(p, "topics"))
        return (
            aimed
            and self._in(p.get("period", {}))
            and (not p.get("purposes") or purpose in _list(p, "purposes") or "all" in _list(p, "purposes"))
            and (not p.get("parts") or part in _list(p, "parts") or "all" in _list(p, "parts"))
            and (not p.get("records") or bool(set(p["records"]) & set(chain)))
            and (not names or "unreviewed" in topics or bool(topics & names) or ("all" in names and bool(topics)))
        )

    def denied(self, part: str, topics: set[str], chain: tuple[str, ...]) -> str:
        """The plain denial, without exceptions and superseded by nothing, that takes it away for every purpose."""
        superseded = {path for c in self.consents for path in c.get("supersedes", ())}
        for c in self.consents:
            begun = c.get("period", {}).get("start", "") <= self.day
            if not begun or c["status"] in ("draft", "entered-in-error") or f"consents/{c['id']}" in superseded:
                continue
            for p in c["provisions"]:
                plain = p["effect"] == "deny" and not p.get("except") and not p.get("purposes") and self._readable(p)
                if plain and self.touches(p, part, topics, chain, ""):
                    return f"{c['id']}/{p['id']}"
        return ""

    def _packages(self) -> Iterator[tuple[str, set[str], str]]:
        for r in self.case.get("referrals", ()):
            answer = r.get("outcome", {}).get("status", "")
            if r.get("to") not in self.own or r["status"] not in OPEN or (answer and answer not in OPEN):
                continue
            waiting = {r["status"], answer or r["status"]} <= {"requested", "received"}
            if waiting and r.get("respond_by", "9999") < self.day:
                continue
            needs = {reason["need"] for reason in r.get("reasons", ()) if "need" in reason}
            parties = {r["to"], r.get("from", self.agency), r.get("requested_by"), r.get("handover", {}).get("contact")}
            along = {f"referrals/{r['id']}", *r.get("shares", ()), *needs, *parties}
            yield "referral", along - {None, ""}, r.get("consent", "")

    def _reached(self, part: str, chain: tuple[str, ...], package: set[str] | None) -> bool:
        if package is None:
            return True
        return part in ("identity", "contact") if chain[0] == "child" else bool(package & set(chain))

    def _in(self, period: Json, start: str = "start", end: str = "end", *, both: bool = False) -> bool:
        if both and (start not in period or end not in period):
            return False
        return str(period.get(start, "")) <= self.day <= str(period.get(end, "9999"))

    def _is_past(self, signed: str) -> bool:
        return signed <= self.day if len(signed) == 10 else datetime.fromisoformat(signed) <= self.s.now

    def _signing_day(self, signed: str) -> str:
        if len(signed) == 10:
            return date.fromisoformat(signed).isoformat()
        return datetime.fromisoformat(signed).astimezone(self.rulebook.time_zone).date().isoformat()


def _list(p: Json, name: str) -> list[str]:
    value = p.get(name, [])
    return [value] if isinstance(value, str) else list(value)


def _sectors(organization: Json) -> list[str]:
    sector = organization["sector"]
    return [sector] if isinstance(sector, str) else list(sector)
