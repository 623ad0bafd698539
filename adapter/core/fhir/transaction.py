"""Reads a received transaction or batch into steps: what is asked, in which order, and how references find their place.

The rules are those of http://hl7.org/fhir/R4/http.html#transaction: DELETE, POST, PUT, GET in this order; no identity
twice; references by fullUrl are replaced by where the resource came to stand, narrative links too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from adapter.core.fhir.references import ID, leads, local, references
from adapter.errors import Malformed, Problem, Refused, TooLarge

Method = Literal["DELETE", "POST", "PUT", "GET"]
Pairs = tuple[tuple[str, str], ...]
ORDER: tuple[Method, ...] = ("DELETE", "POST", "PUT", "GET")
MOST_ENTRIES = 500
ALONE = -1

# Elements of type uri, url, oid or uuid in which a resource of the Bundle may be named; identifiers are none of them.
_LINKS = frozenset({"reference", "url", "source", "valueUri", "valueUrl", "valueUuid", "valueOid", "instantiatesUri"})
_HREF = re.compile(r"""(\s(?:href|src)\s*=\s*)(["'])([^"'<>]*)\2""")


@dataclass(frozen=True, slots=True)
class Step:
    """One interaction: `id` or `query` (conditional), and in `create_if_none` what must not be there yet.

    `position` is its entry's in the Bundle; ALONE where it came by itself.
    """

    position: int
    method: Method
    type: str
    id: str = ""
    version: str = ""
    query: Pairs | None = None
    create_if_none: Pairs | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    full_url: str = ""
    resource: dict[str, Any] | None = None

    @property
    def pointer(self) -> str:
        """Where it stands in what was sent (JSON Pointer)."""
        return "" if self.position == ALONE else f"/entry/{self.position}"

    @property
    def root(self) -> str:
        """Where its resource stands."""
        return "" if self.position == ALONE else f"{self.pointer}/resource"


def steps(bundle: Any, types: Collection[str], *, base: str) -> tuple[Literal["transaction", "batch"], list[Step]]:
    """The kind of Bundle and its steps, in the order of its entries.

    TooLarge: too many entries; Malformed: no Bundle to be worked on; Refused: every entry that asks for what cannot be.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise Malformed("A Bundle is expected here.", [Problem("/resourceType", "must be Bundle")])
    if (kind := bundle.get("type")) not in ("transaction", "batch"):
        raise Malformed("The Bundle cannot be worked on.", [Problem("/type", "must be transaction or batch")])
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise Malformed("The Bundle cannot be read.", [Problem("/entry", "must be a list")])
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(f"The Bundle has more than {MOST_ENTRIES} entries.")
    found: list[Step] = []
    problems: list[Problem] = []
    for position, entry in enumerate(entries):
        try:
            found.append(_step(position, entry, types, base))
        except _Unreadable as error:
            problems.append(Problem(f"/entry/{position}{error.at}", error.rule))
    if problems:
        raise Refused("Entries of the Bundle cannot be read.", problems)
    return kind, found


def in_order(found: Sequence[Step]) -> list[Step]:
    """The order in which a transaction is worked on."""
    return sorted(found, key=lambda step: (ORDER.index(step.method), step.position))


def twice(found: Sequence[Step]) -> list[Problem]:
    """Each fullUrl, identity or condition that occurs again: one identity stands once in a transaction."""
    problems: list[Problem] = []
    seen: set[tuple[str, ...]] = set()
    for step in found:
        names: list[tuple[str, ...]] = [("fullUrl", step.full_url)] if step.full_url else []
        if step.method != "GET":
            names += [("identity", step.type, step.id)] if step.id else []
            condition = step.query if step.query is not None else step.create_if_none
            names += (
                [("condition", step.type, *(f"{key}={value}" for key, value in sorted(condition)))] if condition else []
            )
        for name in names:
            if name in seen:
                problems.append(Problem(step.pointer, f"has a {name[0]} that another entry has already"))
            seen.add(name)
    return problems


def placed(resource: dict[str, Any], places: Mapping[str, str], full_url: str) -> dict[str, Any]:
    """The resource with each link to an entry of its Bundle replaced by where that entry now is (`Type/id`)."""
    root = full_url.rsplit("/", 2)[0] + "/" if full_url.startswith(("http://", "https://")) else ""
    made: dict[str, Any] = _placed(resource, places, root, "")
    return made


def loose(resource: dict[str, Any], base: str) -> tuple[list[Problem], dict[str, list[str]]]:
    """What is wrong with its references by themselves; and, by `Type/id`, the places that refer to this server."""
    problems: list[Problem] = []
    wanted: dict[str, list[str]] = {}
    contained = resource.get("contained")
    inner = (
        {f"#{item.get('id')}" for item in contained if isinstance(item, dict)} if isinstance(contained, list) else set()
    )
    for pointer, reference in references(resource):
        match leads(reference, base):
            case "contained" if reference != "#" and reference not in inner:
                problems.append(Problem(pointer, "refers to a contained resource that is not there"))
            case "urn":
                problems.append(Problem(pointer, "refers to an entry that is not in this Bundle"))
            case "conditional":
                problems.append(Problem(pointer, "is a conditional reference, which is not supported here"))
            case "nowhere":
                problems.append(Problem(pointer, "is not a reference: Type/id, an absolute URL or #id is expected"))
            case "local":
                wanted.setdefault(local(reference, base) or "", []).append(pointer)
            case _:
                continue
    return problems, wanted


def count(value: Any) -> int:
    """How many values there are: objects, lists, and what is in them."""
    waiting, number = [value], 0
    while waiting:
        match waiting.pop():
            case dict() as inner:
                waiting.extend(inner.values())
            case list() as inner:
                waiting.extend(inner)
            case _:
                pass
        number += 1
    return number


class _Unreadable(Exception):  # noqa: N818 - a rule that an entry breaks, gathered where it is caught
    def __init__(self, at: str, rule: str) -> None:
        super().__init__(rule)
        self.at, self.rule = at, rule


def _step(position: int, entry: Any, types: Collection[str], base: str) -> Step:
    if not isinstance(entry, dict) or not isinstance(request := entry.get("request"), dict):
        raise _Unreadable("/request", "is required")
    method, url, full_url = request.get("method"), request.get("url"), entry.get("fullUrl", "")
    if method not in ORDER:
        raise _Unreadable("/request/method", "must be GET, POST, PUT or DELETE")
    if not isinstance(url, str) or not isinstance(full_url, str):
        raise _Unreadable("/request/url" if isinstance(full_url, str) else "/fullUrl", "must be a text")
    path, _, query = url.removeprefix(base.rstrip("/")).removeprefix("/").partition("?")
    type_, *rest = path.split("/")
    if type_ not in types:
        raise _Unreadable("/request/url", "names no type of resource that is kept here")
    step = {
        "position": position,
        "method": method,
        "type": type_,
        "full_url": full_url,
        "if_match": _text(request, "ifMatch"),
        "if_none_match": _text(request, "ifNoneMatch"),
    }
    match method, rest:
        case "GET", [] | [""]:
            return Step(**step, query=_pairs(query))
        case "GET", [id_] if ID.match(id_):
            return Step(**step, id=id_)
        case "GET", [id_, "_history", version] if ID.match(id_):
            return Step(**step, id=id_, version=version)
        case "POST", [] | [""] if not query:
            condition = _text(request, "ifNoneExist")
            pairs = None if condition is None else pairs_of(condition, type_)
            if pairs == ():
                raise _Unreadable("/request/ifNoneExist", "has no condition")
            return Step(**step, create_if_none=pairs, resource=_resource(entry, type_))
        case "PUT", [id_] if ID.match(id_) and not query:
            if "ifNoneExist" in request:
                raise _Unreadable("/request/ifNoneExist", "is for POST only")
            return Step(**step, id=id_, resource=_resource(entry, type_))
        case "PUT", [] | [""] if query and _pairs(query):
            return Step(**step, query=_pairs(query), resource=_resource(entry, type_))
        case "DELETE", [id_] if ID.match(id_) and not query:
            return Step(**step, id=id_)
        case "DELETE", [] | [""] if query and _pairs(query):
            return Step(**step, query=_pairs(query))
        case _:
            raise _Unreadable("/request/url", f"is not what {method} can be asked of")


def pairs_of(condition: str, type_: str) -> Pairs:
    """The parameters of an If-None-Exist; some clients write `Type?` before them."""
    return _pairs(condition.removeprefix(f"{type_}?").removeprefix("?"))


def _pairs(query: str) -> Pairs:
    return tuple(parse_qsl(query, keep_blank_values=True))


def _text(request: Mapping[str, Any], name: str) -> str | None:
    if not isinstance(value := request.get(name, ""), str):
        raise _Unreadable(f"/request/{name}", "must be a text")
    return value or None


def _resource(entry: Mapping[str, Any], type_: str) -> dict[str, Any]:
    if not isinstance(resource := entry.get("resource"), dict):
        raise _Unreadable("/resource", "is required")
    if resource.get("resourceType") != type_:
        raise _Unreadable("/resource/resourceType", "must be the type that request.url names")
    return resource


def _placed(value: Any, places: Mapping[str, str], root: str, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _placed(inner, places, root, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_placed(inner, places, root, key) for inner in value]
    if isinstance(value, str) and key in _LINKS:
        return _place(value, places, root)
    if isinstance(value, str) and key == "div":
        return _HREF.sub(lambda link: f"{link[1]}{link[2]}{_place(link[3], places, '')}{link[2]}", value)
    return value


def _place(link: str, places: Mapping[str, str], root: str) -> str:
    """Where a link leads after the transaction: by the fullUrl itself, or relative to the server it was written on."""
    whole, mark, fragment = link.partition("#")
    for name in _names(whole, root):
        if name in places:
            return places[name] + mark + fragment
    return link


def _names(link: str, root: str) -> Iterator[str]:
    if not link:
        return
    plain = link.split("/_history/")[0]
    yield plain
    if root and ":" not in plain:
        yield root + plain
