"""One referral in plain words, for who has no FHIR server: made of the receiver's view, and of its package alone.

Whatever is not in the view is not there to be shown; whatever is in the view and no part of this referral is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.mapping.codes import ConceptMap

Codes = Mapping[str, ConceptMap]
Rows = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Section:
    """One heading with its rows of a label and a text; `path`: the record that it tells of."""

    title: str
    rows: tuple[tuple[str, str], ...]
    path: str


def sections(view: Mapping[str, Any], path: str, codes: Codes) -> tuple[Section, ...]:
    """The referral at `path` of a view, with its package; nothing where the view does not hold it."""
    every = dict(_records(view))
    referral = every.get(path)
    if referral is None or "child" not in view:
        return ()
    found = [
        Section("The referral", tuple(_referral(referral, every, codes)), path),
        Section("The child", tuple(_child(view["child"], codes)), "child"),
    ]
    for each in _package(referral):
        record = every.get(each)
        if record is not None and (rows := list(_told(each, record, codes))):
            found.append(Section(_TITLES[each.split("/")[0]], tuple(rows), each))
    return tuple(section for section in found if section.rows)


_TITLES = {"needs": "A need", "strengths": "A strength", "documents": "A document", "care_plans": "A service now"}
_TYPES = {
    "referrals": "ServiceRequest", "child": "Patient", "needs": "Condition", "strengths": "Observation",
    "documents": "DocumentReference", "care_plans": "ServiceRequest",
}  # fmt: skip


def type_of(path: str) -> str:
    """What the account calls a record that was shown: the type that it would have had as FHIR."""
    return _TYPES[path.split("/")[0]]


def _package(referral: Mapping[str, Any]) -> list[str]:
    reasons = [reason["need"] for reason in referral.get("reasons", ()) if "need" in reason]
    services = [each["service"] for each in referral.get("current_services", ()) if "service" in each]
    return [p for p in dict.fromkeys((*reasons, *referral.get("shares", ()), *services)) if p.split("/")[0] in _TITLES]


def _records(view: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for collection, value in view.items():
        for record in value if isinstance(value, list) else ():
            yield record.get("path", f"{collection}/{record['id']}"), record
            for entry in record.get("services", ()) if collection == "care_plans" else ():
                yield entry.get("path", f"{collection}/{record['id']}/services/{entry['id']}"), entry


def _referral(
    record: Mapping[str, Any], every: Mapping[str, Mapping[str, Any]], codes: Codes
) -> Iterator[tuple[str, str]]:
    if record.get("do_not_contact_family"):
        yield "Important", "Do not contact the family: speak with the agency that refers."
    for service in record.get("services", ()):
        yield "What is asked for", service.get("text") or _word(codes, "service", service.get("code"))
    yield from _one("How urgent", _word(codes, "referral-priority", record.get("priority")))
    for reason in record.get("reasons", ()):
        yield from _one("Why", reason.get("text") or _word(codes, "reason", reason.get("code")))
    yield from _one("What the family has told already", record.get("story"))
    for label, name in (("From", "from"), ("Asked by", "requested_by"), ("To", "to")):
        yield from _one(label, _named(every.get(record.get(name, ""))))
    for support in record.get("supports", ()):
        yield from _one("Support needed", _word(codes, "support", support))
    hand = record.get("handover", {})
    yield from _one("Who introduces the family", _named(every.get(hand.get("introduced_by", ""))))
    yield from _one("Whom to speak with", _named(every.get(hand.get("contact", ""))))
    yield from _one("Meeting", hand.get("meeting"))
    yield from _one("How", _word(codes, "handover-how", hand.get("how")))
    for each in record.get("current_services", ()):
        yield from _one("Receives now", each.get("text"))
    for each in record.get("waiting_for", ()):
        yield from _one("Waits for", each.get("text"))
    yield from _one("Please answer by", record.get("respond_by"))


def _child(child: Mapping[str, Any], codes: Codes) -> Iterator[tuple[str, str]]:
    yield from _one("Name", _named(child))
    yield from _one("Prefers to be called", child.get("name", {}).get("preferred"))
    yield from _one("Born on", child.get("birth_date"))
    for language in child.get("languages", ()):
        needs = ", with an interpreter" if language.get("interpreter_needed") else ""
        yield from _one("Language", language["code"] + needs if "code" in language else "")
    for telecom in child.get("telecoms", ()):
        yield from _one("Contact", telecom.get("value"))
    address = child.get("address", {})
    parts = (*address.get("lines", ()), *(address.get(n, "") for n in ("city", "province", "postal_code", "country")))
    yield from _one("Address", ", ".join(filter(None, parts)))


def _told(path: str, record: Mapping[str, Any], codes: Codes) -> Iterator[tuple[str, str]]:
    collection = path.split("/")[0]
    if collection == "care_plans":
        service = record.get("service", record)
        yield from _one("Service", service.get("text") or _word(codes, "service", service.get("code")))
        yield from _one("How often", record.get("frequency"))
        return
    yield from _one("Title" if collection == "documents" else "In words", record.get("title") or record.get("text"))
    yield from _one("Date", record.get("date") or record.get("on") or record.get("since"))


def _named(record: Mapping[str, Any] | None) -> str:
    name = record.get("name", "") if record else ""
    if isinstance(name, str):
        return name
    return " ".join(filter(None, (*name.get("given", ()), name.get("family", ""))))


def _word(codes: Codes, map_: str, code: Any) -> str:
    if not isinstance(code, str) or not code:
        return ""
    found = codes[map_].translate(code) if map_ in codes else None
    return found.text if found is not None and found.text else code


def _one(label: str, text: Any) -> Iterable[tuple[str, str]]:
    return [(label, text)] if isinstance(text, str) and text.strip() else []
