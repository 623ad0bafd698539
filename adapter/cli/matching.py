"""Commands for children who wait to be matched: match list, accept, create."""

from __future__ import annotations

from typing import Any

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.cli.output import print_json, print_rows


@click.group()
def match() -> None:
    """Say who a child is among a partner's patients, where that is not certain."""


@match.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")
@pass_asked
def match_list(asked: Asked, as_json: bool) -> None:
    """List the children who wait: at which partner, since when, and the ids there that come into question.

    Nothing is shown of anybody else's child: look an id up in the partner's own system.

    \b
    Example:
      adapter --instance my-agency match list
    """
    from adapter import show

    rows: list[dict[str, Any]] = []
    with opened(asked) as wired:
        after: int | None = 0
        while after is not None:
            found = show.to_match(wired, after=after)
            rows, after = rows + found["matches"], found["next"]
    if not as_json:
        for row in rows:
            row["candidates"] = [f"{each['id']} ({each['score'] or 'no score'})" for each in row["candidates"]]
    print_rows(rows, ("case", "partner", "since", "candidates"), as_json=as_json)
    say(f"{len(rows)} child(ren) wait to be matched.")


@match.command("accept")
@click.argument("case")
@click.argument("partner")
@click.argument("patient", metavar="ID")
@pass_asked
def match_accept(asked: Asked, case: str, partner: str, patient: str) -> None:
    """Say that the child of CASE is Patient/ID at PARTNER. That patient is never changed and never deleted by us.

    It is read before anything is sent, and waits again where it has another birth date.

    \b
    Example:
      adapter --instance my-agency match accept C-1042 riverside 8841
    """
    _give(asked, case, partner, {"accept": patient})
    say("Accepted: its share is due.")


@match.command("create")
@click.argument("case")
@click.argument("partner")
@pass_asked
def match_create(asked: Asked, case: str, partner: str) -> None:
    """Say that the child of CASE is none of the patients of PARTNER, and is to be created there.

    \b
    Example:
      adapter --instance my-agency match create C-1042 riverside
    """
    _give(asked, case, partner, {"create": True})
    say("It will be created there: its share is due.")


commands = (match,)


def _give(asked: Asked, case: str, partner: str, word: dict[str, Any]) -> None:
    from adapter import steer
    from adapter.core import strict_json

    with opened(asked) as wired:
        done = steer.match(wired, case, partner, strict_json.dump(word), role="admin", label="command line")
    print_json(done)
