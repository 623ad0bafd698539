"""docs/mapping.md, *Inbound files*: its example runs, and its tables name every key and every function."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from adapter.core.fhir.models import TYPES
from adapter.core.mapping.inbound import FUNCTIONS, Inbound, load_inbound, records
from adapter.core.mapping.inbound.mapping import _KEYS
from adapter.errors import Misconfigured
from tests.core.inbound.home import sender, using
from tests.core.mapping_files.views import ROOT

TEXT = (ROOT / "docs" / "mapping.md").read_text("utf-8").partition("## Inbound files")[2]
EXAMPLE = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[0]


def load(text: str) -> tuple[object, ...]:
    return load_inbound(text, file="example.yaml", functions=FUNCTIONS, types=TYPES, files=using().schemas.files)


def test_the_example_makes_the_record_that_it_looks_like() -> None:
    found = using()
    only = Inbound.of("R4", load(EXAMPLE), found.codes, found.schemas)  # type: ignore[arg-type]
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Ask for a break"},
        "subject": {"display": "Ama"},
        "target": [{"dueDate": "2027-03-31"}],
        "category": [
            {"coding": [{"system": "https://csp-adapter.example/CodeSystem/domain", "code": "communication"}]}
        ],
    }
    received = records([goal], only, sender(now=datetime(2026, 11, 20, tzinfo=UTC)))
    (made,) = received.records
    assert {k: v for k, v in made.record.items() if k != "id"} == {
        "title": "Ask for a break",
        "status": "active",
        "domain": "communication",
        "due": "2027-03-31",
    }
    assert not received.refused


def test_the_tables_name_every_key_and_every_function() -> None:
    assert {*re.findall(r"^\| `([a-z]+)` \|", TEXT, re.MULTILINE)} == set(_KEYS)
    assert set(FUNCTIONS) <= {*re.findall(r"\b([a-z]+)\(", TEXT)}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param("make: goals", "make: goals\nwith: focus\ninto: focus", "`into` is for entries", id="both"),
        pytest.param("make: goals", "make: care_plans.transitions.steps\ninto: focus", "`match` tells", id="no match"),
        pytest.param("make: goals", "make: goals\nmatch: {rank: 1}", "`match` tells", id="a match of nothing"),
        pytest.param("make: goals", "make: goals.steps\nwith: focus", "say `into`", id="an entry with"),
        pytest.param("record:", "record:\n  id: x", "a mapping gives no `id`", id="an id"),
        pytest.param("record:", "records:", "`record` is missing", id="no record"),
        pytest.param("from: Goal", "form: Goal", "`from` is missing", id="no type"),
        pytest.param("%", "%", "", id="nothing wrong"),
        pytest.param(" != 'entered-in-error'", " != %record.status", "there is no variable %record", id="a variable"),
        pytest.param("target.first()", "target.frist()", "there is no function `frist`", id="a function"),
    ],
)
def test_a_wrong_wrapper_is_refused_with_its_line(before: str, after: str, told: str) -> None:
    if not told:
        assert load(EXAMPLE)
        return
    assert before in EXAMPLE
    with pytest.raises(Misconfigured) as wrong:
        load(EXAMPLE.replace(before, after, 1))
    assert [f for f in wrong.value.findings if told in f.detail and f.line > 0], wrong.value.findings


def test_a_file_without_a_mapping_is_refused() -> None:
    with pytest.raises(Misconfigured):
        load("# nothing\n")
