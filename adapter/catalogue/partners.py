"""Reads the partner files of an instance: one TOML file a partner, its name the partner's id."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import unquote, urlsplit

from adapter.catalogue.authorisation import authorisation
from adapter.catalogue.client import client
from adapter.catalogue.files import Found
from adapter.catalogue.trust import trust
from adapter.core.consent.rulebook import PURPOSES
from adapter.core.diff import ORDER
from adapter.core.partner import ASKED, DIALECTS, KEEPS, Answers, Dialect, Partner, Purpose, Referrals
from adapter.core.toml_form import Form, parse
from adapter.core.toml_values import (
    WrongError,
    day,
    flag,
    many_of,
    matching,
    number,
    one_of,
    text,
    uri,
    web_address,
    whole,
    words,
)
from adapter.errors import Finding, Misconfigured

HEALTH = frozenset({"health", "hospital"})
"""Sectors that have to choose whether they learn, by one bit, that something was withheld (consent.md, *The view*)."""
MAY_BE_TOLD = HEALTH | {"mental-health", "rehabilitation"}
"""Sectors that treat, and may choose so; for everyone else the notice is off."""

_TYPES = tuple(each for each in ORDER if each != "Patient")
"""Types that a partner may go without. Everything is about the Patient: who does not take it receives nothing."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NET = 360.0
"""Minutes: how often a server that tells us is asked all the same."""
_ONE_CRITERION = (
    r"(?:(?:owner|requester)=Organization/[A-Za-z0-9.-]{1,64}"
    r"|status=[a-z,-]+|code=[^&\s=]+|identifier=[^&\s=|,]+\|)"
)
_CRITERIA = re.compile(rf"Task\?{_ONE_CRITERION}(?:&{_ONE_CRITERION})*")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
_WRONG_ADDRESS = "must be an https address without a slash at its end, such as https://fhir.partner.example.ca/fhir"


def read_partners(
    folder: Path,
    found: Found,
    *,
    sectors: Collection[str],
    identifier_types: Collection[str],
    dialects: Collection[str],
) -> dict[str, Partner]:
    """Every partner of the folder by id; errors noted for the files that are wrong."""
    if not folder.is_dir():
        found.errors.append(Finding(str(folder), 0, "this folder of partner files is missing"))
        return {}
    partners: dict[str, Partner] = {}
    holders: dict[tuple[str, str], str] = {}
    clients: dict[str, str] = {}
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
            partner = _partner(path.stem, folder, form, sectors, identifier_types, dialects)
            partners[partner.id] = partner
            _note_shared(partner, form, holders)
            if partner.client.id and (holder := clients.setdefault(partner.client.id, partner.id)) != partner.id:
                form.table("client").wrong(f"id: this one is {holder}'s already", "id")
    return partners


def _partner(
    name: str,
    folder: Path,
    form: Form,
    sectors: Collection[str],
    identifier_types: Collection[str],
    dialects: Collection[str],
) -> Partner:
    partner = Partner(
        id=name,
        name=form.require("name", words, ""),
        sectors=form.require("sectors", many_of(sectors), ()),
        since=form.require("since", day, date.max),
        purpose=cast(Purpose, form.take("purpose", one_of(*PURPOSES), "care-coordination")),
        base_url=form.take("base_url", _address, ""),
        folder=form.take("folder", _folder, ""),
        host_key=form.take("host_key", _host_key, ""),
        release=cast(Literal["R4", "R5"], form.take("release", one_of("R4", "R5"), "R4")),
        dialect=cast(Dialect, form.take("dialect", one_of(*DIALECTS), "")),
        identifiers=tuple(_identifier(each) for each in form.tables("identifiers")),
        audience=form.take("audience", many_of(identifier_types), ()),
        audience_authority=form.take("audience_authority", words, ""),
        written_only=form.take("written_only", flag, False),
        after_end=cast(Literal["freeze", "withdraw"], form.take("after_end", one_of("freeze", "withdraw"), "freeze")),
        withheld_notice=form.take("withheld_notice", flag, False),
        narrative=form.take("narrative", flag, True),
        withdrawal=cast(Literal["delete", "stub"], form.take("withdrawal", one_of("delete", "stub"), "delete")),
        bytes=cast(Literal["binary", "inline"], form.take("bytes", one_of("binary", "inline"), "binary")),
        document=cast(
            Literal["auto", "always", "never"], form.take("document", one_of("auto", "always", "never"), "auto")
        ),
        authorisation=authorisation(form.table("authorisation")),
        client=client(form.table("client"), folder),
        trust=trust(form, folder),
        reads=form.take("reads", flag, False),
        private_addresses=form.take("private_addresses", flag, False),
        mode=cast(Any, form.take("mode", one_of("auto", "transaction", "batch", "single"), "auto")),
        conditional=cast(Literal["auto", "never"], form.take("conditional", one_of("auto", "never"), "auto")),
        types_not_taken=form.take("types_not_taken", many_of(_TYPES), ()),
        matching=cast(Any, form.take("matching", one_of("identifier", "match", "create"), "identifier")),
        identifier_systems=form.take("identifier_systems", _systems, ()),
        keeps=form.take("keeps", _elements, KEEPS),
        chunk=form.take("chunk", whole(1, 10_000), 200),
        timeout=form.take("timeout", number(0.1, 600), 30.0),
        rate=form.take("rate", number(0, 60_000), 0.0),
        quiet_seconds=form.take("quiet_seconds", number(0, 86_400), 0.0),
        paused=form.take("paused", flag, False),
        referrals=_referrals(form.table("referrals"), dialects),
        endpoints=_endpoints(form.table("subscriptions")),
    )
    _check_together(partner, form)
    form.close()
    return partner


def _check_together(partner: Partner, form: Form) -> None:
    """What only several keys together can break."""
    _check_folder(partner, form)
    reachable = form.has("base_url") or form.has("folder") or partner.referrals.answers == "link"
    if not reachable and not partner.paused and not partner.reads:
        form.wrong("base_url: is missing; a partner without an address must be paused, or read its view (reads = true)")
    if partner.base_url.startswith("http:") and not partner.private_addresses:
        form.wrong("base_url: must be https, unless private_addresses is true", "base_url")
    asked = partner.authorisation
    if asked.token_url.startswith("http:") and not partner.private_addresses:
        form.table("authorisation").wrong("token_url: must be https, unless private_addresses is true", "token_url")
    if asked.certificate and "http:" in (partner.base_url[:5], asked.token_url[:5]):
        form.table("authorisation").wrong("certificate: is shown in TLS: the addresses must be https", "certificate")
    _check_trust(partner, form)
    if any(each.startswith("http:") for each in partner.endpoints) and not partner.private_addresses:
        form.table("subscriptions").wrong("endpoints: must be https, unless private_addresses is true", "endpoints")
    if partner.referrals.answers == "subscription" and not partner.base_url:
        form.table("referrals").wrong(
            'answers: "subscription" needs base_url: it is its server that tells us', "answers"
        )
    if partner.audience and not partner.audience_authority:
        form.wrong("audience: needs audience_authority, which says what allows these identifiers", "audience")
    if partner.dialect and partner.release != "R4":
        form.wrong('dialect: the guides are of FHIR R4; leave it out, or release must be "R4"', "dialect")
    if HEALTH & set(partner.sectors) and not form.has("withheld_notice"):
        form.wrong("withheld_notice: must be chosen, true or false, for a health partner")
    if partner.withheld_notice and partner.sectors and not MAY_BE_TOLD & set(partner.sectors):
        form.wrong("withheld_notice: must be off for a partner that does not treat", "withheld_notice")


def _check_trust(partner: Partner, form: Form) -> None:
    """Certificates are shown in TLS alone: a folder's host is known by its key, and http knows nobody."""
    if not form.has("trust"):
        return
    if form.has("folder"):
        form.wrong("trust: is of no use for a folder: its host is known by host_key", "trust")
    elif not any(
        each.startswith("https:") for each in (partner.base_url, partner.authorisation.token_url, *partner.endpoints)
    ):
        form.wrong("trust: is of no use: no address of this file is https", "trust")


def _check_folder(partner: Partner, form: Form) -> None:
    """A folder stands in place of a server, and only there is a host known by its key."""
    over_ssh = partner.authorisation.kind in ("ssh-key", "password")
    if not form.has("folder"):
        if form.has("host_key"):
            form.wrong("host_key: is of no use without a folder", "host_key")
        if over_ssh:
            form.table("authorisation").wrong("kind: ssh-key and password are for a folder", "kind")
        return
    if form.has("base_url"):
        form.wrong("folder: stands in place of base_url; leave one of them out", "folder")
    if not form.has("host_key"):
        form.wrong("host_key: is missing; ask the folder's administrator for the key of its host")
    if not over_ssh:
        form.table("authorisation").wrong('kind: a folder needs "ssh-key" or "password"', "kind")
    if partner.withdrawal == "stub":
        form.wrong("withdrawal: files can be deleted; leave it out for a folder", "withdrawal")


def _identifier(form: Form) -> tuple[str, str]:
    found = form.require("system", uri, ""), form.require("value", text, "")
    form.close()
    return found


def _referrals(form: Form, dialects: Collection[str]) -> Referrals:
    how = cast(Answers, form.take("answers", one_of(*get_args(Answers)), "poll"))
    found = Referrals(
        form.take("dialect", one_of(*dialects), "generic"),
        how,
        form.take("every", number(0.01, 10_080), _NET if how == "subscription" else 60.0),
        form.take("passes_on", flag, False),
        form.take("topic", uri, ""),
        form.take("criteria", criteria, ""),
        form.take("soonest", number(1, 3600), 5.0),
    )
    if form.has("every") and found.answers not in ASKED:
        form.wrong('every: is of no use unless answers is "poll" or "subscription"', "every")
    if found.passes_on and found.answers not in ASKED:
        form.wrong(
            'passes_on: is of no use unless answers is "poll" or "subscription": what is written to us is taken anyway',
            "passes_on",
        )
    for key in ("topic", "criteria", "soonest"):
        if form.has(key) and found.answers != "subscription":
            form.wrong(f'{key}: is of no use unless answers is "subscription"', key)
    form.close()
    return found


def _endpoints(form: Form) -> tuple[str, ...]:
    none: tuple[str, ...] = ()
    found = form.take("endpoints", _origins, none)
    form.close()
    return found


def _origins(value: Any) -> tuple[str, ...]:
    wrong = 'must be a list of https addresses without a path, such as ["https://hooks.partner.example.ca:8443"]'
    if not isinstance(value, list) or not all(isinstance(each, str) and _ORIGIN.fullmatch(each) for each in value):
        raise WrongError(wrong)
    return tuple(dict.fromkeys(each.lower() for each in value))


def criteria(value: Any) -> str:
    """Who may read the subscriptions there reads this: it can name organisations and codes, never anybody's record."""
    wrong = (
        "must be Task?… with owner or requester (=Organization/…), status, code, or identifier=system| (no value behind"
        " the bar): others may read it there, and it must tell nothing of a child"
    )
    if not isinstance(value, str) or len(value) > 500 or not _CRITERIA.fullmatch(value):
        raise WrongError(wrong)
    return value


def _address(value: Any) -> str:
    found = web_address(value, _WRONG_ADDRESS)
    if found.endswith("/"):
        raise WrongError(_WRONG_ADDRESS)
    return found


def _elements(value: Any) -> tuple[str, ...]:
    form = re.compile(rf"(?:{'|'.join(ORDER)}|\*)\.[a-z][A-Za-z0-9]{{0,63}}")
    if not isinstance(value, list) or not all(isinstance(each, str) and form.fullmatch(each) for each in value):
        raise WrongError('must be a list of elements, such as ["Task.status", "*.note"]')
    return tuple(dict.fromkeys(value))


def _systems(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise WrongError('must be a list of URIs, such as ["https://health.example.ca/id/card"]')
    return tuple(dict.fromkeys(uri(each) for each in value))


def _folder(value: Any) -> str:
    """Every step of the path by its name: none leads up or out."""
    wrong = "must be an address such as sftp://user@drop.partner.example.ca:22/in/plans, with a user and a path"
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise WrongError(wrong)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise WrongError(wrong) from None
    steps = unquote(parts.path).split("/")
    if parts.scheme != "sftp" or not parts.hostname or not parts.username or port == 0 or len(steps) < 2:
        raise WrongError(wrong)
    if parts.password is not None or parts.query or parts.fragment or "?" in value or "#" in value:
        raise WrongError("must hold no password, no query and no fragment")
    if steps[0] or any(step in ("", ".", "..") or not step.isprintable() for step in steps[1:]):
        raise WrongError("must name a folder by its whole path: no empty step, no '.' or '..', no slash at its end")
    return value


_host_key = matching(
    r"(?:ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) [A-Za-z0-9+/]{40,2000}={0,2}(?: [\x21-\x7e]{1,200})?",
    'must be the public key of the host, such as "ssh-ed25519 AAAAC3Nza…" (not its fingerprint)',
)


def _note_shared(partner: Partner, form: Form, holders: dict[tuple[str, str], str]) -> None:
    """An identifier names one organisation: twice at one partner or at two is a mistake in one of the files."""
    for position, identifier in enumerate(partner.identifiers):
        if not all(identifier):
            continue
        if holder := holders.get(identifier):
            where = "in this file" if holder == partner.id else f"to {holder}"
            form.tables("identifiers")[position].wrong(f"identifiers: this one belongs {where} already")
        holders.setdefault(identifier, partner.id)
