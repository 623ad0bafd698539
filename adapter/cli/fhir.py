"""Commands about FHIR resources as files: does one keep the rules of FHIR and of our profiles?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import click

from adapter.cli.context import say
from adapter.cli.output import print_json, print_rows
from adapter.core.partner import DIALECTS, Dialect

if TYPE_CHECKING:
    from adapter.core.fhir.checker import Checker
    from adapter.core.fhir.guides import Guide
    from adapter.core.partner import Release
    from adapter.errors import Problem

_LONGEST = 100_000_000
_COLUMNS = ("file", "severity", "at", "problem")


@click.command("fhir-check")
@click.argument(
    "files", metavar="FILE…", type=click.Path(exists=True, dir_okay=False, allow_dash=True), nargs=-1, required=True
)
@click.option(
    "--release", type=click.Choice(["R4", "R5"]), default="R4", show_default=True, help="The release of FHIR."
)
@click.option("--profile", "profiles", multiple=True, metavar="URL", help="Also hold it against this profile.")
@click.option(
    "--guide",
    "named",
    type=click.Choice(DIALECTS),
    multiple=True,
    help="Also ask what this guide asks (docs/guides.md).",
)
@click.option("--warnings", is_flag=True, help="Also tell what is only best practice. It ends with 0 all the same.")
@click.option(
    "--as", "form", type=click.Choice(["table", "json", "fhir"]), help="A table, rows of JSON, or OperationOutcomes."
)
def fhir_check(
    files: tuple[str, ...],
    release: str,
    profiles: tuple[str, ...],
    named: tuple[Dialect, ...],
    warnings: bool,
    form: str | None,
) -> None:
    """Check FHIR resources against FHIR's definitions and our profiles.

    A file holds one resource, a list of them, or one on each line (.ndjson). Use - for standard input. A resource is
    held against its type and the profiles that it claims in meta.profile, where they are known here. Nothing is
    fetched: docs/checking.md says what is looked at, and which code systems are not.

    It ends with 0 where nothing is wrong, 1 where something is. With --as fhir each line is the OperationOutcome of one
    resource, in order.

    \b
    Examples:
      adapter map case.json --partner lakeside > bundle.json && adapter fhir-check bundle.json
      adapter fhir-check goals.ndjson --release R5 --as fhir
      adapter fhir-check bundle.json --guide us-core --guide ca-baseline
    """
    from adapter.catalogue import files_root
    from adapter.catalogue.definitions import read_definitions
    from adapter.core.fhir.checker import Checker

    chosen = cast("Release", release)
    definitions = read_definitions(files_root(), chosen)
    unknown = [url for url in profiles if definitions.structure(url) is None]
    if unknown:
        raise click.BadParameter(f"is not known here: {', '.join(unknown)}", param_hint="--profile")
    if named and chosen != "R4":
        raise click.BadParameter("the guides are of FHIR R4", param_hint="--guide")
    from adapter.catalogue.guides import guides

    asked = [guides(files_root(), only=name)[name] for name in named]
    checker = Checker(definitions, chosen)
    advising = Checker(definitions, chosen, warnings=True) if warnings else None
    told = [_told(each, checker, advising, profiles, asked) for file in files for each in _resources(file)]
    _print(told, form or ("table" if sys.stdout.isatty() else "json"))
    wrong = sum(len(errors) for _, _, errors, _ in told)
    say(f"{_some(len(told), 'resource')} checked, {_some(wrong, 'problem')} found.")
    if wrong:
        raise click.exceptions.Exit(1)


commands = (fhir_check,)
Told = tuple[str, str, "list[Problem]", "list[Problem]"]
"""Where it was read, its type, what is wrong, what is advised."""


def _told(
    found: tuple[str, Any],
    checker: Checker,
    advising: Checker | None,
    profiles: tuple[str, ...],
    asked: list[Guide],
) -> Told:
    from adapter.core.fhir.guides import missed
    from adapter.core.mapping.resources import PROFILES
    from adapter.errors import Problem

    name, resource = found
    if not isinstance(resource, dict):
        return name, "", [Problem("", "must be a JSON object with a resourceType")], []
    errors = checker.problems(resource, profiles=profiles)
    for guide in asked:
        own = f"{PROFILES}csp-"
        errors += [Problem(each.pointer, f"{guide.title}: {each.detail}") for each in missed(guide, resource, own)]
    advised = advising.problems(resource, profiles=profiles) if advising else []
    type_ = resource.get("resourceType")
    known = type_ if type_ in checker.definitions.resource_types else ""
    return name, known, errors, [each for each in advised if each not in errors]


def _print(told: list[Told], form: str) -> None:
    from adapter.core.fhir.checker.told import expression, outcome

    if form == "fhir":
        import orjson

        for _, type_, errors, advised in told:
            click.echo(orjson.dumps(outcome(errors, type_, advised)))
        return
    rows = [
        {
            "file": name,
            "severity": severity,
            "at": expression(each, type_),
            "problem": each.detail,
            "pointer": each.pointer,
        }
        for name, type_, errors, advised in told
        for severity, some in (("error", errors), ("warning", advised))
        for each in some
    ]
    if form == "json":
        print_json(rows)
    elif rows and sys.stdout.isatty():
        print_rows(rows, _COLUMNS, as_json=False)
    else:
        for row in rows:
            click.echo(": ".join(row[column] for column in _COLUMNS))


def _resources(file: str) -> Iterator[tuple[str, Any]]:
    """Each resource of a file with the name to call it by."""
    from adapter.core import strict_json

    with click.open_file(file, "rb") as opened:
        content: bytes = opened.read()
    if file.endswith(".ndjson"):
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                yield f"{file}:{number}", strict_json.parse(line, max_bytes=_LONGEST, max_depth=200)
        return
    value = strict_json.parse(content, max_bytes=_LONGEST, max_depth=200)
    if isinstance(value, list):
        for number, each in enumerate(value, 1):
            yield f"{file}:{number}", each
    else:
        yield file, value


def _some(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
