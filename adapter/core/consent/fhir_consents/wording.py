"""Says single permits and denials of a FHIR Consent in our words, and notes what our words cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from adapter.core.consent.fhir_consents.codes import is_confidentiality, is_sensitivity, rank
from adapter.core.consent.fhir_consents.matching import RECIPIENTS
from adapter.core.consent.fhir_consents.statements import Statement, statements
from adapter.core.consent.fhir_consents.values import Actor, Coding, Provision
from adapter.core.consent.fhir_consents.vocabulary import Vocabulary
from adapter.core.consent.provisions import Span

Receivers = Callable[[Actor], Sequence[str] | None]
"""The ids of partners that an actor is; empty: certainly none of them; None: it is not known."""
Records = Callable[[str], str | None]
"""The path of the record that a literal reference means; None: not known."""

_SEES = frozenset({"access", "disclose"})
_NORMAL, _RESTRICTED = 3, 4
_MOST_EXCEPTIONS, _MOST_RECORDS = 100, 500


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """Something of the Consent that the record does not say: the FHIRPath of the element, and what became of it."""

    path: str
    what: str


@dataclass(slots=True)
class Wording:
    """What to translate with, and what was lost on the way."""

    receivers: Receivers
    records: Records
    vocabulary: Vocabulary
    zone: tzinfo
    lost: set[Loss] = field(default_factory=set)

    def lose(self, path: str, what: str) -> None:
        self.lost.add(Loss(path, what))

    def provisions(self, root: Provision, *, computable: bool, within: Span | None) -> Iterator[dict[str, Any]]:
        made = 0
        for statement in statements(root, computable=computable):
            terms = self._permit(statement.provision, within) if statement.permits else self._deny(statement)
            if terms is not None:
                made += 1
                exceptions = self._exceptions(statement, f"p{made}")
                yield {"id": f"p{made}", "effect": "permit" if statement.permits else "deny", **terms} | (
                    {"except": exceptions} if exceptions else {}
                )

    def _exceptions(self, statement: Statement, of: str) -> list[dict[str, Any]]:
        """Permits below a denial, as far as ours can say each of them whole; the others are denied."""
        found: list[dict[str, Any]] = []
        for p in statement.exceptions[:_MOST_EXCEPTIONS]:
            terms = self._permit(p, None)
            whole = terms is not None and not p.labels and all(
                name in terms for name, listed in _named(p).items() if listed
            )  # fmt: skip
            if terms is None or not whole or ("period" in terms and len(terms["period"]) < 2):
                self.lose(p.path, "an exception that cannot be said here: denied as well")
            else:
                found.append({"id": f"{of}-{len(found) + 1}", "effect": "permit", **terms})
        return found

    def _permit(self, p: Provision, within: Span | None) -> dict[str, Any] | None:
        """What it permits in our words, each named; None where it is narrower than they can say."""
        if why := self._too_narrow(p):
            self.lose(p.path, f"{why}: this permit is left out")
            return None
        said = {
            "to": sorted({f"partners/{id_}" for actor in p.actors for id_ in self._who(actor) or ()}),
            "purposes": self._ours(self.vocabulary.purposes, p.purposes),
            "parts": self._ours(self.vocabulary.parts, (*p.classes, *p.documents)),
            "topics": self._ours(self.vocabulary.topics, [label for label in p.labels if is_sensitivity(label)]),
        }
        for name, words in (("to", "receiver"), ("purposes", "purpose"), ("parts", "part")):
            if not said[name]:
                self.lose(p.path, f"it names no {words} of ours: it permits nothing until a person names one")
        for actor in p.actors:
            if not self._who(actor):
                self.lose(actor.path, "a receiver that is no known partner: not permitted")
        self._lose_labels(p)
        terms: dict[str, Any] = {name: values for name, values in said.items() if values}
        if p.data:
            terms["records"] = sorted({path for d in p.data if (path := self.records(d.reference))})
        period = self._inside(p.period, within)
        if "start" in period and "end" in period and period["end"] < period["start"]:
            self.lose(f"{p.path}.period", "it does not hold for one whole day: this permit is left out")
            return None
        return terms | ({"period": period} if period else {})

    def _too_narrow(self, p: Provision) -> str:
        """What narrows it and has no word here; empty where there is none."""
        high = [rank(label) for label in p.labels if is_confidentiality(label)]
        if p.codes:
            return "it is for certain codes only"
        if p.data_period is not None:
            return "it is for data of a certain time only"
        if any(d.meaning != "instance" for d in p.data) or len(p.data) > _MOST_RECORDS:
            return "it is for what is related to certain data only"
        if p.classes and p.documents:
            return "it is for certain types of certain documents only"
        if p.actions and not any(code.code in _SEES for concept in p.actions for code in concept):
            return "it is for actions other than to see"
        if p.labels and (not high or None in high or max(level or 0 for level in high) < _NORMAL):
            return "it is only for what carries certain labels"
        return ""

    def _lose_labels(self, p: Provision) -> None:
        if not p.labels:
            self.lose(
                f"{p.path}.securityLabel", "it names no sensitive topic: none is permitted until a person names it"
            )
        for label in p.labels:
            restricted = is_confidentiality(label) and (rank(label) or 0) >= _RESTRICTED
            if restricted or (is_sensitivity(label) and not self._ours(self.vocabulary.topics, [label])):
                self.lose(
                    f"{p.path}.securityLabel", "a label that is no topic of ours: what carries it is not permitted"
                )

    def _ours(self, entries: tuple[tuple[Coding, str, bool], ...], listed: Iterable[Coding]) -> list[str]:
        return sorted({ours for each in listed for ours in self.vocabulary.permitted(entries, each)})

    def _deny(self, statement: Statement) -> dict[str, Any] | None:
        """What it denies in our words; what they cannot say is left out, and so denied whole."""
        p = statement.provision
        whom = [self._who(actor) for actor in p.actors]
        if set(p.unreadable) - {f"{p.path}.type"}:
            return {}
        if whom and all(found == () for found in whom):
            self.lose(p.path, "it denies only someone who is none of the partners: nothing is denied")
            return None
        types = (*p.classes, *p.documents)
        said: dict[str, tuple[list[str], bool]] = {
            "to": ([f"partners/{id_}" for found in whom for id_ in found or ()], None in whom),
            "purposes": _all_of(self.vocabulary.denied_purposes, p.purposes),
            "parts": _all_of(lambda code: self.vocabulary.permitted(self.vocabulary.parts, code), types),
        }
        terms: dict[str, Any] = self._denied_topics(p) | self._denied_records(p)
        for name, (ours, unknown) in said.items():
            if unknown:
                self.lose(p.path, f"not all of its {_WORDS[name]} are known here: denied for all")
            elif ours:
                terms[name] = sorted(set(ours))
        if p.codes or p.data_period is not None:
            self.lose(p.path, "it is for certain codes or times of the data only: denied whatever they are")
        if p.period is not None:
            terms["period"] = self.days(p.period, later_start=False, later_end=True)
        return {name: values for name, values in terms.items() if values}

    def _denied_topics(self, p: Provision) -> dict[str, Any]:
        if not p.labels:
            return {}
        levels = [rank(label) for label in p.labels if is_confidentiality(label)]
        topics = [self.vocabulary.denied_topics(label) for label in p.labels if not is_confidentiality(label)]
        if any(level is None or level < _RESTRICTED for level in levels) or () in topics:
            self.lose(f"{p.path}.securityLabel", "not all of its labels are topics of ours: denied whatever the topic")
            return {}
        if levels:
            self.lose(f"{p.path}.securityLabel", "restricted data are here what has any sensitive topic")
            return {"topics": "all"}
        return {"topics": sorted({topic for found in topics for topic in found})}

    def _denied_records(self, p: Provision) -> dict[str, Any]:
        if not p.data:
            return {}
        found = [self.records(d.reference) if d.meaning == "instance" else None for d in p.data]
        if None in found or len(found) > _MOST_RECORDS:
            self.lose(f"{p.path}.data", "not all of it are records of the case: denied whatever the record")
            return {}
        return {"records": sorted({path for path in found if path})}

    def _who(self, actor: Actor) -> tuple[str, ...] | None:
        if actor.roles and not any(role.code in RECIPIENTS for role in actor.roles):
            return None
        found = self.receivers(actor)
        return None if found is None else tuple(found)

    def _inside(self, span: Span | None, within: Span | None) -> dict[str, str]:
        """The whole days within a permit's own period; and within the consent's, where that ends or starts in a day."""
        if within is not None:
            shrunk = self.days(within, later_start=True, later_end=False)
            if shrunk == self.days(within, later_start=False, later_end=True):
                within = None
        spans = [each for each in (span, within) if each is not None]
        start = max((each.start for each in spans if each.start is not None), default=None)
        end = min((each.end for each in spans if each.end is not None), default=None)
        return self.days(Span(start, end), later_start=True, later_end=False)

    def days(self, span: Span | None, *, later_start: bool, later_end: bool) -> dict[str, str]:
        """First and last day in the agency's time zone; where one is not whole, the earlier or the later."""
        first = self._day(span.start, later=later_start) if span else None
        after = self._day(span.end, later=later_end) if span else None
        found = {"start": first.isoformat()} if first is not None else {}
        if after is not None and after > date.min:
            found["end"] = (after - timedelta(days=1)).isoformat()
        return found

    def _day(self, at: datetime | None, *, later: bool) -> date | None:
        """The day that begins at that instant; where it is within a day, that one or the next."""
        if at is None:
            return None
        try:
            local = at.astimezone(self.zone)
            begins = local.replace(tzinfo=None).time() == time.min
            return local.date() + timedelta(days=1 if later and not begins else 0)
        except OverflowError:
            return at.date()


_WORDS = {"to": "receivers", "purposes": "purposes", "parts": "types"}


def _named(p: Provision) -> dict[str, Sequence[object]]:
    return {"to": p.actors, "purposes": p.purposes, "parts": (*p.classes, *p.documents)}


def _all_of(translate: Callable[[Coding], tuple[str, ...]], listed: Sequence[Coding]) -> tuple[list[str], bool]:
    """(our codes, is one of theirs unknown?)"""
    found = [translate(each) for each in listed]
    return [ours for each in found for ours in each], () in found
