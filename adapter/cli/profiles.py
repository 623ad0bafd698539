"""Commands about the FHIR profiles: `list` what there is, `export` them as a package that a partner can load."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any, cast

import click

from adapter.cli.context import say
from adapter.cli.output import print_rows

if TYPE_CHECKING:
    from adapter.core.partner import Release

_release = click.option(
    "--release", type=click.Choice(["R4", "R5"]), default="R4", show_default=True, help="The release of FHIR."
)


@click.group()
def profiles() -> None:
    """The FHIR profiles that the adapter's resources meet."""


@profiles.command("list")
@_release
@click.option("--examples", is_flag=True, help="List the examples too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON also on a terminal.")
def list_(release: str, examples: bool, as_json: bool) -> None:
    """List the profiles, extensions, value sets, code systems and the rest.

    \b
    Examples:
      adapter profiles list
      adapter profiles list --release R5 --json
    """
    from adapter import catalogue
    from adapter.catalogue.profiles import read_profiles
    from adapter.core.fhir.package import DEFINITIONS

    found = read_profiles(catalogue.files_root(), cast("Release", release))
    rows = [_row(name, each) for name, each in found.items() if examples or each["resourceType"] in DEFINITIONS]
    print_rows(rows, ("kind", "of", "id", "title"), as_json=as_json)


@profiles.command()
@_release
@click.option("--out", "-o", type=click.File("wb", atomic=True), metavar="FILE.tgz", help="Write to this file.")
def export(release: str, out: IO[bytes] | None) -> None:
    """Pack them as a FHIR package: an npm-style archive that validators and FHIR servers load.

    The same definitions give the same bytes. Without --out the archive goes to standard output.

    \b
    Examples:
      adapter profiles export --out csp-adapter.profiles.r4.tgz
      adapter profiles export --release R5 --out csp-adapter.profiles.r5.tgz
    """
    from adapter import catalogue
    from adapter.catalogue.profiles import package

    if out is None and sys.stdout.isatty():
        raise click.UsageError("an archive is nothing for a terminal: say where it goes with --out FILE.tgz")
    made = package(catalogue.files_root(), cast("Release", release))
    (out or sys.stdout.buffer).write(made)
    if out is not None:
        say(f"{out.name}: {len(made)} bytes.")


commands = (profiles,)


def _row(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    """What one of them is: a profile or an extension, of which type; else its resource type."""
    type_ = resource["resourceType"]
    kind = type_ if "url" in resource else "Example"
    if type_ == "StructureDefinition":
        kind = "Extension" if resource["type"] == "Extension" else "Profile"
    of = {"Profile": resource.get("type"), "Extension": _contexts(resource), "Example": type_}.get(kind)
    return {
        "kind": kind,
        "of": of,
        "id": resource["id"],
        "title": resource.get("title"),
        "url": resource.get("url"),
        "file": name,
    }


def _contexts(resource: dict[str, Any]) -> str:
    return ", ".join(each["expression"] for each in resource.get("context", ()))
