"""Holds what mapping files and programs read against the record schemas, and what is made against FHIR: for `adapter
check`.

A field that no schema has is nothing to FHIRPath, and would silently not be sent; an element that FHIR does not have
would stop the share when our own check finds it, a case too late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fhirpathpy.models import models

from adapter.catalogue.files import Found
from adapter.catalogue.records import CodeList
from adapter.catalogue.rules import EVERY_PROGRAM
from adapter.core.fhir.checker import Definitions
from adapter.core.mapping.codes import ConceptMap
from adapter.core.mapping.constants import wrong_codes
from adapter.core.mapping.elements import Model
from adapter.core.mapping.positions import Document, read_yaml
from adapter.core.mapping.reads import elements, reads, shape_of
from adapter.core.mapping.resources import PROFILES
from adapter.core.programs import written
from adapter.core.schema import SINGULAR, Group, Leaf, Listing, Node, Schemas
from adapter.errors import Finding, Misconfigured


def check_reads(
    folder: Path,
    name: str,
    schemas: Schemas,
    lists: Mapping[str, CodeList],
    codes: Mapping[str, ConceptMap],
    found: Found,
) -> None:
    """Remarks for each field, element, type and translation of a mapping file that cannot be. `name`: `mappings/r4`."""
    model = Model(models[name.rpartition("/")[2]])
    case = _case(schemas)
    for path in sorted(folder.glob("*.yaml")):
        file = f"{name}/{path.name}"
        for document in _documents(path, file):
            found.remarks.extend(_found(document, file, case, schemas, lists, codes, model))


def check_constants(folder: Path, name: str, definitions: Definitions, found: Found) -> None:
    """Remarks for each code that a mapping file writes out and its element, by its profile, may not have."""
    for path in sorted(folder.glob("*.yaml")):
        file = f"{name}/{path.name}"
        for document in _documents(path, file):
            make = document.value.get("make") if isinstance(document.value, dict) else None
            for place, detail in (
                wrong_codes(make, f"{PROFILES}csp-{path.stem}", definitions) if isinstance(make, dict) else ()
            ):
                at = document.positions.below("make").value(place)
                found.remarks.append(Finding(file, at.line, f"column {at.column}: {detail}"))


def check_programs(folder: Path, name: str, schemas: Schemas, found: Found) -> None:
    """Remarks for each field that a program's rule reads and no record schema has: it would ask for ever, or never."""
    case = _case(schemas)
    case.fields["consents"] = Listing(schemas.collections["consents"])
    for path in (folder.parent / EVERY_PROGRAM, *sorted(folder.glob("*.yaml"))):
        file = f"mappings/{EVERY_PROGRAM}" if path.name == EVERY_PROGRAM else f"{name}/{path.name}"
        for document in _documents(path, file):
            variables: dict[str, Node | None] = {"case": case, "child": schemas.collections["child"]}
            for each in written(document):
                record = _shape(each.each, case, schemas, schemas.collections["consents"])
                parent = _shape(each.each.rpartition(".")[0], case, schemas) if "." in each.each else None
                known = {**variables, "record": record, "parent": parent}
                read = reads(
                    {}, document.positions, record=record, variables=known, types=(), when=(each.text, each.place)
                )
                found.remarks.extend(
                    Finding(file, line, f"column {column}: {reason}" if column else reason)
                    for line, column, reason in read.problems
                )
                if each.name:
                    variables[each.name] = shape_of(each.text, record=record, variables=known)


def _documents(path: Path, file: str) -> Sequence[Document]:
    """What stands in a file; nothing where that cannot be read: it was told when the files were read."""
    try:
        return read_yaml(path.read_text(encoding="utf-8"), file)
    except (Misconfigured, OSError, UnicodeDecodeError):
        return ()


def _found(
    document: Document, file: str, case: Group, schemas: Schemas, lists: Mapping[str, CodeList],
    codes: Mapping[str, ConceptMap], model: Model,
) -> list[Finding]:  # fmt: skip
    values = document.value if isinstance(document.value, dict) else {}
    each, make = values.get("each"), values.get("make")
    if not isinstance(each, str) or not isinstance(make, dict) or not isinstance(make.get("resourceType"), str):
        return []
    positions = document.positions.below("make")
    record = _shape(each, case, schemas)
    variables: dict[str, Node | None] = {
        "record": record,
        "parent": _shape(each.rpartition(".")[0], case, schemas) if "." in each else None,
        "child": schemas.collections["child"],
        "case": case,
    }
    when = values.get("when")
    condition = (when, document.positions.value(("when",))) if isinstance(when, str) else None
    read = reads(make, positions, record=record, variables=variables, types=model.names, when=condition)
    wrong = [*read.problems, *elements(make, positions, model, make["resourceType"])]
    for use in read.translated:
        code_list, map_ = lists.get(use.leaf.codes), codes.get(use.map)
        if code_list is None or code_list.open or map_ is None:
            continue
        if missing := sorted(code for code in code_list.codes if map_.translate(code) is None):
            detail = f"'{use.map}' has no line for {', '.join(missing)}, which this field can hold"
            wrong.append((use.line, use.column, detail))
    return [Finding(file, line, f"column {column}: {reason}" if column else reason) for line, column, reason in wrong]


def _case(schemas: Schemas) -> Group:
    """What `%case` is: every collection but the consents, of which a view has one that is computed."""
    trees = {name: tree if name in SINGULAR else Listing(tree) for name, tree in schemas.collections.items()}
    return Group({**{name: tree for name, tree in trees.items() if name != "consents"}, "program": Leaf("")})


def _shape(each: str, case: Group, schemas: Schemas, consents: Node | None = None) -> Node | None:
    """What one record is that a mapping goes through; None where that is not known. `consents`: what one of them is."""
    if each == "case":
        return case
    name, *rest = each.split(".")
    shape: Node | None = schemas.collections.get(name) if name != "consents" else consents
    for step in rest:
        shape = shape.fields.get(step) if isinstance(shape, Group) else None
        while isinstance(shape, Listing):
            shape = shape.item
    return shape
