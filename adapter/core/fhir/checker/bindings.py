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
_WORDS = frozenset({"code", "string", "uri", "url", "canonical", "id"})
_CODED = frozenset({"Coding", "CodeableConcept", "Quantity", "CodeableReference", "Age", "Duration", "Money"})
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+",
    re.IGNORECASE,
)
"""http://www.rfc-editor.org/rfc/rfc5646 section 2.1, without its list of old irregular tags."""
NOT_IN = "has no code of the value set that this element requires"


def of(node: Node, code: str, definitions: Definitions) -> list[Check]:
    """The checks of an element's binding, for values of one of its types."""
    return [made for url, must in _urls(node) if (made := _bound(url, code, definitions, must=must))]


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
    return next((definitions.value_sets[url] for url, _ in _urls(node) if url in definitions.value_sets), None)


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


def _urls(node: Node) -> list[tuple[str, bool]]:
    """The ValueSets that a code must be of, and whether there must be a code. (A largest set only bounds what is.)"""
    binding = node.element.get("binding")
    if not binding:
        return []
    found = [(binding["valueSet"], True)] if required(node) and "valueSet" in binding else []
    for extension in binding.get("extension", ()):
        if extension.get("url") == _MAX_VALUE_SET:
            found.append((extension.get("valueCanonical") or extension.get("valueUri") or "", False))
    return [(url.partition("|")[0], must) for url, must in found]


def _bound(url: str, code: str, definitions: Definitions, *, must: bool) -> Check | None:
    is_language = url == _LANGUAGES
    allowed = definitions.value_sets.get(url)
    if allowed is None and not is_language:
        return None
    if code in _WORDS:
        if allowed is None:
            return _language
        words = frozenset(word for _, word in allowed)

        def primitive(value: Any, at: At, run: Run) -> None:
            if value not in words:
                run.wrong(at, NOT_IN)

        return primitive
    if code not in _CODED:
        return None

    def coded(value: Any, at: At, run: Run) -> None:
        if not must and not _codes_in(value):
            return
        if not (any(map(_is_language, _codes_in(value))) if allowed is None else holds(value, allowed)):
            run.wrong(at, NOT_IN)

    return coded


def _codes_in(value: Any) -> list[dict[str, Any]]:
    """The codings of a CodeableConcept, CodeableReference or Coding."""
    if value.__class__ is not dict:
        return []
    if "concept" in value:
        return _codes_in(value["concept"])
    coding = value.get("coding", [value] if "code" in value else [])
    return [each for each in coding if each.__class__ is dict] if coding.__class__ is list else []


def _is_language(coding: dict[str, Any]) -> bool:
    code = coding.get("code")
    return coding.get("system") == "urn:ietf:bcp:47" and isinstance(code, str) and bool(_LANGUAGE.fullmatch(code))


def _language(value: Any, at: At, run: Run) -> None:
    if not _LANGUAGE.fullmatch(value):
        run.wrong(at, "must be a language as in BCP 47: en, fr-CA")
