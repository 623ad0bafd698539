"""Every mapping file of the repository makes of every record what `fpml` makes of it, with `fhirpathpy` beneath."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import fhirpathpy
import fpml
import pytest
from fhirpathpy.engine.nodes import ResourceNode

from adapter.core.mapping.bindings import FUNCTIONS
from adapter.core.mapping.mapping import VARIABLES
from adapter.core.mapping.positions import read_yaml
from adapter.core.mapping.resources import Mappings
from tests.core.mapping_files.views import ROOT, ROWS, fixtures, mapped, mappings, row, whole


class Theirs:
    """fpml with our four functions in fhirpathpy's table of user functions, and each expression compiled once."""

    def __init__(self) -> None:
        self._compiled: dict[str, Any] = {}
        self._env: Any = None
        self._table = {name: {"fn": self._called(name), "arity": self._arity(name)} for name in FUNCTIONS}
        # A fault of theirs (test_oracle.py): `sort` is in the grammar and raises "Not implemented".
        self._table["sort"] = {"fn": _sorted, "arity": {0: [], 1: ["Expr"]}}

    def render(self, body: Any, record: Any, variables: dict[str, Any], extra: Any) -> Any:
        self._env = type("Env", (), {"extra": extra})
        return fpml.resolve_template(record, body, variables, evaluate=self._evaluate)

    def _evaluate(self, resource: Any, expression: str, context: dict[str, Any]) -> list[Any]:
        if expression not in self._compiled:
            # A fault of theirs (test_oracle.py): `$this` has no meaning at the outermost level.
            written = f"select({expression})" if expression.startswith("$this") else expression
            self._compiled[expression] = fhirpathpy.compile(written, options={"userInvocationTable": self._table})
        return list(self._compiled[expression](resource, context))

    def _called(self, name: str) -> Callable[..., Any]:
        def call(inputs: list[Any], *arguments: Any) -> Any:
            plain = [i.data if isinstance(i, ResourceNode) else i for i in inputs]
            return FUNCTIONS[name](self._env, plain, *([a] for a in arguments))

        return call

    def _arity(self, name: str) -> dict[int, list[str]]:
        most = {"instant": 0, "reference": 4}.get(name, 1)
        return {number: ["String"] * number for number in range(most + 1)}


def _sorted(items: list[Any], by: Callable[[Any], Any] | None = None) -> list[Any]:
    def told(item: Any) -> Any:
        return item.data if isinstance(item, ResourceNode) else item

    return sorted(map(told, items), key=by and (lambda item: told(by(item)[0])))


@dataclass
class Both:
    """In the place of a template: ours and theirs, on the same record and variables."""

    ours: Any
    body: Any
    theirs: Theirs
    compared: Counter[str]

    def render(self, record: Any, variables: dict[str, Any], *, now: Any, extra: Any) -> Any:
        made = self.ours.render(record, variables, now=now, extra=extra)
        silent = replace(extra, findings=[])
        given = self.theirs.render(self.body, record, {name: variables[name] for name in VARIABLES}, silent)
        assert _compared(given) == _compared(made), self.ours.name
        self.compared[self.ours.name] += 1
        return made


@pytest.fixture(scope="module")
def compared() -> Counter[str]:
    return Counter()


@pytest.fixture(scope="module")
def both(compared: Counter[str]) -> Mappings:
    using, theirs = mappings(), Theirs()
    bodies: dict[str, list[Any]] = {}
    for path in sorted((ROOT / "mappings" / "r4").glob("*.yaml")):
        bodies[path.name] = [d.value["make"] for d in read_yaml(path.read_text("utf-8"), path.name)]
    files = []
    for mapping in using.mappings:
        name = mapping.template.name
        files.append(replace(mapping, template=Both(mapping.template, bodies[name].pop(0), theirs, compared)))
    return replace(using, mappings=tuple(files))


def test_every_mapping_file_makes_what_fpml_makes(both: Mappings, compared: Counter[str]) -> None:
    """On a record with all of its leaves for each file, and on every fixture."""
    for name in ROWS:
        mapped(row(name), both)
    for _, case in fixtures():
        mapped(whole(case), both)
    assert set(compared) == {mapping.template.ours.name for mapping in both.mappings}
    assert compared.total() > 500


def _compared(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _compared(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_compared(v) for v in value]
    return float(value) if isinstance(value, Decimal | float) else value
