"""Commands about what waits for a person: review list and release, due, waitlist, alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.cli.output import print_json, print_rows

if TYPE_CHECKING:
    from adapter.desk import Desk

_one_case = click.option("--case", "number", metavar="N", help="Only this case.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")


@click.group()
def review() -> None:
    """List what waits for a person's word, and release what was read."""


@review.command("list")
@_one_case
@click.option("--text", is_flag=True, help="Also what is to be read. Only where nobody else looks on.")
@_as_json
@pass_asked
def review_list(asked: Asked, number: str | None, text: bool, as_json: bool) -> None:
    """List what waits: texts nobody has read, names of the withheld, what may be a denied record, confirmations.

    Without --text it says where and since when, never what: no text, no name.

    \b
    Examples:
      adapter --instance my-agency review list
      adapter --instance my-agency review list --case C-1042 --text
    """
    from adapter import show, steer

    with opened(asked) as wired:
        rows = _all(lambda after: show.to_review(wired, number, after=after, text=text), "waiting")
        # Whoever reads a text looks at the case, here as on the API.
        for case, path in sorted({(row["case"], row["path"]) for row in rows if "text" in row}):
            steer.enter_look(wired, case, path, role="admin", label="command line")
    columns = ("case", "path", "kind", "days", "partners", "about", *(("text",) if text else ()))
    print_rows(rows, columns, as_json=as_json)
    say(f"{len(rows)} thing(s) wait for a person.")


@review.command("release")
@click.argument("number", metavar="CASE")
@click.argument("path")
@click.option("--by", required=True, metavar="NAME", help="Who has read it.")
@click.option("--topics", metavar="A,B", default="", help="What it is about; none says that it is ordinary.")
@click.option("--not-denied", is_flag=True, help="Say instead that it is not the denied record that was removed.")
@pass_asked
def review_release(asked: Asked, number: str, path: str, by: str, topics: str, not_denied: bool) -> None:
    """Say that the text at PATH of CASE has been read, and what it is about.

    It may then be shared as far as consent goes. The review is of the text as it is now: a changed text waits again.
    The topics stay until another review gives others.

    \b
    Examples:
      adapter --instance my-agency review release C-1042 goals/g2 --by "D. Roy" --topics mental-health
      adapter --instance my-agency review release C-1042 care_plans/p1/sections/s2 --by "D. Roy"
      adapter --instance my-agency review release C-1042 goals/g7 --by "D. Roy" --not-denied
    """
    from adapter import consenting

    about = [topic.strip() for topic in topics.split(",") if topic.strip()]
    if not_denied and about:
        raise click.UsageError("--not-denied says nothing of what a text is about: leave --topics out.")
    with opened(asked) as wired:
        if not_denied:
            done = consenting.not_denied(wired, number, path)
        else:
            done = consenting.release(wired, number, path, by=by, topics=about)
    print_json(done)
    say("Released: its shares are due." if done["changed"] else "It was so already.")


@click.command()
@_one_case
@click.option("--days", type=click.IntRange(0, 3660), help="How far ahead; otherwise 60 days, and 180 for birthdays.")
@click.option("--as", "form", type=click.Choice(["records", "fhir"]), default="records", help="Or FHIR Tasks.")
@_as_json
@pass_asked
def due(asked: Asked, number: str | None, days: int | None, form: str, as_json: bool) -> None:
    """List what the programs ask for, and what ends soon: consents, permits and denials, and ages reached.

    A program asks for what is overdue, due or missing, or has somebody look at it; each row names the rule.

    \b
    Examples:
      adapter --instance my-agency due
      adapter --instance my-agency due --case C-1042 --days 365
      adapter --instance my-agency due --as fhir > tasks.json
    """
    from adapter import show

    with opened(asked) as wired:
        if form == "fhir":
            bundles = [each["bundle"] for each in _pages(lambda after: _tasks(wired, number, days, after))]
            entries = [entry for bundle in bundles for entry in bundle.get("entry", ())]
            print_json(bundles[0] | ({"entry": entries} if entries else {}))
            say(f"{len(entries)} task(s).")
            return
        ending = _all(lambda after: show.due_soon(wired, number, days=days, after=after), "due")
        found = _all(lambda after: show.asked_for(wired, number, days=days, after=after), "findings")
    rows = [{**row, "rule": None} for row in ending]
    rows += [{**row, "on": row["due"], "partners": []} for row in found]
    rows.sort(key=lambda row: (row["on"] or "9999", row["case"]))
    print_rows(rows, ("case", "on", "kind", "path", "sentence", "rule"), as_json=as_json)
    say(f"{len(ending)} thing(s) end soon; the programs ask for {len(found)} thing(s).")


@click.command()
@click.option("--region", metavar="R", help="Only this region's part of the list.")
@click.option("--program", metavar="P", help="Only the families that wait for this program.")
@_as_json
@pass_asked
def waitlist(asked: Asked, region: str | None, program: str | None, as_json: bool) -> None:
    """List who waits for coordination, in the program's order, and why each stands there.

    \b
    Examples:
      adapter --instance my-agency waitlist
      adapter --instance my-agency waitlist --region North
    """
    from adapter import show

    with opened(asked) as wired:
        rows = show.waitlist(wired, region=region, program=program)["waitlist"]
    print_rows(rows, ("program", "place", "case", "region", "place_in_region", "why"), as_json=as_json)
    say(f"{len(rows)} family(ies) wait.")


@click.command()
@_one_case
@_as_json
@pass_asked
def alarms(asked: Asked, number: str | None, as_json: bool) -> None:
    """List what a person must look at: consents that cannot be computed or lack authority, shares that have stopped.

    \b
    Example:
      adapter --instance my-agency alarms
    """
    from adapter import show

    with opened(asked) as wired:
        rows = _all(lambda after: show.alarms(wired, number, after=after), "alarms")
    print_rows(rows, ("case", "path", "partner", "alarm", "sentence", "detail"), as_json=as_json)
    say(f"{len(rows)} alarm(s).")


commands = (review, due, waitlist, alarms)


def _tasks(wired: Desk, number: str | None, days: int | None, after: str | None) -> dict[str, Any]:
    from adapter import show

    bundle, next_ = show.tasks(wired, number, days=days, after=after)
    return {"bundle": bundle, "next": next_}


def _all(page: Callable[[str | None], dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The rows of all pages."""
    return [row for each in _pages(page) for row in each[name]]


def _pages(page: Callable[[str | None], dict[str, Any]]) -> list[dict[str, Any]]:
    found = [page(None)]
    while found[-1]["next"] is not None:
        found.append(page(found[-1]["next"]))
    return found
