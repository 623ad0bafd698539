"""Commands for what the case system is told: notice list, trial, replay."""

from __future__ import annotations

from typing import Any

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.cli.output import print_json, print_rows


@click.group()
def notice() -> None:
    """Look at what the agency's case system is told, try its webhook, have it told again."""


@notice.command("list")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="N", help="Those behind this number.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")
@pass_asked
def notice_list(asked: Asked, after: int, as_json: bool) -> None:
    """List what has happened, and say how far telling has come.

    \b
    Example:
      adapter --instance my-agency notice list --after 120
    """
    from adapter import tell

    rows: list[dict[str, Any]] = []
    with opened(asked) as wired:
        while (found := tell.listed(wired, after=after, limit=1000))["notices"]:
            rows, after = rows + found["notices"], found["next"]
    print_rows(rows, ("number", "timestamp", "type", "case", "partner", "path", "item"), as_json=as_json)
    stands = found["telling"]
    if not stands["configured"]:
        say("Nobody is told: [case_system] in adapter.toml names no webhook.")
    else:
        say(f"Told up to {stands['told']}; {stands['waiting']} wait{' for a person' if stands['stopped'] else ''}.")


@notice.command("trial")
@pass_asked
def notice_trial(asked: Asked) -> None:
    """Send a trial notice to the webhook of [case_system] in adapter.toml, and say whether it was taken.

    \b
    Example:
      adapter --instance my-agency notice trial
    """
    from adapter import tell

    with opened(asked) as wired:
        taken = tell.trial(wired)
    if taken is None:
        raise click.ClickException("[case_system] in adapter.toml names no webhook.")
    if not taken:
        raise click.ClickException(
            "it was not taken: look at the address, that it is reached without a redirect and answers 2xx, and that the"
            " secrets are in the environment."
        )
    say("Taken.")


@notice.command("replay")
@click.option("--after", type=click.IntRange(min=0), metavar="N", help="Everything behind this number once more.")
@pass_asked
def notice_replay(asked: Asked, after: int | None) -> None:
    """Have the case system told again; without --after, go on where telling had stopped.

    Each notice has the id that it had: a system that has taken it knows it.

    \b
    Examples:
      adapter --instance my-agency notice replay
      adapter --instance my-agency notice replay --after 120
    """
    from adapter import tell
    from adapter.core import strict_json

    with opened(asked) as wired:
        body = strict_json.dump({} if after is None else {"after": after})
        done = tell.replay(wired, body)
    print_json(done)
    say("A running worker tells it.")


commands = (notice,)
