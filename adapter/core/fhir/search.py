"""Which search parameters exist for which received type, what of a resource they find, and how a query is read.

The types are those of exchange.md, *What comes in*, and what they refer to; the parameters are R4's
(http://hl7.org/fhir/R4/search.html), and `subject`, `patient` and `status` also where FHIR names them otherwise; a path
that only one release has finds nothing in the other. Every
value is found by an exact term: `index` writes all the spellings in which the specification lets a client ask for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from adapter.core.fhir.called import calls
from adapter.core.fhir.references import local, references
from adapter.errors import Malformed, Problem

Pairs = Sequence[tuple[str, str]]
Resource = Mapping[str, Any]
Kind = Literal["token", "reference"]

REFERS = "_refers"
"""The term under which a resource is found by each `Type/id` that it refers to: what may not be deleted before it."""
CHILDLESS = "_childless"
"""The term under which a resource is found that names no Patient of its world: it may belong to no child."""
CALLED = "_called"
"""The term under which a Consent of these is found by each identifier by which it names its child (called.py)."""
MOST = 1000
USUAL = 50


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one type: where its values stand (dotted paths), and to which type it must refer."""

    name: str
    kind: Kind
    paths: tuple[str, ...]
    target: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Resources that belong to what is found: those that `type` refers to by a parameter (`*`: by any), or that refer
    to it so; of the type `target` alone, where one is named (http://hl7.org/fhir/R4/search.html#include)."""

    type: str
    parameter: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A search as asked: `terms` are all to hold, each by any of its values; `ids` likewise, where they are named."""

    terms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ids: tuple[str, ...] | None = None
    since: datetime | None = None
    before: datetime | None = None
    count: int = USUAL
    newest_first: bool = False
    total_only: bool = False
    ignored: tuple[str, ...] = ()
    include: tuple[Link, ...] = ()
    revinclude: tuple[Link, ...] = ()


# type: parameter = path, or several. A patient is the subject where that is a Patient.
_TABLE = """
Patient            identifier=identifier
RelatedPerson      identifier=identifier subject=patient
Practitioner       identifier=identifier
PractitionerRole   identifier=identifier practitioner=practitioner organization=organization
Organization       identifier=identifier partof=partOf
EpisodeOfCare      identifier=identifier subject=patient status=status
Condition          identifier=identifier subject=subject category=category clinical-status=clinicalStatus
Observation        identifier=identifier subject=subject status=status category=category code=code
ServiceRequest     identifier=identifier subject=subject status=status category=category requester=requester \
performer=performer based-on=basedOn
Task               identifier=identifier subject=for status=status code=code owner=owner requester=requester \
focus=focus based-on=basedOn part-of=partOf
Consent            identifier=identifier subject=patient,subject status=status category=category
CareTeam           identifier=identifier subject=subject status=status category=category participant=participant.member
Goal               identifier=identifier subject=subject status=lifecycleStatus lifecycle-status=lifecycleStatus \
category=category
CarePlan           identifier=identifier subject=subject status=status category=category goal=goal care-team=careTeam \
part-of=partOf
Composition        identifier=identifier subject=subject status=status category=category type=type
DocumentReference  identifier=masterIdentifier,identifier subject=subject status=status category=category type=type
Binary             _tag=meta.tag
Encounter          identifier=identifier subject=subject status=status
Appointment        identifier=identifier subject=participant.actor,subject status=status
Provenance         _tag=meta.tag subject=target,patient target=target
RiskAssessment     identifier=identifier subject=subject status=status
"""
_TOKENS = frozenset({"_tag", "identifier", "status", "lifecycle-status", "clinical-status", "category", "code", "type"})
_RESULT = frozenset({"_count", "_sort", "_summary", "_total", "_format", "_pretty"})
_INSTANT = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<day>\d{4}-\d\d-\d\d)"
    r"(?P<time>T\d\d:\d\d(:\d\d(?P<fraction>\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?\Z",
    re.ASCII,
)
_DAY, _SECOND, _MILLISECOND = timedelta(days=1), timedelta(seconds=1), timedelta(milliseconds=1)


def _parameters(row: Sequence[str]) -> tuple[Parameter, ...]:
    found = []
    for word in row:
        name, _, paths = word.partition("=")
        kind: Kind = "token" if name in _TOKENS else "reference"
        found.append(Parameter(name, kind, tuple(paths.split(","))))
        if name == "subject":
            found.append(Parameter("patient", kind, tuple(paths.split(",")), target="Patient"))
    return tuple(found)


PARAMETERS: Mapping[str, tuple[Parameter, ...]] = MappingProxyType(
    {row[0]: _parameters(row[1:]) for row in map(str.split, _TABLE.strip().splitlines())}
)


def index(resource: Resource, *, base: str) -> dict[str, list[str]]:
    """The terms by which this resource is found, by parameter; `base` is our own address, left out of references."""
    terms: dict[str, list[str]] = {}
    for parameter in PARAMETERS[resource["resourceType"]]:
        for value in (found for path in parameter.paths for found in _at(resource, path.split("."))):
            if parameter.kind == "token":
                terms.setdefault(parameter.name, []).extend(_token_terms(value))
            elif isinstance(value, Mapping):
                for name, term in _reference_terms(parameter, value, base):
                    terms.setdefault(name, []).append(term)
    terms[REFERS] = sorted({target for _, text in references(resource) if (target := local(text, base))})
    if not children(resource, base=base):
        terms[CHILDLESS] = ["yes"]
        terms[CALLED] = calls(resource)
    return {name: sorted(set(values)) for name, values in terms.items() if values}


def children(resource: Resource, *, base: str = "") -> set[str]:
    """The ids of the Patients of its world that a resource names; a Patient names itself."""
    own = {str(resource["id"])} if resource.get("resourceType") == "Patient" and "id" in resource else set()
    named = (local(text, base) or "" for _, text in references(resource))
    return own | {target.removeprefix("Patient/") for target in named if target.startswith("Patient/")}


def query(type_: str, pairs: Pairs, *, base: str, lenient: bool = False) -> Query:
    """The search that these parameters ask for.

    Malformed names each parameter that cannot be read, and each that is unknown, which `lenient` leaves out instead.
    """
    terms: list[tuple[str, tuple[str, ...]]] = []
    ids: list[set[str]] = []
    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    ignored: list[str] = []
    known = {parameter.name: parameter for parameter in PARAMETERS[type_]}
    for key, value in pairs:
        name, _, modifier = key.partition(":")
        try:
            if key == "_id":
                ids.append(set(_split(value, ",")))
            elif key == "_lastUpdated":
                _bound(settings, value)
            elif key in ("_include", "_revinclude"):
                settings[key[1:]] = (*settings.get(key[1:], ()), _link(value, type_ if key == "_include" else ""))
            elif key in _RESULT:
                _result(settings, key, value)
            elif name in known:
                terms.append(_asked(known[name], modifier, value, base))
            else:
                ignored.append(key)
        except ValueError as error:
            problems.append(Problem(f"/{name}", str(error)))
    if not lenient:
        problems += [Problem(f"/{_name(key)}", f"is not a search parameter of {type_} here") for key in ignored]
    if problems:
        raise Malformed("The search cannot be read.", problems)
    wanted = tuple(sorted(set.intersection(*ids))) if ids else None
    return Query(tuple(terms), wanted, ignored=tuple(ignored), **settings)


def _asked(parameter: Parameter, modifier: str, value: str, base: str) -> tuple[str, tuple[str, ...]]:
    choices = [choice for choice in _split(value, ",") if choice]
    if not choices:
        raise ValueError("has no value")
    if parameter.kind == "token" and not modifier:
        return parameter.name, tuple(map(_token, choices))
    if parameter.kind == "reference" and modifier == "identifier":
        return f"{parameter.name}:identifier", tuple(map(_token, choices))
    if parameter.kind == "reference" and (not modifier or modifier in PARAMETERS):
        names = [_plain(choice) for choice in choices]
        names = [local(name, base) or name for name in names]
        return parameter.name, tuple(f"{modifier}/{name}" if modifier and "/" not in name else name for name in names)
    raise ValueError("has a modifier that is not supported")


def _link(value: str, source: str) -> Link:
    """`Type:parameter` or `Type:parameter:Target`; what is included belongs to the `source` that is searched."""
    type_, _, rest = value.partition(":")
    name, _, target = rest.partition(":")
    links = {p.name for p in PARAMETERS.get(type_, ()) if p.kind == "reference"} | {"*"}
    if (
        type_ not in PARAMETERS
        or name not in links
        or (source and type_ != source)
        or (target not in {"", *PARAMETERS})
    ):
        raise ValueError("is not Type:parameter, of a reference that can be searched for here")
    return Link(type_, name, target)


def linked(resource: Resource, link: Link, *, base: str) -> list[str]:
    """`Type/id` of what a resource refers to by a link, here."""
    if link.parameter == "*":
        found = [text for _, text in references(resource)]
    else:
        parameter = next(p for p in PARAMETERS[link.type] if p.name == link.parameter)
        values = (value for path in parameter.paths for value in _at(resource, path.split(".")))
        found = [v["reference"] for v in values if isinstance(v, Mapping) and isinstance(v.get("reference"), str)]
        found = [text for text in found if not parameter.target or f"{parameter.target}/" in text]
    targets = [target for text in found if (target := local(text, base))]
    return [target for target in targets if not link.target or target.split("/")[0] == link.target]


def _bound(settings: dict[str, Any], value: str) -> None:
    match = _INSTANT.match(value)
    if not match:
        raise ValueError("is not a date or an instant with its time zone, with at most one prefix")
    try:
        start = datetime.fromisoformat(match["day"] + (match["time"] or "T00:00:00Z")).astimezone(UTC)
        width = _MILLISECOND if match["fraction"] else _SECOND if match["time"] else _DAY
        since, before = {
            None: (start, start + width),
            "eq": (start, start + width),
            "ge": (start, None),
            "gt": (start + width, None),
            "sa": (start + width, None),
            "lt": (None, start),
            "eb": (None, start),
            "le": (None, start + width),
        }[match["prefix"]]
    except (ValueError, OverflowError):
        raise ValueError("is not a date that exists") from None
    except KeyError:
        raise ValueError("has a prefix that is not supported") from None
    if since:
        settings["since"] = max(settings.get("since") or since, since)
    if before:
        settings["before"] = min(settings.get("before") or before, before)


def _result(settings: dict[str, Any], name: str, value: str) -> None:
    if name == "_count":
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise ValueError("is not a whole number")
        settings["count"] = min(int(value), MOST)
        settings["total_only"] = settings.get("total_only", False) or int(value) == 0
    elif name == "_sort":
        if value not in ("_lastUpdated", "-_lastUpdated"):
            raise ValueError("can be by _lastUpdated only, up or down")
        settings["newest_first"] = value.startswith("-")
    elif name == "_summary":
        if value not in ("count", "false"):
            raise ValueError("can be count or false")
        settings["total_only"] = settings.get("total_only", False) or value == "count"


def _token_terms(value: Any) -> Iterator[str]:
    """code, system|code, |code without a system, system|: what a client may write for this value."""
    match value:
        case str() | bool():
            yield str(value).lower() if isinstance(value, bool) else value
        case {"coding": list(codings)}:
            for coding in codings:
                yield from _token_terms(coding)
        case Mapping():
            code = value.get("code", value.get("value"))
            system = value.get("system")
            if isinstance(code, str):
                yield code
                yield f"{system}|{code}" if isinstance(system, str) else f"|{code}"
            if isinstance(system, str):
                yield f"{system}|"


def _reference_terms(parameter: Parameter, reference: Resource, base: str) -> Iterator[tuple[str, str]]:
    text, type_ = reference.get("reference"), reference.get("type")
    target = local(text, base) if isinstance(text, str) else None
    kind = target.split("/")[0] if target else type_ if isinstance(type_, str) else ""
    if isinstance(text, str) and not kind:
        parts = text.split("/_history/")[0].rsplit("/", 2)
        kind = parts[-2] if len(parts) > 1 else ""
    if parameter.target and kind and kind != parameter.target:
        return
    if target:
        yield parameter.name, target
        yield parameter.name, target.split("/")[1]
    elif isinstance(text, str):
        yield parameter.name, text
    for term in _token_terms(reference.get("identifier")):
        yield f"{parameter.name}:identifier", term


def _at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """Every value at a dotted path, lists opened."""
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping):
        yield from _at(value.get(path[0]), path[1:])


def _split(value: str, separator: str) -> list[str]:
    """Cut at each separator that no backslash escapes (http://hl7.org/fhir/R4/search.html#escaping)."""
    parts = [""]
    for piece in re.findall(r"\\.|.", value, re.DOTALL):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _token(choice: str) -> str:
    return "|".join(map(_plain, _split(choice, "|")))


def _plain(value: str) -> str:
    return re.sub(r"\\([\\,|$])", r"\1", value)


def _name(key: str) -> str:
    """A parameter's name as it may be said again: what is not like a name at all could be anything."""
    return key if re.fullmatch(r"_?[A-Za-z-]{1,40}", key) else "?"
