"""Whatever a partner sends, the inbox answers: published examples, and sets broken in every way."""

from __future__ import annotations

import json
import os
from collections import Counter
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import inbox as verb
from adapter import receive
from adapter.core import strict_json
from adapter.core.case import check
from adapter.core.fhir.search import PARAMETERS
from adapter.core.fhir.transaction import ALONE, Step
from adapter.core.inbox.adopting import adopted
from adapter.core.inbox.comparing import compared
from adapter.core.inbox.reading import with_decisions
from adapter.errors import AdapterError, Refused
from adapter.store import inbox as rows
from tests.core.consent.proofs.amounts import examples
from tests.core.inbound.home import every_leaf, using
from tests.core.inbound.test_examples import EXAMPLES, FILES, resource_of
from tests.core.inbound.test_hostile import broken, pool
from tests.inbox.conftest import PATIENT, Inbox
from tests.inbox.test_deciding import case_file, matched, say
from tests.inbox.test_items import items

GUIDES = sorted(path.name for path in EXAMPLES.glob("*") if path.is_dir())
LONG = () if os.environ.get("CSP_PROOFS") else ("fhir-r4-core", "eltss")
"""Guides with so many examples that they are gone through with CSP_PROOFS."""


def send(inbox: Inbox, resource: Any) -> str:
    """One resource as a partner puts it: "kept", or why it was refused at /fhir, with the elements named."""
    type_, id_ = resource.get("resourceType"), resource.get("id")
    if not isinstance(type_, str) or type_ not in PARAMETERS:
        return "of a type that is not taken"
    step = Step(ALONE, "PUT", type_, id_) if isinstance(id_, str) else Step(ALONE, "POST", type_)
    try:
        receive.interact(inbox.desk.store, inbox.world("riverside"), step, json.dumps(resource, default=float).encode())
    except AdapterError as error:
        assert error.status < 500
        assert error.problems or not isinstance(error, Refused)
        return type(error).__name__
    return "kept"


@pytest.mark.skipif(not FILES, reason="the published examples are not beside the repository")
@pytest.mark.parametrize("guide", [guide for guide in GUIDES if guide not in LONG])
def test_each_published_example_is_a_record_or_is_refused_with_its_element(inbox: Inbox, guide: str) -> None:
    """Put at /fhir until no more of them finds what it refers to; then each is in an item, mapped or with why not."""
    waiting = [resource_of(path) for path in FILES if path.parent.name == guide]
    kept: set[str] = set()
    while True:
        fates = [(each, send(inbox, each)) for each in waiting]
        kept |= {f"{each['resourceType']}/{each['id']}" for each, fate in fates if fate == "kept" and "id" in each}
        waiting = [each for each, fate in fates if fate == "Refused"]
        if not any(fate == "kept" for _, fate in fates) or not waiting:
            break
    became: Counter[str] = Counter()
    for row in items(inbox):
        found = verb.show(inbox.desk, row["id"])
        here = {each["resource"] for each in found["resources"]}
        records = {name for each in found["records"] for p in each["proposals"] for name in p["sources"]}
        refused = {each["resource"] for each in found["refused"]}
        assert all(each["element"] and each["rule"] for each in found["refused"])
        # What only adds to what is not there is told as a finding, or as the other half of a record.
        told = records | refused | {each["resource"] for each in found["findings"]}
        assert not {name for name in here - told if not name.startswith(("Provenance/", "Binary/"))}, row
        kept -= here
        became.update(name.split("/")[0] for name in records)
    assert kept == set(), "each is in some item"
    assert became


@examples(3)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_broken_the_item_is_answered_and_what_is_adopted_is_a_case(whole_inbox: Inbox, seed: int) -> None:
    """Sent, listed, read, matched, adopted: no internal error, and never a case that breaks its rules."""
    random = Random(seed)
    child = f"c{uuid4()}"
    patient = {**PATIENT, "id": child, "identifier": [{"system": "https://x.example", "value": child}]}
    whole_inbox.put(patient)
    for _ in range(6):
        resource = broken(random, random.choice(pool("R4")), softly=random.random() < 0.7)
        if isinstance(resource, dict) and resource.get("resourceType") != "Bundle":
            for name in ("subject", "patient", "for"):
                if name in resource:
                    resource[name] = {"reference": f"Patient/{child}"}
            try:
                send(whole_inbox, strict_json.parse(json.dumps(resource, default=str).encode()))
            except AdapterError:
                continue  # no JSON that anybody takes
    with whole_inbox.desk.store.reading() as tx:
        row = rows.of_subject(tx, "riverside", child)
    assert row is not None
    found = verb.show(whole_inbox.desk, row.id)
    number = f"N-{child}"
    try:
        say(whole_inbox, verb.open_case, row.id, {"case": number, "program": "wraparound"})
        say(whole_inbox, verb.adopt, row.id, {"all": True})
    except Refused as refused:
        assert refused.problems
    else:
        assert check(case_file(whole_inbox, number), whole_inbox.desk.catalogue.schemas) == []
    assert found["version"] > 0


@examples(6)
@given(seed=st.integers(0, 2**32))
def test_adopting_any_choice_changes_that_alone(whole_inbox: Inbox, seed: int) -> None:
    """Of the fixtures' records, sent by a partner and changed here: what was not chosen is as it was."""
    random, schemas = Random(seed), whole_inbox.desk.catalogue.schemas
    ours, theirs = every_leaf(), every_leaf()
    for case in (ours, theirs):
        for value in list(case.values()):
            for record in value if isinstance(value, list) else [value] if isinstance(value, dict) else []:
                for name in list(record):
                    if name != "id" and random.random() < 0.3:
                        record[name] = f"changed {random.random()}" if isinstance(record[name], str) else record[name]
                        if random.random() < 0.5:
                            del record[name]
    proposals = []
    for collection in ("child", "goals", "people", "care_plans", "care_teams", "referrals"):
        value = theirs.get(collection, [])
        for record in value if isinstance(value, list) else [value]:
            path = f"{collection}/{record['id']}" if "id" in record else collection
            proposals += compared(ours, path, record, schemas, ("X/1",)).proposals
    picked = [each for each in proposals if random.random() < 0.4]
    after = adopted(ours, picked, schemas)
    left = {each.path: each for each in proposals if each not in picked}
    again: dict[str, Any] = {}
    for collection in ("child", "goals", "people", "care_plans", "care_teams", "referrals"):
        value = theirs.get(collection, [])
        for record in value if isinstance(value, list) else [value]:
            path = f"{collection}/{record['id']}" if "id" in record else collection
            again |= {p.path: p for p in compared(after, path, record, schemas, ("X/1",)).proposals}
    assert {p: (e.theirs, e.ours, e.digest) for p, e in again.items()} == {
        p: (e.theirs, e.ours, e.digest) for p, e in left.items()
    }


def test_adopting_all_and_dismissing_all_are_whole(inbox: Inbox) -> None:
    item, _ = matched(inbox)
    assert say(inbox, verb.adopt, item, {"all": True}).state == "settled"
    assert say(inbox, verb.dismiss, item, {"all": True, "reason": "x"}).changed is False


@examples(10)
@given(st.lists(st.tuples(st.sampled_from(("title", "text", "due", "rank")), st.integers(0, 2)), max_size=4), st.data())
def test_what_was_dismissed_never_hides_what_was_changed_later(changes: Any, data: Any) -> None:
    """Whatever is left out, and whatever is said later: what was not seen before waits."""
    schemas = using().schemas
    ours = {"goals": [{"id": "g", "title": "0", "status": "active", "steps": [{"id": "s", "text": "0"}]}]}

    def said(values: Any) -> dict[str, Any]:
        theirs: dict[str, Any] = {"id": "g", "status": "active", "steps": [{"id": "s", "text": "0"}]}
        for name, number in values:
            if name == "text":
                theirs["steps"] = [{"id": f"s{number}", "text": str(number)}]
            else:
                theirs[name] = number if name == "rank" else str(number)
        return theirs

    before = compared(ours, "goals/g", said(changes), schemas, ("Goal/1",)).proposals
    left = [each for each in before if data.draw(st.booleans())]
    decisions = {each.path: {"what": "dismissed", "digest": each.digest} for each in left}
    later = said(data.draw(st.permutations([*changes, ("title", 2), ("rank", 1)])))
    after = with_decisions(compared(ours, "goals/g", later, schemas, ("Goal/1",)).proposals, decisions)
    seen = [(each.path, each.theirs) for each in left]
    assert all(bool(each.decided) == ((each.path, each.theirs) in seen) for each in after)
