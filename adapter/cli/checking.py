"""The command `check`: whether the files that people may change, and an instance, can be used as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.context import Asked, partners_folder, pass_asked, say
from adapter.cli.output import print_json
from adapter.errors import AdapterError, Finding, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command()
@partners_folder
@click.option(
    "--files",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder that holds another mappings/ to check.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of file, line and detail.")
@pass_asked
def check(asked: Asked, partners: Path | None, files: Path | None, as_json: bool) -> None:
    """Check schemas, mappings, codes, rules and partners against each other.

    Prints one `file:line: problem` a line, and ends with 1 if there is any. With an instance its settings, keys and
    database are checked too.

    \b
    Examples:
      adapter check
      adapter --instance my-agency check
      adapter check --partners my-agency/partners
    """
    from adapter import catalogue

    found = catalogue.findings(partners=asked.partners(partners), root=files, instance=asked.instance)
    if asked.instance is not None:
        found = _of_instance(asked) + found
    if as_json:
        print_json([{"file": each.file, "line": each.line, "detail": each.detail} for each in found])
    else:
        for finding in found:
            click.echo(str(finding))
    say("Nothing is wrong." if not found else f"{len(found)} finding(s).")
    if found:
        raise click.exceptions.Exit(1)


commands = (check,)


def _of_instance(asked: Asked) -> list[Finding]:
    """What is wrong with the instance itself: its settings and keys, or else its database."""
    from adapter import settings
    from adapter.cli.keys import keyless
    from adapter.store.database import Store
    from adapter.store.seal import Keys

    def of(what: str, do: Callable[[], Any]) -> list[Finding]:
        try:
            do()
        except Misconfigured as wrong:
            return list(wrong.findings) or [Finding(what, 0, wrong.detail)]
        except AdapterError as wrong:
            return [Finding(what, 0, wrong.detail)]
        return []

    if wrong := of("settings", lambda: settings.read(asked.folder)):
        return wrong
    read = settings.read(asked.folder)
    if wrong := of(str(read.keys), lambda: Keys.parse(read.keys.read_text(encoding="utf-8"))):
        return wrong
    store = Store.open(read.database, Keys.parse(read.keys.read_text(encoding="utf-8")))

    def usable() -> None:
        store.check()
        store.check_writable()

    try:
        return of(str(read.signing_keys), lambda: keyless(asked)) + of("database", usable)
    finally:
        store.close()
