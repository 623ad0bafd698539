"""Text from a source that does not label topics reaches nobody until a person has read it (*Unreviewed text*)."""

from __future__ import annotations

import copy
import html
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter import wiring
from adapter.core import strict_json
from adapter.core.case import check
from adapter.core.consent.last_look import last_look
from adapter.core.consent.rulebook import TOPICS
from adapter.core.consent.texts import texts
from adapter.core.desired import Bench, Subject, desire
from adapter.core.keeping import carry, effective, rulebook_for
from adapter.core.schema import Group, Leaf, Listing, Node, records
from tests.core.consent.sensitive_sentences import SENTENCES

FIXTURES = Path(__file__).parents[3] / "fixtures"
NAMES = sorted(path.parent.name for path in FIXTURES.glob("*/case.json"))
NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
ALL = [sentence for each in SENTENCES.values() for sentence in each]
LABELS, RAW = "labels", "raw"


@cache
def bench() -> Bench:
    found = wiring.wire_without_instance().bench
    return replace(found, rulebook=replace(found.rulebook, sources={LABELS: True, RAW: False}))


PARTNERS = sorted(bench().rulebook.partners)


@cache
def _file(name: str) -> Any:
    return strict_json.parse((FIXTURES / name / "case.json").read_bytes())


def planted(name: str) -> Any:
    """The fixture with a sensitive sentence in place of every free text, nothing labelled, nothing reviewed, and a
    consent that permits each partner everything, every topic too; only `unreviewed` it does not name."""
    case = copy.deepcopy(_file(name))
    # Where the fixture before it stopped, so that each sentence has its turn.
    schemas = bench().rulebook.schemas
    earlier = (_file(each) for each in NAMES[: NAMES.index(name)])
    first = sum(t.name not in ("bytes", "link") for case in earlier for t in texts(case, schemas)) % len(ALL)
    sentences = itertools.cycle(ALL[first:] + ALL[:first])
    for collection, _, record in records(case):
        if collection != "consents":
            _plant(record, bench().rulebook.schemas.collections[collection], sentences)
    everything = {
        "id": "every",
        "status": "active",
        "granted_by": f"people/{_decider(case)}",
        "method": "signature",
        "signed_at": "2026-11-01",
        "period": {"start": "2026-11-01", "end": "2027-10-31"},
        "provisions": [
            {"id": "p", "effect": "permit", "to": "all", "purposes": "all", "parts": "all", "topics": list(TOPICS)}
        ],
    }
    for consent in case["consents"]:
        consent["status"] = "draft"
    case["consents"].append(everything)
    case["child"]["birth_date"] = "2018-03-14"
    for person in case["people"]:
        person.pop("shared", None)
    return case


def _decider(case: Any) -> str:
    for person in case["people"]:
        if person.get("decision_maker"):
            for ended in ("since", "until"):
                person.pop(ended, None)
            return str(person["id"])
    raise AssertionError("a fixture in which nobody may consent")


def _plant(entry: Any, node: Group, sentences: Iterator[str]) -> None:
    for field in ("topics", "reviewed", "topics_lifted"):
        entry.pop(field, None)
    for name, value in entry.items():
        sub: Node | None = node.fields.get(name)
        if isinstance(sub, Group):
            _plant(value, sub, sentences)
        elif isinstance(sub, Listing) and isinstance(sub.item, Group):
            for one in value:
                _plant(one, sub.item, sentences)
        else:
            leaf = sub.item if isinstance(sub, Listing) else sub
            if isinstance(leaf, Leaf) and leaf.text and name not in ("bytes", "link"):
                entry[name] = [next(sentences) for _ in value] if isinstance(value, list) else next(sentences)


def told(subject: Subject, partner: str) -> set[str]:
    """Which sentences stand anywhere in what the partner would receive, or in the view that it is made from."""
    desired = desire(bench(), subject, partner, NOW)
    made = [strict_json.load(strict_json.dump(m.resource)) for m in desired.made]
    whole = html.unescape(json.dumps([_plain(made), _plain(desired.view.case)], ensure_ascii=False, default=str))
    return {sentence for sentence in ALL if json.dumps(sentence, ensure_ascii=False)[1:-1] in whole}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def put(case: Any, source: str) -> Subject:
    return Subject.of(case["case"], case, carry({}, {}, case, NOW, source=source))


def test_there_are_two_hundred_sentences_on_all_twelve_topics_in_two_languages() -> None:
    """And no sentence twice, none too short to be found."""
    assert set(SENTENCES) == set(TOPICS)
    assert len(ALL) == len(set(ALL)) >= 200
    assert min(len(each) for each in SENTENCES.values()) >= 16
    assert all(len(sentence) > 24 for sentence in ALL)


@pytest.mark.parametrize("partner", PARTNERS)
def test_none_of_them_leaves_unreviewed_from_a_source_that_does_not_label(partner: str) -> None:
    """0 of 204, in every case of the fixtures, though the family permits this partner every part and every topic."""
    for name in NAMES:
        case = planted(name)
        assert check(case, bench().rulebook.schemas) == []
        assert told(put(case, RAW), partner) == set()


@pytest.mark.parametrize("partner", PARTNERS)
def test_nor_from_a_source_that_the_settings_do_not_know(partner: str) -> None:
    assert told(put(planted("ontario-csp"), "somebody-new"), partner) == set()


@pytest.mark.parametrize("partner", PARTNERS)
def test_from_a_source_that_labels_the_same_text_leaves(partner: str) -> None:
    """So that the tests above do not hold for another reason: here the same consent lets the sentences through."""
    found = set().union(*(told(put(planted(name), LABELS), partner) for name in NAMES))
    assert len(found) > 100


def test_all_sentences_were_planted_somewhere() -> None:
    planted_ones = {t.value for name in NAMES for t in texts(planted(name), bench().rulebook.schemas)}
    assert set(ALL) <= planted_ones


@pytest.mark.parametrize("partner", PARTNERS)
def test_the_last_look_withholds_it_too(partner: str) -> None:
    """By its own reading: bytes in which such a sentence stands do not leave; from a labelling source they may."""
    case = planted("ontario-csp")
    goal = case["goals"][0]
    payload = strict_json.dump({"resourceType": "Goal", "description": {"text": goal["title"]}})
    stops = {}
    for source in (RAW, LABELS):
        subject = put(case, source)
        stops[source] = last_look(
            payload,
            case=subject.case,
            kept=dict(subject.kept),
            rulebook=rulebook_for(bench().rulebook, subject.kept),
            partner=partner,
            now=NOW,
        )
    assert stops[RAW] is not None
    assert "/goals/0/title" in stops[RAW].paths
    assert stops[LABELS] is None


def test_only_the_record_of_the_source_that_does_not_label_waits() -> None:
    """One need put by another system: its text is withheld, and the rest of the case stays shared."""
    case = planted("ontario-csp")
    first = carry({}, {}, case, NOW, source=LABELS)
    changed = copy.deepcopy(case)
    need, other = changed["needs"][0], changed["needs"][1]
    need["text"], other_text = "He has been hearing voices at night.", other["text"]
    kept = carry(case, first, changed, NOW, source=RAW)
    view = desire(bench(), Subject.of("C", changed, kept), "lakeside", NOW).view.case
    shown = {n["id"]: n.get("text") for n in view["needs"]}
    assert need["id"] not in shown
    assert shown[other["id"]] == other_text


def test_handing_another_systems_text_on_does_not_label_it() -> None:
    """A system that labels reads a case and puts it back as it was: what the other wrote still waits."""
    case = planted("minimal")
    kept = carry({}, {}, case, NOW, source=RAW)
    again = carry(case, kept, copy.deepcopy(case), NOW, source=LABELS)
    assert told(Subject.of("C", case, again), "lakeside") == set()
    relabelled = copy.deepcopy(case)
    relabelled["goals"][0]["topics"] = ["mental-health"]
    labelled = carry(case, kept, relabelled, NOW, source=LABELS)
    assert told(Subject.of("C", relabelled, labelled), "lakeside") == {case["goals"][0]["title"]}


@pytest.mark.parametrize(
    ("default", "source", "waits"),
    [
        pytest.param(True, "", False, id="whoever names no source is trusted as the instance says: labelled"),
        pytest.param(False, "", True, id="whoever names no source is trusted as the instance says: not labelled"),
        pytest.param(False, LABELS, False, id="a source that labels, in an instance that otherwise does not"),
        pytest.param(True, RAW, True, id="a source that does not, in an instance that otherwise labels"),
        pytest.param(True, "gone", True, id="a source that was taken out of the settings"),
        pytest.param(False, "gone", True, id="a source that was taken out of the settings, of an instance of none"),
    ],
)
def test_whose_text_waits(default: bool, source: str, waits: bool) -> None:
    case = _file("minimal")
    kept = carry({}, {}, case, NOW, source=source)
    rulebook = rulebook_for(replace(bench().rulebook, labels_topics=default), kept)
    assert rulebook.labelled("goals/g1") is not waits
    assert effective(case, kept) == case
