"""One referral in plain words, for who has no FHIR server: made of the receiver's view, and of its package alone.

Whatever is not in the view is not there to be shown; whatever is in the view and no part of this referral is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.document.words import day
from adapter.core.referral.words import WORDS, Codes, coded


@dataclass(frozen=True, slots=True)
class Section:
    """One heading with its rows of a label and a text; `path`: the record that it tells of."""

    title: str
    rows: tuple[tuple[str, str], ...]
    path: str


def sections(view: Mapping[str, Any], path: str, codes: Codes, language: str = "en") -> tuple[Section, ...]:
    """The referral at `path` of a view, with its package; nothing where the view does not hold it. `language`: en or
    fr, of our own words; what is in the records stays as it is written there."""
    every = dict(_records(view))
    referral = every.get(path)
    if referral is None or "child" not in view:
        return ()
    tell = _Telling(every, codes, language)
    found = [
        Section(tell.say["section-referral"], tuple(tell.referral(referral)), path),
        Section(tell.say["section-child"], tuple(tell.child(view["child"])), "child"),
    ]
    for each in _package(referral):
        record = every.get(each)
        if record is not None and (rows := tuple(tell.told(each, record))):
            found.append(Section(tell.say[f"section-{each.split('/')[0]}"], rows, each))
    return tuple(section for section in found if section.rows)


_TYPES = {
    "referrals": "ServiceRequest", "child": "Patient", "needs": "Condition", "strengths": "Observation",
    "documents": "DocumentReference", "care_plans": "ServiceRequest",
}  # fmt: skip
_PACKAGED = ("needs", "strengths", "documents", "care_plans")


def type_of(path: str) -> str:
    """What the account calls a record that was shown: the type that it would have had as FHIR."""
    return _TYPES[path.split("/")[0]]


def _package(referral: Mapping[str, Any]) -> list[str]:
    reasons = [reason["need"] for reason in referral.get("reasons", ()) if "need" in reason]
    services = [each["service"] for each in referral.get("current_services", ()) if "service" in each]
    named = dict.fromkeys((*reasons, *referral.get("shares", ()), *services))
    return [path for path in named if path.split("/")[0] in _PACKAGED]


def _records(view: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for collection, value in view.items():
        for record in value if isinstance(value, list) else ():
            yield record.get("path", f"{collection}/{record['id']}"), record
            for entry in record.get("services", ()) if collection == "care_plans" else ():
                yield entry.get("path", f"{collection}/{record['id']}/services/{entry['id']}"), entry


class _Telling:
    """Rows of one view's records in one language."""

    def __init__(self, every: Mapping[str, Mapping[str, Any]], codes: Codes, language: str) -> None:
        self._every, self._codes, self._language, self.say = every, codes, language, WORDS[language]

    def referral(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if record.get("do_not_contact_family"):
            yield self.say["important"], self.say["do-not-contact"]
        for service in record.get("services", ()):
            yield from self._one("asked-for", service.get("text") or self._word("service", service.get("code")))
        yield from self._one("urgent", self._word("referral-priority", record.get("priority")))
        for reason in record.get("reasons", ()):
            yield from self._one("why", reason.get("text") or self._word("reason", reason.get("code")))
        yield from self._one("story", record.get("story"))
        for label, name in (("sender", "from"), ("asked-by", "requested_by"), ("to", "to")):
            yield from self._one(label, self._named(record.get(name)))
        for support in record.get("supports", ()):
            yield from self._one("support", self._word("support", support))
        hand = record.get("handover", {})
        yield from self._one("introduces", self._named(hand.get("introduced_by")))
        yield from self._one("contact-person", self._named(hand.get("contact")))
        yield from self._one("meeting", self._day(hand.get("meeting")))
        yield from self._one("how", self._word("handover-how", hand.get("how")))
        for each in record.get("current_services", ()):
            yield from self._one("receives", each.get("text"))
        for each in record.get("waiting_for", ()):
            yield from self._one("waits", each.get("text"))
        yield from self._one("by", self._day(record.get("respond_by")))

    def child(self, child: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from self._one("name", _name(child))
        yield from self._one("called", child.get("name", {}).get("preferred"))
        yield from self._one("born", self._day(child.get("birth_date")))
        for spoken in child.get("languages", ()):
            code = spoken.get("code", "")
            interpreted = self.say["interpreter"].format(language=code) if spoken.get("interpreter_needed") else code
            yield from self._one("language", interpreted if code else "")
        for telecom in child.get("telecoms", ()):
            yield from self._one("telecom", telecom.get("value"))
        address = child.get("address", {})
        places = (address.get(name, "") for name in ("city", "province", "postal_code", "country"))
        yield from self._one("address", ", ".join(filter(None, (*address.get("lines", ()), *places))))

    def told(self, path: str, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        collection = path.split("/")[0]
        if collection == "care_plans":
            service = record.get("service", record)
            yield from self._one("service", service.get("text") or self._word("service", service.get("code")))
            yield from self._one("often", record.get("frequency"))
            return
        label = "title" if collection == "documents" else "in-words"
        yield from self._one(label, record.get("title") or record.get("text"))
        yield from self._one("date", self._day(record.get("date") or record.get("on") or record.get("since")))

    def _one(self, label: str, text: Any) -> Iterable[tuple[str, str]]:
        return [(self.say[label], text)] if isinstance(text, str) and text.strip() else []

    def _word(self, map_: str, code: Any) -> str:
        return coded(self._codes, map_, code, self._language)

    def _named(self, path: Any) -> str:
        return _name(self._every.get(path)) if isinstance(path, str) else ""

    def _day(self, written: Any) -> str:
        return day(self._language, written) if isinstance(written, str) else ""


def _name(record: Mapping[str, Any] | None) -> str:
    name = record.get("name", "") if record else ""
    if isinstance(name, str):
        return name
    return " ".join(filter(None, (*name.get("given", ()), name.get("family", ""))))
