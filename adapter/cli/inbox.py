"""Commands for what partners have sent: inbox list, show, match, open, adopt, dismiss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.cli.output import print_json, print_rows

_paths = click.argument("paths", nargs=-1, metavar="PATH…")
_all = click.option("--all", "everything", is_flag=True, help="Everything that can be.")
_by = click.option("--by", default="", metavar="WHO", help="Who decides it; kept beside the case.")


@click.group()
def inbox() -> None:
    """See what partners have sent, and say which case it is of, what to adopt and what not."""


@inbox.command("list")
@click.option("--partner", metavar="ID", help="Only what this partner sent.")
@click.option("--state", type=click.Choice(("waiting", "settled")), help="Only items in this state.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")
@pass_asked
def inbox_list(asked: Asked, partner: str | None, state: Any, as_json: bool) -> None:
    """List the items, one for each child of each partner: of which case it is, and whether anything waits.

    \b
    Example:
      adapter --instance my-agency inbox list --state waiting
    """
    from adapter import inbox as verb

    rows: list[dict[str, Any]] = []
    with opened(asked) as wired:
        after: int | None = 0
        while after is not None:
            found = verb.listed(wired, partner=partner, state=state, after=after, limit=100)
            rows, after = rows + found["items"], found["next"]
    print_rows(rows, ("id", "partner", "of", "case", "state", "changed_at"), as_json=as_json)
    say(f"{len(rows)} item(s), {sum(row['state'] == 'waiting' for row in rows)} waiting.")


@inbox.command("show")
@click.argument("item")
@pass_asked
def inbox_show(asked: Asked, item: str) -> None:
    """Show an item: what the partner says of the child, record by record beside the agency's case.

    \b
    Example:
      adapter --instance my-agency inbox show 3f2a…
    """
    from adapter import inbox as verb

    with opened(asked) as wired:
        print_json(verb.show(wired, item))


@inbox.command("match")
@click.argument("item")
@click.argument("case", required=False)
@click.option("--undo", is_flag=True, help="It is of no case after all; while nothing of it was adopted.")
@click.option("--pair", "pairs", multiple=True, metavar="TYPE/ID=PATH", help="A resource of theirs is this record.")
@_by
@pass_asked
def inbox_match(asked: Asked, item: str, case: str | None, undo: bool, pairs: tuple[str, ...], by: str) -> None:
    """Say which case the child of an item is of. Look at the item first: the wrong child is the worst mistake.

    \b
    Examples:
      adapter --instance my-agency inbox match 3f2a… C-1042
      adapter --instance my-agency inbox match 3f2a… C-1042 --pair RelatedPerson/x=people/mother
      adapter --instance my-agency inbox match 3f2a… --undo
    """
    from adapter import inbox as verb

    if undo == (case is not None):
        raise click.UsageError("Name a case, or --undo.")
    said: dict[str, Any] = {"case": case}
    if pairs:
        said["pairs"] = dict(_pair(each) for each in pairs)
    _do(asked, lambda wired, body: verb.match(wired, item, body, version=None, by=_who(by), role="admin"), said)


@inbox.command("open")
@click.argument("item")
@click.argument("case")
@click.option("--program", required=True, metavar="PROGRAM", help="Whose rules apply to the new case.")
@click.option("--first-contact", metavar="DAY", help="When the family was first in contact; today if left out.")
@_by
@pass_asked
def inbox_open(asked: Asked, item: str, case: str, program: str, first_contact: str | None, by: str) -> None:
    """Open a case of this new number for a child that is unknown here: its referral comes in.

    \b
    Example:
      adapter --instance my-agency inbox open 3f2a… C-2001 --program ontario-csp
    """
    from adapter import inbox as verb

    said = {"case": case, "program": program, **({"first_contact": first_contact} if first_contact else {})}
    _do(asked, lambda wired, body: verb.open_case(wired, item, body, version=None, by=_who(by)), said)


@inbox.command("adopt")
@click.argument("item")
@_paths
@_all
@_by
@pass_asked
def inbox_adopt(asked: Asked, item: str, paths: tuple[str, ...], everything: bool, by: str) -> None:
    """Take over records or fields of an item into its case, and nothing else.

    \b
    Examples:
      adapter --instance my-agency inbox adopt 3f2a… goals/0d1e… child/birth_date
      adapter --instance my-agency inbox adopt 3f2a… --all
    """
    from adapter import inbox as verb

    said = _chosen(paths, everything)
    _do(asked, lambda wired, body: verb.adopt(wired, item, body, version=None, by=_who(by)), said)


@inbox.command("dismiss")
@click.argument("item")
@_paths
@_all
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with the item.")
@_by
@pass_asked
def inbox_dismiss(asked: Asked, item: str, paths: tuple[str, ...], everything: bool, reason: str, by: str) -> None:
    """Leave records or fields of an item out of its case, until the partner says something else of them.

    \b
    Example:
      adapter --instance my-agency inbox dismiss 3f2a… goals/0d1e… --reason "reached last year"
    """
    from adapter import inbox as verb

    said = {**_chosen(paths, everything), "reason": reason}
    _do(asked, lambda wired, body: verb.dismiss(wired, item, body, version=None, by=_who(by)), said)


@inbox.command("rebuild")
@pass_asked
def inbox_rebuild(asked: Asked) -> None:
    """Build the inbox anew from what partners have written.

    After an upgrade from a version that kept none, and when a partner was added. What was decided stays.

    \b
    Example:
      adapter --instance my-agency inbox rebuild
    """
    from adapter import inbox as verb

    with opened(asked) as wired:
        cases, resources = verb.rebuild(wired)
    say(f"{cases} case(s) and {resources} resource(s) were gone through.")


def _do(asked: Asked, act: Callable[[Any, bytes], Any], said: dict[str, Any]) -> None:
    from adapter.core import strict_json

    with opened(asked) as wired:
        print_json(act(wired, strict_json.dump(said)).told())


def _chosen(paths: tuple[str, ...], everything: bool) -> dict[str, Any]:
    if everything == bool(paths):
        raise click.UsageError("Name paths, or --all.")
    return {"all": True} if everything else {"paths": list(paths)}


def _pair(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise click.UsageError("--pair takes TYPE/ID=PATH.")
    return name, path


def _who(by: str) -> str:
    return by or "command line"


commands = (inbox,)
