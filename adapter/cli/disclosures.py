"""Commands about the account of disclosures: verify, export, sign, key, enter, statement."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.cli.output import print_json

_HOWS = ("fax", "telephone", "mail", "email", "in-person", "other")
_one_case = click.option("--case", "number", metavar="N", help="Only the account of this case.")
_this_case = click.option("--case", "number", metavar="N", required=True, help="The case.")
_out = click.option("--out", type=click.File("wb", atomic=True), metavar="F", help="Write to this file instead.")


@click.group()
def disclosures() -> None:
    """Verify, export, sign and read the account of what was disclosed, and enter what people told."""


@disclosures.command()
@_one_case
@click.option(
    "--against",
    type=click.File("rb"),
    metavar="FILE",
    help="An earlier export, or a file of signed heads: what was signed then must still be there.",
)
@pass_asked
def verify(asked: Asked, number: str | None, against: IO[bytes] | None) -> None:
    """Check that no line of the account was changed, removed, added or moved. Ends with 1 if one was.

    Against someone who holds the keys of the instance, only what was signed and kept elsewhere helps: --against.

    \b
    Examples:
      adapter --instance my-agency disclosures verify
      adapter --instance my-agency disclosures verify --against /elsewhere/heads.jsonl
    """
    from adapter import show

    with opened(asked) as wired:
        rows = show.verified(wired, number, against or ())
    print_json(rows)
    wrong = [row for row in rows if row["wrong"]]
    for row in wrong:
        for sentence in row["wrong"]:
            say(f"{row['case'] or row['account'] or 'the file'}: {sentence}")
    say(f"{len(wrong)} of {len(rows)} are not intact." if wrong else f"{len(rows)} account(s), all intact.")
    if wrong:
        raise click.exceptions.Exit(1)


@disclosures.command()
@_one_case
@click.option(
    "--as",
    "form",
    type=click.Choice(["jsonl", "fhir"]),
    default="jsonl",
    show_default=True,
    help="Signed lines that anyone can verify; or FHIR AuditEvents, one a line (not signed).",
)
@_out
@pass_asked
def export(asked: Asked, number: str | None, form: str, out: IO[bytes] | None) -> None:
    """Print the account: first the signed heads of all cases, then every line. It says which parts went where.

    \b
    Examples:
      adapter --instance my-agency disclosures export --out account.jsonl
      adapter --instance my-agency disclosures export --case C-1042 --as fhir
    """
    from adapter import show

    with opened(asked) as wired:
        _write(show.exported(wired, number, form=form), out)


@disclosures.command()
@click.option(
    "--append",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="F",
    help="Add the line to this file instead of printing it; best on another machine's disk.",
)
@pass_asked
def sign(asked: Asked, append: Path | None) -> None:
    """Sign the heads of all accounts: one line, for a daily job. Keep it where the administrators cannot write.

    \b
    Example:
      adapter --instance my-agency disclosures sign --append /elsewhere/heads.jsonl
    """
    from adapter import show

    with opened(asked) as wired:
        line = show.signed_heads(wired)
    if append is None:
        click.echo(line)
        return
    try:
        with append.open("ab") as file:
            file.write(line + b"\n")
    except OSError as wrong:
        raise click.ClickException(f"{append} cannot be written: {wrong.strerror}.") from None
    say("Signed.")


@disclosures.command()
@pass_asked
def key(asked: Asked) -> None:
    """Print the public key (PEM) with which others verify an export or signed heads. It is no secret.

    \b
    Example:
      adapter --instance my-agency disclosures key > agency.pem
    """
    from adapter import show

    with opened(asked) as wired:
        click.echo(show.account_key(wired), nl=False)


@disclosures.command("verify-export")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option("--key", "key_", type=click.File("rb"), required=True, metavar="PEM", help="The agency's public key.")
def verify_export(file: IO[bytes], key_: IO[bytes]) -> None:
    """Verify an exported file with the public key alone: no instance is needed. Ends with 1 if something is wrong.

    \b
    Example:
      adapter disclosures verify-export account.jsonl --key agency.pem
    """
    from adapter.core.account import export as exports

    wrong = exports.verify_export(file, key_.read())
    print_json({"intact": not wrong, "wrong": wrong})
    for sentence in wrong:
        say(sentence)
    if wrong:
        raise click.exceptions.Exit(1)


@disclosures.command()
@_this_case
@click.option("--to", required=True, help="To whom it was told.")
@click.option("--at", required=True, metavar="T", help="When: a date or date-time (ISO 8601).")
@click.option("--how", required=True, type=click.Choice(_HOWS), help="How it was told.")
@click.option("--part", "parts", required=True, multiple=True, metavar="PART", help="What was told; give it often.")
@click.option("--basis", required=True, help="On which legal basis, in words.")
@click.option("--by", required=True, help="Who told it.")
@pass_asked
def enter(asked: Asked, number: str, parts: tuple[str, ...], **told: str) -> None:
    """Enter what was told outside of the adapter: by fax, by telephone, under a duty to report.

    It stands in the account from then on, and cannot be changed. It is never taken for consent.

    \b
    Example:
      adapter --instance my-agency disclosures enter --case C-1042 --to "Harbour Children's Aid" --at 2026-11-20 \\
        --how telephone --part identity --part family --basis "Duty to report, CYFSA s. 125" --by "R. Osei"
    """
    from adapter import steer

    body = json.dumps({**told, "parts": list(parts)}).encode()
    with opened(asked) as wired:
        print_json(steer.enter_disclosure(wired, number, body, role="admin", label="command line"))


@disclosures.command()
@_this_case
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Of the statement.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["html", "pdf", "csv"]),
    default="html",
    show_default=True,
    help="A page, or a table.",
)
@_out
@pass_asked
def statement(asked: Asked, number: str, language: str, form: str, out: IO[bytes] | None) -> None:
    """Print the account of a case for the family, in plain words: by day, who received what, and what was taken back.

    \b
    Example:
      adapter --instance my-agency disclosures statement --case C-1042 --language fr --out releve.html
    """
    from adapter import show

    with opened(asked) as wired:
        made = show.statement_of(wired, number, form=form, language=language)
    if out is None:
        click.echo(made, nl=False)
    else:
        out.write(made)


commands = (disclosures,)


def _write(lines: Iterable[bytes], out: IO[bytes] | None) -> None:
    to = out or sys.stdout.buffer
    for line in lines:
        to.write(line + b"\n")
    to.flush()
