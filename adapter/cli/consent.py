"""Commands about consents: what FHIR Consents from elsewhere say to one question."""

from __future__ import annotations

import sys
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.context import Asked, instant, pass_asked, say
from adapter.cli.output import print_json

if TYPE_CHECKING:
    from adapter.core.consent.fhir_consents import Deny, NotComputable, Permit


@click.group()
def consent() -> None:
    """Work with consents, and ask FHIR Consents from elsewhere what they decide."""


@consent.command()
@click.argument(
    "files",
    metavar="CONSENT.json…",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    nargs=-1,
    required=True,
)
@click.option(
    "--actor",
    "actors",
    multiple=True,
    required=True,
    metavar="REF|SYSTEM|VALUE",
    help="Who asks: a reference (Organization/54) or an identifier (system|value). Several are names of the one actor.",
)
@click.option("--purpose", multiple=True, metavar="CODE", help="What for; a permit must cover each. As in TREAT.")
@click.option("--class", "class_", multiple=True, metavar="TYPE", help="What the data are: a resource type or profile.")
@click.option("--label", multiple=True, metavar="CODE", help="A security label that the data carry, such as R or PSY.")
@click.option("--code", multiple=True, metavar="CODE", help="A code of the data, such as a diagnosis or a test.")
@click.option("--action", multiple=True, metavar="CODE", help="What is done; access, where nothing is said.")
@click.option("--at", metavar="TIME", help="As of this date (its start) or date-time; otherwise now.")
@click.option(
    "--patient", default="", metavar="REF|SYSTEM|VALUE", help="About whom; needed if the files are of several."
)
@click.option("--data", default="", metavar="REF", help="Which resource is asked for, as in Observation/1.")
@click.option("--refers-to", multiple=True, metavar="REF", help="What that resource refers to, such as Encounter/2.")
@click.option("--referred-by", multiple=True, metavar="REF", help="What refers to that resource.")
@click.option("--author", multiple=True, metavar="REF", help="Who wrote that resource.")
@click.option("--dated", metavar="DATE", help="When that resource was written: a date or date-time of FHIR.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")
@pass_asked
def evaluate(
    asked: Asked,
    files: tuple[str, ...],
    actors: tuple[str, ...],
    purpose: tuple[str, ...],
    class_: tuple[str, ...],
    label: tuple[str, ...],
    code: tuple[str, ...],
    action: tuple[str, ...],
    at: str | None,
    patient: str,
    data: str,
    refers_to: tuple[str, ...],
    referred_by: tuple[str, ...],
    author: tuple[str, ...],
    dated: str | None,
    as_json: bool,
) -> None:
    """Say what FHIR Consents (R4 or R5) decide: permit, deny or not computable.

    Each file is a Consent, a Bundle with some, or a list of them. Organizations, practitioners and groups in the same
    files are followed when a Consent refers to them. Use - for standard input.

    A code is CODE or SYSTEM|CODE; without a system it means any. What is left out is not known: a denial that looks at
    it is hit, and a permit that looks at it is not. Say `none` where the data are known to have no label, class or
    code. Dates without a time are days in the instance's time zone (without an instance, in UTC).

    A denial wins over any permit; what no consent permits is denied. A Consent that cannot be computed never permits;
    if it may deny, the answer is "not computable". docs/consents.md says how Consents are read.

    Standard output has the decision, and where it is no terminal, JSON: decision, consent, provision, reading, reason,
    notes. It ends with 0 for permit and deny, 1 for not computable, 2 when the command itself was wrong.

    \b
    Examples:
      adapter consent evaluate consent.json --actor Organization/54 --purpose TREAT --label N
      adapter consent evaluate bundle.json --actor 'https://registry.example.ca/organizations|ORG-1' \\
        --purpose COC --class Goal --label none --at 2027-03-31
    """
    from adapter.core import strict_json
    from adapter.core.consent.fhir_consents import evaluate as decide
    from adapter.core.consent.fhir_consents import moment, unbundle

    zone = _zone(asked)
    if dated is not None and moment(dated, zone) is None:
        raise click.BadParameter("must be a date or date-time of FHIR, such as 2027-03", param_hint="--dated")
    for name in (*actors, *((patient,) if patient else ())):
        if "|" not in name and "/" not in name and ":" not in name:
            raise click.BadParameter(
                "must be a reference such as Organization/54, or system|value", param_hint="--actor or --patient"
            )
    consents, resources = unbundle([strict_json.parse(_content(file), max_bytes=50_000_000) for file in files])
    if not consents:
        raise click.UsageError("there is no Consent in these files.")
    found = decide(
        consents,
        actor=actors,
        purpose=purpose,
        class_=class_,
        labels=label,
        codes=code,
        action=action,
        at=instant(at, zone),
        patient=patient,
        data=data,
        refers_to=refers_to or None,
        referred_by=referred_by or None,
        authors=author or None,
        data_date=dated,
        resources=resources,
        zone=zone,
    )
    _tell(found, as_json=as_json or not sys.stdout.isatty())
    if found.decision == "not computable":
        raise click.exceptions.Exit(1)


commands = (consent,)


def _content(file: str) -> bytes:
    with click.open_file(file, "rb") as opened:
        content: bytes = opened.read()
    return content


def _zone(asked: Asked) -> tzinfo:
    return UTC if asked.instance is None else asked.settings().time_zone


def _tell(found: Permit | Deny | NotComputable, *, as_json: bool) -> None:
    told: dict[str, Any] = {
        "decision": found.decision,
        "consent": found.consent or None,
        "provision": found.provision or None,
        "reading": found.reading or None,
        "reason": found.reason,
        "notes": list(found.notes),
    }
    if as_json:
        print_json(told)
    else:
        click.echo(found.decision)
    say(f"{found.decision}: {found.reason}")
    if found.consent or found.provision:
        say(f"  decided by {' '.join(word for word in (found.consent, found.provision) if word)}")
    if found.reading:
        say(f"  read as {found.reading}")
    for note in found.notes:
        say(f"  note: {note}")
