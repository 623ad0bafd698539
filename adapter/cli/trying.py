"""Commands that try out one template or one expression on any JSON, alone: template, fhirpath."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import click

from adapter.cli.context import now, say
from adapter.cli.output import print_json
from adapter.errors import Malformed, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapter.core.mapping.bindings import Binding
    from adapter.core.mapping.elements import Model
    from adapter.core.mapping.environment import Function

MOST_BYTES = 100_000_000

_input = click.argument("given", metavar="INPUT.json", type=click.File("rb"))
_context = click.option(
    "--context", "-c", metavar="C.json", type=click.File("rb"), help="A JSON object: each key is a %variable."
)
_model = click.option(
    "--model",
    type=click.Choice(["none", "r4", "r5"]),
    default="none",
    show_default=True,
    help="The input is a resource of this release: `value` finds `valueString`, dates are dates.",
)


@click.command()
@click.argument("template", metavar="TEMPLATE.yaml", type=click.File("rb"))
@_input
@_context
@_model
@click.option("--strict", is_flag=True, help="Refuse expressions that read the input without a %variable.")
@click.option("--source", is_flag=True, help="Print the Python that the template becomes, and do not run it.")
def template(
    template: IO[bytes], given: IO[bytes], context: IO[bytes] | None, model: str, strict: bool, source: bool
) -> None:
    """Run a template of FHIRPath Mapping Language on any JSON, and print what it makes.

    The template is YAML or JSON; of a mapping file, its `make` is run. What is wrong in it is told as file:line:
    column: reason, and ends with 1. Our functions code(), concept() and instant() work too; `now()` is the time now.
    Use - for one of the files to read it from standard input. A template that makes nothing prints null.

    \b
    Examples:
      adapter template goal.yaml record.json
      adapter template patient.yaml response.json --model r4 --context variables.json --strict
    """
    from adapter.core.mapping.mapping import KEYS, VARIABLES
    from adapter.core.mapping.positions import read_yaml
    from adapter.core.mapping.template import compile_template
    from adapter.errors import Finding, Misconfigured

    name = _name(template)
    documents = read_yaml(_text(template), name)
    if len(documents) != 1:
        raise Misconfigured(f"{name} is no template.", [Finding(name, 1, "one YAML document is expected, not several")])
    body, positions, variables = documents[0].value, documents[0].positions, _variables(context)
    if isinstance(body, dict) and {"each", "make"} <= set(body) <= set(KEYS):
        say(f"{name} is a mapping file: its `make` is run, INPUT is %record, and --context gives %case and the others.")
        body, positions = body["make"], positions.below("make")
        variables = dict.fromkeys(VARIABLES) | {"release": "R4"} | variables
    compiled = compile_template(
        body, name=name, positions=positions, functions=_functions(), strict=strict,
        model=_of_release(model, strict=False), variables=variables,
    )  # fmt: skip
    if source:
        click.echo(compiled.source, nl=False)
        return
    binding, record = _binding(), _json(given)
    if variables.get("record", ...) is None:
        variables["record"] = record
    print_json(compiled.render(record, variables, now=now(), extra=binding))
    _tell(binding)


@click.command()
@click.argument("expression")
@_input
@_context
@_model
@click.option("--source", is_flag=True, help="Print the Python that the expression becomes, and do not run it.")
def fhirpath(expression: str, given: IO[bytes], context: IO[bytes] | None, model: str, source: bool) -> None:
    """Evaluate a FHIRPath expression on any JSON, and print the list of items that it gives.

    An expression that is wrong, or that the input does not allow, is told with its column, and ends with 1. Use - to
    read the input from standard input.

    \b
    Examples:
      adapter fhirpath "goals.where(rank = 1).title" case.json
      adapter fhirpath "Observation.value.unit" observation.json --model r4
    """
    from adapter.core.mapping.expression_error import ExpressionError
    from adapter.core.mapping.fhirpath import compile_expression
    from adapter.errors import Misconfigured

    variables = _variables(context)
    binding = _binding()
    try:
        compiled = compile_expression(
            expression, functions=_functions(), model=_of_release(model, strict=True), variables=variables
        )
        if source:
            click.echo(compiled.source, nl=False)
            return
        found = compiled.evaluate(_json(given), variables, now=now(), extra=binding)
    except ExpressionError as wrong:
        placed = ExpressionError(wrong.reason, wrong.line, wrong.column, "EXPRESSION")
        raise Misconfigured("The expression cannot be evaluated.", placed.findings) from None
    print_json(found)
    _tell(binding)


commands = (template, fhirpath)


def _of_release(name: str, *, strict: bool) -> Model | None:
    """What a release says of its types; None for plain JSON. `strict` refuses names that a type does not have."""
    if name == "none":
        return None
    from fhirpathpy.models import models

    from adapter.core.mapping.elements import Model

    return Model(models[name], strict=strict)


def _functions() -> dict[str, Function]:
    """Ours, and `trace`: refused where records are mapped, it is the person at this terminal here who reads it."""
    from adapter.core.mapping.bindings import FUNCTIONS

    def trace(env: object, items: list[Any], *arguments: list[Any]) -> list[Any]:
        say(f"trace {' '.join(str(each) for each in arguments[0]) if arguments else ''}: {items}")
        return items

    return {**FUNCTIONS, "trace": trace}


def _binding() -> Binding:
    """What our functions know outside of a case: the ConceptMaps, and no resource to refer to."""
    from adapter import catalogue
    from adapter.core.mapping.bindings import Binding

    return Binding("(the input)", {}, catalogue.concept_maps(), "en")


def _tell(binding: Binding) -> None:
    for finding in sorted(set(binding.findings)):
        say(f"{finding.pointer}: {finding.detail}")


def _variables(file: IO[bytes] | None) -> dict[str, Any]:
    read = {} if file is None else _json(file)
    if not isinstance(read, dict):
        raise click.BadParameter("must be a JSON object: each key is a %variable", param_hint="--context")
    return read


def _json(file: IO[bytes]) -> Any:
    from adapter.core import strict_json

    return _named(file, lambda body: strict_json.parse(body, max_bytes=MOST_BYTES))


def _text(file: IO[bytes]) -> str:
    def decoded(body: bytes) -> str:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as wrong:
            line = body.count(b"\n", 0, wrong.start) + 1
            raise Malformed(f"line {line}: this is not UTF-8.") from None

    text: str = _named(file, decoded)
    return text


def _named(file: IO[bytes], read: Callable[[bytes], Any]) -> Any:
    """What is read of the file; an error says which file it is."""
    try:
        return read(file.read())
    except (Malformed, TooLarge) as wrong:
        raise type(wrong)(f"{_name(file)}: {wrong.detail}", wrong.problems) from None


def _name(file: IO[bytes]) -> str:
    name = getattr(file, "name", "")
    return name if isinstance(name, str) and not name.startswith("<") else "(standard input)"
