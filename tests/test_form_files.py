"""A consent form that gives what is not there, or says it in one language only, is found in its file, on its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.catalogue import files_root
from adapter.catalogue.files import Found
from adapter.catalogue.forms import Known, read_forms
from adapter.catalogue.records import code_lists, read_schemas
from adapter.core.consent.forms import told

MAPPINGS = files_root() / "mappings"
FORM = """\
form: small
version: "1"
title: {en: A title, fr: Un titre}
intro: {en: An introduction, fr: Une introduction}
receivers: {en: They, fr: Eux}
purposes: [care-coordination]
purpose: {en: For this, fr: Pour cela}
always: {parts: [identity], en: The child, fr: L'enfant}
sections:
  - id: one
    title: {en: One, fr: Un}
    boxes:
      - id: plan
        en: The plan
        fr: Le plan
        gives:
          - {effect: permit, to: chosen, parts: [goals]}
      - {id: hiv, topic: hiv, en: HIV, fr: VIH}
      - id: reports
        initials: true
        en: Reports
        fr: Rapports
        gives:
          - effect: permit
            to: chosen
            parts: [documents]
            topics: [mental-health]
            records: [{of: documents, where: {type: [iep], originator/profession: [psychologist]}}]
      - {id: never, en: Never, fr: Jamais, gives: [{effect: deny, to: all, topics: [all]}]}
limits: {en: Limits, fr: Limites}
periods:
  - {id: year, months: 12, en: A year, fr: Un an}
  - {id: summer, until: "06-30", en: Until summer, fr: Jusqu'à l'été}
notices:
  - {en: Keep it, fr: Gardez-le}
"""


@pytest.fixture(scope="module")
def known() -> Known:
    schemas = read_schemas(MAPPINGS / "records", "mappings/records", Found())
    parts = yaml.safe_load((MAPPINGS / "parts.yaml").read_text("utf-8"))["parts"]
    lines = {"document-type": ["iep"], "profession": ["psychologist"]}
    return Known(parts, ["education"], schemas, code_lists(schemas), lines)


def findings(folder: Path, text: str, known: Known) -> list[str]:
    (folder / "small.yaml").write_text(text, encoding="utf-8")
    found = Found()
    read_forms(folder, "mappings/consents", found, known)
    return [str(finding) for finding in found.errors]


def test_a_form_that_is_right_is_read_whole(tmp_path: Path, known: Known) -> None:
    """Every key of the file is in what the API tells of it."""
    (tmp_path / "small.yaml").write_text(FORM, encoding="utf-8")
    found = Found()
    (form,) = read_forms(tmp_path, "mappings/consents", found, known).values()
    assert found.errors == []
    assert told(form) == _whole(yaml.safe_load(FORM))


def _whole(values: dict[str, Any]) -> dict[str, Any]:
    """The file, with what may be left out or be one word said in full."""
    for section in values["sections"]:
        for box in section["boxes"]:
            box["initials"] = box.get("initials", False) or "topic" in box
            for gift in box.get("gives", ()):
                gift["to"] = [gift["to"]]
    return {"columns": False, "notes": [], **values}


# Words of the file, what replaces them, the line and what must be told.
PLANTED = [
    pytest.param("parts: [goals]", "parts: [gaols]", 17, "gaols: is no part", id="a part that is not there"),
    pytest.param("parts: [goals]", "parts: [consents]", 17, "consents: is no part", id="the part that never leaves"),
    pytest.param("to: chosen, parts: [goals]", "to: chosen", 17, "a permit names its parts", id="a permit of no part"),
    pytest.param("topic: hiv", "topic: hvi", 18, "names no topic", id="a topic that is not there"),
    pytest.param("[mental-health]", "[moods]", 27, "moods: is no topic", id="a permit of no topic"),
    pytest.param("topics: [mental-health]", "topics: [all]", 27, "all: is no topic", id="a permit of all topics"),
    pytest.param("initials: true", "initials: false", 23, "needs initials", id="a sensitive report by a mere tick"),
    pytest.param("purposes: [care-coordination]", "purposes: [gossip]", 6, "gossip: is no purpose", id="a purpose"),
    pytest.param("purposes: [care-coordination]", "purposes: []", 6, "names what for", id="no purpose"),
    pytest.param("        fr: Le plan\n", "", 13, "has no words in fr", id="a box without French"),
    pytest.param("{en: One, fr: Un}", "{fr: Un}", 11, "title: has no words in en", id="a title without English"),
    pytest.param("{en: Keep it, fr: Gardez-le}", "{en: Keep it}", 35, "has no words in fr", id="a notice"),
    pytest.param("id: reports", "id: plan", 19, "plan: this id stands twice", id="an id twice"),
    pytest.param("id: plan", "id: always", 13, "id: must be", id="an id that is taken"),
    pytest.param("id: plan", "id: The Plan", 13, "id: must be", id="an id that is none"),
    pytest.param("to: all", "to: partners/lakeside", 29, "to must be", id="a partner by name"),
    pytest.param("to: all", "to: sectors/banking", 29, "to must be", id="a sector that is not there"),
    pytest.param("effect: deny", "effect: refuse", 29, "effect must be", id="an effect that is none"),
    pytest.param("to: all, topics: [all]", "to: all, records: [{of: documents, where: {type: [iep]}}]", 29,
                 "a denial cannot choose records", id="a denial that would miss what comes later"),
    pytest.param("of: documents", "of: papers", 28, "papers: is no collection", id="a collection"),
    pytest.param("type: [iep]", "kind: [iep]", 28, "kind: is no field", id="a field that is not there"),
    pytest.param("type: [iep]", "title: [iep]", 28, "must be a field of codes", id="a field of words"),
    pytest.param("type: [iep]", "type: [ipe]", 28, "no code ipe is known", id="a code that is not there"),
    pytest.param("originator/profession", "originator/trade", 28, "trade: is no field", id="a field further on"),
    pytest.param("{type: [iep], originator/profession: [psychologist]}", "{}", 28, "names the codes", id="any record"),
    pytest.param("months: 12", "months: twelve", 32, "months: must be", id="months in words"),
    pytest.param('"06-30"', '"06-31"', 33, "until: is no day", id="a day that is none"),
    pytest.param('until: "06-30"', 'until: "06-30", months: 3', 33, "or until a day", id="two ends"),
    pytest.param("form: small", "form: large", 1, "must be the name of the file", id="another name"),
    pytest.param('version: "1"', "version: 1.0", 2, "version: must be a text", id="a version that is a number"),
    pytest.param("limits: {en: Limits, fr: Limites}\n", "", 1, "limits: has no words", id="no room for limits"),
    pytest.param("notices:", "notice:", 34, "notice: is not known here", id="a key that is not known"),
    pytest.param("version:", "columns: true\nversion:", 30, "to must be chosen", id="never to all, in a column"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "instead", "line", "detail"), PLANTED)
def test_a_mistake_is_found_on_its_line(
    words: str, instead: str, line: int, detail: str, tmp_path: Path, known: Known
) -> None:
    assert FORM.count(words) >= 1
    found = findings(tmp_path, FORM.replace(words, instead, 1), known)
    assert any(each.startswith(f"mappings/consents/small.yaml:{line}: ") and detail in each for each in found), found
    assert len(found) < 4


@pytest.mark.parametrize("broken", ["sections: 3", "sections: [3]", "always: 3", "periods: [[]]", "notices: {}"])
def test_what_has_another_shape_is_told_and_not_tripped_over(broken: str, tmp_path: Path, known: Known) -> None:
    key = broken.split(":")[0]
    lines = [line for line in FORM.splitlines() if not line.startswith(f"{key}:")]
    assert findings(tmp_path, "\n".join([broken, *(line for line in lines if not line.startswith(" "))]), known)
