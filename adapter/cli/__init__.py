"""The command `adapter`: JSON on standard output, words on standard error, exit 0, 1 (findings) or 2 (usage).

Commands import what they need when they run, so that `adapter --help` is quick.
"""

from __future__ import annotations

from pathlib import Path

import click

from adapter.cli import (
    administer,
    checking,
    connecting,
    consent,
    disclosures,
    fhir,
    forms,
    importing,
    inbox,
    keys,
    look,
    matching,
    notices,
    profiles,
    referral,
    review,
    run,
    shares,
    trying,
    write,
)
from adapter.cli.context import Asked, Commands

EXAMPLES = """
\b
Look at what a partner would receive, without an instance (with the invented partners of the fixtures):
  adapter new case > case.json
  adapter validate case.json
  adapter preview case.json --partner lakeside --as explain
  adapter map case.json --partner lakeside

\b
Set up an instance and run it:
  adapter init my-agency
  adapter --instance my-agency check
  adapter --instance my-agency token new --role source
  adapter --instance my-agency serve
"""


@click.group(cls=Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--instance",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ADAPTER_INSTANCE",
    metavar="DIR",
    help="The folder that `adapter init` made. Or set ADAPTER_INSTANCE.",
)
@click.version_option(package_name="csp-fhir-adapter", prog_name="adapter")
@click.pass_context
def main(context: click.Context, instance: Path | None) -> None:
    """Share each child's coordinated service plan with partners, as FHIR, and as far as the family's consent goes.

    Commands print JSON (or the one thing asked for) on standard output, and words on standard error. They end with 0
    when all is well, 1 when something is wrong, 2 when the command itself was.
    """
    context.obj = Asked(instance)


ROOMS = (
    run,
    look,
    checking,
    matching,
    notices,
    trying,
    write,
    importing,
    administer,
    shares,
    keys,
    review,
    consent,
    disclosures,
    fhir,
    profiles,
    referral,
    inbox,
)
for room in ROOMS:
    for command in room.commands:
        main.add_command(command)
for command in connecting.commands:
    administer.partner.add_command(command)
for command in forms.commands:
    consent.consent.add_command(command)
