"""By which names a child may be known both here and at a partner, and how much each of them proves.

The wrong child is the worst mistake that this software can make: only an identifier that both know, or one that we gave
out ourselves, tells whose child it is; a name and a birth date give a person something to look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from adapter.core.fhir.named import names_of
from adapter.core.identity import Identity, Key, normalised
from adapter.core.matching import speaks_nothing_against
from adapter.core.strict_json import digest

Proof = Literal["ours", "identifier", "name"]
"""`ours`: an identifier that we gave this partner; `identifier`: one that both know; `name`: name and birth date."""
_TEXTS = 200
"""Characters of a text that are looked at; and names that one Patient is looked up by."""


def of_case(number: str, case: Mapping[str, Any], identities: Iterable[Identity]) -> set[str]:
    """Every name by which the child of this case may be known elsewhere."""
    child = case.get("child", {})
    names = {
        _identifier(each["system"], each["value"])
        for each in child.get("identifiers", ())
        if each.get("system") and each.get("type") != "agency"
    }
    for identity in identities:
        names.add(_ours(identity.partner, identity.identifier(Key(number, "child", "Patient"))[1]))
    name = child.get("name", {})
    for given in name.get("given", ()):
        names |= _person(name.get("family"), given, child.get("birth_date"))
    return names


def of_patient(partner: str, system: str, patient: Mapping[str, Any]) -> dict[Proof, set[str]]:
    """The names of a partner's Patient. `system`: the one of our own identifiers."""
    found: dict[Proof, set[str]] = {"ours": set(), "identifier": set(), "name": set()}
    for of, value in list(names_of(patient))[:_TEXTS]:
        if not (isinstance(of, str) and isinstance(value, str) and of and value):
            continue
        if of == system:
            found["ours"].add(_ours(partner, value))
        else:
            found["identifier"].add(_identifier(of, value))
    given_names = patient.get("name")
    for each in given_names[:_TEXTS] if isinstance(given_names, list) else ():
        given = each.get("given") if isinstance(each, dict) else None
        for one in given[:_TEXTS] if isinstance(given, list) else ():
            found["name"] |= _person(each.get("family"), one, patient.get("birthDate"))
    return found


def shared(partner: str, systems: Iterable[str], patient: Mapping[str, Any]) -> set[str]:
    """Of its identifiers those of systems by which partner and agency both know a child, as the partner file says."""
    known = set(systems)
    return {
        _identifier(of, value) for of, value in names_of(patient) if of in known and isinstance(value, str) and value
    }


def doubt(case: Mapping[str, Any], patient: Mapping[str, Any], systems: Iterable[str]) -> str:
    """Why a Patient that was matched to this case may be another child now: "" where nothing speaks against it, else a
    digest of what does, to which a person's confirmation is bound."""
    child, known = case.get("child", {}), set(systems)
    ours = {(each.get("system"), each["value"]) for each in child.get("identifiers", ())}
    theirs = {(of, value) for of, value in names_of(patient) if isinstance(value, str) and of in known}
    others = any(
        {value for of, value in ours if of == system}.isdisjoint({value for of, value in theirs if of == system})
        for system in {of for of, _ in ours} & {of for of, _ in theirs}
    )
    born = child.get("birth_date")
    fits = not patient or speaks_nothing_against({"birthDate": born} if born else {}, patient)
    return "" if fits and not others else digest([patient.get("birthDate"), sorted(theirs), patient.get("active")])


def _identifier(system: str, value: str) -> str:
    return f"identifier {system}|{value}"


def _ours(partner: str, value: str) -> str:
    return f"ours {partner}|{value}"


def _person(family: Any, given: Any, born: Any) -> set[str]:
    if not (isinstance(family, str) and isinstance(given, str) and isinstance(born, str)):
        return set()
    words = normalised(family), normalised(given)
    return {f"person {'|'.join(words)}|{born}"} if all(words) and len(born) == 10 else set()
