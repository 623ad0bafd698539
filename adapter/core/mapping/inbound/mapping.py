"""Inbound mapping files: our small wrapper (`from`, `when`, `make`, `record`, …) around a template of a record.

Source: docs/mapping.md, *Inbound files*. A file may hold several documents, each one mapping. Everything that is wrong
is found when the file is loaded, with its line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.mapping.environment import Function
from adapter.core.mapping.fhirpath import Expression
from adapter.core.mapping.inbound.elements import elements_of, first_path
from adapter.core.mapping.inbound.fit import followed
from adapter.core.mapping.positions import Document, Path, read_yaml
from adapter.core.mapping.reading import Reading
from adapter.core.mapping.template import Template
from adapter.errors import Finding, Misconfigured

VARIABLES = frozenset({"resource", "release"})
_KEYS = ("from", "when", "make", "with", "into", "match", "record")
_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_MAKE = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*){0,2}")


@dataclass(frozen=True)
class InboundMapping:
    """What a resource of one type becomes: a record, fields of a record that another resource makes, or entries of one.

    `make`: `goals`, `child`, `case`; or the list of entries, `goals.steps`, `care_plans.transitions.steps`. `with_`:
    the resource whose record takes these fields. `into`: the resource whose record takes the entry; `match`: what the
    entry between them is known by. `elements`: for a field of the record the element of FHIR that it is read from, to
    name it by.
    """

    name: str
    file: str
    line: int
    from_: str
    when: Expression | None
    make: str
    with_: Expression | None
    into: Expression | None
    match: Template | None
    record: Template
    elements: Mapping[tuple[str, ...], str]
    looked_at: str
    """The element that `when` reads first: what is named where no mapping takes a resource."""
    leads: str
    """The element that `with` or `into` reads first: what is named where it leads to nothing."""

    @property
    def collection(self) -> str:
        return self.make.partition(".")[0]

    @property
    def makes(self) -> bool:
        """Does it make records, and not add to those that others make?"""
        return self.with_ is None and self.into is None


def load_inbound(
    text: str,
    *,
    file: str,
    functions: Mapping[str, Function],
    types: Collection[str],
    files: Mapping[str, Mapping[str, Any]],
) -> tuple[InboundMapping, ...]:
    """The mappings of one file; Misconfigured with a finding, file and line, for every problem in it.

    `types`: of resources that may come in. `files`: collection → record schema: a field must be one of its fields.
    """
    documents = [d for d in read_yaml(text, file) if d.value is not None]
    if not documents:
        raise Misconfigured(f"{file} holds no mapping", [Finding(file, 1, "there is no mapping in this file")])
    findings: list[Finding] = []
    stem = file.rpartition("/")[2].removesuffix(".yaml")
    found = [_Loader(d, file, findings, functions, types, files).load(stem) for d in documents]
    if findings:
        raise Misconfigured(f"{file} is no inbound mapping", sorted(findings))
    return tuple(m for m in found if m is not None)


class _Loader(Reading):
    def __init__(
        self,
        document: Document,
        file: str,
        findings: list[Finding],
        functions: Mapping[str, Function],
        types: Collection[str],
        files: Mapping[str, Mapping[str, Any]],
    ) -> None:
        super().__init__(document, file, findings, functions, VARIABLES)
        self._types = types
        self._files = files

    def load(self, stem: str) -> InboundMapping | None:
        before = len(self.findings)
        if not isinstance(self.value, dict):
            self.find((), "an inbound mapping is an object with `from`, `make` and `record`")
            return None
        for key in self.value:
            if key not in _KEYS:
                self.find_key((key,), f"`{key}` is no key of an inbound mapping: they are {', '.join(_KEYS)}")
        from_ = self.text("from", _TYPE, "a type of resource, such as Goal")
        if from_ and from_ not in self._types:
            self.find(("from",), f"`{from_}` is no type that is exchanged here")
        if from_ == "Consent":
            self.find(("from",), "Consents are read by docs/consents.md, never by a mapping file")
        make = self.text("make", _MAKE, "`child`, `case`, a collection, or a list of its entries (goals.steps)")
        expressions = {key: self.expression(key) for key in ("when", "with", "into")}
        self._check_kind(make)
        if make and (schema := self._schema(make)) is not None:
            self._check_fields(self.value.get("record"), ("record",), schema, self._files[make.partition(".")[0]])
        record = self._template("record", required=True)
        match = self._template("match")
        if len(self.findings) > before or record is None:
            return None
        return InboundMapping(
            name=stem,
            file=self.file,
            line=self.positions.key(("from",)).line,
            from_=from_,
            when=expressions["when"],
            make=make,
            with_=expressions["with"],
            into=expressions["into"],
            match=match,
            record=record,
            elements=elements_of(self.value["record"]),
            looked_at=self._first_path("when"),
            leads=self._first_path("with") or self._first_path("into"),
        )

    def _first_path(self, key: str) -> str:
        return first_path(self.value.get(key, "")).removeprefix("%").removeprefix(".")

    def _check_kind(self, make: str) -> None:
        depth = make.count(".")
        if depth and "into" not in self.value:
            self.find(("make",), "entries go into a record: say `into`, the resource that makes it")
        if not depth and "into" in self.value:
            self.find_key(("into",), "`into` is for entries (goals.steps)")
        if depth and "with" in self.value:
            self.find_key(("with",), "`with` is for records; an entry has `into`")
        if (depth == 2) != ("match" in self.value):
            self.find(("make",), "`match` tells the entry between, where there is one (care_plans.transitions.steps)")

    def _schema(self, make: str) -> Mapping[str, Any] | None:
        """The schema of what is made: of a record, or of an entry in its lists."""
        collection, *lists = make.split(".")
        root = self._files.get(collection)
        found: Any = root
        for name in lists:
            found = followed(found, root).get("properties", {}).get(name, {}).get("items") if found and root else None
        if found is None:
            self.find(("make",), f"no record schema has {make}")
        return found if isinstance(found, Mapping) else None

    def _check_fields(self, node: Any, path: Path, schema: Mapping[str, Any], root: Mapping[str, Any]) -> None:
        """Each key of a template that is no block is a field of the schema."""
        if isinstance(node, list):
            for index, each in enumerate(node):
                self._check_fields(each, (*path, index), schema, root)
        if not isinstance(node, dict):
            return
        schema = followed(schema, root)
        inner = followed(schema["items"], root) if "items" in schema else schema
        for key, child in node.items():
            here = (*path, key)
            if key.startswith("{%") and "assign" in key:
                continue
            if key.startswith("{"):
                self._check_fields(child, here, inner, root)
            elif key not in inner.get("properties", {}):
                self.find_key(here, f"`{key}` is no field of mappings/records: records would be refused")
            else:
                self._check_fields(child, here, inner["properties"][key], root)

    def _template(self, key: str, *, required: bool = False) -> Template | None:
        body = self.value.get(key)
        if body is None and not required:
            return None
        if not isinstance(body, dict):
            self.find((key,) if key in self.value else (), f"`{key}` is missing: the fields of the record")
            return None
        if "id" in body:
            self.find_key((key, "id"), "a mapping gives no `id`: it is given by rule")
        return self.template(key)
