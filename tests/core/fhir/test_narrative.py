"""Generated text: safe XHTML that says what the resource says, and no more."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.fhir.narrative import narrative

ALLOWED = {"div", "h3", "p", "b", "br"}


@given(text=st.text(), language=st.sampled_from(["en", "fr"]))
def test_any_text_gives_well_formed_xhtml_of_our_own_tags_only(text: str, language: str) -> None:
    """Markup in a family's words is shown, never obeyed (FHIR txt-1)."""
    made = narrative(
        {"resourceType": "Goal", "description": {"text": text}, "note": [{"text": text}]}, language=language
    )
    root = ElementTree.fromstring(made["div"])  # noqa: S314
    names = {element.tag.removeprefix("{http://www.w3.org/1999/xhtml}") for element in root.iter()}
    assert made["status"] == "generated" and names <= ALLOWED


def test_markup_is_escaped_and_lines_are_kept() -> None:
    """The words as they were written."""
    div = narrative({"resourceType": "Task", "description": "<script>x</script> & wait\nthen go"})["div"]
    assert "&lt;script&gt;x&lt;/script&gt; &amp; wait<br/>then go" in div


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        pytest.param({"name": [{"given": ["Ama"], "family": "Example"}]}, "Ama Example", id="a name"),
        pytest.param(
            {"period": {"start": "2026-01-01", "end": "2026-02-01"}}, "2026-01-01 – 2026-02-01", id="a period"
        ),
        pytest.param(
            {"code": {"coding": [{"display": "Speech"}], "text": "Talking"}}, "Talking", id="text before display"
        ),
        pytest.param({"quantityQuantity": {"value": 1.5, "unit": "h"}}, "1.5 h", id="a quantity"),
        pytest.param(
            {"extension": [{"url": "https://x.example/csp-tier", "valuePositiveInt": 3}]}, "Tier: 3", id="an extension"
        ),
        pytest.param({"note": [{"text": "Well", "time": "2026-03-04"}]}, "2026-03-04: Well", id="a dated note"),
    ],
)
def test_what_is_told(resource: dict[str, Any], words: str) -> None:
    """Each kind of element in words."""
    assert words in narrative({"resourceType": "Goal"} | resource)["div"]


def test_what_only_machines_read_is_not_told() -> None:
    """Links, identifiers and labels."""
    urn = "urn:uuid:00000000-0000-4000-8000-000000000000"
    resource = {
        "resourceType": "Goal",
        "meta": {"profile": ["https://profile.example"]},
        "identifier": [{"value": "opaque"}],
        "subject": {"reference": urn},
    }
    div = narrative(resource)["div"]
    assert not any(word in div for word in ("urn:", "opaque", "profile.example"))


def test_french_has_its_own_labels() -> None:
    """By the plan's language."""
    made = narrative({"resourceType": "CarePlan", "title": "Le plan de Lili"}, language="fr")["div"]
    assert 'lang="fr"' in made and "Plan de services" in made and "<b>Titre</b>" in made
