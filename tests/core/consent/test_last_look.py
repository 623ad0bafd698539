"""The last look finds what was withheld, in whatever form it stands in the bytes, and lets go what may go."""

from __future__ import annotations

import ast
import base64
import html
import json
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from adapter.core.consent import last_look as package
from adapter.core.consent.last_look import Stop, last_look
from tests.core.consent import builders
from tests.core.consent.builders import NOW

BOOK = builders.rulebook()
GOAL = "Fall asleep without the panic coming back"
"""The title of g2, which is about mental health: withheld from the school board."""


def look(payload: Any, *, case: dict[str, Any] | None = None, partner: str = "lakeside", **changes: Any) -> Stop | None:
    return last_look(
        payload if isinstance(payload, bytes) else json.dumps(payload).encode(),
        case=case or builders.case(),
        kept={},
        rulebook=changes.get("rulebook", BOOK),
        partner=partner,
        now=changes.get("now", NOW),
        given=changes.get("given", ()),
    )


def bundle(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Goal", **members}}]}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def tell(text: str) -> dict[str, Any]:
    return bundle(note=[{"text": text}])


STANDS: dict[str, tuple[Any, str]] = {
    "a withheld title as it is": (tell(GOAL), "/goals/1/title"),
    "a withheld title inside a longer text": (tell(f"She wants to: {GOAL}. Soon."), "/goals/1/title"),
    "in capital letters": (tell(GOAL.upper()), "/goals/1/title"),
    "over several lines": (tell(GOAL.replace(" ", "\n   ")), "/goals/1/title"),
    "with escapes of JSON in it": (
        json.dumps(tell(GOAL)).replace("panic", "\\u0070anic").encode(),
        "/goals/1/title",
    ),
    "in a narrative, cut up by markup": (
        bundle(text={"div": f"<div><p>{GOAL.replace('the panic', 'the<br/><b>panic</b>')}</p></div>"}),
        "/goals/1/title",
    ),
    "in base64": (bundle(content=[{"attachment": {"data": encoded(f"- {GOAL}")}}]), "/goals/1/title"),
    "in a bundle in base64": (bundle(data=encoded(json.dumps(tell(GOAL)))), "/goals/1/title"),
    "in base64 in a bundle in base64": (
        bundle(data=encoded(json.dumps(bundle(data=encoded(GOAL))))),
        "/goals/1/title",
    ),
    "in an extension whose value is base64": (
        bundle(extension=[{"url": "https://example.ca/x", "valueBase64Binary": encoded(GOAL)}]),
        "/goals/1/title",
    ),
    "in a URL": (bundle(url=f"https://example.ca/?q={quote(GOAL)}"), "/goals/1/title"),
    "as the name of a member": (bundle(**{GOAL: 1}), "/goals/1/title"),
    "the given name of a person who is withheld": (tell("Bartholomew will drive"), "/people/1/name/given/0"),
    "the family name of a provider who is withheld": (tell("Mx. Vandermeer"), "/providers/3/name/family"),
    "two short names that are one person's": (tell("Mr. Ola Park called"), "/people/3/name/family"),
    "and the same as a HumanName": (bundle(name=[{"given": ["Ola"], "family": "Park"}]), "/people/3/name/family"),
    "the name of an organization that is withheld": (
        tell("seen by Northstar Child and Youth Mental Health"),
        "/organizations/4/name",
    ),
    "a telephone number of a person who is withheld": (
        bundle(telecom=[{"value": "+1-613-555-0118"}]),
        "/people/0/telecoms/0/value",
    ),
    "the address of the child, where contact is not permitted": (
        bundle(address=[{"text": "17 Invented Concession Road West, Maple Valley"}]),
        "/child/address/lines/0",
    ),
    "the agency's own case number": (tell("see C-2077-AMA"), "/case"),
    "the case number alone, in base64": (bundle(data=encoded("C-2077-AMA")), "/case"),
    "markup that shows up once other markup is undone": (
        bundle(
            text={"div": f"<p>{html.escape(html.escape(GOAL.replace('the', '<i>the</i>')))}</p>"},
            note=html.escape(GOAL),
        ),
        "/goals/1/title",
    ),
    "a health card, which a school is never told": (
        bundle(identifier=[{"value": "9988-776-655-XK"}]),
        "/child/identifiers/1/value",
    ),
    "an identifier of four digits": (tell("her number is 1042, ask for it"), "/child/identifiers/0/value"),
    "a record id in a reference": (bundle(addresses=[{"reference": "Condition/worry-n-2"}]), "/needs/1/id"),
    "a record id in a full URL": (
        bundle(fullUrl="https://example.ca/fhir/Condition/worry-n-2/_history/1"),
        "/needs/1/id",
    ),
    "a record id as an id": (bundle(id="worry-n-2"), "/needs/1/id"),
    "the words inside of a withheld document": (
        tell("read: the judge has not decided yet, come back."),
        "/documents/2/bytes",
    ),
    "the bytes of a withheld document": (
        bundle(data=encoded("The judge has not decided yet, come back")),
        "/documents/2/bytes",
    ),
}


def _with_more() -> dict[str, Any]:
    case = builders.case()
    case["people"].append(
        {"id": "uncle", "name": {"given": ["Ola"], "family": "Park"}, "relationship": "friend"},
    )
    case["child"]["identifiers"][0]["value"] = "1042"
    case["needs"][1]["id"] = "worry-n-2"
    case["documents"].append(
        {
            "id": "note",
            "type": "letter",
            "title": "A letter",
            "bytes": encoded("The judge has not decided yet, come back"),
        }
    )
    return case


@pytest.mark.parametrize("payload, path", STANDS.values(), ids=STANDS.keys())
def test_a_withheld_value_is_found(payload: Any, path: str) -> None:
    """Each kind of value, in each form in which it could stand in the bytes; the stop says where in the case it is."""
    stop = look(payload, case=_with_more())
    assert stop is not None
    assert path in stop.paths


PASSES: dict[str, Any] = {
    "an empty bundle": {"resourceType": "Bundle"},
    "what the school may have": tell("Ask for a break with my tablet at school"),
    "a withheld title, shortened below 24 characters": tell(GOAL[:23]),
    "most of a withheld title": tell(GOAL[:-1]),
    "a short first name that could be anyone's": tell("Ola will drive"),
    "a withheld name inside another word": tell("the Vandermeerish way"),
    "a family name that the child has too": tell("Wickenbrook"),
    "an id of ours that has the digits of an identifier": bundle(id="urn:uuid:0e0a1042-1042-4104-8104-210421042104"),
    "a date that has the digits of an identifier": tell("on 1042-10-04"),
    "a longer number that has the digits of an identifier": tell("610425"),
    "a record id that is too short to say anything": bundle(reference="Goal/g2"),
    "a record id in a text, where words are not ids": tell("ask about worry-n-2 please"),
    "a longer record id": bundle(reference="Condition/worry-n-22"),
    "text that looks like base64 and is not": tell("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.mark.parametrize("payload", PASSES.values(), ids=PASSES.keys())
def test_what_is_no_withheld_value_passes(payload: Any) -> None:
    """A stop halts a share until a person has looked, so what proves nothing stops nothing."""
    assert look(payload, case=_with_more()) is None


def _permit_also(case: dict[str, Any], text: str) -> None:
    case["goals"][2]["text"] = text


PERMITTED_TOO: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "the same text in a goal that may be seen": (lambda case: _permit_also(case, GOAL), GOAL),
    "the same text in other letters": (lambda case: _permit_also(case, GOAL.upper()), GOAL),
    "a name in a text that may be seen": (lambda case: _permit_also(case, "Bartholomew drives"), "Bartholomew drives"),
    "a withheld text inside a longer one that may be seen": (
        lambda case: _permit_also(case, f"What we all want: {GOAL.lower()}!"),
        GOAL,
    ),
    "a number in a text that may be seen": (lambda case: _permit_also(case, "Call +1-613-555-0118"), "+1-613-555-0118"),
    "the case number, where the family wrote it into a goal": (
        lambda case: _permit_also(case, "Stop hearing about C-2077-AMA"),
        "C-2077-AMA",
    ),
}


@pytest.mark.parametrize("change, text", PERMITTED_TOO.values(), ids=PERMITTED_TOO.keys())
def test_a_value_that_a_permitted_leaf_also_holds_passes(change: Callable[[dict[str, Any]], None], text: str) -> None:
    """The same bytes stop without that leaf, and pass with it."""
    case = builders.case()
    assert look(tell(text), case=case) is not None
    change(case)
    assert look(tell(text), case=case) is None


ACCENTS = "Elle a peur de l'été, où « tout » change & bouge <trop> vite"


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(lambda text: unicodedata.normalize("NFD", text), id="with its accents taken apart"),
        pytest.param(str.upper, id="in capital letters"),
        pytest.param(lambda text: text.replace(" ", "\u00a0"), id="with spaces that do not break"),
        pytest.param(lambda text: f"<p>{html.escape(text)}</p>", id="escaped for a narrative"),
        pytest.param(lambda text: "".join(f"&#{ord(each)};" for each in text), id="in numeric entities"),
        pytest.param(lambda text: json.dumps({"text": text}), id="as JSON in a string"),
        pytest.param(encoded, id="in base64"),
        pytest.param(quote, id="with percent signs"),
    ],
)
def test_spelling_hides_nothing(form: Callable[[str], str]) -> None:
    """French text with quotes, an ampersand and angle brackets, in each way in which it could be written down."""
    case = builders.case()
    case["goals"][1]["text"] = ACCENTS
    stop = look(tell(form(ACCENTS)), case=case)
    assert stop is not None
    assert "/goals/1/text" in stop.paths


@pytest.mark.parametrize(
    "payload", [b"", b"not JSON", b"\xff\xfe{}", b"[" * 100_000], ids=["nothing", "words", "not UTF-8", "too deep"]
)
def test_bytes_that_cannot_be_read_do_not_leave(payload: bytes) -> None:
    assert look(payload) == Stop(("",))


def test_a_case_that_cannot_be_decided_does_not_leave() -> None:
    """A consent with a date that is none is an error inside the look, and so a stop."""
    case = builders.case()
    case["consents"][0]["period"]["start"] = "the first of September"
    assert look({}, case=case) == Stop(("",))
    assert look({}, partner="nobody") == Stop(("",))


def test_the_answer_follows_the_clock() -> None:
    """The same bytes pass while the consent lasts and are stopped once it has ended."""
    payload = tell("Ask for a break with my tablet at school")
    assert look(payload) is None
    assert look(payload, now=NOW + timedelta(days=365)) is not None


def test_a_stop_holds_places_and_no_values() -> None:
    case = _with_more()
    stop = look(case, case=case)
    assert stop is not None
    for path in stop.paths:
        place: Any = case
        for step in path.split("/")[1:]:
            place = place[int(step)] if isinstance(place, list) else place[step]
        assert place not in path


FOLDER = Path(package.__file__).parent
ALLOWED = {"adapter.core.consent.rulebook", "adapter.core.partner"}


def test_it_shares_no_code_with_the_view() -> None:
    """Of ours it imports itself only; the rulebook and the partner as types, which are data."""
    imported = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(node.module or "")
    ours = {name for name in imported if name.startswith("adapter")}
    assert {name for name in ours if not name.startswith("adapter.core.consent.last_look")} <= ALLOWED


THEIRS = "fall-asleep-without-the-panic"
"""An id that the partner made of what it was once told."""


@pytest.mark.parametrize(
    ("payload", "stops"),
    [
        pytest.param(bundle(subject={"reference": f"Patient/{THEIRS}"}), False, id="in a reference to what it holds"),
        pytest.param(bundle(id=THEIRS), False, id="as the id of what is updated there"),
        pytest.param({"request": {"method": "DELETE", "url": f"Goal/{THEIRS}"}}, False, id="in a deletion"),
        pytest.param(tell(THEIRS), True, id="but not as words"),
        pytest.param(bundle(subject={"reference": f"https://x/{THEIRS}"}), True, id="nor in another address"),
        pytest.param(bundle(subject={"display": THEIRS}), True, id="nor beside a reference"),
    ],
)
def test_an_id_that_the_partner_gave_is_no_news_to_it(payload: Any, stops: bool) -> None:
    """A goal whose own record id it is has since been withheld: the id may stand where the partner put it, else not."""
    case = builders.case()
    case["goals"][1]["id"] = THEIRS
    for each in case["care_plans"]:
        each.pop("goals", None)
    assert look(payload, case=case) is not None
    assert (look(payload, case=case, given={THEIRS}) is not None) == stops
