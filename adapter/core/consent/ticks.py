"""What a family ticked on a form becomes consent records, or every problem at once with its JSON Pointer.

Ticks are JSON, in the order of the paper:

    {"form": "default", "version": "2026-1", "language": "en",
     "to": ["lakeside"],                                  # partners; in a form with columns they stand in each box
     "boxes": {"my-plan": true, "mental-health": "EE"},   # true, or initials; with columns {"iep": {"lakeside": "EE"}}
     "period": {"start": "2026-09-01", "choice": "year"}, # or "end"; without a start, from the day it was signed
     "signed": [{"by": "people/mother", "at": "2026-09-01", "method": "signature"}],
     "limits": "", "supersedes": ["consents/c1"], "document": "documents/scan", "id": "c2"}

A box gives only what its form says. Initialled topics join what else is ticked, for the same partners, so that one
permit covers the whole element (consent.md, rule 4). Each signature is a consent of its own: where decision makers are
marked `shared`, each of them must have permitted.
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from adapter.core.case import check, pointer
from adapter.core.consent.forms import ALWAYS, CHOSEN, LANGUAGES, Box, Form, Gift, selected
from adapter.core.consent.provisions import ALL
from adapter.core.consent.rulebook import Rulebook
from adapter.errors import Problem

METHODS = ("signature", "electronic", "verbal")
MOST_TEXT, MOST_INITIALS, LONGEST_ID = 20_000, 10, 64
_KEYS = (
    "form", "version", "language", "to", "boxes", "period", "signed", "limits", "supersedes", "document", "id",
)  # fmt: skip
Signature = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the ticks: consent records, one for each signature; none where there are problems.

    `limits`: what the family wrote by hand. It holds what the consents permit until a person has turned it into
    provisions.
    """

    consents: tuple[dict[str, Any], ...]
    limits: str
    problems: tuple[Problem, ...]


def take(form: Form, ticks: Any, case: Mapping[str, Any], rulebook: Rulebook) -> Taken:
    """The consents that these ticks make in this case. Pure: the same ticks give the same records, with the same ids.

    A consent of one without authority, or before its start, is a consent: that it permits nothing, the rules say.
    """
    reading = _Reading(form, rulebook, case)
    if not isinstance(ticks, Mapping):
        return Taken((), "", (Problem("", "ticks are a JSON object"),))
    consents = tuple(reading.consents(ticks))
    if not reading.problems:
        reading.problems += _misfits(consents, case, rulebook)
    if reading.problems:
        return Taken((), "", tuple(sorted(set(reading.problems))))
    return Taken(consents, str(ticks.get("limits", "")).strip(), ())


@dataclass(slots=True)
class _Reading:
    """One reading of ticks; it goes on past what is wrong, so that all of it is told at once."""

    form: Form
    rulebook: Rulebook
    case: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def consents(self, ticks: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for key in ticks:
            if key not in _KEYS:
                self.wrong("this field is not known here", key)
        if ticks.get("form") != self.form.id:
            self.wrong("must be the form that these boxes are of", "form")
        if ticks.get("version") != self.form.version:
            self.wrong("this is not the version of the form that is in use", "version")
        if (language := ticks.get("language", "en")) not in LANGUAGES:
            self.wrong(f"must be one of: {', '.join(LANGUAGES)}", "language")
            language = "en"
        if "id" in ticks and not isinstance(ticks["id"], str):
            self.wrong("must be of type string", "id")
        if "limits" in ticks and not (isinstance(ticks["limits"], str) and len(ticks["limits"]) <= MOST_TEXT):
            self.wrong(f"must be a text of at most {MOST_TEXT} characters", "limits")
        provisions = self.provisions(ticks)
        signatures = self.signatures(ticks.get("signed"))
        period = self.period(ticks.get("period"), signatures)
        for signature in signatures:
            made = {
                "id": self.identity(ticks.get("id"), signature, len(signatures)),
                "status": "active",
                "granted_by": signature["by"],
                "authority": self.authority(signature["by"]),
                "method": signature["method"],
                "signed_at": signature["at"],
                "collected_by": signature.get("collected_by"),
                "period": period,
                "provisions": provisions,
                "notices": [words[language] for words in self.form.notices],
                "supersedes": ticks.get("supersedes"),
                "document": ticks.get("document"),
            }
            yield {name: value for name, value in made.items() if value is not None}

    def provisions(self, ticks: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Partners that are given the same are named together; in a form with columns, each by itself."""
        ticked = self.ticked(ticks.get("boxes"))
        if not ticked and not self.problems:
            self.wrong("nothing is ticked", "boxes")
        if self.form.columns:
            if "to" in ticks:
                self.wrong("in this form the partners stand in each box", "to")
            groups = {partner: [partner] for box in ticked.values() for partner in box}
        else:
            groups = {"": self.chosen(ticks.get("to", []), ticked)}
        made: list[dict[str, Any]] = []
        for column, partners in sorted(groups.items()):
            boxes = [box for box in self.form.boxes() if column in ticked.get(box.id, {})]
            self.contradictions(boxes, column)
            made += self.for_group(boxes, column, partners)
        return made

    def ticked(self, value: Any) -> dict[str, tuple[str, ...]]:
        """Box → its columns: the partners, or one without a name where the form has none."""
        if not isinstance(value, Mapping):
            self.wrong("must hold the boxes that are ticked", "boxes")
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for identity, mark in value.items():
            box = self.form.box(identity)
            if box is None:
                self.wrong("this form has no such box", "boxes", identity)
            elif not self.form.columns:
                if self.marked(box, mark, "boxes", identity):
                    found[identity] = ("",)
            elif not isinstance(mark, Mapping):
                self.wrong("must hold the partners in whose column it is ticked", "boxes", identity)
            else:
                for partner in mark:
                    if partner not in self.rulebook.partners:
                        self.wrong("there is no such partner", "boxes", identity, partner)
                columns = [p for p, each in mark.items() if self.marked(box, each, "boxes", identity, p)]
                if columns:
                    found[identity] = tuple(columns)
        return found

    def marked(self, box: Box, mark: Any, *place: str) -> bool:
        """Is the box ticked? One that needs initials is not, without them."""
        if mark is False:
            return False
        if not box.initials:
            if mark is not True:
                self.wrong("must be true where it is ticked, or false", *place)
            return True
        if not isinstance(mark, str) or not mark.strip() or len(mark) > MOST_INITIALS:
            self.wrong(f"needs the initials of who ticked it, up to {MOST_INITIALS} characters", *place)
        return True

    def chosen(self, value: Any, ticked: Mapping[str, Any]) -> list[str]:
        if not isinstance(value, list):
            self.wrong("must be a list of partners", "to")
            return []
        for i, partner in enumerate(value):
            if not isinstance(partner, str) or partner not in self.rulebook.partners:
                self.wrong("there is no such partner", "to", i)
        needed = any(CHOSEN in gift.to for box in self.form.boxes() if box.id in ticked for gift in box.gives)
        if needed and not value:
            self.wrong("names nobody who may receive what is ticked", "to")
        return list(dict.fromkeys(str(partner) for partner in value))

    def contradictions(self, boxes: list[Box], column: str) -> None:
        """The same topic both initialled and never to be shared: one of the two is a mistake, so neither is taken."""
        initialled = {box.topic for box in boxes if box.topic}
        initialled |= {topic for box in boxes for gift in box.gives if gift.permits for topic in gift.topics}
        for box in boxes:
            for gift in box.gives:
                denied = initialled if ALL in gift.topics else initialled & set(gift.topics)
                if not gift.permits and denied and not gift.parts and not {ALL, CHOSEN}.isdisjoint(gift.to):
                    place = ("boxes", box.id, column) if column else ("boxes", box.id)
                    self.wrong("says never to a topic that is initialled to be shared", *place)

    def for_group(self, boxes: list[Box], column: str, partners: list[str]) -> Iterator[dict[str, Any]]:
        topics = {box.topic for box in boxes if box.topic}
        to = [f"partners/{partner}" for partner in sorted(partners)]
        if topics and not any(box.permits for box in boxes):
            self.wrong("topics are initialled, but nothing is ticked that could speak about them", "boxes")
        if self.form.always and any(box.permits for box in boxes):
            always = Gift(True, (CHOSEN,), parts=self.form.always)
            yield self.provision(ALWAYS, column, always, to, topics)
        for box in boxes:
            for number, gift in enumerate(box.gives, start=1):
                name = box.id if len(box.gives) == 1 else f"{box.id}.{number}"
                yield self.provision(name, column, gift, to, topics)

    def provision(self, name: str, column: str, gift: Gift, to: list[str], topics: set[str]) -> dict[str, Any]:
        receivers = [r for receiver in gift.to for r in (to if receiver == CHOSEN else [receiver])]
        made: dict[str, Any] = {
            "id": _short(f"{name}.{column}" if column else name),
            "effect": "permit" if gift.permits else "deny",
            "to": receivers,
        }
        if gift.permits:
            made["purposes"] = list(gift.purposes or self.form.purposes)
        elif gift.purposes:
            made["purposes"] = list(gift.purposes)
        if gift.parts:
            made["parts"] = list(gift.parts)
        if named := sorted({*gift.topics, *(topics if gift.permits else ())}):
            made["topics"] = named
        if gift.records is not None:
            # Empty where the case has none: then it names no record, and permits none (rule 1).
            made["records"] = list(selected(gift.records, self.case))
        return made

    def signatures(self, value: Any) -> list[Signature]:
        if not isinstance(value, list) or not value:
            self.wrong("nobody has signed", "signed")
            return []
        found = []
        for i, signature in enumerate(value):
            if not isinstance(signature, Mapping):
                self.wrong("must say who signed, when and how", "signed", i)
                continue
            before = len(self.problems)
            self.signature(signature, i)
            if len(self.problems) == before:
                found.append(signature)
        signers = [signature["by"] for signature in found]
        if len(set(signers)) < len(signers):
            self.wrong("somebody signs twice", "signed")
        return found

    def signature(self, signature: Signature, i: int) -> None:
        people = {f"people/{person['id']}" for person in self.case.get("people", ())}
        providers = {f"providers/{provider['id']}" for provider in self.case.get("providers", ())}
        for key in signature:
            if key not in ("by", "at", "method", "collected_by"):
                self.wrong("this field is not known here", "signed", i, key)
        if not _one_of(signature.get("by"), {"child"} | people):
            self.wrong("must be the child or a person of this case", "signed", i, "by")
        if _day(signature.get("at")) is None:
            self.wrong("must be a date, or a date-time with its offset (ISO 8601)", "signed", i, "at")
        if signature.get("method") not in METHODS:
            self.wrong(f"must be one of: {', '.join(METHODS)}", "signed", i, "method")
        if "collected_by" in signature and not _one_of(signature["collected_by"], people | providers):
            self.wrong("must be a provider or a person of this case", "signed", i, "collected_by")
        if signature.get("method") == "verbal" and "collected_by" not in signature:
            self.wrong("a spoken consent needs who collected it", "signed", i, "collected_by")

    def period(self, value: Any, signatures: list[Signature]) -> dict[str, str]:
        if not isinstance(value, Mapping):
            self.wrong("says not until when: a consent needs its end", "period")
            return {}
        for key in value:
            if key not in ("start", "end", "choice"):
                self.wrong("this field is not known here", "period", key)
        days = [day for signature in signatures if (day := self.signed_on(signature)) is not None]
        start = _whole_day(value["start"]) if "start" in value else min(days, default=None)
        if "start" in value and start is None:
            self.wrong("must be a date that exists (ISO 8601)", "period", "start")
        term = next((term for term in self.form.periods if term.id == value.get("choice")), None)
        if "choice" in value and term is None:
            self.wrong("this form has no such choice", "period", "choice")
        end = _whole_day(value["end"]) if "end" in value else None
        if "end" in value and end is None:
            self.wrong("must be a date that exists (ISO 8601)", "period", "end")
        if start is not None and term is not None and (term.months or term.until):
            if "end" in value:
                self.wrong("is already said by the choice", "period", "end")
            end = _end(start, term.months, term.until)
        if end is None and "end" not in value:
            self.wrong("says not until when: a consent needs its end", "period", "end")
        if start is not None and end is not None and end < start:
            self.wrong("comes before the start", "period", "end")
        return {"start": start.isoformat(), "end": end.isoformat()} if start and end else {}

    def signed_on(self, signature: Signature) -> date | None:
        """The day of a signature where the agency is."""
        at = signature["at"]
        if (day := _whole_day(at)) is not None:
            return day
        try:
            return datetime.fromisoformat(at).astimezone(self.rulebook.time_zone).date()
        except OverflowError:
            return _day(at)

    def identity(self, given: Any, signature: Signature, several: int) -> str:
        signer = signature["by"].rpartition("/")[2]
        if given is None:
            return _short(f"{self.form.id}-{self.signed_on(signature)}-{signer}")
        return _short(f"{given}-{signer}") if several > 1 else str(given)

    def authority(self, by: str) -> str | None:
        if by == "child":
            return "self"
        person = next(p for p in self.case["people"] if f"people/{p['id']}" == by)
        found: str | None = person.get("authority")
        return found

    def wrong(self, detail: str, *place: str | int) -> None:
        self.problems.append(Problem(pointer(place), detail))


def _misfits(consents: tuple[dict[str, Any], ...], case: Mapping[str, Any], rulebook: Rulebook) -> list[Problem]:
    """What the record schema, and the case as a whole, say against a record: pointers are then into the record."""
    others = [c for c in case.get("consents", ()) if c["id"] not in {made["id"] for made in consents}]
    found = check({**case, "consents": [*others, *consents]}, rulebook.schemas)
    prefixes = {f"/consents/{len(others) + i}/": made for i, made in enumerate(consents)}
    return [
        Problem(problem.pointer.removeprefix(prefix[:-1]), problem.detail)
        for problem in found
        for prefix in prefixes
        if problem.pointer.startswith(prefix)
    ]


def _one_of(value: Any, possible: set[str]) -> bool:
    return isinstance(value, str) and value in possible


def _whole_day(value: Any) -> date | None:
    if not isinstance(value, str) or len(value) != len("2026-01-31"):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _day(value: Any) -> date | None:
    """The day of a date, or of a date-time with its offset; None for anything else."""
    if (day := _whole_day(value)) is not None or not isinstance(value, str):
        return day
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.date() if moment.tzinfo and "T" in value else None


def _end(start: date, months: int, until: tuple[int, int] | None) -> date | None:
    """The last day: of so many months, or the next day of the year of that name."""
    try:
        if until is not None:
            this_year = date(start.year, *until)
            return this_year if this_year >= start else date(start.year + 1, *until)
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        after = date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))
        # From the 31st for a month that has no such day: to that month's last day, not to the day before it.
        return after if after.day < start.day else after - timedelta(days=1)
    except (ValueError, OverflowError):
        return None


def _short(name: str) -> str:
    """An id of at most 64 characters; a longer one keeps its beginning and is told apart by a digest."""
    if len(name) <= LONGEST_ID:
        return name
    return f"{name[: LONGEST_ID - 13]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
