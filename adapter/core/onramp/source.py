"""What a case system's own export becomes: one YAML file with the files it consists of, its codes, and a template.

`make` is FHIRPath Mapping Language and makes one case file; its input is one case of the export: of JSON the item that
`cases` finds, of CSV an object with the case's rows by file. Every mistake is found when the file is loaded, by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from adapter.core.mapping.environment import Env
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import Expression, compile_expression
from adapter.core.mapping.pieces import UnreadableError, block_of
from adapter.core.mapping.positions import Path, Positions, read_yaml
from adapter.core.mapping.reads import reads
from adapter.core.mapping.template import Template, compile_template
from adapter.core.onramp.places import Place, Places, Refusal
from adapter.core.onramp.tracing import Traced, plain
from adapter.core.schema import Group, Leaf, Listing, Node, Schemas
from adapter.errors import Finding, Misconfigured

_KEYS = ("title", "format", "cases", "case", "files", "codes", "complete", "make")
_FORMS = {"DD": r"(?P<day>\d{1,2})", "MM": r"(?P<month>\d{1,2})", "YYYY": r"(?P<year>\d{4})"}
_YES, _NO = frozenset({"yes", "y", "true", "1", "oui"}), frozenset({"no", "n", "false", "0", "non"})


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file of an export: its name, the column of the case's number, and the columns it must have."""

    file: str
    case: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """One case system's export. `tables` by the names that `make` reads; JSON has `cases` and `case` instead."""

    id: str
    title: str
    complete: bool
    tables: Mapping[str, Table]
    cases: Expression | None
    case: Expression | None
    codes: Mapping[str, Mapping[str, Any]]
    template: Template
    tells: frozenset[str]
    """The fields of a case file that `make` makes: what it does not speak of stays as it is."""


@dataclass(slots=True)
class Running:
    """What our functions know while one case is made: the source's codes; `refusals` is filled on the way."""

    codes: Mapping[str, Mapping[str, Any]]
    at: Place
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, item: Any, rule: str) -> None:
        self.refusals.append(Refusal(item.place if isinstance(item, Traced) else self.at, rule))


def make_case(source: Source, given: Any, at: Place) -> tuple[Any, Places, list[Refusal]]:
    """The case that one case of the export becomes, where its parts come from, and what is refused."""
    running, places = Running(source.codes, at), Places(at)
    try:
        made = source.template.render(given, {"source": source.id}, extra=running)
    except ExpressionError as wrong:
        where = f"{wrong.file}:{wrong.line}: " if wrong.line else ""
        return None, places, [Refusal(at, f"{where}{wrong.reason}")]
    if running.refusals:
        places.lost.add(())  # a template may have made less of anything
    return plain(made, places), places, running.refusals


def local(env: Env, items: list[Any], *tables: list[Any]) -> list[Any]:
    """`state.local('status')`: our code for theirs, by the source's own table; one without a line refuses the row."""
    running: Running = env.extra
    name = str(tables[0][0]) if tables and tables[0] else ""
    table, found = running.codes.get(name, {}), []
    for item in items:
        if str(item) in table:
            found.append(_placed(table[str(item)], item))
        else:
            running.refuse(item, f"holds a code that has no line in codes: {name}")
    return found


def dated(env: Env, items: list[Any], *forms: list[Any]) -> list[Any]:
    """`Born.dated('DD/MM/YYYY')`: a date as we write it, of one written in that form; any other refuses the row."""
    form = str(forms[0][0]) if forms and forms[0] else "YYYY-MM-DD"
    pattern = re.sub("DD|MM|YYYY", lambda m: _FORMS[m[0]], re.escape(form).replace(r"\-", "-"))
    found = []
    for item in items:
        match = re.fullmatch(pattern, str(item).strip(), re.ASCII)
        try:
            made = date(int(match["year"]), int(match["month"]), int(match["day"])) if match else None
        except (ValueError, IndexError):
            made = None
        if made is None:
            env.extra.refuse(item, f"must be a date in the form {form}")
        else:
            found.append(_placed(made.isoformat(), item))
    return found


def yes(env: Env, items: list[Any], *_: list[Any]) -> list[Any]:
    """`Guardian.yes()`: true or false of yes, no, y, n, 1, 0, oui, non; anything else refuses the row."""
    found: list[Any] = []
    for item in items:
        word = str(item).strip().lower()
        if word in _YES or word in _NO:
            found.append(word in _YES)
        else:
            env.extra.refuse(item, "must be yes or no")
    return found


FUNCTIONS = {"local": local, "dated": dated, "yes": yes}
"""What `make` may call besides FHIRPath's own."""


def _placed(value: Any, item: Any) -> Any:
    return Traced(value, item.place) if isinstance(value, str) and isinstance(item, Traced) else value


def load_source(text: str, *, id_: str, file: str, schemas: Schemas) -> Source:
    """Read a source's file; Misconfigured with a finding, file and line, for every problem in it."""
    documents = read_yaml(text, file)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise Misconfigured(f"{file} is no source", [Finding(file, 1, "one object with `format` and `make`")])
    loader = _Loader(documents[0].value, documents[0].positions, file)
    source = loader.load(id_, schemas)
    if loader.findings or source is None:
        raise Misconfigured(f"{file} is no source", sorted(set(loader.findings)))
    return source


class _Loader:
    def __init__(self, values: dict[str, Any], positions: Positions, file: str) -> None:
        self._values = values
        self._positions = positions
        self._file = file
        self.findings: list[Finding] = []

    def load(self, id_: str, schemas: Schemas) -> Source | None:
        for key in self._values:
            if key not in _KEYS:
                self._find((key,), f"`{key}` is no key of a source: they are {', '.join(_KEYS)}", key=True)
        title, form = self._values.get("title"), self._values.get("format")
        if not isinstance(title, str) or not title:
            self._find(("title",), "`title` says what this export is")
        if form not in ("json", "csv"):
            self._find(("format",), "`format` is json or csv")
        if not isinstance(complete := self._values.get("complete", False), bool):
            self._find(("complete",), "`complete` is true or false")
        csv = form == "csv"
        for key in ("cases", "case") if csv else ("files",):
            if key in self._values:
                self._find((key,), f"`{key}` does not belong to the format {form}", key=True)
        tables = self._tables() if csv else {}
        cases, case = (None, None) if csv else (self._expression("cases"), self._expression("case"))
        codes = self._codes()
        template = self._template(schemas, codes)
        if tables and isinstance(self._values.get("make"), dict):
            self._columns(self._values["make"], tables)
        if self.findings or template is None or not isinstance(complete, bool):
            return None
        return Source(id_, str(title), complete, tables, cases, case, codes, template, _told(self._values["make"]))

    def _tables(self) -> dict[str, Table]:
        given = self._values.get("files")
        if not isinstance(given, dict) or not given:
            self._find(("files",), "`files` names each CSV file: a name, and its file, case and columns")
            return {}
        tables = {}
        for name, entry in given.items():
            ok = isinstance(entry, dict) and set(entry) == {"file", "case", "columns"}
            columns = entry.get("columns") if ok else None
            if not ok or not isinstance(columns, list) or not all(isinstance(c, str) for c in columns):
                self._find(("files", name), f"{name}: needs file, case (a column) and columns (a list)", key=True)
            elif not str(entry["file"]).endswith(".csv") or "/" in str(entry["file"]):
                self._find(("files", name, "file"), f"{name}: file is the name of a .csv file in the folder")
            elif entry["case"] not in columns:
                self._find(("files", name, "case"), f"{name}: case must be one of its columns")
            else:
                tables[name] = Table(str(entry["file"]), str(entry["case"]), tuple(columns))
        return tables

    def _columns(self, body: Any, tables: Mapping[str, Table]) -> None:
        """A column that `make` reads and no file has, or that is listed and not read, was renamed in one place only."""
        shapes = {name: Group({column: Leaf("") for column in table.columns}) for name, table in tables.items()}
        whole = Group({name: Listing(shape) for name, shape in shapes.items()})
        read = reads(
            body,
            self._positions.below("make"),
            record=whole,
            variables={"source": Leaf("")},
            types=(),
            fields_of="file",
        )
        for line, column, reason in read.problems:
            self.findings.append(Finding(self._file, line, f"column {column}: {reason}"))
        for name, table in tables.items():
            for index, each in enumerate(table.columns):
                if each != table.case and (id(shapes[name]), each) not in read.read:
                    self._find(("files", name, "columns", index), f"{name}: make does not read the column {each}")

    def _expression(self, key: str) -> Expression | None:
        text = self._values.get(key)
        if not isinstance(text, str) or "{{" in text:
            self._find((key,), f"`{key}` is one FHIRPath expression, without braces")
            return None
        try:
            return compile_expression(text, variables=())
        except ExpressionError as error:
            line, column = self._positions.value((key,)).within(text, 0, error.line, error.column)
            self.findings.append(Finding(self._file, line, f"column {column}: {error.reason}"))
            return None

    def _codes(self) -> dict[str, dict[str, Any]]:
        given = self._values.get("codes", {})
        if not isinstance(given, dict) or not all(isinstance(table, dict) for table in given.values()):
            self._find(("codes",), "`codes` holds tables: a name, and our code for each of theirs")
            return {}
        for name, table in given.items():
            for code, ours in table.items():
                if isinstance(ours, dict | list) or ours is None:
                    self._find(("codes", name, code), f"{name} {code}: must be one code of ours", key=True)
        return given

    def _template(self, schemas: Schemas, codes: Mapping[str, Any]) -> Template | None:
        body = self._values.get("make")
        if not isinstance(body, dict):
            self._find(("make",), "`make` is missing: the case file that is made of one case of the export")
            return None
        self._fields(body, ("make",), _case_tree(schemas), schemas)
        for path, text in _strings(body, ("make",)):
            for name in re.findall(r"\.local\(\s*'([^']*)'\s*\)", text):
                if name not in codes:
                    self._find(path, f"local('{name}'): there is no such table under `codes`")
        try:
            return compile_template(
                body, name=self._file, positions=self._positions.below("make"), functions=FUNCTIONS,
                variables=("source",),
            )  # fmt: skip
        except Misconfigured as error:
            self.findings.extend(error.findings)
            return None

    def _fields(self, node: Any, path: Path, tree: Node | None, schemas: Schemas) -> None:
        """Each key that a template makes must be a field of the record schemas, and each constant a value of it."""
        if isinstance(node, list):
            for index, child in enumerate(node):
                inner = tree.item if isinstance(tree, Listing) else tree
                self._fields(child, (*path, index), inner, schemas)
        elif isinstance(node, dict):
            for key, child in node.items():
                kind = _kind(key)
                if kind == "assign" or not isinstance(key, str):
                    continue
                if kind != "field":
                    # A block makes what stands in its place: an entry of the list, or the object itself.
                    inner = tree.item if isinstance(tree, Listing) else tree
                    self._fields(child, (*path, key), inner, schemas)
                elif isinstance(tree, Group) and key not in tree.fields:
                    self._find((*path, key), f"no record schema has `{key}` here", key=True)
                elif isinstance(tree, Leaf):
                    self._find((*path, key), f"`{key}`: a single value is expected here, not an object", key=True)
                else:
                    self._fields(child, (*path, key), tree.fields[key] if isinstance(tree, Group) else None, schemas)

    def _find(self, path: Path, reason: str, *, key: bool = False) -> None:
        while path and not (place := self._positions.key(path) if key else self._positions.value(path)).line:
            path, key = path[:-1], False
        place = self._positions.key(path) if key else self._positions.value(path)
        column = f"column {place.column}: " if place.column else ""
        self.findings.append(Finding(self._file, place.line or 1, f"{column}{reason}"))


def _case_tree(schemas: Schemas) -> Group:
    """The whole case file as a tree: what `make` makes."""
    own = {name: Leaf("") for name in ("case", "program")}
    singular = schemas.files["case"]["properties"]
    return Group({
        **own,
        **{n: tree if "$ref" in singular.get(n, {}) else Listing(tree) for n, tree in schemas.collections.items()},
    })  # fmt: skip


def _told(node: Any) -> frozenset[str]:
    """The top-level fields of what `make` makes, those of its blocks too."""
    if isinstance(node, list):
        return frozenset().union(*map(_told, node))
    if not isinstance(node, dict):
        return frozenset()
    own = {key for key in node if _kind(key) == "field"}
    return frozenset(own).union(*(_told(node[key]) for key in node if _kind(key) in ("if", "else", "merge", "context")))


def _kind(key: str) -> str:
    try:
        return block_of(key).kind
    except UnreadableError:
        return "assign"  # told by the compiler


def _strings(node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, child in node.items():
            yield (*path, key), str(key)
            yield from _strings(child, (*path, key))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _strings(child, (*path, index))
