"""Commands that administer an instance: tokens, partners, alerts, the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adapter.cli.context import Asked, desk, now, opened, pass_asked, say
from adapter.cli.output import print_json, print_rows

if TYPE_CHECKING:
    from adapter.store.database import Store

ROLES = ("source", "coordinator", "privacy", "engineer", "admin", "partner")

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")


@click.group()
def token() -> None:
    """Give out, list and revoke the tokens with which systems and people call the API."""


@token.command("new")
@click.option(
    "--role",
    required=True,
    type=click.Choice(ROLES),
    help="source: the case system. partner: a partner's system, at /fhir. The others are people's.",
)
@click.option("--partner", metavar="P", help="Which partner it is; for the role partner only.")
@click.option("--source", metavar="S", help="Which of the settings' sources it is; for the role source only.")
@click.option("--label", default="", help="A word for the list, to know it by.")
@pass_asked
def token_new(asked: Asked, role: str, partner: str | None, source: str | None, label: str) -> None:
    """Print a new token. It cannot be shown again.

    \b
    Examples:
      adapter --instance my-agency token new --role source --label "case system"
      adapter --instance my-agency token new --role source --source intake-form
      adapter --instance my-agency token new --role partner --partner lakeside
    """
    from adapter.store import tokens

    if (role == "partner") != bool(partner):
        raise click.UsageError("--partner P belongs to --role partner, and to no other role.")
    if partner and partner not in asked.catalogue().partners:
        raise click.BadParameter("there is no such file in the instance's partners/", param_hint="--partner")
    if source and role != "source":
        raise click.UsageError("--source S belongs to --role source, and to no other role.")
    if source and source not in {each.id for each in asked.settings().sources}:
        raise click.BadParameter("there are no such [[sources]] in adapter.toml", param_hint="--source")
    with _store(asked) as store, store.writing() as tx:
        made = tokens.new(tx, role=role, partner=partner or "", label=label, source=source or "", now=now())
    click.echo(made)
    say("Keep it now: only its digest is stored, and it cannot be shown again.")


@token.command("list")
@_as_json
@pass_asked
def token_list(asked: Asked, as_json: bool) -> None:
    """List the tokens that were given out, without the tokens themselves."""
    from adapter.store import tokens

    with _store(asked) as store, store.reading() as tx:
        issued = tokens.listed(tx)
    rows = [
        {
            "id": each.id,
            "role": each.role,
            "partner": each.partner or None,
            "source": each.source or None,
            "label": each.label,
            "created": each.created_at.isoformat(),
            "revoked": each.revoked_at.isoformat() if each.revoked_at else None,
        }
        for each in issued
    ]
    print_rows(rows, ("id", "role", "partner", "source", "label", "created", "revoked"), as_json=as_json)


@token.command("revoke")
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@pass_asked
def token_revoke(asked: Asked, number: int) -> None:
    """Revoke a token, by its id in `token list`. It opens nothing from now on."""
    from adapter.store import tokens

    with _store(asked) as store, store.writing() as tx:
        done = tokens.revoke(tx, number, now())
    if not done:
        raise click.ClickException("there is no token of this id in force.")
    say("Revoked.")


@click.group()
def partner() -> None:
    """Connect partners, try their connection, look at those that are configured; pause one, or go on with it."""


@partner.command("list")
@_as_json
@click.option(
    "--partners",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of partner files to use instead.",
)
@pass_asked
def partner_list(asked: Asked, as_json: bool, partners: Path | None) -> None:
    """List the partners: of the instance, or without one, of the fixtures.

    \b
    Example:
      adapter --instance my-agency partner list --json
    """
    from adapter import show

    columns = ("id", "name", "sectors", "purpose", "since", "base_url", "paused", "circuit", "rate", "slowed")
    print_rows(show.partners(desk(asked, partners)), columns, as_json=as_json)


@partner.command("pause")
@click.argument("name", metavar="P")
@pass_asked
def partner_pause(asked: Asked, name: str) -> None:
    """Start nothing new for a partner until it is resumed; what is on its way there is finished.

    \b
    Example:
      adapter --instance my-agency partner pause lakeside
    """
    from adapter import steer

    with opened(asked) as wired:
        print_json(steer.pause(wired, name))
    say("Paused. Nothing is lost: `adapter partner resume` goes on.")


@partner.command("resume")
@click.argument("name", metavar="P")
@click.option(
    "--per-minute", type=float, metavar="N", help="Of what has become due meanwhile, so many shares a minute."
)
@pass_asked
def partner_resume(asked: Asked, name: str, per_minute: float | None) -> None:
    """Go on with a partner, at once or at a pace; where it was found to be away, one share tries now.

    \b
    Examples:
      adapter --instance my-agency partner resume lakeside
      adapter --instance my-agency partner resume lakeside --per-minute 30
    """
    from adapter import steer

    with opened(asked) as wired:
        done = steer.resume(wired, name, per_minute=per_minute)
    print_json(done)
    say("It is still paused in its file: change that, and restart." if done["paused"] else "Resumed.")


@click.command("alert-trial")
@pass_asked
def alert_trial(asked: Asked) -> None:
    """Send a trial alert by each way of [alerts] in adapter.toml, and say which of them worked.

    \b
    Example:
      adapter --instance my-agency alert-trial
    """
    from adapter.reconcile.alerting import trial

    with opened(asked) as wired:
        done = trial(wired)
    print_json(done)
    if not done:
        raise click.ClickException("[alerts] in adapter.toml names nobody to tell.")
    if not all(done.values()):
        raise click.ClickException(
            f"by {', '.join(way for way, told in done.items() if not told)} nobody was told: look at the address, the"
            " port, tls, and that the secret is in the environment."
        )
    say("Told by each way.")


@click.group()
def db() -> None:
    """Administer the database of an instance."""


@db.command("upgrade")
@pass_asked
def db_upgrade(asked: Asked) -> None:
    """Bring the database to this version of the adapter; run it after each upgrade, with the adapter stopped.

    \b
    Example:
      adapter --instance my-agency db upgrade
    """
    with _store(asked, check=False) as store:
        before, now_ = store.upgrade()
    if before == now_:
        say(f"The database is of version {now_} already, which is this adapter's.")
    else:
        say(f"The database was {f'of version {before}' if before else 'empty'}, and is of version {now_} now.")


commands = (token, partner, alert_trial, db)


@contextmanager
def _store(asked: Asked, *, check: bool = True) -> Iterator[Store]:
    """The instance's database, and that it can be used as it is."""
    from adapter.store.database import Store
    from adapter.store.seal import Keys

    settings = asked.settings()
    store = Store.open(settings.database, Keys.parse(settings.keys.read_text(encoding="utf-8")))
    try:
        if check:
            store.check()
        yield store
    finally:
        store.close()
