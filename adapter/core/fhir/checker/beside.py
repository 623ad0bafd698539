"""What stands beside a primitive, in `_name`: ids and extensions (http://hl7.org/fhir/R4/json.html#primitive)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapter.core.fhir.checker import bindings, fields
from adapter.core.fhir.checker.definitions import Node
from adapter.core.fhir.checker.primitives import PRIMITIVES
from adapter.core.fhir.checker.run import At, Member, Run

if TYPE_CHECKING:
    from adapter.core.fhir.checker.shapes import Shapes


def beside_of(shapes: Shapes, node: Node, code: str, key: str) -> Member:
    """The check of `_name`: ids and extensions of a primitive (http://hl7.org/fhir/R4/json.html#primitive)."""
    called = (node.path, code)
    many = node.is_list
    coded = bindings.required(node)
    element = node.path.rpartition(".")[2].removesuffix("[x]")
    fixed = any(name.startswith("fixed") for name in node.element)

    def one(item: Any, at: At, run: Run, *, valued: bool) -> None:
        if valued and item.__class__ is dict and item.keys() == {"id"}:
            if not PRIMITIVES["string"][0](item["id"]):
                run.wrong_in(at, "id", PRIMITIVES["string"][1])
            return
        shapes.base("Element")(item, at, run)
        if fixed and item.__class__ is dict and "extension" in item:
            run.wrong(at, "no extension may stand beside a value that the definition fixes")
        if coded and not valued:
            run.wrong(at, "must have a code: a value set is required here")

    def member(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
        run.beside.add(element)
        values = value.get(key)
        if not many:
            one(field, (at, name, -1, called), run, valued=values is not None)
            return
        if field.__class__ is not list or not field:
            run.wrong_in(at, name, fields.LIST if field.__class__ is not list else fields.EMPTY)
            return
        if values.__class__ is list and len(values) != len(field):
            run.wrong_in(at, name, "must be as long as the list that it stands beside")
        for position, item in enumerate(field):
            valued = values.__class__ is list and position < len(values) and values[position] is not None
            if item is not None:
                one(item, (at, name, position, called), run, valued=valued)
            elif not valued:
                run.wrong((at, name, position, called), fields.EMPTY)

    return member
