"""The story: families, two partners, a goal added, a permission withdrawn; each sentence checked at the partners."""

from __future__ import annotations

import copy
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from adapter.catalogue import files_root
from adapter.core.fhir.named import names_of, search
from adapter.demo.neighbours import HOSPITAL, SCHOOL, Instance, Neighbours
from adapter.demo.talk import Refusal

WRITTEN = date(2026, 11, 21)
"""The day on which the fixtures' dates were written; the demo moves them, so that their consents are in force today."""
TYPES = (
    "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "EpisodeOfCare", "Condition",
    "Observation", "ServiceRequest", "Task", "Consent", "CareTeam", "Goal", "CarePlan", "RiskAssessment",
    "Encounter", "Appointment", "DocumentReference", "Binary", "Composition", "Provenance",
)  # fmt: skip
DIRECTORY = ("Organization", "Practitioner", "PractitionerRole")
ADDED = "g-feelings"
"""The goal of the long case that the school may not see at first: it is about a sensitive topic."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|T)")
_LONGEST = 60.0


class Untrue(Exception):  # noqa: N818  a claim of the story that the partners do not bear out
    """What a partner holds is not what the story says."""


def tell(console: Console, neighbours: Neighbours) -> None:
    """The whole story. Untrue where what it claims is not what the partners hold."""
    console.rule("An agency, a school board and a hospital: three adapters on this machine")
    cases = {name: _moved(name) for name in sorted(p.parent.name for p in _folder().glob("*/case.json"))}
    _load(console, neighbours, cases)
    _received(console, neighbours, cases)
    case = cases["ontario-csp"]
    _withheld(console, neighbours, case)
    _widened(console, neighbours, case)
    _taken_back(console, neighbours, case)
    _accounted(console, neighbours, case)


def _folder() -> Any:
    return files_root() / "fixtures"


def _moved(name: str) -> dict[str, Any]:
    """A fixture's case with every date moved by the days since it was written: ages and periods stay as they are."""
    case = json.loads((_folder() / name / "case.json").read_text(encoding="utf-8"))
    days = (date.today() - WRITTEN) // timedelta(days=1)  # noqa: DTZ011  the reader's own today
    found: dict[str, Any] = _shifted(case, timedelta(days=days)) if days else case
    return found


def _shifted(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {name: _shifted(child, by) for name, child in value.items()}
    if isinstance(value, list):
        return [_shifted(child, by) for child in value]
    if isinstance(value, str) and (found := _DAY.match(value)):
        return (date.fromisoformat(found[0]) + by).isoformat() + value[len(found[0]) :]
    return value


def _load(console: Console, neighbours: Neighbours, cases: dict[str, dict[str, Any]]) -> None:
    console.print(f"The case system puts {len(cases)} families' cases, each with one call: PUT /api/cases/<case>.")
    began = time.monotonic()
    for case in cases.values():
        neighbours.agency.api("PUT", f"/api/cases/{case['case']}", case)
    _settle(neighbours, cases.values())
    console.print(f"Both partners hold what the families permit, {time.monotonic() - began:.1f} seconds later.\n")


def _received(console: Console, neighbours: Neighbours, cases: dict[str, dict[str, Any]]) -> None:
    table = Table(
        "Case", *(p.title for p in neighbours.partners.values()), title="What each partner holds, by its own /fhir"
    )
    for name, case in cases.items():
        row = []
        for partner in neighbours.partners.values():
            expected = _desired(neighbours, case, partner)
            _check_equal(partner, case, expected)
            row.append(_counted(e["resourceType"] for e in expected) or "nothing")
        table.add_row(name, *row)
    console.print(table)
    for partner in neighbours.partners.values():
        if not any(_search(partner, type_) for type_ in TYPES):
            raise Untrue(f"{partner.title} holds nothing at all")
    console.print(
        "Checked: every resource above was found there by its identifier, and equal to what consent permits.\n"
    )


def _counted(types: Iterable[str]) -> str:
    return ", ".join(f"{number} {type_}" for type_, number in sorted(Counter(types).items()))


def _withheld(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    for partner in neighbours.partners.values():
        told = neighbours.agency.api(
            "GET", f"/api/cases/{case['case']}/views/{partner.name}?as=explain", token=neighbours.coordinator
        )
        table = Table("Record", "Outcome", "Why", title=f"ontario-csp: withheld from {partner.title}, and why")
        rows = [r for r in told["records"] if r["outcome"] == "withheld"]
        for record in rows[:12]:
            why = next((r["sentence"] for r in record["reasons"]), "")
            table.add_row(record["path"], record["outcome"], why)
        if len(rows) > 12:
            table.add_row(f"… and {len(rows) - 12} more", "withheld", "")
        console.print(table)
        _check_nothing_of(partner, case, [r["path"] for r in rows])
    console.print("Checked: no title and no long text of these records stands in anything that the partners hold.\n")


def _widened(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    school = neighbours.partners[SCHOOL]
    goal = next(g for g in case["goals"] if g["id"] == ADDED)
    if _goals(school, goal["title"]):
        raise Untrue("the school holds the goal before the family shares it")
    console.rule("The family shares one more goal with the school")
    today = date.today()  # noqa: DTZ011
    consent = {
        "id": "c-demo",
        "status": "active",
        "granted_by": "people/mother",
        "authority": "parent",
        "method": "signature",
        "signed_at": (today - timedelta(days=1)).isoformat(),
        "period": {"start": (today - timedelta(days=1)).isoformat(), "end": (today + timedelta(days=200)).isoformat()},
        "provisions": [
            {
                "id": "p1",
                "effect": "permit",
                "to": [f"partners/{SCHOOL}"],
                "purposes": ["education-planning"],
                "parts": ["goals"],
                "topics": goal.get("topics", [goal["domain"]]),
                "records": [f"goals/{ADDED}"],
            }
        ],
    }
    case["consents"].append(consent)
    neighbours.agency.api("PUT", f"/api/cases/{case['case']}/consents/c-demo", consent)
    _wait(neighbours, [case], lambda: bool(_goals(school, goal["title"])), "the goal arrives at the school")
    _settle(neighbours, [case])
    _check_equal(school, case, _desired(neighbours, case, school))
    console.print(f"“{goal['title']}” is at the school now. Checked: it was not there before, and it is.\n")


def _taken_back(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    hospital, school = neighbours.partners[HOSPITAL], neighbours.partners[SCHOOL]
    console.rule("The mother withdraws the hospital's permission")
    before = _desired(neighbours, case, hospital)
    others = _others(neighbours, case, hospital)
    at_school = _desired(neighbours, case, school)
    for consent in case["consents"]:
        to = {receiver for p in consent["provisions"] for receiver in _list(p.get("to")) if p["effect"] == "permit"}
        if consent["status"] == "active" and to & {f"partners/{HOSPITAL}", "sectors/hospital", "sectors/health", "all"}:
            if consent["granted_by"] != "people/mother" or f"partners/{SCHOOL}" in to:
                continue
            consent |= {"status": "revoked", "revoked_on": date.today().isoformat(), "revoked_by": "people/mother"}  # noqa: DTZ011
            neighbours.agency.api("PUT", f"/api/cases/{case['case']}/consents/{consent['id']}", consent)
    _settle(neighbours, [case])
    kept: Counter[str] = Counter()
    gone: set[str] = set()
    for made in before:
        there = _by_identifier(hospital, made)
        if not there:
            kept["taken back"] += 1
            if made["resourceType"] not in DIRECTORY:
                gone.add(_own(made))
        elif made["resourceType"] == "Consent":
            if there[0]["status"] != "inactive" or "provision" in there[0]:
                raise Untrue("the hospital's Consent is not inactive, or still says what it permitted")
            kept["set to inactive"] += 1
        elif made["resourceType"] in DIRECTORY:
            if _own(made) not in others:
                raise Untrue(f"the hospital still holds a {made['resourceType']} that no other case uses")
            kept["kept for other cases"] += 1
        else:
            raise Untrue(f"the hospital still holds a {made['resourceType']} of the case")
    purge = [t for t in _search(hospital, "Task") if t.get("code", {}).get("text", "").startswith("Purge")]
    if len(purge) != 1 or {i["valueReference"]["identifier"]["value"] for i in purge[0]["input"]} != gone:
        raise Untrue("the hospital was not asked to purge what was taken back")
    _check_equal(school, case, at_school)
    console.print(
        f"At the hospital: {', '.join(f'{n} {what}' for what, n in sorted(kept.items()))}; and one Task "
        "asks it to purge every copy.\nChecked: each was looked for at the hospital by its identifier; "
        "the school's copy has not changed.\n"
    )


def _accounted(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    lines = neighbours.agency.api("GET", f"/api/cases/{case['case']}/disclosures", token=neighbours.coordinator)
    table = Table("Partner", "What", "Times", title="ontario-csp: the account of disclosures")
    counts = Counter((line["partner"], line["operation"], line["kind"]) for line in lines)
    for (partner, operation, kind), number in sorted(counts.items()):
        table.add_row(partner, f"{operation}: {kind}", str(number))
    console.print(table)
    attempted = sum(n for (_, _, kind), n in counts.items() if kind == "attempted")
    ended = sum(n for (_, _, kind), n in counts.items() if kind in ("delivered", "withdrawn", "failed"))
    if not attempted or attempted != ended:
        raise Untrue("an attempt stands in the account without its result")
    last = lines[-1]
    console.print(
        f"{len(lines)} lines; each attempt has its result. The newest link of the chain: {last['hash'][:16]}…\n"
    )


def _desired(neighbours: Neighbours, case: dict[str, Any], partner: Instance) -> list[dict[str, Any]]:
    """What consent permits now, as the agency computes it: resources with their own identifiers."""
    path = f"/api/cases/{case['case']}/views/{partner.name}?as=fhir"
    bundle = neighbours.agency.api("GET", path, token=neighbours.coordinator)
    return [entry["resource"] for entry in bundle.get("entry", [])]


def _check_equal(partner: Instance, case: dict[str, Any], expected: Iterable[dict[str, Any]]) -> None:
    """Each expected resource is at the partner once, with the same content but for ids and references."""
    for made in expected:
        there = _by_identifier(partner, made)
        if len(there) != 1:
            raise Untrue(f"{partner.title} holds {len(there)} of one {made['resourceType']} of {case['case']}")
        directory = made["resourceType"] in DIRECTORY
        if not directory and _content(there[0]) != _content(made):
            raise Untrue(f"a {made['resourceType']} of {case['case']} at {partner.title} is not what consent permits")


def _content(resource: dict[str, Any]) -> Any:
    """A resource without what its server gave it, and with references reduced to their presence."""
    plain = copy.deepcopy(resource)
    plain.pop("id", None)
    meta = plain.get("meta", {})
    plain["meta"] = {name: meta[name] for name in ("profile", "security") if name in meta}
    return _without_targets(plain)


def _without_targets(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: ("…" if _leads(k, v) else _without_targets(v)) for k, v in value.items()}
    return [_without_targets(v) for v in value] if isinstance(value, list) else value


def _leads(name: str, value: Any) -> bool:
    """Does it lead to another resource: a reference, or the address of the bytes of a document?"""
    at = value if isinstance(value, str) else ""
    return (name == "reference" and bool(at)) or (name == "url" and at.startswith(("urn:uuid:", "Binary/")))


def _check_nothing_of(partner: Instance, case: dict[str, Any], paths: Iterable[str]) -> None:
    """No long text of these records stands in anything that the partner holds; what a permitted record says too may."""
    everything = json.dumps([e for type_ in TYPES for e in _search(partner, type_)], ensure_ascii=False)
    withheld = set(paths)
    allowed = json.dumps([r for path, r in _records(case) if path not in withheld], ensure_ascii=False)
    for path, record in _records(case):
        if path in withheld:
            for text in _texts(record):
                if text in everything and text not in allowed:
                    raise Untrue(f"{partner.title} holds a text of {path}")


def _records(case: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for collection, value in case.items():
        for record in value if isinstance(value, list) else []:
            yield f"{collection}/{record['id']}", record


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        if len(value) >= 24:
            yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _texts(child)


def _others(neighbours: Neighbours, case: dict[str, Any], partner: Instance) -> set[str]:
    """The identifiers that the partner's other cases use."""
    listed = neighbours.agency.api("GET", "/api/cases?limit=100", token=neighbours.coordinator)
    cases = [c for c in listed if c["case"] != case["case"]]
    return {_own(r) for c in cases for r in _desired(neighbours, c, partner)}


def _own(made: dict[str, Any]) -> str:
    """The identifier under which the partner knows it."""
    value: str = next(names_of(made))[1]
    return value


def _goals(partner: Instance, title: str) -> list[dict[str, Any]]:
    return [g for g in _search(partner, "Goal") if g["description"]["text"] == title]


def _by_identifier(partner: Instance, made: dict[str, Any]) -> list[dict[str, Any]]:
    type_ = made["resourceType"]
    return _search(partner, type_, f"{search(type_, next(names_of(made)))}&")


def _search(partner: Instance, type_: str, query: str = "") -> list[dict[str, Any]]:
    """Every match of a search at the partner, page after page."""
    try:
        bundle = partner.api("GET", f"/fhir/{type_}?{query}_count=200")
    except Refusal as refused:
        if refused.status == 404:
            return []
        raise
    found = [e["resource"] for e in bundle.get("entry", [])]
    while link := next((x["url"] for x in bundle.get("link", []) if x["relation"] == "next"), None):
        bundle = partner.api("GET", link.removeprefix(partner.url))
        found += [e["resource"] for e in bundle.get("entry", [])]
    return found


def _settle(neighbours: Neighbours, cases: Iterable[dict[str, Any]]) -> None:
    """Wait until no share of these cases has work left. Untrue where one has stopped."""
    listed = list(cases)

    def idle() -> bool:
        found = [s for case in listed for s in _shares(neighbours, case)]
        stopped = [s for s in found if s["state"] == "stopped"]
        if stopped:
            raise Untrue(f"a share with {stopped[0]['partner']} has stopped: {stopped[0]['detail']}")
        return all(s["state"] == "idle" for s in found)

    _wait(neighbours, listed, idle, "every share is settled")


def _shares(neighbours: Neighbours, case: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = neighbours.agency.api(
        "GET", f"/api/cases/{case['case']}/shares", token=neighbours.coordinator
    )
    return found


def _wait(neighbours: Neighbours, cases: Iterable[dict[str, Any]], holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _LONGEST
    while not holds():
        if time.monotonic() > until:
            states = [
                (s["partner"], s["state"], s["outcome"], s["detail"]) for c in cases for s in _shares(neighbours, c)
            ]
            raise Untrue(f"it does not come about that {what}: {states}")
        time.sleep(0.1)


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
