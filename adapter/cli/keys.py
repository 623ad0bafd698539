"""Commands for the signing keys, with which partners are shown who we are (SMART Backend Services)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adapter.cli.context import Asked, now, pass_asked, say
from adapter.cli.output import print_json, print_rows
from adapter.errors import Finding, Misconfigured

if TYPE_CHECKING:
    from adapter.core.partner import Partner
    from adapter.outward.signing import Algorithm, SigningKeys

_AHEAD = 24.0
"""Hours for which a key is published before it is used: partners may keep what they read of us that long."""


@click.group()
def key() -> None:
    """Make, list and retire the keys with which the adapter signs who it is (SMART Backend Services)."""


@key.command("new")
@click.option(
    "--algorithm",
    type=click.Choice(["ES384", "RS384"]),
    default="ES384",
    show_default=True,
    help="With which it signs: as the partner's file says.",
)
@click.option("--name", metavar="N", help="Its name (kid), by which a partner file can ask for it.")
@click.option("--now", "at_once", is_flag=True, help="Use it at once: the one before is not to be trusted any more.")
@pass_asked
def key_new(asked: Asked, algorithm: Algorithm, name: str | None, at_once: bool) -> None:
    """Make a signing key. It is published at once, and used from the next day on.

    Partners read it at /.well-known/jwks.json, or are given the JWK Set that this command prints. The first key of
    an algorithm is used at once: there is no other.

    \b
    Examples:
      adapter --instance my-agency key new
      adapter --instance my-agency key new --algorithm RS384 --name lakeside-2027
    """
    from adapter.outward.signing import NAME

    moment = now()
    name = name or f"{algorithm.lower()}-{moment.date().isoformat()}-{secrets.token_hex(2)}"
    if not NAME.fullmatch(name):
        raise click.BadParameter("must be letters, digits, hyphens and dots, at most 64", param_hint="--name")
    ahead = moment if at_once else moment + timedelta(hours=_AHEAD)

    def with_another(keys: SigningKeys) -> SigningKeys:
        first = all(each.algorithm != algorithm for each in keys.keys)
        return keys.with_new(name, algorithm, moment if first else ahead)

    made = _changed(asked, with_another)
    print_json(made.public())
    used = made.chosen("", algorithm, moment)
    when = "at once" if used and used.name == name else f"from {ahead.isoformat(timespec='minutes')} on"
    say(f"{name} is published now, and used {when}.")


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal too.")
@pass_asked
def key_list(asked: Asked, as_json: bool) -> None:
    """List the signing keys, and the partners to which each would be shown now.

    \b
    Example:
      adapter --instance my-agency key list
    """
    keys = _read(asked)
    users = _users(asked, keys)
    rows = [
        {
            "name": each.name,
            "algorithm": each.algorithm,
            "used_from": each.begins.isoformat(timespec="minutes"),
            "partners": users.get(each.name, []),
        }
        for each in keys.keys
    ]
    print_rows(rows, ("name", "algorithm", "used_from", "partners"), as_json=as_json)


@key.command("retire")
@click.argument("name")
@pass_asked
def key_retire(asked: Asked, name: str) -> None:
    """Remove a signing key: it is published no longer, and gone. Refused while a partner would be shown it.

    \b
    Example:
      adapter --instance my-agency key retire es384-2026-11-27-0c1f
    """
    if using := _users(asked, _read(asked)).get(name):
        raise click.ClickException(
            f"{name} is what {', '.join(using)} would be shown now; make another first (`adapter key new`)."
        )
    _changed(asked, lambda keys: keys.without(name))
    say(f"{name} is gone. What a partner was shown of it within the last minutes may be refused, and is tried again.")


commands = (key,)


def keyless(asked: Asked) -> None:
    """Misconfigured, with file and line: partner files that ask for a signing key that is not there."""
    from adapter.core.toml_form import parse

    keys = _read(asked)
    found = []
    for partner in _signed_for(asked):
        wanted = partner.authorisation
        if keys.chosen(wanted.key, wanted.algorithm, now()) is None:
            path = asked.settings().partners / f"{partner.id}.toml"
            what, place = (f"key {wanted.key}", "key") if wanted.key else ("key", "kind")
            make = f"`adapter key new --algorithm {wanted.algorithm}`"
            detail = f"there is no signing {what} for {wanted.algorithm}: {make}"
            document = parse(str(path), path.read_text(encoding="utf-8"))
            found.append(document.finding(f"{place}: {detail}", "authorisation", place))
    if found:
        raise Misconfigured("Partner files ask for keys that are not there.", found)


def _signed_for(asked: Asked) -> list[Partner]:
    """The partners that are shown what we sign; none where the partner files are wrong, which is told elsewhere."""
    try:
        files = asked.settings().partners.glob("*.toml")
        if not any("smart-backend" in file.read_text(encoding="utf-8", errors="replace") for file in files):
            return []  # reading the whole catalogue takes a second
        partners = asked.catalogue().partners.values()
    except (Misconfigured, OSError):
        return []
    return [each for each in partners if each.authorisation.kind == "smart-backend"]


def _users(asked: Asked, keys: SigningKeys) -> dict[str, list[str]]:
    """By key, the partners to which it would be shown now."""
    found: dict[str, list[str]] = {}
    for partner in _signed_for(asked):
        used = keys.chosen(partner.authorisation.key, partner.authorisation.algorithm, now())
        if used is not None:
            found.setdefault(used.name, []).append(partner.id)
    return found


def _read(asked: Asked) -> SigningKeys:
    from adapter.wiring import signing_keys

    return signing_keys(asked.settings())


def _changed(asked: Asked, change: Callable[[SigningKeys], SigningKeys]) -> SigningKeys:
    """The keys after this change, which is in the file whole or not at all; one command at a time."""
    path = asked.settings().signing_keys
    draft = path.with_name(f"{path.name}.new")
    try:
        file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise Misconfigured(
            "Another `adapter key` is at work, or one was cut off.",
            [Finding(str(draft), 0, "remove this file where none is at work")],
        ) from None
    try:
        with os.fdopen(file, "w", encoding="utf-8") as draft_file:
            after = change(_read(asked))
            draft_file.write(after.text())
            draft_file.flush()
            os.fsync(draft_file.fileno())
        draft.replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return after
