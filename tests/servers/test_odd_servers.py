"""Eight kinds of servers that answer as none should, by the dice (tests/verbs/odd.py): once they answer soundly again,
their copy is what consent permits, and nothing of it was ever taken for a fault of ours. More behind CSP_PROOFS."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from adapter import steer
from tests.verbs import odd
from tests.verbs.agency import Agency, case_of, revoked
from tests.verbs.conftest import Open, open_agency  # noqa: F401
from tests.verbs.test_faults import SEED

WHOLE = 1000 if os.environ.get("CSP_PROOFS") else 60
START = int(os.environ.get("CSP_SEED", SEED))


@pytest.mark.servers
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("place", "number"), [("sqlite", n) for n in range(WHOLE)], indirect=["place"])
def test_after_any_odd_answers_the_partner_holds_what_it_should(
    open_agency: Open,  # noqa: F811
    number: int,
) -> None:
    dice = random.Random(START + number)
    chunk, conditional = dice.choice((1, 2, 200)), dice.choice(("auto", "auto", "never"))
    how = {"paused": False, "timeout": 1.0, "chunk": chunk, "conditional": conditional}
    agency = open_agency(each={"paused": True}, lakeside=how)
    agency.fhir().can = dice.choice(odd.SERVERS)
    agency.fhir().deletes = dice.random() > 0.2
    for _ in range(4):
        agency.servers["lakeside"].plan(*(odd.fault(dice) for _ in range(dice.randrange(1, 9))))
        agency.put(_some_case(dice, granted=dice.random() > 0.3))
        agency.work_on(hours=dice.choice((0.01, 1)))
        assert "fault" not in agency.share("C-0001")["alarms"]
    agency.servers["lakeside"].forget()
    agency.put(_some_case(dice, granted=dice.random() > 0.5))
    agency.work_on()
    _until_idle(agency)
    agency.assert_equal()


def _some_case(dice: random.Random, *, granted: bool) -> dict[str, Any]:
    """Four goals with some title, of which some may be seen; or a permission that is revoked."""
    case = case_of()
    first = case["goals"][0]
    titles = ("Tie my own shoes", "Another title", "A third one")
    case["goals"] += [{**first, "id": f"h{n}", "title": f"{dice.choice(titles)} {n}"} for n in range(3)]
    seen = [f"goals/{goal['id']}" for goal in case["goals"] if dice.random() > 0.3]
    case["consents"][0]["provisions"][1]["records"] = seen or ["goals/g1"]
    return case if granted else revoked(case)


def _until_idle(agency: Agency) -> None:
    """What stopped needs a word of a person: at most one for what was refused, and one for what is contested."""
    for _ in range(2):
        share = agency.share("C-0001")
        if share["state"] == "stopped":
            theirs = "overwrite" if "conflict" in share["alarms"] else ""
            steer.retry(agency.desk, "C-0001", "lakeside", **({"theirs": theirs} if theirs else {}))
            agency.work_on()
    assert agency.share("C-0001")["state"] == "idle"
