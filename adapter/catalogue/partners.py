"""Reads the partner files of an instance: one TOML file a partner, its name the partner's id."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from adapter.catalogue.files import Found
from adapter.core.consent.rulebook import PURPOSES
from adapter.core.partner import Authorisation, Partner, Purpose
from adapter.core.toml_form import (
    Form,
    WrongError,
    day,
    flag,
    many_of,
    matching,
    number,
    one_of,
    parse,
    text,
    uri,
    whole,
)
from adapter.errors import Finding, Misconfigured

HEALTH = frozenset({"health", "hospital"})
"""Sectors that have to choose whether they learn, by one bit, that something was withheld (consent.md, *The view*)."""
MAY_BE_TOLD = HEALTH | {"mental-health", "rehabilitation"}
"""Sectors that treat, and may choose so; for everyone else the notice is off."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_secret = matching(
    r"[A-Za-z_][A-Za-z0-9_]{0,99}",
    "must be the name of an environment variable that holds the secret, never the secret",
)


def read_partners(
    folder: Path, found: Found, *, sectors: Collection[str], identifier_types: Collection[str]
) -> dict[str, Partner]:
    """Every partner of the folder by id; errors noted for the files that are wrong."""
    if not folder.is_dir():
        found.errors.append(Finding(str(folder), 0, "this folder of partner files is missing"))
        return {}
    partners: dict[str, Partner] = {}
    holders: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("*.toml")):
        if not _ID.fullmatch(path.stem):
            found.errors.append(Finding(str(path), 0, "the file's name must be letters, digits, hyphens and dots"))
            continue
        try:
            form = Form(parse(str(path), path.read_text(encoding="utf-8")), findings=found.errors)
        except Misconfigured as wrong:
            found.errors.extend(wrong.findings)
        except (OSError, UnicodeDecodeError):
            found.errors.append(Finding(str(path), 0, "cannot be read as UTF-8"))
        else:
            partner = _partner(path.stem, form, sectors, identifier_types)
            partners[partner.id] = partner
            _note_shared(partner, form, holders)
    return partners


def _partner(name: str, form: Form, sectors: Collection[str], identifier_types: Collection[str]) -> Partner:
    partner = Partner(
        id=name,
        name=form.require("name", text, ""),
        sectors=form.require("sectors", many_of(sectors), ()),
        since=form.require("since", day, date.max),
        purpose=cast(Purpose, form.take("purpose", one_of(*PURPOSES), "care-coordination")),
        base_url=form.take("base_url", _address, ""),
        release=cast(Literal["R4", "R5"], form.take("release", one_of("R4", "R5"), "R4")),
        identifiers=tuple(_identifier(each) for each in form.tables("identifiers")),
        audience=form.take("audience", many_of(identifier_types), ()),
        audience_authority=form.take("audience_authority", text, ""),
        written_only=form.take("written_only", flag, False),
        after_end=cast(Literal["freeze", "withdraw"], form.take("after_end", one_of("freeze", "withdraw"), "freeze")),
        withheld_notice=form.take("withheld_notice", flag, False),
        narrative=form.take("narrative", flag, True),
        withdrawal=cast(Literal["delete", "stub"], form.take("withdrawal", one_of("delete", "stub"), "delete")),
        bytes=cast(Literal["binary", "inline"], form.take("bytes", one_of("binary", "inline"), "binary")),
        authorisation=_authorisation(form.table("authorisation")),
        reads=form.take("reads", flag, False),
        private_addresses=form.take("private_addresses", flag, False),
        chunk=form.take("chunk", whole(1, 10_000), 200),
        timeout=form.take("timeout", number(0.1, 600), 30.0),
        quiet_seconds=form.take("quiet_seconds", number(0, 86_400), 0.0),
        paused=form.take("paused", flag, False),
    )
    _check_together(partner, form)
    form.close()
    return partner


def _check_together(partner: Partner, form: Form) -> None:
    """What only several keys together can break."""
    if not form.has("base_url") and not partner.paused and not partner.reads:
        form.wrong("base_url: is missing; a partner without an address must be paused, or read its view (reads = true)")
    if partner.base_url.startswith("http:") and not partner.private_addresses:
        form.wrong("base_url: must be https, unless private_addresses is true", "base_url")
    if partner.audience and not partner.audience_authority:
        form.wrong("audience: needs audience_authority, which says what allows these identifiers", "audience")
    if HEALTH & set(partner.sectors) and not form.has("withheld_notice"):
        form.wrong("withheld_notice: must be chosen, true or false, for a health partner")
    if partner.withheld_notice and partner.sectors and not MAY_BE_TOLD & set(partner.sectors):
        form.wrong("withheld_notice: must be off for a partner that does not treat", "withheld_notice")


def _identifier(form: Form) -> tuple[str, str]:
    found = form.require("system", uri, ""), form.require("value", text, "")
    form.close()
    return found


def _authorisation(form: Form) -> Authorisation:
    kind = form.take("kind", one_of("none", "bearer"), "none")
    secret = form.take("secret", _secret, "")
    if kind == "bearer" and not form.has("secret"):
        form.wrong("secret: is missing; bearer needs the name of the environment variable that holds the token")
    if kind == "none" and form.has("secret"):
        form.wrong('secret: is of no use while kind is "none"', "secret")
    form.close()
    return Authorisation(cast(Literal["none", "bearer"], kind), secret)


def _address(value: Any) -> str:
    wrong = "must be an https address without a slash at its end, such as https://fhir.partner.example.ca/fhir"
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise WrongError(wrong)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise WrongError(wrong) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or value.endswith("/") or port == 0:
        raise WrongError(wrong)
    if parts.username is not None or "?" in value or "#" in value:
        raise WrongError("must hold no user name, no password, no query and no fragment")
    return value


def _note_shared(partner: Partner, form: Form, holders: dict[tuple[str, str], str]) -> None:
    """An identifier names one organisation: twice at one partner or at two is a mistake in one of the files."""
    for position, identifier in enumerate(partner.identifiers):
        if not all(identifier):
            continue
        if holder := holders.get(identifier):
            where = "in this file" if holder == partner.id else f"to {holder}"
            form.tables("identifiers")[position].wrong(f"identifiers: this one belongs {where} already")
        holders.setdefault(identifier, partner.id)
