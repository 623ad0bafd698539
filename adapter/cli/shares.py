"""Commands about shares, a case and a partner each: what became of them, and having them tried or looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.cli.output import print_json, print_rows
from adapter.core.account.words import HOW

if TYPE_CHECKING:
    from adapter.desk import Desk

STATES = ("idle", "due", "working", "waiting", "paused", "stopped")


@click.group()
def share() -> None:
    """Look at the shares (a case and a partner each) and have one tried again."""


@share.command("list")
@click.option("--case", metavar="C", help="Only the shares of this case.")
@click.option("--partner", metavar="P", help="Only the shares with this partner.")
@click.option("--state", type=click.Choice(STATES), help="Only the shares in this state.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")
@pass_asked
def share_list(asked: Asked, case: str | None, partner: str | None, state: str | None, as_json: bool) -> None:
    """List the shares: their state, when they are next due, and what came of the last attempt.

    Those of deleted cases are not among them: `adapter alarms` tells of each that has stopped.

    \b
    Examples:
      adapter --instance my-agency share list --state stopped
      adapter --instance my-agency share list --case C-1042 --json
    """
    from adapter import show

    with opened(asked) as wired:
        found: list[dict[str, Any]] = (
            _every(wired) if case is None else [{"case": case, "shares": show.shares_of(wired, case)}]
        )
    rows = [
        {"case": each["case"], **row}
        for each in found
        for row in each["shares"]
        if partner in (None, row["partner"]) and state in (None, row["state"])
    ]
    print_rows(rows, ("case", "partner", "state", "due", "outcome", "attempts", "detail"), as_json=as_json)


def _every(wired: Desk) -> list[dict[str, Any]]:
    """All cases with their shares, page by page."""
    from adapter import show

    pages = [show.overview(wired)]
    while pages[-1]["next"] is not None:
        pages.append(show.overview(wired, after=pages[-1]["next"]))
    return [each for found in pages for each in found["cases"]]


@share.command("retry")
@click.argument("case")
@click.argument("partner")
@click.option("--ours-again", "theirs", flag_value="overwrite", help="Write over what was changed at the partner.")
@click.option("--leave-theirs", "theirs", flag_value="leave", help="Leave it as it is there, until ours changes.")
@pass_asked
def share_retry(asked: Asked, case: str, partner: str, theirs: str | None) -> None:
    """Make a share due now, whatever stopped it or made it wait.

    Where the alarm `conflict` says that somebody at the partner has changed our copy, say whose it is to be.

    \b
    Examples:
      adapter --instance my-agency share retry C-1042 lakeside
      adapter --instance my-agency share retry C-1042 lakeside --ours-again
    """
    from adapter import steer

    with opened(asked) as wired:
        done = steer.retry(wired, case, partner, theirs=cast(steer.Theirs, theirs or ""))
    print_json(done)
    say("It is due now: a running worker takes it up.")


@share.command("purged")
@click.argument("case")
@click.argument("partner")
@click.option("--done", "answer", flag_value="done", required=True, help="It says that it has removed its copies.")
@click.option("--kept", "answer", flag_value="kept", help="It keeps its copies, and the agency knows why.")
@click.option("--how", type=click.Choice(list(HOW)), help="How it said so.")
@click.option("--on", help="When it said so: a date, or a date-time.")
@click.option("--reason", help="Why; for people of the agency.")
@pass_asked
def share_purged(asked: Asked, case: str, partner: str, answer: str, **more: str | None) -> None:
    """Enter what a partner has said, by telephone for example, of the request to purge what was taken back.

    What it answers on its Task comes home by itself. It is a line in the account of the case, and ends the alarm.

    \b
    Example:
      adapter --instance my-agency share purged C-1042 riverside --done --how telephone --on 2026-11-25
    """
    from adapter import steer
    from adapter.core import strict_json

    with opened(asked) as wired:
        body = strict_json.dump({"answer": answer, **{name: said for name, said in more.items() if said is not None}})
        done = steer.purged(wired, case, partner, body, role="admin", label="command line")
    print_json(done)
    say("It is in the account of the case.")


@share.command("resync")
@click.option("--partner", required=True, metavar="P", help="The partner, by the name of its file.")
@click.option("--per-minute", type=click.FloatRange(0.1, 6000), default=60.0, show_default=True, metavar="N",
              help="So many shares a minute are looked at again.")  # fmt: skip
@click.option("--anew", is_flag=True, help="From the beginning, where an earlier one was stopped.")
@pass_asked
def share_resync(asked: Asked, partner: str, per_minute: float, anew: bool) -> None:
    """Have all of a partner's shares looked at again: what was changed or lost there is set right.

    The workers read what the partner really holds of each case. Stop it with Ctrl-C whenever you like: the same command
    goes on from there.

    \b
    Example:
      adapter --instance my-agency share resync --partner lakeside --per-minute 30
    """
    import time

    from rich.console import Console
    from rich.progress import Progress

    from adapter import steer

    console = Console(stderr=True)
    done, there, begins = 0, 0, True
    with opened(asked) as wired, Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"Shares of {partner}", total=None)
        try:
            while (step := steer.resync_next(wired, partner, anew=anew, begins=begins)) is not None:
                anew = begins = False
                done, there = step
                bar.update(task, completed=done, total=there)
                if done < there:
                    time.sleep(60 / per_minute)
        except KeyboardInterrupt:
            bar.stop()
            say(f"Stopped after {done} of {there} share(s): the same command goes on from there.")
            raise click.exceptions.Exit(130) from None
        waits = steer.is_paused(wired, partner)
    say(f"{done or 'No'} share(s) of {partner} are due to be looked at again.")
    if waits:
        say(f"{partner} is paused: they wait until it is resumed (`adapter partner resume {partner} --per-minute N`).")


commands = (share,)
