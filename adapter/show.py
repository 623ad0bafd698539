"""Read only: what would be shared and why, what is shared, every disclosure ever made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapter.core import strict_json
from adapter.core.account import audit, export, pages
from adapter.core.account.statement import authorities, facts, signatures
from adapter.core.account.words import LANGUAGES
from adapter.core.case import check, pointer
from adapter.core.consent.explain import ALARMS, explain
from adapter.core.consent.explain import alarms as found_in
from adapter.core.consent.form_sheet import form_sheet, partners_of
from adapter.core.consent.forms import Form, told
from adapter.core.consent.notices import LOOK, SENTENCES, SHARE_ALARMS, announcements
from adapter.core.consent.review import SENTENCES as WAITS
from adapter.core.consent.review import waiting
from adapter.core.consent.summary import by_part
from adapter.core.consent.texts import of_place
from adapter.core.consent.ticks import Taken, take
from adapter.core.consent.what_if import Supposed, difference, held, suppose_record, suppose_ticks
from adapter.core.desired import Desired, Subject, desire, rules_of
from adapter.core.diff import Create, changes
from adapter.core.fhir.bundle import transaction
from adapter.core.identity import Key
from adapter.core.keeping import effective
from adapter.core.sheet import Sheet
from adapter.desk import Desk, Preview
from adapter.errors import Malformed, NotFound, Problem, Refused
from adapter.paper.html import html
from adapter.store import cases, holdings
from adapter.store import disclosures as account
from adapter.store import shares as share_rows
from adapter.store.cases import StoredCase
from adapter.store.database import Tx

FIRST_PAGE = 50
"""Cases on the first page: it is read by a person, and tells what each partner holds of each."""
MOST_STOPPED = 1000
"""Stopped shares that are looked through for deleted cases."""
FORMS = ("records", "fhir", "explain")
STATEMENTS = ("html", "pdf", "csv")
EXPORTS = ("jsonl", "fhir")


def view_of(desk: Desk, number: str, partner: str, *, form: str, at: datetime | None) -> dict[str, Any]:
    """What this partner may see of a stored case, as records, as FHIR or explained, now or `at` another time."""
    _partner(desk, partner)
    with desk.store.reading() as tx:
        stored = _stored(tx, number)
    return _shown(desk, Subject.of(stored.number, stored.body, stored.kept), partner, form, at or desk.clock())


def preview(desk: Desk | Preview, body: bytes, *, form: str, at: datetime | None) -> dict[str, Any]:
    """The same for a case that is not stored: `{"case": {…}, "partner": "id"}`. Refused as a put would refuse it."""
    asked = strict_json.parse(body)
    if not isinstance(asked, dict) or not isinstance(asked.get("partner"), str) or "case" not in asked:
        raise Malformed('A preview needs a JSON object with "case" and "partner".')
    case, partner = asked["case"], asked["partner"]
    if found := check(case, desk.catalogue.schemas):
        moved = [Problem(f"/case{p.pointer}", p.detail) for p in found]
        raise Refused(f"The case file breaks {len(found)} rules.", moved)
    _partner(desk, partner)
    return _shown(desk, Subject(case["case"], case, {}), partner, form, at or desk.clock())


def bundle(desk: Desk | Preview, body: bytes, partner: str, at: datetime | None) -> bytes:
    """The transaction Bundle for a partner that holds nothing yet; an empty one where nothing may be shared."""
    case = strict_json.parse(body)
    if found := check(case, desk.catalogue.schemas):
        raise Refused(f"The case file breaks {len(found)} rules.", found)
    _partner(desk, partner)
    desired = desire(desk.bench, Subject(case["case"], case, {}), partner, at or desk.clock())
    return strict_json.dump(_bundle(desired))


def shares_of(desk: Desk, number: str) -> list[dict[str, Any]]:
    """The shares of a case, a partner each."""
    with desk.store.reading() as tx:
        return [_share(s) for s in share_rows.of_case(tx, _known(tx, number).id)]


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
            for entry in account.of_case(tx, _known(tx, number).id)
        ]


def partners(desk: Desk | Preview) -> list[dict[str, Any]]:
    """The partners of the instance; nothing secret."""
    return [
        {
            "id": p.id,
            "name": p.name,
            "sectors": list(p.sectors),
            "purpose": p.purpose,
            "release": p.release,
            "base_url": p.base_url,
            "since": p.since.isoformat(),
            "paused": p.paused,
        }
        for p in desk.catalogue.partners.values()
    ]


def overview(desk: Desk) -> dict[str, Any]:
    """The first page: the cases first saved, the partners, the state of each pair and what the partner holds of it."""
    with desk.store.reading() as tx:
        rows = [
            {"case": s.number, "shares": [_share(x) | _held(tx, x) for x in share_rows.of_case(tx, s.id)]}
            for s in cases.listed(tx, after=None, limit=FIRST_PAGE)
        ]
    return {"agency": desk.settings.agency_name, "partners": partners(desk), "cases": rows}


def _shown(desk: Desk | Preview, subject: Subject, partner: str, form: str, at: datetime) -> dict[str, Any]:
    desired = desire(desk.bench, subject, partner, at)
    match form:
        case "records":
            return desired.view.case
        case "fhir":
            return _bundle(desired)
        case "explain":
            rules = rules_of(desk.bench, subject)
            told = explain(subject.case, rules, partner, at, desired.view)
            parts = by_part(subject.case, desk.bench.rulebook, told)
            return {**told, "parts": parts, "warnings": _warnings([*desired.wrong, *desired.findings])}
    raise Malformed(f"A view comes as one of: {', '.join(FORMS)}.")


def _bundle(desired: Desired) -> dict[str, Any]:
    if desired.wrong:
        raise Refused("The mapped resources break rules; nothing of them would be sent.", desired.wrong)
    writes = [c for c in changes(desired.made, ()) if isinstance(c, Create)]
    return transaction(writes, {}) if writes else {"resourceType": "Bundle", "type": "transaction"}


def _warnings(found: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"pointer": p.pointer, "detail": p.detail} for p in found]


def _share(share: share_rows.Share) -> dict[str, Any]:
    return {
        "partner": share.partner,
        "state": share.state,
        "due": share.due.isoformat() if share.due else None,
        "outcome": share.outcome,
        "detail": share.detail,
        "attempts": share.attempts,
        "alarms": list(share.alarms),
        "updated_at": share.updated_at.isoformat(),
    }


def _held(tx: Tx, share: share_rows.Share) -> dict[str, Any]:
    there = [h for h in holdings.of_share(tx, share.id) if h.state != "withdrawn"]
    return {"resources": len(there), "parts": sorted({part for h in there for part in h.parts})}


def _partner(desk: Desk | Preview, partner: str) -> None:
    known: Mapping[str, Any] = desk.catalogue.partners
    if partner not in known:
        raise NotFound("There is no such partner.")


def _known(tx: Tx, number: str) -> StoredCase:
    """The case, also a deleted one: its account stays."""
    stored = cases.get(tx, number)
    if stored is None:
        raise NotFound("There is no such case.")
    return stored


def _stored(tx: Tx, number: str) -> StoredCase:
    stored = _known(tx, number)
    if stored.deleted:
        raise NotFound("There is no such case.")
    return stored


def audit_of(desk: Desk, number: str) -> dict[str, Any]:
    """Every line of the account of one case as FHIR: a Bundle of AuditEvents, oldest first."""
    with desk.store.reading() as tx:
        stored = _known(tx, number)
        return audit.bundle(account.of_case(tx, stored.id), _scene(desk, stored))


def statement_of(desk: Desk, number: str, *, form: str, language: str) -> bytes:
    """The account of one case for the family, in plain words: a page (html, pdf) or a table (csv)."""
    if form not in STATEMENTS or language not in LANGUAGES:
        raise Malformed(f"A statement comes as one of {', '.join(STATEMENTS)}, in one of {', '.join(LANGUAGES)}.")
    zone = desk.settings.time_zone
    with desk.store.reading() as tx:
        stored = _known(tx, number)
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
        chains = sorted({*account.accounts(tx), *signed}) if number is None else [_known(tx, number).id]
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
        chains = account.accounts(tx) if number is None else [_known(tx, number).id]
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
    said = {"role": line.role, "label": line.label, "by": line.by, "to": line.to, "basis": line.basis}
    told = {"happened": line.happened.isoformat()} if line.happened else {}
    return {**{name: value for name, value in said.items() if value}, **told}


def to_review(
    desk: Desk, number: str | None = None, *, after: str | None = None, limit: int = FIRST_PAGE, text: bool = False
) -> dict[str, Any]:
    """`{"waiting": […], "next"}`: what waits for a person's word, in one case or in a page of cases.

    Without `text` nothing of what is said there, nor any name: paths, kinds and ages. `next`: the case behind which the
    next page begins, None on the last.
    """
    now = desk.clock()
    found, next_ = _page(desk, number, after, limit)
    rows = []
    for stored in found:
        subject = Subject.of(stored.number, stored.body, stored.kept)
        for w in waiting(subject.case, subject.kept, rules_of(desk.bench, subject), now):
            since = datetime.fromisoformat(w.since) if w.since else stored.saved_at
            row: dict[str, Any] = {
                "case": stored.number,
                "path": w.path,
                "kind": w.kind,
                "since": since.isoformat(),
                "days": max(0, (now - since).days),
                "about": w.about or None,
                "partners": list(w.partners),
                "sentence": WAITS[w.kind],
            }
            said = of_place(subject.case, w.path, desk.catalogue.schemas) if text else {}
            # A document's bytes are read where documents are read.
            rows.append(row | ({"text": {n: v for n, v in said.items() if n != "bytes"}} if text else {}))
    return {"waiting": rows, "next": next_}


def due_soon(
    desk: Desk, number: str | None = None, *, days: int | None = None, after: str | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
    """`{"due": […], "next"}`: consents, permits and denials that end, and birthdays, the nearest first in each page."""
    now = desk.clock()
    found, next_ = _page(desk, number, after, limit)
    rows = [
        {
            "case": stored.number,
            "on": a.on.isoformat(),
            "days": a.days,
            "ahead": a.ahead,
            "kind": a.kind,
            "path": a.path,
            "partners": list(a.partners),
            "sentence": SENTENCES[a.kind],
        }
        for stored in found
        for a in announcements(
            rules_of(desk.bench, Subject.of(stored.number, stored.body, stored.kept)), now, days=days
        )
    ]
    return {"due": sorted(rows, key=lambda row: (row["on"], row["case"])), "next": next_}


def alarms(
    desk: Desk, number: str | None = None, *, after: str | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
    """`{"alarms": […], "next"}`: what a person must look at: of consents by their path, of shares by their partner."""
    now = desk.clock()
    found, next_ = _page(desk, number, after, limit, deleted=True)
    rows = []
    for stored in found:
        subject = Subject.of(stored.number, stored.body, stored.kept)
        of_case = found_in(rules_of(desk.bench, subject), now) if subject.case else ()
        rows += [_alarm(stored.number, a.code, ALARMS[a.code], path=a.path) for a in of_case]
        with desk.store.reading() as tx:
            of_shares = share_rows.of_case(tx, stored.id)
        for share in of_shares:
            codes = [c for c in share.alarms if c not in ALARMS] or (["stopped"] if share.state == "stopped" else [])
            rows += [_alarm(stored.number, c, SHARE_ALARMS.get(c, LOOK), share=share) for c in codes]
    return {"alarms": rows, "next": next_}


def _alarm(
    number: str, code: str, sentence: str, *, path: str | None = None, share: share_rows.Share | None = None
) -> dict[str, Any]:
    return {
        "case": number,
        "path": path,
        "partner": share.partner if share else None,
        "alarm": code,
        "sentence": sentence,
        "detail": share.detail if share else "",
    }


def _page(
    desk: Desk, number: str | None, after: str | None, limit: int, *, deleted: bool = False
) -> tuple[list[StoredCase], str | None]:
    """One case; or a page of cases and the number of the last of them where there may be more.

    `deleted`: on the last page also the deleted cases of which a share has stopped: something may not be taken back.
    """
    with desk.store.reading() as tx:
        if number is not None:
            return [_known(tx, number) if deleted else _stored(tx, number)], None
        behind = _known(tx, after).id if after else None
        found = cases.listed(tx, after=behind, limit=limit)
        if len(found) == limit:
            return found, found[-1].number
        if deleted:
            stopped = {share.case_id for share in share_rows.listed(tx, state="stopped", limit=MOST_STOPPED)}
            gone = (cases.by_id(tx, case_id) for case_id in sorted(stopped))
            found += [stored for stored in gone if stored is not None and stored.deleted]
        return found, None


def forms(desk: Desk | Preview) -> list[dict[str, Any]]:
    """The consent forms that are in use."""
    known = desk.catalogue.forms.values()
    return [{"form": f.id, "version": f.version, "title": dict(f.title), "columns": f.columns} for f in known]


def form_of(desk: Desk | Preview, form: str) -> dict[str, Any]:
    """One consent form whole: its words in each language, and what each box gives."""
    return told(_form(desk, form))


def taken(desk: Desk | Preview, form: str, case: Mapping[str, Any], ticks: Any) -> Taken:
    """The consents that ticks make of a case that is not stored, or problems."""
    return take(_form(desk, form), ticks, case, desk.bench.rulebook)


def sheet(
    desk: Desk | Preview,
    form: str,
    case: Mapping[str, Any],
    *,
    language: str,
    partners: Sequence[str] = (),
    ticks: Mapping[str, Any] | None = None,
) -> Sheet:
    """A form filled in for a case, to print and sign. `partners`: the case's own, where none are named."""
    for partner in partners:
        _partner(desk, partner)
    return form_sheet(
        _form(desk, form),
        case,
        desk.bench.rulebook,
        language=language,
        partners=partners or partners_of(case, desk.bench.rulebook),
        agency=desk.settings.agency_name,
        now=desk.clock(),
        ticks=ticks,
    )


def case_as_read(desk: Desk, number: str) -> dict[str, Any]:
    """A stored case as the rules read it: with what people did here."""
    with desk.store.reading() as tx:
        stored = _stored(tx, number)
    return effective(stored.body, stored.kept)


def what_if(desk: Desk, number: str, body: bytes) -> dict[str, Any]:
    """What a consent that is not saved would change, for each partner or for one (core/consent/what_if.py).

    `{"consent": {…}}` or `{"ticks": {…}}`, and if wanted `partner` and `language`. Ticks that nobody has signed are
    read as signed now by everyone who has to; `assumed` says so. Handwritten limits: as if they limited nothing; `held`
    says that nothing of it is shared before a person has read them.
    """
    asked = strict_json.parse(body)
    if not isinstance(asked, dict) or ("consent" in asked) == ("ticks" in asked):
        raise Malformed('This needs a JSON object with "consent" or "ticks".')
    language, partner = asked.get("language", "en"), asked.get("partner")
    found = [Problem(pointer([name]), "this field is not known here")
             for name in asked if name not in ("consent", "ticks", "partner", "language")]  # fmt: skip
    if language not in LANGUAGES:
        found.append(Problem("/language", f"must be one of: {', '.join(LANGUAGES)}"))
    if "partner" in asked and (not isinstance(partner, str) or partner not in desk.catalogue.partners):
        found.append(Problem("/partner", "there is no such partner"))
    now = desk.clock()
    with desk.store.reading() as tx:
        stored = _stored(tx, number)
    subject = Subject.of(stored.number, stored.body, stored.kept)
    supposed = _supposed(desk, subject, asked, now)
    if found := sorted({*found, *supposed.problems}):
        raise Refused(f"The question breaks {len(found)} rules.", found)
    ids = {consent["id"] for consent in supposed.consents}
    others = [c for c in subject.case.get("consents", ()) if c["id"] not in ids]
    after = Subject(number, {**subject.case, "consents": [*others, *supposed.consents]}, subject.kept)
    return {
        "consents": list(supposed.consents),
        "assumed": list(supposed.assumed),
        "held": bool(supposed.limits),
        **({"sentence": held(language)} if supposed.limits else {}),
        "partners": [
            {
                "partner": each,
                "name": desk.catalogue.partners[each].name,
                **difference(
                    desire(desk.bench, subject, each, now).view,
                    desire(desk.bench, after, each, now).view,
                    partner=desk.catalogue.partners[each].name,
                    titles=desk.catalogue.part_titles,
                    language=language,
                ),
            }
            for each in ([partner] if partner else sorted(desk.catalogue.partners))
        ],
    }


def _supposed(desk: Desk, subject: Subject, asked: Mapping[str, Any], now: datetime) -> Supposed:
    if "consent" in asked:
        return suppose_record(asked["consent"], subject.case, desk.catalogue.schemas)
    ticks = asked["ticks"]
    form = desk.catalogue.forms.get(str(ticks.get("form"))) if isinstance(ticks, dict) else None
    if form is None:
        return Supposed((), "", (), (Problem("/ticks/form", "there is no such form"),))
    return suppose_ticks(form, ticks, subject.case, desk.bench.rulebook, now)


def _form(desk: Desk | Preview, form: str) -> Form:
    if form not in desk.catalogue.forms:
        raise NotFound("There is no such consent form.")
    return desk.catalogue.forms[form]
