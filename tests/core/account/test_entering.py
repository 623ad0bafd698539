"""What a person may enter: whole, plausible, on one line each, and never as consent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.core.account import entering
from adapter.core.account.chain import Line
from adapter.errors import Refused
from tests.core.account.story import ZONE

NOW = datetime(2026, 10, 2, 3, 30, tzinfo=UTC)  # the evening of 1 October in Toronto
GOOD = {
    "to": "Harbour Aid",
    "at": "2026-10-01",
    "how": "fax",
    "parts": ["identity", "family"],
    "basis": "Duty to report, CYFSA s. 125",
    "by": "R. Osei",
}


def told(asked: Any) -> Line:
    parts = {"identity", "family"}
    return entering.told(asked, parts=parts, role="privacy", label="Desk 3", request_id="r", zone=ZONE, now=NOW)


def test_it_becomes_a_line_that_names_a_legal_basis_and_no_consent() -> None:
    """consent.md, rule 8: entered, and not simulated as consent."""
    made = told(GOOD)
    assert (made.kind, made.operation, made.to, made.by) == ("told", "fax", "Harbour Aid", "R. Osei")
    assert (made.role, made.label, made.basis) == ("privacy", "Desk 3", GOOD["basis"])
    assert (made.consents, made.purpose, made.partner) == ((), "", "")
    assert (made.at, made.happened) == (NOW, datetime(2026, 10, 1, 4, tzinfo=UTC))
    assert made.parts == ("family", "identity")


@pytest.mark.parametrize(
    ("at", "happened"),
    [
        ("2026-10-01T22:30", datetime(2026, 10, 2, 2, 30, tzinfo=UTC)),
        ("2026-10-01T22:30-04:00", datetime(2026, 10, 2, 2, 30, tzinfo=UTC)),
        ("2026-10-02T02:30:00Z", datetime(2026, 10, 2, 2, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_one_of_the_agency(at: str, happened: datetime) -> None:
    assert told(GOOD | {"at": at}).happened == happened


BAD: dict[str, tuple[Any, list[str]]] = {
    "no object": ([], [""]),
    "nothing": ({}, ["/at", "/basis", "/by", "/how", "/parts", "/to"]),
    "something else besides": (GOOD | {"consents": ["c1"]}, [""]),
    "an empty name": (GOOD | {"to": "  "}, ["/to"]),
    "a name that is a number": (GOOD | {"to": 7}, ["/to"]),
    "a name that is too long": (GOOD | {"by": "x" * 201}, ["/by"]),
    "a basis of two lines": (GOOD | {"basis": "a\nb"}, ["/basis"]),
    "a basis with a control character": (GOOD | {"basis": "a\x1b[2J"}, ["/basis"]),
    "a way that is not known": (GOOD | {"how": "pigeon"}, ["/how"]),
    "a way that is a list": (GOOD | {"how": ["fax"]}, ["/how"]),
    "no part": (GOOD | {"parts": []}, ["/parts"]),
    "a part that is not known": (GOOD | {"parts": ["identity", "weather"]}, ["/parts"]),
    "parts that are one text": (GOOD | {"parts": "identity"}, ["/parts"]),
    "a part that is a list": (GOOD | {"parts": [["identity"]]}, ["/parts"]),
    "tomorrow in the agency's time zone": (GOOD | {"at": "2026-10-02"}, ["/at"]),
    "a day that is none": (GOOD | {"at": "2026-02-30"}, ["/at"]),
    "a time that is a number": (GOOD | {"at": 20261001}, ["/at"]),
    "a time out of range": (GOOD | {"at": "0001-01-01T00:00+14:00"}, ["/at"]),
}


@pytest.mark.parametrize(("asked", "pointers"), BAD.values(), ids=BAD)
def test_what_cannot_be_entered_is_refused_with_every_problem(asked: Any, pointers: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        told(asked)
    assert [problem.pointer for problem in refused.value.problems] == pointers
    assert not [p for p in refused.value.problems if "pigeon" in p.detail or "weather" in p.detail]
