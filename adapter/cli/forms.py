"""Commands about the consents of a case: `form` prints a form to sign, `take` makes a consent of its ticks, `limits`
limits it, `cancel` cancels what was entered in error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from adapter.cli.context import Asked, desk, opened, partners_folder, pass_asked, say
from adapter.cli.output import print_json
from adapter.errors import Malformed, Problem, Refused

if TYPE_CHECKING:
    from adapter.desk import Desk, Preview

_case = click.option("--case", type=click.File("rb"), metavar="CASE.json", help="A case file; - for standard input.")
_number = click.option("--case-number", metavar="N", help="A case of the instance, instead of a file.")


@click.command("form")
@click.argument("form")
@_case
@_number
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Of the form.")
@click.option("--partner", "-p", "chosen", multiple=True, metavar="P", help="Instead of the case's own partners.")
@click.option("--ticks", type=click.File("rb"), metavar="TICKS.json", help="Fill in what was ticked.")
@click.option("--as", "kind", type=click.Choice(["html", "pdf"]), help="Which; else by the name of the file, or HTML.")
@click.option("--size", type=click.Choice(["letter", "a4"]), default="letter", show_default=True, help="Of the paper.")
@click.option("--out", "-o", type=click.File("wb", atomic=True), metavar="F", help="Write to this file instead.")
@partners_folder
@pass_asked
def form_(
    asked: Asked,
    form: str,
    case: IO[bytes] | None,
    case_number: str | None,
    language: str,
    chosen: tuple[str, ...],
    ticks: IO[bytes] | None,
    kind: str | None,
    size: str,
    out: IO[bytes] | None,
    partners: Path | None,
) -> None:
    """Print a consent form for a case, to read and to sign: `default`, `reports`, or one of your own.

    It names the child, the partners, and who has to sign, and lists which reports each line means. The HTML and the PDF
    need nothing else: no network, no script.

    \b
    Examples:
      adapter consent form default --case case.json --out form.pdf
      adapter consent form reports --case case.json --language fr --partner lakeside --as html
      adapter --instance my-agency consent form default --case-number C-1042 --out form.pdf
    """
    from adapter import show
    from adapter.core import strict_json

    found = desk(asked, partners)
    ticked = _of_form(strict_json.parse(ticks.read()), form) if ticks else None
    sheet = show.sheet(found, form, _read(found, case, case_number), language=language, partners=chosen, ticks=ticked)
    kind = kind or ("pdf" if out is not None and str(out.name).lower().endswith(".pdf") else "html")
    if kind == "pdf":
        from adapter.paper import pdf

        made = pdf.pdf(sheet, size=size)
    else:
        from adapter.paper import html

        made = html.html(sheet).encode()
    (out or sys.stdout.buffer).write(made)


@click.command()
@click.argument("form")
@click.argument("ticks", type=click.File("rb"), metavar="TICKS.json")
@_case
@_number
@click.option("--save", is_flag=True, help="Keep it in the instance: with --case-number.")
@partners_folder
@pass_asked
def take(
    asked: Asked,
    form: str,
    ticks: IO[bytes],
    case: IO[bytes] | None,
    case_number: str | None,
    save: bool,
    partners: Path | None,
) -> None:
    """Make a consent record of what a family ticked on a form, or list every problem.

    Prints one record, or a list where several have signed: each signature is a consent of its own. What TICKS.json
    holds is in docs/consent-forms.md.

    \b
    Examples:
      adapter consent take default ticks.json --case case.json
      adapter --instance my-agency consent take default ticks.json --case-number C-1042 --save
    """
    from adapter import consenting, show
    from adapter.core import strict_json

    given = _of_form(strict_json.parse(ticks.read()), form)
    if save:
        if case_number is None or case is not None:
            raise click.UsageError("--save belongs to --case-number: what is kept is kept of a case of the instance.")
        with opened(asked) as wired:
            told = consenting.capture(wired, case_number, strict_json.dump(given), label="adapter consent take")
            records = list(show.taken(wired, form, show.case_as_read(wired, case_number), given).consents)
        for warning in told["warnings"]:
            say(f"{warning['pointer']}: {warning['detail']}")
        say("It was there already." if not told["changed"] else "Kept. The case's shares are due.")
    else:
        found = desk(asked, partners)
        taken = show.taken(found, form, _read(found, case, case_number), given)
        if taken.problems:
            raise Refused(f"The ticks break {len(taken.problems)} rules.", taken.problems)
        records = list(taken.consents)
        if taken.limits:
            say("The family wrote limits by hand: once kept, it permits nothing until `adapter consent limits`.")
    print_json(records[0] if len(records) == 1 else records)


@click.command()
@click.argument("case_number", metavar="CASE-NUMBER")
@click.argument("consent_id", metavar="CONSENT")
@click.argument("provisions", type=click.File("rb"), metavar="PROVISIONS.json")
@click.option("--by", required=True, help="Who read the limits with the family.")
@pass_asked
def limits(asked: Asked, case_number: str, consent_id: str, provisions: IO[bytes], by: str) -> None:
    """Put handwritten limits into effect: a list of denials, or an empty one where the text limits nothing.

    Until then the consent permits nothing.

    \b
    Example:
      adapter --instance my-agency consent limits C-1042 default-2026-09-01-mother limits.json --by "A. Coordinator"
    """
    from adapter import consenting
    from adapter.core import strict_json

    given = {"provisions": strict_json.parse(provisions.read()), "by": by}
    with opened(asked) as wired:
        told = consenting.limit(wired, case_number, consent_id, strict_json.dump(given))
    print_json(told)
    say("In effect. The case's shares are due.")


@click.command()
@click.argument("case_number", metavar="CASE-NUMBER")
@click.argument("consent_id", metavar="CONSENT")
@click.option("--reason", required=True, help="Why it is an error.")
@click.option("--by", required=True, help="The privacy officer who says so.")
@pass_asked
def cancel(asked: Asked, case_number: str, consent_id: str, reason: str, by: str) -> None:
    """Cancel a consent that was entered in error, whole, and list what had left under it.

    It permits and denies nothing from then on: what no other consent permits is taken back. Where a family changed its
    mind, the consent is revoked instead, and its denials stay.

    \b
    Example:
      adapter --instance my-agency consent cancel C-1042 c3 --reason "Of another child" --by "P. Officer"
    """
    from adapter import consenting
    from adapter.core import strict_json

    with opened(asked) as wired:
        told = consenting.cancel(wired, case_number, consent_id, strict_json.dump({"reason": reason}), by=by)
    print_json(told)
    say("Cancelled. The case's shares are due.")


commands = (form_, take, limits, cancel)


def _read(found: Desk | Preview, case: IO[bytes] | None, number: str | None) -> dict[str, Any]:
    """The case that was asked for: a file that breaks no rule, or one of the instance."""
    from adapter import keep, show
    from adapter.core import strict_json
    from adapter.desk import Desk

    if (case is None) == (number is None):
        raise click.UsageError("a case is needed: --case CASE.json, or --case-number N with an instance.")
    if case is None:
        if not isinstance(found, Desk):
            raise click.UsageError("--case-number needs an instance: `adapter --instance DIR …`.")
        return show.case_as_read(found, str(number))
    body = case.read()
    if problems := keep.problems(body, found.catalogue.schemas):
        raise Refused(f"The case file breaks {len(problems)} rules.", problems)
    read: dict[str, Any] = strict_json.parse(body)
    return read


def _of_form(ticks: Any, form: str) -> dict[str, Any]:
    """The ticks, of this form: where they do not say of which, it is the one that was named."""
    if not isinstance(ticks, dict):
        raise Malformed("Ticks are a JSON object.")
    if ticks.get("form", form) != form:
        raise Refused("These ticks are of another form.", [Problem("/form", "must be the form that was named")])
    return {"form": form, **ticks}
