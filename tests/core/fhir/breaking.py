"""Resources broken one rule at a time, from a seed, for the checker and HAPI's validator to judge.

`broken(resource, checker.definitions, seed)` gives (kind, what it now says): one change, made where the definitions of
FHIR say that a rule is. Some changes break nothing after all (a dropped element that was optional in the place where it
stood): the two judges must agree on these too.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from adapter.core.fhir.checker.definitions import Definitions, Node, at, tree
from adapter.core.fhir.checker.primitives import PRIMITIVES

Json = dict[str, Any]
UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True)
class Spot:
    """One field of a resource, with the element that defines it."""

    holder: Json
    key: str
    node: Node
    code: str

    @property
    def value(self) -> Any:
        return self.holder[self.key]


@dataclass(frozen=True)
class Object:
    """One object of a resource, with the elements that it may have."""

    value: Json
    code: str
    children: dict[str, Node]
    path: str


def broken(resource: Json, definitions: Definitions, seed: int) -> tuple[str, Json] | None:
    """One change from a seed, or None where this kind has nothing to change in this resource."""
    dice = random.Random(seed)
    kind = dice.choice(sorted(KINDS))
    made = copy.deepcopy(resource)
    changed = KINDS[kind](made, definitions, dice)
    return (kind, made) if changed and made != resource else None


def spots(resource: Json, definitions: Definitions) -> list[Spot]:
    """Every field of a resource that a definition describes."""
    return [spot for each in objects(resource, definitions) for spot in _fields(each)]


def objects(resource: Json, definitions: Definitions) -> list[Object]:
    """Every object of a resource whose elements a definition describes; extensions and contained ones not.

    By the profile that it claims, where that is here.
    """
    claimed = (resource.get("meta") or {}).get("profile") or [resource["resourceType"]]
    definition = definitions.structure(claimed[0]) or definitions.structure(resource["resourceType"])
    assert definition is not None
    root = tree(definition)
    return list(_objects(resource, resource["resourceType"], root.children, root, definitions))


def _objects(
    value: Json, code: str, children: dict[str, Node], node: Node, definitions: Definitions
) -> Iterator[Object]:
    here = Object(value, code, children, node.path)
    yield here
    for spot in _fields(here):
        if spot.code in ("Extension", "Resource") or spot.code in PRIMITIVES or spot.code == "xhtml":
            continue
        inner = spot.node.children
        if reference := spot.node.element.get("contentReference"):
            target = at(spot.node.definition, reference.partition("#")[2])
            inner = target.children if target else {}
        if not inner and (definition := definitions.structure(spot.code)):
            inner = tree(definition).children
        for each in spot.value if isinstance(spot.value, list) else [spot.value]:
            if isinstance(each, dict):
                yield from _objects(each, spot.code, inner, spot.node, definitions)


def _fields(each: Object) -> list[Spot]:
    found = []
    for key in each.value:
        for name, node in each.children.items():
            types = node.element.get("type") or [{"code": "BackboneElement"}]
            for type_ in types:
                code = type_["code"]
                if key == (name.removesuffix("[x]") + code[:1].upper() + code[1:] if name.endswith("[x]") else name):
                    found.append(Spot(each.value, key, node, code))
    return found


def _drop(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A required element is not there."""
    choices = [s for s in spots(resource, definitions) if s.node.least]
    if not choices:
        return False
    spot = dice.choice(choices)
    del spot.holder[spot.key]
    return True


def _type(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A value of another JSON type."""
    spot = dice.choice(spots(resource, definitions))
    others: list[Any] = ["text", 7, True, {"text": "x"}, ["text"], 1.5]
    spot.holder[spot.key] = dice.choice([o for o in others if type(o) is not type(spot.value)])
    return True


_BAD: dict[str, list[Any]] = {
    "date": ["2026-02-30", "2026-13-01", "20260101", "2026-1-1", "2026-01-01T00:00:00Z", "26", "yesterday"],
    "dateTime": [
        "2026-02-30", "2026-01-01T10:00", "2026-01-01T10:00:00", "2026-01-01 10:00:00Z", "2026-01-01T25:00:00Z",
        "2025-02-29T10:00:00Z",
    ],
    "instant": ["2026-01-01", "2026-01-01T10:00:00", "2026-06-31T10:00:00Z", "now"],
    "time": ["25:00:00", "10:00", "10:61:00", "10:00:00Z"],
    "code": [" active", "active ", "a  b", "a\tb"],
    "id": ["a b", "a" * 65, "ä", "a_b"],
    "uri": [
        "http://a b", "urn:uuid:1234", "urn:oid:3.1", "oid:1.2.3", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520X",
    ],
    "url": ["http://a b", "oid:1.2.3"],
    "canonical": ["http://a b/c", "urn:uuid:12"],
    "uuid": ["urn:uuid:12", "c757873d-ec9a-4326-a141-556f43239520"],
    "oid": ["1.2.3", "urn:oid:a"],
    "boolean": ["true", 1, "yes"],
    "integer": [1.5, "1", 2147483648],
    "positiveInt": [0, -1, "1", 1.5],
    "unsignedInt": [-1, "1", 2.5],
    "decimal": ["1.0", "one", True],
    "base64Binary": ["###", "abc", "a=bc"],
    "string": ["", 5, True],
    "markdown": ["", 5],
}  # fmt: skip


def _format(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A primitive that has not the format of its type."""
    choices = [s for s in spots(resource, definitions) if s.code in _BAD]
    if not choices:
        return False
    spot = dice.choice(choices)
    bad = dice.choice(_BAD[spot.code])
    spot.holder[spot.key] = [bad] if isinstance(spot.value, list) else bad
    return True


def _unknown(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """An element that the type does not have."""
    each = dice.choice(objects(resource, definitions))
    each.value[dice.choice(["surprise", "Status", "valueSurprise", "note2", "_surprise", "resourceTypes"])] = (
        dice.choice(["x", 1])
    )
    return True


def _choices(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """Two types of one choice, or a type that the choice does not have."""
    found = [s for s in spots(resource, definitions) if s.node.path.endswith("[x]")]
    if not found:
        return False
    spot = dice.choice(found)
    base = spot.node.path.rpartition(".")[2].removesuffix("[x]")
    added = {"String": "x", "Boolean": True, "Integer": 1, "DateTime": "2026-01-01", "Period": {"start": "2026-01-01"},
             "Range": {"low": {"value": 1}}, "CodeableConcept": {"text": "x"}, "Timing": {"event": ["2026-01-01"]},
             "Duck": {"text": "x"}}  # fmt: skip
    kind = dice.choice(sorted(added))
    if dice.random() < 0.3:
        del spot.holder[spot.key]
    spot.holder[f"{base}{kind}"] = added[kind]
    return True


def _code(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A code that its required value set does not have."""
    found = [s for s in spots(resource, definitions) if s.node.element.get("binding", {}).get("strength") == "required"]
    if not found:
        return False
    spot = dice.choice(found)
    bogus: Any = {
        "code": "bogus",
        "Coding": {"system": "http://example.org/x", "code": "bogus"},
        "CodeableConcept": dice.choice(
            [{"coding": [{"system": "http://example.org/x", "code": "bogus"}]}, {"text": "bogus"}]
        ),
        "Quantity": {"value": 1, "system": UCUM, "code": "kg"},
    }.get(spot.code, "bogus")
    spot.holder[spot.key] = [bogus] if isinstance(spot.value, list) else bogus
    return True


def _reference(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A reference to a type that may not stand there, or that is none."""
    found = [s for s in spots(resource, definitions) if s.code == "Reference"]
    if not found:
        return False
    spot = dice.choice(found)
    bad = dice.choice([
        {"reference": "Endpoint/1"}, {"reference": "Binary/1"}, {"reference": "https://a.example/fhir/Binary/7"},
        {"type": "Binary", "display": "x"}, {"reference": "#nowhere"}, {"reference": "Patient/1", "type": "Group"},
        {"reference": "a b"},
    ])  # fmt: skip
    spot.holder[spot.key] = [bad] if isinstance(spot.value, list) else bad
    return True


def _cardinality(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A list where one value belongs, or one value where a list belongs."""
    spot = dice.choice(spots(resource, definitions))
    spot.holder[spot.key] = spot.value[0] if isinstance(spot.value, list) else [spot.value, spot.value]
    return True


def _empty(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """Nothing, where a value belongs."""
    spot = dice.choice(spots(resource, definitions))
    nothing = dice.choice([None, "", [], {}, [{}], [None], {"id": "x"}, [""]])
    spot.holder[spot.key] = nothing
    return True


def _beside(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """What stands beside a primitive is none of an element."""
    found = [s for s in spots(resource, definitions) if s.code in PRIMITIVES and s.key != "id"]
    if not found:
        return False
    spot = dice.choice(found)
    extension = {"extension": [{"url": "http://example.org/x", "valueString": "y"}]}
    bad: list[Any] = [
        "text",
        {},
        {"extension": []},
        {"value": "x"},
        {"extension": [{"valueString": "y"}]},
        [extension],
        7,
    ]
    good: list[Any] = [extension, {"id": "a1"}]
    if isinstance(spot.value, list):
        padded = [extension] + [None] * (len(spot.value) - 1)
        bad, good = ["text", extension, [{}], [7], [{"extension": [{}]}]], [padded]
    if dice.random() < 0.2:
        spot.holder[f"_{spot.key}"] = dice.choice(good)
        if dice.random() < 0.5:
            spot.holder[spot.key] = [None] + spot.value[1:] if isinstance(spot.value, list) else None
            if not isinstance(spot.value, list):
                del spot.holder[spot.key]
    else:
        spot.holder[f"_{spot.key}"] = dice.choice(bad)
    return True


def _extension(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """An extension that is malformed, of the wrong type, in the wrong place, or a modifier that nobody knows."""
    hl7 = "http://hl7.org/fhir/StructureDefinition/"
    bad = dice.choice([
        {"valueString": "x"},
        {"url": "http://example.org/x"},
        {"url": "http://example.org/x", "valueString": "a", "valueCode": "b"},
        {"url": "http://example.org/x", "valueString": "a", "extension": [{"url": "y", "valueString": "b"}]},
        {"url": "http://example.org/x", "valueDuck": "a"},
        {"url": "http://example.org/x", "valueDate": "2026-02-30"},
        {"url": "a b", "valueString": "x"},
        {"url": hl7 + "goal-acceptance", "valueString": "x"},
        {"url": hl7 + "patient-birthTime", "valueDateTime": "2016-01-01"},
        {"url": hl7 + "patient-birthPlace", "valueString": "x"},
        {"url": hl7 + "iso21090-preferred", "valueBoolean": True},
        {"url": hl7 + "resource-pertainsToGoal", "valueReference": {"reference": "Patient/1"}},
        {"url": hl7 + "humanname-own-name", "valueString": "x"},
    ])  # fmt: skip
    each = dice.choice(objects(resource, definitions))
    if dice.random() < 0.25 and "modifierExtension" in each.children:
        each.value["modifierExtension"] = [{"url": "http://example.org/not", "valueBoolean": True}]
    else:
        each.value.setdefault("extension", []).append(bad)
    return True


def _profile(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A rule of a profile: an extension of ours, a slice, a fixed value or a pattern."""
    spots_ = [s for s in spots(resource, definitions) if isinstance(s.value, list) and s.node.slices]
    fixed = [s for s in spots(resource, definitions) if _is_fixed(s.node)]
    if dice.random() < 0.3 and fixed:
        spot = dice.choice(fixed)
        spot.holder[spot.key] = {"code": "other", "CodeableConcept": {"text": "other"}}.get(spot.code, "urn:x:other")
        return True
    if not spots_:
        return False
    spot = dice.choice(spots_)
    items: list[Any] = spot.value
    position = dice.randrange(len(items))
    own = [e for e in definitions.structures.values() if e["url"].startswith(definitions.own or "\0")]
    urls = sorted(e["url"] for e in own if e["type"] == "Extension")
    change = dice.randrange(5)
    if change == 0:
        del items[position]
        if not items:
            del spot.holder[spot.key]
    elif change == 1:
        items.append(copy.deepcopy(items[position]))
    elif spot.code == "Extension":
        value = [k for k in items[position] if k.startswith("value")]
        if change == 2 and urls:
            items[position] = {"url": dice.choice([*urls, f"{definitions.own}nobody-knows"]), "valueString": "x"}
        elif change == 3 and value:
            items[position]["valueInteger" if value[0] != "valueInteger" else "valueTime"] = 7
            del items[position][value[0]]
        elif "extension" in items[position]:
            inner = items[position]["extension"]
            inner.append(dice.choice([copy.deepcopy(inner[0]), {"url": "nobody", "valueString": "x"}]))
        else:
            items[position]["extension"] = [{"url": "nobody", "valueString": "x"}]
    elif isinstance(items[position], dict) and items[position]:
        del items[position][dice.choice(sorted(items[position]))]
    return True


def _is_fixed(node: Node) -> bool:
    return any(name.startswith(("fixed", "pattern")) for name in node.element)


_XMLNS = 'xmlns="http://www.w3.org/1999/xhtml"'
_DIVS = [
    f"<div {_XMLNS}>a <script>alert(1)</script></div>",
    f'<div {_XMLNS}><p onclick="x()">a</p></div>',
    f"<div {_XMLNS}>   </div>",
    f"<div {_XMLNS}><br/></div>",
    "<div>a</div>",
    f"<p {_XMLNS}>a</p>",
    f"<div {_XMLNS}>a<p>b</div>",
    f"<div {_XMLNS}>a &b</div>",
    f"<div {_XMLNS}>a &nbsp; b</div>",
    f"<div {_XMLNS}>a &nosuch; b</div>",
    f'<div {_XMLNS}><a href="javascript:x()">a</a></div>',
    f'<div {_XMLNS}><a href="#nowhere">a</a></div>',
    f'<div {_XMLNS}><a href="https://example.org/">a</a></div>',
    f"<div {_XMLNS}><form>a</form></div>",
    f'<div {_XMLNS}><iframe src="x">a</iframe></div>',
    f'<div {_XMLNS}><table><tr><td colspan="2">a</td></tr></table></div>',
    f"<div {_XMLNS}><tr><td>a</td></tr></div>",
    f"<div {_XMLNS}><p><div>a</div></p></div>",
    f"<div {_XMLNS}><ul>a</ul></div>",
    f"<div {_XMLNS}><b><b>a</b></b></div>",
    f'<div {_XMLNS}><span style="color: red">a</span></div>',
    f'<div {_XMLNS}><span data-x="1">a</span></div>',
    f"<div {_XMLNS}>a</div><div {_XMLNS}>b</div>",
    f"<div {_XMLNS}>a",
    f"<div {_XMLNS}><!-- a --> b</div>",
    f"<div {_XMLNS}>a < b</div>",
    f'<div {_XMLNS}><img src="#x"/></div>',
    f"<div {_XMLNS}><object>a</object></div>",
    "plain",
    "",
]


def _narrative(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A narrative that is no safe XHTML, or has no status."""
    definition = definitions.structure(resource["resourceType"])
    if definition is None or "text" not in tree(definition).children:
        return False
    resource["text"] = dice.choice(
        [{"status": "generated", "div": dice.choice(_DIVS)}] * 9 + [{"div": f"<div {_XMLNS}>a</div>"}]
    )
    return True


def _contained(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A contained resource without id, that nothing refers to, that contains others, with a label or a version."""
    definition = definitions.structure(resource["resourceType"])
    if definition is None or "contained" not in tree(definition).children:
        return False
    inner: Json = {"resourceType": "Organization", "id": "in1", "name": "An organisation"}
    change = dice.randrange(8)
    extras: list[Json] = [
        {}, {"contained": [{"resourceType": "Organization", "id": "in2", "name": "x"}]},
        {"meta": {"versionId": "1"}}, {"meta": {"security": [{"system": "http://example.org", "code": "x"}]}},
        {"name": 7}, {"surprise": "x"}, {"resourceType": "Nope"}, {"id": ""},
    ]  # fmt: skip
    inner |= extras[change]
    if change == 7:
        del inner["id"]
    resource["contained"] = [inner]
    if dice.random() < 0.7 or change:
        resource.setdefault("extension", []).append(
            {"url": "http://example.org/refers", "valueReference": {"reference": "#in1"}}
        )
    return True


def _meta(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """Metadata that keeps no rule."""
    resource["meta"] = dice.choice([
        {"lastUpdated": "2026-01-01"}, {"versionId": "a b"}, {"profile": "http://example.org/p"}, {"profile": [7]}, {},
        {"tag": [{"system": "http://a b", "code": "x"}]}, {"security": {"code": "x"}}, {"surprise": 1}, "x",
    ])  # fmt: skip
    return True


def _invariant(resource: Json, definitions: Definitions, dice: random.Random) -> bool:
    """A rule of a type that says how its elements go together."""
    changes = [
        (each, change)
        for each in objects(resource, definitions)
        for code, change in _INVARIANTS
        if each.code == code or each.path == code
    ]
    if not changes:
        return False
    each, change = dice.choice(changes)
    change(each.value)
    return True


def _set(**fields: Any) -> Callable[[Json], None]:
    def change(value: Json) -> None:
        for name, field in fields.items():
            key = name.removesuffix("_")
            if field is None:
                value.pop(key, None)
            else:
                value[key] = copy.deepcopy(field)

    return change


_INVARIANTS: list[tuple[str, Callable[[Json], None]]] = [
    ("Period", _set(start="2026-05-01", end="2026-01-01")),
    ("Period", _set(start="2026-05-01T10:00:00Z", end="2026-05-01T09:00:00Z")),
    ("Period", _set(start="2026-05-01", end="2026-05")),
    ("Quantity", _set(code="mg", system=None)),
    ("Quantity", _set(value=None, unit=None, code=None, system=None)),
    ("ContactPoint", _set(value="705", system=None)),
    ("Attachment", _set(data="YWJj", contentType=None)),
    ("Range", _set(low={"value": 5}, high={"value": 1})),
    ("Ratio", _set(numerator={"value": 1}, denominator=None)),
    ("Timing.repeat", _set(duration=2, durationUnit=None)),
    ("Timing.repeat", _set(period=-1, periodUnit="d")),
    ("Timing.repeat", _set(periodMax=3, period=None)),
    ("Timing.repeat", _set(countMax=3, count=None)),
    ("Timing.repeat", _set(timeOfDay=["10:00:00"], when=["MORN"])),
    ("Goal.target", _set(measure=None, detailString="x", detailQuantity=None, detailRange=None)),
    ("CarePlan.activity", _set(detail={"status": "unknown"}, reference={"reference": "Task/1"})),
    ("CareTeam.participant", _set(onBehalfOf={"reference": "Organization/1"})),
    ("Organization", _set(name=None, identifier=None)),
    ("Organization", _set(telecom=[{"system": "phone", "value": "1", "use": "home"}])),
    ("Organization", _set(address=[{"text": "x", "use": "home"}])),
    ("Patient.contact", _set(name=None, telecom=None, address=None, organization=None, gender="female")),
    ("Observation", _set(dataAbsentReason={"text": "x"}, valueString="y")),
    ("Observation.referenceRange", _set(low=None, high=None, text=None, age={"low": {"value": 1}})),
    ("Condition", _set(abatementString="x", clinicalStatus=None)),
    ("Condition.stage", _set(summary=None, assessment=None, type={"text": "x"})),
    ("Condition.evidence", _set(code=None, detail=None, id="x")),
    ("Consent", _set(policy=None, policyRule=None)),
    ("ServiceRequest", _set(orderDetail=[{"text": "x"}], code=None)),
    ("Appointment", _set(start="2026-05-01T10:00:00Z", end=None)),
    ("Appointment", _set(start=None, end=None, status="booked")),
    ("Composition.section", _set(text=None, entry=None, section=None, title="x")),
    ("Composition.section", _set(emptyReason={"text": "x"}, entry=[{"reference": "Goal/1"}])),
    ("RiskAssessment.prediction", _set(probabilityDecimal=101)),
    (
        "RiskAssessment.prediction",
        _set(probabilityRange={"low": {"value": 1, "code": "x", "system": UCUM}}, probabilityDecimal=None),
    ),
    ("QuestionnaireResponse.item", _set(answer=[{"valueString": "x"}], item=[{"linkId": "1"}])),
    ("Task", _set(restriction={"repetitions": 1}, focus=None)),
    ("Age", _set(value=-1, code="a", system=UCUM)),
    ("Duration", _set(value=None, code="d", system=UCUM)),
    ("Reference", _set(reference="#lost")),
    ("Identifier", _set(system="urn:ietf:rfc:3986", value="no uri")),
]
KINDS: dict[str, Callable[[Json, Definitions, random.Random], bool]] = {
    "required element dropped": _drop,
    "another JSON type": _type,
    "wrong format": _format,
    "unknown element": _unknown,
    "choice": _choices,
    "code outside its value set": _code,
    "reference target": _reference,
    "cardinality": _cardinality,
    "empty": _empty,
    "beside a primitive": _beside,
    "extension": _extension,
    "narrative": _narrative,
    "contained": _contained,
    "meta": _meta,
    "invariant": _invariant,
    "profile": _profile,
}
