"""The story: families, two partners, a goal added, a permission withdrawn; each sentence checked at the partners."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from adapter.catalogue import files_root
from adapter.demo import calendar
from adapter.demo.neighbours import HOSPITAL, SCHOOL, Instance, Neighbours
from adapter.demo.there import DIRECTORY, TYPES, Untrue, by_identifier, check_equal, desired, own, search, settle, wait

ADDED = "g-feelings"
"""The goal of the long case that the school may not see at first: it is about a sensitive topic."""


def tell(console: Console, neighbours: Neighbours) -> None:
    """The whole story. Untrue where what it claims is not what the partners hold."""
    console.rule("An agency, a school board and a hospital: three adapters on this machine")
    cases = {name: calendar.case(name) for name in sorted(p.parent.name for p in _folder().glob("*/case.json"))}
    _load(console, neighbours, cases)
    _received(console, neighbours, cases)
    case = cases["ontario-csp"]
    _withheld(console, neighbours, case)
    _widened(console, neighbours, case)
    _taken_back(console, neighbours, case)
    _accounted(console, neighbours, case)


def _folder() -> Any:
    return files_root() / "fixtures"


def _load(console: Console, neighbours: Neighbours, cases: dict[str, dict[str, Any]]) -> None:
    console.print(f"The case system puts {len(cases)} families' cases, each with one call: PUT /api/cases/<case>.")
    began = time.monotonic()
    for case in cases.values():
        neighbours.agency.api("PUT", f"/api/cases/{case['case']}", case)
    settle(neighbours, cases.values())
    console.print(f"Both partners hold what the families permit, {time.monotonic() - began:.1f} seconds later.\n")


def _received(console: Console, neighbours: Neighbours, cases: dict[str, dict[str, Any]]) -> None:
    table = Table(
        "Case", *(p.title for p in neighbours.partners.values()), title="What each partner holds, by its own /fhir"
    )
    for name, case in cases.items():
        row = []
        for partner in neighbours.partners.values():
            expected = desired(neighbours, case, partner)
            check_equal(partner, case, expected)
            row.append(_counted(e["resourceType"] for e in expected) or "nothing")
        table.add_row(name, *row)
    console.print(table)
    for partner in neighbours.partners.values():
        if not any(search(partner, type_) for type_ in TYPES):
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
    today = calendar.today()
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
    wait(neighbours, [case], lambda: bool(_goals(school, goal["title"])), "the goal arrives at the school")
    settle(neighbours, [case])
    check_equal(school, case, desired(neighbours, case, school))
    console.print(f"“{goal['title']}” is at the school now. Checked: it was not there before, and it is.\n")


def _taken_back(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    hospital, school = neighbours.partners[HOSPITAL], neighbours.partners[SCHOOL]
    console.rule("The mother withdraws the hospital's permission")
    before = desired(neighbours, case, hospital)
    others = _others(neighbours, case, hospital)
    at_school = desired(neighbours, case, school)
    for consent in case["consents"]:
        to = {receiver for p in consent["provisions"] for receiver in _list(p.get("to")) if p["effect"] == "permit"}
        if consent["status"] == "active" and to & {f"partners/{HOSPITAL}", "sectors/hospital", "sectors/health", "all"}:
            if consent["granted_by"] != "people/mother" or f"partners/{SCHOOL}" in to:
                continue
            consent |= {"status": "revoked", "revoked_on": calendar.today().isoformat(), "revoked_by": "people/mother"}
            neighbours.agency.api("PUT", f"/api/cases/{case['case']}/consents/{consent['id']}", consent)
    settle(neighbours, [case])
    kept: Counter[str] = Counter()
    gone: set[str] = set()
    for made in before:
        there = by_identifier(hospital, made)
        if not there:
            kept["taken back"] += 1
            if made["resourceType"] not in DIRECTORY:
                gone.add(own(made))
        elif made["resourceType"] == "Consent":
            if there[0]["status"] != "inactive" or "provision" in there[0]:
                raise Untrue("the hospital's Consent is not inactive, or still says what it permitted")
            kept["set to inactive"] += 1
        elif made["resourceType"] in DIRECTORY:
            if own(made) not in others:
                raise Untrue(f"the hospital still holds a {made['resourceType']} that no other case uses")
            kept["kept for other cases"] += 1
        else:
            raise Untrue(f"the hospital still holds a {made['resourceType']} of the case")
    purge = [t for t in search(hospital, "Task") if t.get("code", {}).get("text", "").startswith("Purge")]
    if len(purge) != 1 or {i["valueReference"]["identifier"]["value"] for i in purge[0]["input"]} != gone:
        raise Untrue("the hospital was not asked to purge what was taken back")
    check_equal(school, case, at_school)
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


def _check_nothing_of(partner: Instance, case: dict[str, Any], paths: Iterable[str]) -> None:
    """No long text of these records stands in anything that the partner holds; what a permitted record says too may."""
    everything = json.dumps([e for type_ in TYPES for e in search(partner, type_)], ensure_ascii=False)
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
    return {own(r) for c in cases for r in desired(neighbours, c, partner)}


def _goals(partner: Instance, title: str) -> list[dict[str, Any]]:
    return [g for g in search(partner, "Goal") if g["description"]["text"] == title]


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
