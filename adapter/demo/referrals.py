"""A referral's whole life: asked for, accepted, scheduled, started, completed; another declined; a third by a link.

Each move is made at the partner, by a Task of its own server or on the page of its link; what is told of it is read at
the agency afterwards, and what the package opened is looked for at the partner.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from adapter.demo import browsing, calendar
from adapter.demo.browsing import Link
from adapter.demo.neighbours import HOSPITAL, LINKED, SCHOOL, TITLES, Instance, Neighbours
from adapter.demo.there import TYPES, Untrue, search, settle, wait

STORY = "Théo reads under the table, where nobody looks at him. Please start there, and let him choose the book."
SYSTEM = "https://csp-adapter.example/CodeSystem/business-status"
FULL = "There are no places before the summer; the clinic at Wickenbrook has some."
BOOKS, DOCTOR, WEEKENDS = "r-books", "r-doctor", "r-weekends"
TO = {BOOKS: SCHOOL, DOCTOR: HOSPITAL, WEEKENDS: LINKED}
_ASKED = {
    BOOKS: "A place in the reading group",
    DOCTOR: "An appointment about the stomach aches",
    WEEKENDS: "A weekend of respite each month",
}
_NEEDS = {
    BOOKS: "A quiet corner in which he can learn to read aloud",
    DOCTOR: "Stomach aches on most mornings before school",
    WEEKENDS: "A weekend each month on which his mother can sleep",
}


Answering = Callable[[Link], None]


def refer(console: Console, neighbours: Neighbours, answer: Answering = browsing.accept) -> Link:
    """Three referrals of one family. `answer`: how the third is accepted on the page of its link; the link is
    returned, for whoever wants to go on. Untrue where what is told is not so."""
    console.rule("One family is referred to three agencies, and tells its story once")
    case = _put(console, neighbours)
    _whole_life(console, neighbours, case)
    _declined(console, neighbours, case)
    link = _through_a_link(console, neighbours, case, answer)
    _board(console, neighbours, case)
    _statement(console, neighbours, case)
    return link


def _put(console: Console, neighbours: Neighbours) -> dict[str, Any]:
    case = _case()
    neighbours.agency.api("PUT", f"/api/cases/{case['case']}", case)
    for referral in (BOOKS, DOCTOR):
        partner = neighbours.partners[TO[referral]]
        wait(neighbours, [case], partial(_is_at, partner, referral), "the referral arrives")
        held = _everything(partner)
        lacking = [text for text in (_NEEDS[referral], _ASKED[referral]) if text not in held]
        others = [text for other in TO if other != referral for text in (_NEEDS[other], _ASKED[other]) if text in held]
        if lacking or others:
            raise Untrue(f"{partner.title} does not hold its own referral with its package, and no other")
    if STORY not in _everything(neighbours.partners[SCHOOL]):
        raise Untrue("the story that the family told has not gone along")
    console.print(
        f"To {TITLES[SCHOOL]}: “{_ASKED[BOOKS]}”, warm, with the story that the family told and the need behind it.\n"
        f"To {TITLES[HOSPITAL]}: “{_ASKED[DOCTOR]}”.  To {TITLES[LINKED]}, which has no server: “{_ASKED[WEEKENDS]}”.\n"
        "Checked: the school and the hospital each hold their own request, Task and need, and nothing of the others'."
    )
    return case


def _whole_life(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    """The school's people move the Task on the school's server; the agency asks that server, and hears of each move."""
    school = neighbours.partners[SCHOOL]
    day = (calendar.today() + timedelta(days=21)).isoformat()
    moves: list[tuple[str, dict[str, Any]]] = [
        ("accepted", {}),
        ("accepted", {"businessStatus": {"coding": [{"system": SYSTEM, "code": "scheduled"}], "text": f"On {day}"}}),
        ("in-progress", {"businessStatus": {"text": "Two evenings a week"}}),
        ("completed", {"output": [{"type": {"text": "Result"}, "valueString": "He reads aloud to the class"}]}),
    ]
    for number, (status, more) in enumerate(moves, 1):
        _move(school, BOOKS, {"status": status, **more})
        wait(neighbours, [case], partial(_has_moved, neighbours, case, number), f"“{status}” comes home")
    told = _referral(neighbours, case, BOOKS)
    steps = [(step["from"], step["to"], step.get("business_status", "")) for step in told["history"]]
    if steps != [
        ("requested", "accepted", ""), ("accepted", "accepted", "scheduled"),
        ("accepted", "in-progress", ""), ("in-progress", "completed", ""),
    ] or told["flags"]:  # fmt: skip
        raise Untrue(f"the school's four moves are not each in the history once: {steps}")
    settle(neighbours, [case])
    if STORY in (held := _everything(school)) or _NEEDS[BOOKS] in held:
        raise Untrue("the referral is over, and the school still holds what only that opened")
    path = f"/api/referrals/{case['case']}/{BOOKS}/accept-outcome"
    neighbours.agency.api("POST", path, token=neighbours.coordinator)
    console.print(
        f"The school accepts, gives an appointment for {day}, begins, and completes it: “{told['result']}”.\n"
        "Checked: each of the four moves came home once, by asking the school's server. The referral is over, and with "
        "it what only that had opened: the story and the need are not at the school any more. The coordinator lets "
        "the request end too."
    )


def _declined(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    _move(neighbours.partners[HOSPITAL], DOCTOR, {"status": "rejected", "statusReason": {"text": FULL}})
    wait(neighbours, [case], lambda: _referral(neighbours, case, DOCTOR)["state"] == "rejected", "it is declined")
    told = _referral(neighbours, case, DOCTOR)
    if told["reason"] != FULL or told["request"] != "requested":
        raise Untrue("the reason did not come home, or the request ended without the coordinator")
    console.print(
        f"The hospital declines: “{told['reason']}”\n"
        "Checked: the reason came home, and the request is still the coordinator's to end."
    )


def _through_a_link(console: Console, neighbours: Neighbours, case: dict[str, Any], answer: Answering) -> Link:
    path = f"/api/referrals/{case['case']}/{WEEKENDS}/links"
    made = neighbours.agency.api("POST", path, {}, token=neighbours.coordinator)
    link = Link(made["link"], made["code"])
    before = _views(neighbours, case)
    answer(link)
    told = _referral(neighbours, case, WEEKENDS)
    if [(step["from"], step["to"]) for step in told["history"]] != [("requested", "accepted")]:
        raise Untrue("the answer on the page has not come home")
    if _views(neighbours, case) <= before:
        raise Untrue("what the page showed is not in the account")
    console.print(
        f"{TITLES[LINKED]} opens the link, is asked for the code, reads the referral and accepts it on the page.\n"
        "Checked: opening it showed nothing, and a wrong code neither; the answer came home; what was shown stands in "
        "the account.\n"
    )
    return link


def _board(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    path = f"/api/referrals?case={case['case']}"
    rows = neighbours.agency.api("GET", path, token=neighbours.coordinator)["referrals"]
    table = Table("Referral", "To", "State", "In their work", "Request", "Answer by", title="The board of referrals")
    for row in rows:
        table.add_row(
            row["referral"], TITLES[row["partner"]], row["state"], row["business_status"] or "", row["request"],
            row["respond_by"] or "",
        )  # fmt: skip
    console.print(table)
    if {row["referral"]: row["state"] for row in rows} != {
        BOOKS: "completed", DOCTOR: "rejected", WEEKENDS: "accepted",
    }:  # fmt: skip
        raise Untrue("the board does not show how the three referrals stand")


def _statement(console: Console, neighbours: Neighbours, case: dict[str, Any]) -> None:
    """What the family is told of who has seen what."""
    path = f"/api/cases/{case['case']}/statement?as=csv"
    text = neighbours.agency.text(path, token=neighbours.coordinator)
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    told = [row for row in rows if row["Who"] == TITLES[LINKED]]
    if not told or any("Needs" not in row["Parts"] or "referral" not in row["What for"] for row in told):
        raise Untrue("the family's statement does not say what was shown through the link, and what for")
    columns = ("Day", "Who", "What happened", "What for", "Your permission")
    table = Table(*columns, title=f"The family's statement, what it says of {TITLES[LINKED]}")
    for row in told:
        table.add_row(*(row[column] for column in columns))
    console.print(table)
    console.print("Checked: what the page showed stands in the family's statement, with its purpose and permission.\n")


def _case() -> dict[str, Any]:
    """The smallest of the families, with three referrals and the mother's consent to them."""
    case = calendar.case("minimal")
    today = calendar.today()
    signed, end, by = (today + timedelta(days=days) for days in (-1, 200, 14))
    case["organizations"] += [
        {"id": partner, "name": TITLES[partner], "sector": sector, "partner": partner}
        for partner, sector in ((HOSPITAL, "hospital"), (LINKED, "respite"))
    ]
    case["needs"] = [
        {"id": f"n-{id_}", "text": text, "domain": "daily-living", "status": "open"} for id_, text in _NEEDS.items()
    ]
    case["referrals"] = [
        {
            "id": id_, "direction": "out", "kind": "service", "status": "requested", "warm": id_ == BOOKS,
            "from": "organizations/maple-valley", "to": f"organizations/{TO[id_]}", "services": [{"text": text}],
            "reasons": [{"need": f"needs/n-{id_}"}], "authored_on": today.isoformat(), "respond_by": by.isoformat(),
            **({"story": STORY} if id_ == BOOKS else {}),
        }
        for id_, text in _ASKED.items()
    ]  # fmt: skip
    case["consents"].append(
        {
            "id": "c-refer", "status": "active", "granted_by": "people/mother", "authority": "parent",
            "method": "signature", "signed_at": signed.isoformat(),
            "period": {"start": signed.isoformat(), "end": end.isoformat()},
            "provisions": [
                {"id": "p1", "effect": "permit", "to": [f"partners/{p}" for p in TO.values()],
                 "purposes": ["referral"], "parts": ["identity", "contact", "referrals", "needs"]}
            ],
        }
    )  # fmt: skip
    return case


def _is_at(partner: Instance, referral: str) -> bool:
    return bool(_requests(partner, referral))


def _has_moved(neighbours: Neighbours, case: dict[str, Any], times: int) -> bool:
    return len(_referral(neighbours, case, BOOKS)["history"]) >= times


def _move(partner: Instance, referral: str, more: dict[str, Any]) -> None:
    """The partner's people save its Task, changed."""
    [request] = _requests(partner, referral)
    focus = f"ServiceRequest/{request['id']}"
    task = next(t for t in search(partner, "Task") if t.get("focus", {}).get("reference") == focus)
    partner.api("PUT", f"/fhir/Task/{task['id']}", {**task, **more})


def _requests(partner: Instance, referral: str) -> list[dict[str, Any]]:
    return [r for r in search(partner, "ServiceRequest") if _ASKED[referral] in json.dumps(r, ensure_ascii=False)]


def _everything(partner: Instance) -> str:
    return json.dumps([r for type_ in TYPES for r in search(partner, type_)], ensure_ascii=False)


def _referral(neighbours: Neighbours, case: dict[str, Any], referral: str) -> dict[str, Any]:
    path = f"/api/referrals/{case['case']}/{referral}"
    found: dict[str, Any] = neighbours.agency.api("GET", path, token=neighbours.coordinator)
    return found


def _views(neighbours: Neighbours, case: dict[str, Any]) -> int:
    """Lines of the account for what the link has shown."""
    lines = neighbours.agency.api("GET", f"/api/cases/{case['case']}/disclosures", token=neighbours.coordinator)
    return sum(line["partner"] == LINKED and line["operation"] == "read" for line in lines)
