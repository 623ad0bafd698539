"""Commands that look and change nothing: map, preview, records, validate, schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from adapter.cli.context import Asked, desk, instant, partners_folder, pass_asked, say
from adapter.cli.output import indented, print_json, print_table
from adapter.errors import Refused

if TYPE_CHECKING:
    from adapter.core.partner import Release
    from adapter.desk import Desk, Preview

_case = click.argument("case", metavar="CASE.json", type=click.File("rb"))
_partner = click.option("--partner", "-p", required=True, metavar="P", help="The partner's id: its file's name.")
_at = click.option("--at", metavar="T", help="As of this date (its start) or date-time; otherwise now.")


@click.command("map")
@click.argument("case", metavar="CASE.json", required=False)
@click.option("--partner", "-p", metavar="P", help="The partner's id: its file's name.")
@partners_folder
@_at
@click.option("--release", type=click.Choice(["R4", "R5"]), help="As if the partner spoke this release of FHIR.")
@click.option("--out", "-o", type=click.File("wb", atomic=True), metavar="F", help="Write to this file instead.")
@click.option(
    "--source",
    is_flag=False,
    flag_value="all",
    metavar="[MAPPING]",
    help="Print the Python that this mapping file (such as goal), or all of them, became.",
)
@pass_asked
@click.pass_context
def map_(
    context: click.Context,
    asked: Asked,
    case: str | None,
    partner: str | None,
    partners: Path | None,
    at: str | None,
    release: Release | None,
    out: IO[bytes] | None,
    source: str | None,
) -> None:
    """Print the FHIR transaction that a partner would be sent for a case.

    It is the Bundle for a partner that holds nothing yet, and has only what the family's consent permits at that time.
    Nothing is stored, nothing is sent. Use - for a case on standard input.

    \b
    Examples:
      adapter map case.json --partner lakeside
      adapter map case.json --partner lakeside --at 2027-03-31 --out bundle.json
      adapter map case.json --partner lakeside --release R5
      adapter map --source goal
    """
    from adapter import show

    if source is not None:
        _print_source(asked, source, partners, release or "R4")
        return
    if case is None:
        raise click.MissingParameter(param_hint="'CASE.json'", param_type="argument", ctx=context)
    if partner is None:
        raise click.MissingParameter(param_hint="'--partner' / '-p'", param_type="option", ctx=context)
    read: IO[bytes] = click.File("rb").convert(case, None, context)
    found = _knowing(asked, partner, partners)
    moment = instant(at, found.settings.time_zone)
    bundle = indented(show.bundle(found, read.read(), partner, moment, release=release))
    if out is None:
        click.echo(bundle)
    else:
        out.write(bundle + b"\n")


@click.command()
@_case
@_partner
@partners_folder
@_at
@click.option(
    "--as",
    "form",
    type=click.Choice(["records", "fhir", "explain"]),
    default="records",
    show_default=True,
    help="What to show: the permitted records, the FHIR resources, or why each record is shared or withheld.",
)
@click.option("--explain", is_flag=True, help="--as explain as tables, also where it is no terminal.")
@pass_asked
def preview(
    asked: Asked, case: IO[bytes], partner: str, partners: Path | None, at: str | None, form: str, explain: bool
) -> None:
    """Show what a partner may see of a case, and why.

    Nothing is stored and nothing is sent. Use - for a case on standard input. With --explain, or on a terminal, an
    explanation is two tables: how much of each part is shared, partly shared or withheld; then each record with its
    reasons. Elsewhere it is JSON.

    \b
    Examples:
      adapter preview case.json --partner lakeside
      adapter preview case.json --partner lakeside --explain
      adapter preview case.json --partner lakeside --as fhir --at 2027-09-01
    """
    from adapter import keep, show
    from adapter.core import strict_json

    found = _knowing(asked, partner, partners)
    body = case.read()
    if problems := keep.problems(body, found.catalogue.schemas):
        raise Refused(f"The case file breaks {len(problems)} rules.", problems)
    tables = explain or (form == "explain" and sys.stdout.isatty())
    form = "explain" if explain else form
    asked_for = strict_json.dump({"case": strict_json.parse(body), "partner": partner})
    shown = show.preview(found, asked_for, form=form, at=instant(at, found.settings.time_zone))
    if tables:
        parts = [row | {"is": row["outcome"], "why": " ".join(row["reasons"])} for row in shown["parts"]]
        print_table(parts, ("part", "is", "shared", "partly", "withheld", "why"))
        print_table(_explained(shown), ("record", "is", "part", "why", "provision"))
    else:
        print_json(shown)


@click.command()
@_case
def validate(case: IO[bytes]) -> None:
    """Check a case file against the record schemas, and list every problem.

    Each problem is named by its place in the file (a JSON Pointer) and the rule that it breaks. Use - for
    standard input.

    \b
    Example:
      adapter validate case.json
    """
    from adapter import catalogue, keep
    from adapter.errors import Malformed, Problem, TooLarge

    schemas = catalogue.record_schemas()
    try:
        problems = keep.problems(case.read(), schemas)
    except (Malformed, TooLarge) as error:
        problems = list(error.problems) or [Problem("", error.detail)]
    errors = [{"pointer": problem.pointer, "detail": problem.detail} for problem in problems]
    print_json({"valid": not errors, "errors": errors})
    for problem in problems:
        say(f"{problem.pointer or '(the whole)'}: {problem.detail}")
    say("The case is valid." if not errors else f"{len(errors)} problem(s).")
    if errors:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("files", metavar="FILE.json…", nargs=-1, required=True, type=click.File("rb"))
@click.option("--release", type=click.Choice(["R4", "R5"]), default="R4", show_default=True, help="Of FHIR.")
@click.option("--child", default="", metavar="REF", help="Whom it is about: a reference, or SYSTEM|VALUE.")
@click.option("--home", type=click.File("rb"), metavar="CASE.json", help="The case it was made of; needs --partner.")
@click.option("--partner", "-p", metavar="P", help="With --home: who got it, so that our identifiers lead back.")
@partners_folder
@_at
@pass_asked
def records(
    asked: Asked,
    files: tuple[IO[bytes], ...],
    release: Release,
    child: str,
    home: IO[bytes] | None,
    partner: str | None,
    partners: Path | None,
    at: str | None,
) -> None:
    """Print the records that FHIR resources would become: the way back of `map`.

    Each file holds a resource or a Bundle; together they are read as one set about one child, so that references lead
    from one file to another. Nothing is stored. What is refused is listed with its element and the rule, never with
    what stood in it, and the command ends with 1; findings tell of single elements that are left out.

    \b
    Examples:
      adapter records bundle.json
      adapter records --release R5 plan.json goal.json patient.json
      adapter map case.json -p lakeside > sent.json; adapter records sent.json --home case.json -p lakeside
    """
    from adapter import show

    if (home is None) != (partner is None):
        raise click.UsageError("--home and --partner belong together.")
    found = _knowing(asked, partner, partners) if partner else desk(asked, partners)
    named = [(file.name, file.read()) for file in files]
    case = home.read() if home else None
    when = instant(at, found.settings.time_zone)
    shown = show.incoming(found, named, release=release, child=child, home=case, partner=partner or "", at=when)
    print_json(shown)
    for note in shown["refused"]:
        say(f"{note['file']}: {note['expression']}: {note['rule']}")
    if shown["refused"]:
        say(f"{len(shown['refused'])} refusal(s).")
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("collection", required=False)
def schema(collection: str | None) -> None:
    """Print the JSON Schema of a collection of records, or of all.

    `case` is the schema of a whole case file.

    \b
    Examples:
      adapter schema goals
      adapter schema > schemas.json
    """
    from adapter import catalogue

    files = catalogue.record_schemas().files
    if collection is None:
        print_json(dict(files))
    elif collection in files:
        print_json(files[collection])
    else:
        raise click.BadParameter(f"must be one of {', '.join(sorted(files))}", param_hint="COLLECTION")


commands = (map_, preview, records, validate, schema)


def _knowing(asked: Asked, partner: str, partners: Path | None) -> Desk | Preview:
    """The instance, or the fixtures' agency with these partners; and that it knows the partner."""
    found = desk(asked, partners)
    if asked.instance is None or partners is not None:
        say("Without an instance: identifiers come from a demonstration secret, and are not those of any instance.")
    if partner not in found.catalogue.partners:
        known = ", ".join(sorted(found.catalogue.partners)) or "none"
        raise click.BadParameter(f"there is no such partner; there are: {known}", param_hint="--partner")
    return found


def _print_source(asked: Asked, name: str, partners: Path | None, release: Release) -> None:
    """The Python of each mapping of that file, or of all."""
    stem = Path(name).name.removesuffix(".yaml")
    every = asked.catalogue(partners).mappings[release].mappings
    chosen = [m for m in every if stem in ("all", m.name, m.template.name.rpartition("/")[2].removesuffix(".yaml"))]
    if not chosen:
        raise click.BadParameter(
            f"there is no such mapping; there are: {', '.join(sorted(m.name for m in every))}", param_hint="--source"
        )
    for mapping in chosen:
        click.echo(f"# {mapping.template.name}: {mapping.type} for each of {mapping.each}")
        if mapping.when is not None:
            click.echo(f"# when\n{mapping.when.source}")
        click.echo(mapping.template.source)


def _explained(told: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each reason: the record, whether it is shared, the part, why, and the provision that decided."""
    return [
        {
            "record": record["path"],
            "is": record["outcome"],
            "part": reason["part"],
            "why": reason["sentence"],
            "provision": reason["provision"],
        }
        for record in told["records"]
        for reason in record["reasons"]
    ]
