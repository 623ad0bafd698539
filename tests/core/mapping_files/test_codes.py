"""ConceptMaps: every closed code has a line, and a wrong map is refused with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapter.core.mapping.bindings import Binding, concept, instant
from adapter.core.mapping.codes import Translation, load_concept_map
from adapter.errors import Misconfigured
from tests.core.mapping_files.views import ROOT, mappings

CODES = mappings().codes


def coded(schema: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(map, closed codes) of every leaf of a schema with `x-codes`."""
    if isinstance(schema, dict):
        if "x-codes" in schema:
            yield schema["x-codes"], tuple(schema.get("enum", ()))
        for child in schema.values():
            yield from coded(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from coded(child)


def test_every_code_list_of_the_schemas_has_a_map_and_every_closed_code_a_line() -> None:
    """A new code in a schema fails here until someone says what it means to others."""
    seen = 0
    for file in (ROOT / "mappings" / "records").glob("*.schema.json"):
        for name, codes in coded(json.loads(file.read_text("utf-8"))):
            assert name in CODES, (file.name, name)
            assert [c for c in codes if CODES[name].translate(c) is None] == [], (file.name, name)
            seen += 1
    assert seen > 40


@pytest.mark.parametrize(
    "name",
    [
        "gender", "telecom-system", "telecom-use", "enrolment-status", "plan-status", "service-status",
        "referral-status",
        "referral-task-status", "referral-priority", "step-status", "team-status", "goal-status", "goal-acceptance",
    ],
)  # fmt: skip
def test_maps_for_code_elements_are_total(name: str) -> None:
    """`code('…')` fills required bindings: each line gives a code."""
    assert CODES[name].missing(CODES[name].translations) == ()


def test_no_translation_is_a_code_without_a_system() -> None:
    """exchange.md: never a code without a system."""
    for map_ in CODES.values():
        for translation in map_.translations.values():
            assert all(system and code for system, code, _ in translation.codings)
            assert translation.codings or map_.name == "goal-achievement"


def written(*elements: str, target: str = "https://x.example") -> str:
    """A map of one group, an element a line."""
    lines = ",\n".join(elements)
    return (
        f'{{"resourceType": "ConceptMap", "name": "x", "group": [{{"target": "{target}", "element": [\n{lines}\n]}}]}}'
    )


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        pytest.param("{", 1, "JSON", id="not JSON"),
        pytest.param('{"resourceType": "ValueSet", "name": "x"}', 1, "ConceptMap", id="another resource"),
        pytest.param(written('{"code": "a"}'), 2, "no target", id="a code without a target"),
        pytest.param(
            written('{"code": "a", "target": [{"display": "A"}]}'), 2, "no code", id="a target without a code"
        ),
        pytest.param(
            written('{"code": "a", "target": [{"code": "b"}]}', '{"code": "a", "target": [{"code": "c"}]}'),
            3,
            "twice",
            id="twice",
        ),
        pytest.param(
            written('{"code": "a", "target": [{"code": "b", "equivalence": "same"}]}'), 2, "no equivalence", id="a word"
        ),
        pytest.param(written('{"code": "a", "target": "b"}'), 2, "list of objects", id="a target that is no list"),
        pytest.param(written('{"code": "a", "target": [{"code": "b"}]}', target="b"), 1, "URI", id="a system's name"),
        pytest.param(written('{"code": "a", "target": [{"code": "b"}]}', target=""), 2, "no system", id="no system"),
    ],
)
def test_a_wrong_map_is_refused_with_its_line(text: str, line: int, word: str) -> None:
    """What `adapter check` prints."""
    with pytest.raises(Misconfigured) as refused:
        load_concept_map(text, file="x.json")
    assert [(f.file, f.line) for f in refused.value.findings] == [("x.json", line)]
    assert word in refused.value.findings[0].detail


def test_unmatched_is_known_and_has_no_code() -> None:
    """Words go out, nothing is reported."""
    map_ = load_concept_map(
        written('{"code": "a", "display": "A", "target": [{"equivalence": "unmatched"}]}'), file="x.json"
    )
    assert map_.translate("a") == Translation((), "A") and map_.missing(["a"]) == ("a",)


class Env:
    """As much of an evaluation as the functions read."""

    def __init__(self) -> None:
        self.extra = Binding("goals/g1", {}, CODES, "en")


def test_ranks_beyond_the_list_have_the_map_s_own_answer() -> None:
    """ConceptMap.group.unmapped, mode fixed."""
    (priority,) = concept(Env(), [17], ["goal-priority"])
    assert priority["coding"][0]["code"] == "low-priority"


@pytest.mark.parametrize(
    ("given", "out"),
    [
        pytest.param("2026-09-01", "2026-09-01", id="a day stays a day"),
        pytest.param("2026-09-01T23:30:00-04:00", "2026-09-02T03:30:00Z", id="an instant goes out in UTC"),
        pytest.param("2026-09-01T10:00:00.250Z", "2026-09-01T10:00:00Z", id="to the second"),
        pytest.param("2026-09-01T10:00:00", "2026-09-01", id="a time without an offset is only certain to the day"),
    ],
)
def test_instants(given: str, out: str) -> None:
    """design.md section 5: dates are whole days; instants go out in UTC."""
    assert instant(Env(), [given]) == [out]
