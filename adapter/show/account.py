"""The account of disclosures: read, verified, exported, and said to systems and to families."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from adapter.core import strict_json
from adapter.core.account import audit, export, pages
from adapter.core.account.statement import authorities, facts, signatures
from adapter.core.account.words import LANGUAGES
from adapter.core.identity import Key
from adapter.core.keeping import effective
from adapter.desk import Desk
from adapter.errors import Malformed
from adapter.paper.html import html
from adapter.show.found import known_case
from adapter.store import cases
from adapter.store import disclosures as account
from adapter.store.cases import StoredCase
from adapter.store.database import Tx

STATEMENTS = ("html", "pdf", "csv")


def disclosures_of(desk: Desk, number: str) -> list[dict[str, Any]]:
    """Every line of the account of one case, oldest first."""
    with desk.store.reading() as tx:
        return [
            {
                "seq": entry.seq,
                "at": entry.line.at.isoformat(),
                "partner": entry.line.partner,
                "purpose": entry.line.purpose,
                "kind": entry.line.kind,
                "operation": entry.line.operation,
                "type": entry.line.resource_type,
                "record": entry.line.about,
                "parts": list(entry.line.parts),
                "topics": list(entry.line.topics),
                "consents": list(entry.line.consents),
                "request": entry.line.request_id,
                "outcome": entry.line.outcome,
                **_entered(entry.line),
                "hash": entry.hash,
            }
            for entry in account.of_case(tx, known_case(tx, number).id)
        ]


def audit_of(desk: Desk, number: str) -> dict[str, Any]:
    """Every line of the account of one case as FHIR: a Bundle of AuditEvents, oldest first."""
    with desk.store.reading() as tx:
        stored = known_case(tx, number)
        return audit.bundle(account.of_case(tx, stored.id), _scene(desk, stored))


def statement_of(desk: Desk, number: str, *, form: str, language: str) -> bytes:
    """The account of one case for the family, in plain words: a page (html, pdf) or a table (csv)."""
    if form not in STATEMENTS or language not in LANGUAGES:
        raise Malformed(f"A statement comes as one of {', '.join(STATEMENTS)}, in one of {', '.join(LANGUAGES)}.")
    zone = desk.settings.time_zone
    with desk.store.reading() as tx:
        stored = known_case(tx, number)
        found = facts(account.of_case(tx, stored.id), zone, order=desk.catalogue.parts)
    names = pages.Names(
        parts=desk.catalogue.part_titles,
        partners={partner.id: partner.name for partner in desk.catalogue.partners.values()},
        signed=signatures(effective(stored.body, stored.kept)),
    )
    rows, today = pages.rows(found, names, language), desk.clock().astimezone(zone).date()
    if form == "csv":
        return pages.table(rows, language).encode()
    sheet = pages.sheet(rows, agency=desk.settings.agency_name, made=today, language=language)
    if form == "pdf":
        from adapter.paper.pdf import pdf  # only here: what lays out pages takes its time to load

        return pdf(sheet)
    return html(sheet).encode()


def verified(desk: Desk, number: str | None, against: Iterable[bytes] = ()) -> list[dict[str, Any]]:
    """Is the account of one case, or of each, whole? A row each, `wrong` its faults in sentences.

    `against`: the lines of an export, or of a file of signed heads, made earlier: what they signed must still be there.
    """
    rows: list[dict[str, Any]] = []
    with desk.store.reading() as tx:
        signed: dict[str, dict[int, list[export.Heads]]] = {}
        for heads in export.statements(against, tx.seal.public_key()):
            if isinstance(heads, str):
                rows.append({"case": None, "account": None, "lines": 0, "wrong": [heads]})
                continue
            for chain, (seq, _) in heads.heads.items():
                signed.setdefault(chain, {}).setdefault(seq, []).append(heads)
        now = account.heads(tx)
        chains = sorted({*account.accounts(tx), *signed}) if number is None else [known_case(tx, number).id]
        for chain in chains:
            stored = cases.by_id(tx, chain)
            wrong = [*account.verify(tx, chain), *_changed_since(tx, chain, signed.get(chain, {}))]
            wrong += [] if stored else ["There is no case to this account any more."]
            lines = now[chain][0] if chain in now else 0
            rows.append({"case": stored.number if stored else None, "account": chain, "lines": lines, "wrong": wrong})
    return rows


def exported(desk: Desk, number: str | None, *, form: str) -> Iterator[bytes]:
    """The account of one case, or of each, line by line: as signed JSON Lines (core/account/export.py), or as FHIR, an
    AuditEvent a line. All of one moment."""
    with desk.store.reading() as tx:
        chains = account.accounts(tx) if number is None else [known_case(tx, number).id]
        if form == "jsonl":
            yield export.signed(_heads(desk, tx, chains), tx.seal.sign)
        for chain in chains:
            if form == "jsonl":
                for link in account.links(tx, chain):
                    yield export.listed(
                        chain,
                        seq=link.seq,
                        previous=link.previous,
                        hash_=link.hash,
                        salt=link.salt,
                        content=link.content,
                    )
            elif stored := cases.by_id(tx, chain):
                scene = _scene(desk, stored)
                for entry in account.of_case(tx, chain):
                    yield strict_json.dump(audit.event(entry, scene))


def signed_heads(desk: Desk) -> bytes:
    """The last line of every account, signed: what a daily job keeps elsewhere, so that cutting off a tail shows."""
    with desk.store.reading() as tx:
        return export.signed(_heads(desk, tx, ()), tx.seal.sign)


def account_key(desk: Desk) -> bytes:
    """The public key (PEM) with which others verify exports and signed heads."""
    with desk.store.reading() as tx:
        return tx.seal.public_key()


def _heads(desk: Desk, tx: Tx, lists: Sequence[str]) -> export.Heads:
    return export.Heads(desk.settings.agency_name, desk.clock(), account.heads(tx), tuple(lists))


def _changed_since(tx: Tx, chain: str, signed: Mapping[int, Sequence[export.Heads]]) -> Iterator[str]:
    """What of an account is not as it was when its heads were signed: by number of the line, with what signed it."""
    found = account.hashes(tx, chain, signed)
    for seq, by in sorted(signed.items()):
        first = min(heads.at for heads in by).isoformat()
        if seq not in found:
            yield f"Line {seq} was signed on {first} and is missing: the account was cut off before it."
        elif any(heads.heads[chain][1] != found[seq] for heads in by):
            yield f"Line {seq} is not the one that was signed on {first}: the account was rewritten."


def _scene(desk: Desk, stored: StoredCase) -> audit.Scene:
    settings = desk.settings
    return audit.Scene(
        agency=settings.agency_name,
        identifier=settings.agency_identifiers[0],
        address=settings.public_url or f"http://{settings.host}:{settings.port}",
        partners=desk.catalogue.partners,
        purposes=desk.catalogue.codes["purpose"],
        patient=lambda partner: desk.bench.identity(partner).identifier(Key(stored.number, "child", "Patient")),
        authorizers=authorities(effective(stored.body, stored.kept), stored.kept),
    )


def _entered(line: account.Line) -> dict[str, Any]:
    """What a line says besides that a person entered; nothing for the others."""
    said = {"role": line.role, "label": line.label, "by": line.by, "to": line.to, "basis": line.basis, "how": line.how}
    told = {"happened": line.happened.isoformat()} if line.happened else {}
    return {**{name: value for name, value in said.items() if value}, **told}
