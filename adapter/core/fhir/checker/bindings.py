"""Codes: held against ValueSets that an element requires, where all their codes are known here.

Source: http://hl7.org/fhir/R4/terminologies.html#strength. A CodeableConcept meets a required binding with one coding.
"""

from __future__ import annotations

import re
from typing import Any

from adapter.core.fhir.checker.definitions import HL7, Codes, Definitions, Node
from adapter.core.fhir.checker.run import At, Check, Run

_MAX_VALUE_SET = HL7 + "elementdefinition-maxValueSet"
_LANGUAGES = "http://hl7.org/fhir/ValueSet/all-languages"
_MIMETYPES = "http://hl7.org/fhir/ValueSet/mimetypes"
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+",
    re.IGNORECASE,
)
"""http://www.rfc-editor.org/rfc/rfc5646 section 2.1, without its list of old irregular tags."""
NOT_IN = "has no code of the value set that this element requires"


def of(node: Node, code: str, definitions: Definitions) -> list[Check]:
    """The checks of an element's binding, for values of one of its types."""
    return [made for url in _urls(node) if (made := _bound(url, code, definitions))]


def words(node: Node, definitions: Definitions) -> frozenset[str] | None:
    """The codes that a primitive may be, where its element requires them and they are known."""
    if not required(node):
        return None
    allowed = codes(node, definitions)
    return None if allowed is None else frozenset(word for _, word in allowed)


def required(node: Node) -> bool:
    """Whether a code must be there with its value: an extension in its place has no code of the set."""
    return bool(node.element.get("binding", {}).get("strength") == "required")


def codes(node: Node, definitions: Definitions) -> Codes | None:
    """The codes that an element requires, where they are known."""
    return next((definitions.value_sets[url] for url in _urls(node) if url in definitions.value_sets), None)


def holds(value: Any, allowed: Codes) -> bool:
    """Whether a code, Coding, CodeableConcept, Quantity or CodeableReference has a code of the set."""
    if value.__class__ is str:
        return any(code == value for _, code in allowed)
    if value.__class__ is not dict:
        return False
    if "coding" in value:
        coding = value["coding"]
        return coding.__class__ is list and any(holds(each, allowed) for each in coding)
    if "concept" in value:
        return holds(value["concept"], allowed)
    system, code = value.get("system"), value.get("code")
    return system.__class__ is str and code.__class__ is str and (system, code) in allowed


def whole_systems(definitions: Definitions) -> Check:
    """A Coding of a code system that is here whole has one of its codes."""
    systems = definitions.code_systems

    def check(value: Any, at: At, run: Run) -> None:
        system = value.get("system")
        known = systems.get(system) if system.__class__ is str else None
        if known is not None and value.get("code").__class__ is str and value["code"] not in known:
            run.wrong_in(at, "code", "is no code of its code system")

    return check


def _urls(node: Node) -> list[str]:
    binding = node.element.get("binding")
    if not binding:
        return []
    found = [binding["valueSet"]] if binding.get("strength") == "required" and "valueSet" in binding else []
    for extension in binding.get("extension", ()):
        if extension.get("url") == _MAX_VALUE_SET:
            found.append(extension.get("valueCanonical") or extension.get("valueUri") or "")
    return [url.partition("|")[0] for url in found]


def _bound(url: str, code: str, definitions: Definitions) -> Check | None:
    if url == _LANGUAGES:
        return _language if code in ("code", "string", "uri") else None
    if url == _MIMETYPES:
        return None
    allowed = definitions.value_sets.get(url)
    if allowed is None:
        return None
    if code in ("code", "string", "uri", "url", "canonical", "id"):
        words = frozenset(word for _, word in allowed)

        def primitive(value: Any, at: At, run: Run) -> None:
            if value not in words:
                run.wrong(at, NOT_IN)

        return primitive
    if code not in ("Coding", "CodeableConcept", "Quantity", "CodeableReference", "Age", "Duration", "Money"):
        return None

    def coded(value: Any, at: At, run: Run) -> None:
        if not holds(value, allowed):
            run.wrong(at, NOT_IN)

    return coded


def _language(value: Any, at: At, run: Run) -> None:
    if not _LANGUAGE.fullmatch(value):
        run.wrong(at, "must be a language as in BCP 47: en, fr-CA")
