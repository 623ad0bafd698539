"""Commands that write something to begin with: init makes an instance, new prints an example."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path
from string import Template

import click

from adapter.cli.context import now, say

EXAMPLE_CASE = """\
This is a case file: everything that an agency holds about one child, as one JSON object.

  case          your own case number; no partner ever receives it
  program       whose rules apply: ontario-csp, early-intervention, person-centred, wraparound
  child         the one record without an id
  people        family and natural supports; "decision_maker" says who may consent for the child
  organizations "partner" is the name of a partner file: this is how Lakeside receives its part
  goals         in the words of whoever set them; g2 is labelled with a sensitive topic
  consents      c1 lets Lakeside see some parts, for its purpose; no topic is named in it, so g2 stays here

Records refer to one another by "collection/id", or "child". `adapter schema goals` prints what a goal can hold.

Try it:
  adapter new case > case.json
  adapter validate case.json
  adapter preview case.json --partner lakeside --as explain
"""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", default="Our agency", show_default=True, help="The agency that runs this adapter.")
@click.option("--time-zone", default="America/Toronto", show_default=True, help="Where its consents begin and end.")
@click.option(
    "--identifier-system",
    default="https://agency.example.ca/id",
    show_default=True,
    help="A URI of the agency's: the system of the identifiers that partners receive.",
)
def init(folder: Path, name: str, time_zone: str, identifier_system: str) -> None:
    """Make an instance: settings, keys, database and an example partner, in a new folder.

    An instance belongs to one agency. Everything that it keeps is in this folder (or in the database that its settings
    name); back up the key file apart from the database.

    \b
    Examples:
      adapter init my-agency
      adapter init my-agency --name "Maple Valley" --time-zone America/Toronto
    """
    from adapter import settings
    from adapter.core.toml_values import plain
    from adapter.errors import Misconfigured

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.UsageError(f"{folder} is there already, and is not an empty folder.")
    values = {"name": name, "time_zone": time_zone, "identifier_system": identifier_system}
    if any(not v.isprintable() or '"' in v or "\\" in v for v in (plain(name), time_zone, identifier_system)):
        raise click.UsageError("names and URIs cannot hold quotation marks, backslashes or line ends.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Made beside its place and moved there whole: an instance is never half there. mkdtemp makes it private.
        making = Path(tempfile.mkdtemp(prefix=".adapter-init-", dir=folder.parent))
        try:
            _make(making, values)
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    except Misconfigured as wrong:
        raise click.UsageError("; ".join(finding.detail for finding in wrong.findings) or wrong.detail) from None
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}.") from None
    say(f"""\
{folder} is an instance now.

  {settings.FILE:<22} look at: labels_topics, [agency] name, time_zone, identifier_system, identifiers
  keys                   who has this file and the database can read everything: back it up, apart from it
  adapter.db             the database, encrypted with the keys
  partners/example.toml  an example, paused: copy it for each partner

Next:
  adapter --instance {folder} check
  adapter --instance {folder} token new --role source
  adapter --instance {folder} serve""")


@click.group()
def new() -> None:
    """Print an example to begin with."""


@new.command("case")
def new_case() -> None:
    """Print a case file to begin with: small, complete, and valid.

    The case is on standard output, what it means on standard error.

    \b
    Example:
      adapter new case > case.json
    """
    click.echo(_example("case.json"), nl=False)
    say(EXAMPLE_CASE)


@new.command("workbook")
@click.option(
    "--out",
    "-o",
    required=True,
    metavar="FILE.xlsx",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; one that is there already is left alone.",
)
def new_workbook(out: Path) -> None:
    """Write a workbook for cases: a sheet for each collection, codes to choose from, what is required marked.

    One workbook holds many cases; the first sheet explains. `adapter import` takes it back.

    \b
    Example:
      adapter new workbook --out cases.xlsx
    """
    from adapter import catalogue
    from adapter.core.onramp.layout import sheets
    from adapter.workbook import writing

    if out.suffix.lower() != ".xlsx":
        raise click.BadParameter("must end in .xlsx", param_hint="--out")
    if out.exists():
        raise click.BadParameter("is there already: nothing is written over a file that may be filled in",
                                 param_hint="--out")  # fmt: skip
    words = {name: {code: line.text for code, line in each.translations.items()}
             for name, each in catalogue.concept_maps().items()}  # fmt: skip
    try:
        writing.write(out, sheets(catalogue.record_schemas().files), words)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}.") from None
    say(f"{out} is written. Fill it in, then: adapter --instance DIR import {out} --source NAME --dry-run")


commands = (init, new)


def _make(folder: Path, values: dict[str, str]) -> None:
    """An instance in this folder: settings, keys, an example partner, and a database of this version."""
    from adapter import settings
    from adapter.store.database import Store
    from adapter.store.seal import Keys

    keys = Keys.generate()
    (folder / "partners").mkdir()
    _write(folder / settings.FILE, Template(_example("adapter.toml")).substitute(values))
    _write(folder / "keys", keys.text())
    today = now().date().isoformat()
    _write(folder / "partners" / "example.toml", Template(_example("partner.toml")).substitute(today=today))
    store = Store.open(settings.read(folder, {}).database, keys)
    try:
        store.upgrade()
    finally:
        store.close()


def _example(name: str) -> str:
    return resources.files("adapter.cli").joinpath("examples", name).read_text(encoding="utf-8")


def _write(path: Path, content: str) -> None:
    """A new file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
