"""Commands about referrals: referral list, show, cancel, link and answer."""

from __future__ import annotations

from typing import Any

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.cli.output import print_json, print_rows


@click.group()
def referral() -> None:
    """List the referrals that go out or came in, show what has become of one, cancel one, and answer one."""


@referral.command("list")
@click.option("--case", "number", metavar="N", help="Only this case.")
@click.option("--state", metavar="STATE", help="Only those in this state, such as requested.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")
@pass_asked
def referral_list(asked: Asked, number: str | None, state: str | None, as_json: bool) -> None:
    """List every referral that goes out or came in: its state, what it waits for, and whether its answer is overdue.

    \b
    Examples:
      adapter --instance my-agency referral list
      adapter --instance my-agency referral list --state requested
    """
    from adapter import show

    rows: list[dict[str, Any]] = []
    with opened(asked) as wired:
        after = None
        while True:
            found = show.board(wired, number, state=state, after=after)
            rows += found["referrals"]
            if (after := found["next"]) is None:
                break
    columns = ("case", "referral", "direction", "partner", "state", "business_status", "respond_by", "overdue", "flags")
    print_rows(rows, columns, as_json=as_json)
    say(f"{len(rows)} referral(s), {sum(row['overdue'] for row in rows)} overdue.")


@referral.command("show")
@click.argument("number", metavar="CASE")
@click.argument("id_", metavar="REFERRAL")
@pass_asked
def referral_show(asked: Asked, number: str, id_: str) -> None:
    """Show one referral in full: each transition, what could not be, and the receiver's own words.

    \b
    Example:
      adapter --instance my-agency referral show C-1042 r1
    """
    from adapter import show, steer

    with opened(asked) as wired:
        found = show.referral(wired, number, id_)
        steer.enter_look(wired, number, f"referrals/{id_}", role="admin", label="command line")
    print_json(found)


@referral.command("cancel")
@click.argument("number", metavar="CASE")
@click.argument("id_", metavar="REFERRAL")
@click.option("--reason", required=True, metavar="TEXT", help="Why; the receiver reads it.")
@click.option("--others", is_flag=True, help="Not this one, which was taken on, but those made in parallel with it.")
@pass_asked
def referral_cancel(asked: Asked, number: str, id_: str, reason: str, others: bool) -> None:
    """Cancel a referral; where the work has begun, ask for its end, as the partner's dialect has it.

    \b
    Example:
      adapter --instance my-agency referral cancel C-1042 r1 --reason "The family has found a place"
      adapter --instance my-agency referral cancel C-1042 r1 --others --reason "The family has found a place"
    """
    from adapter import refer
    from adapter.core import strict_json

    with opened(asked) as wired:
        said = strict_json.dump({"reason": reason})
        if others:
            print_json(refer.cancel_others(wired, number, id_, said, by="command line"))
            return
        done = refer.cancel(wired, number, id_, said, by="command line")
    print_json(done)
    say("Cancelled." if done["cancelled"] else "Asked for: it is cancelled once that has arrived.")


@referral.command("link")
@click.argument("number", metavar="CASE")
@click.argument("id_", metavar="REFERRAL")
@click.option("--days", type=click.IntRange(1, 90), default=14, show_default=True, help="For how long it opens.")
@pass_asked
def referral_link(asked: Asked, number: str, id_: str, days: int) -> None:
    """Make a signed link by which an agency without a FHIR server sees one referral and answers it.

    Send the address to the agency, and tell it the code by another way. Neither can be read again.

    \b
    Example:
      adapter --instance my-agency referral link C-1042 r1 --days 7
    """
    from adapter import link
    from adapter.core import strict_json

    with opened(asked) as wired:
        made = link.make(wired, number, id_, strict_json.dump({"days": days}), by="command line")
        base = wired.settings.public_url
    print_json({"link": f"{base}/r/{made.pop('token')}", **made})
    if not base:
        say("The settings name no public_url: put the adapter's address before the link.")


@referral.command("answer")
@click.argument("number", metavar="CASE")
@click.argument("id_", metavar="REFERRAL")
@click.option("--status", required=True, metavar="STATE", help="What is answered, such as accepted.")
@click.option("--business-status", "business", metavar="CODE", help="Where it is in our work, such as waitlisted.")
@click.option("--reason", metavar="TEXT", help="Why; the sender reads it where the family permits that.")
@click.option("--result", metavar="TEXT", help="What came of it; read as the reason is.")
@click.option("--by", "who", metavar="NAME", help="Who answers.")
@pass_asked
def referral_answer(
    asked: Asked, number: str, id_: str, status: str, business: str | None, reason: str | None, result: str | None,
    who: str | None,
) -> None:  # fmt: skip
    """Answer a referral that came in. Its sender reads the answer on its own Task, as far as consent lets it.

    \b
    Examples:
      adapter --instance my-agency referral answer C-1042 r1 --status accepted --business-status waitlisted
      adapter --instance my-agency referral answer C-1042 r1 --status rejected --reason "They live elsewhere"
    """
    from adapter import refer, show
    from adapter.core import strict_json

    given = {"status": status, "business_status": business, "reason": reason, "result": result, "by": who}
    said = strict_json.dump({name: value for name, value in given.items() if value is not None})
    with opened(asked) as wired:
        done = refer.answer(wired, number, id_, said, by="command line")
        found = show.referral(wired, number, id_)
    print_json({**done, "state": found["state"], "held": found["held"], "withheld": found["withheld"]})
    if found["sentence"]:
        say(found["sentence"])
    for name in found["withheld"]:
        say(f"The sender is not told: {name}. The family does not permit it to see that.")


commands = (referral,)
