"""Consent forms, and what a consent that is not saved would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapter.core import strict_json
from adapter.core.account.words import LANGUAGES
from adapter.core.case import pointer
from adapter.core.consent.form_sheet import form_sheet, partners_of
from adapter.core.consent.forms import Form, told
from adapter.core.consent.ticks import Taken, take
from adapter.core.consent.what_if import Supposed, difference, held, suppose_record, suppose_ticks
from adapter.core.desired import Subject, desire
from adapter.core.keeping import effective
from adapter.core.sheet import Sheet
from adapter.desk import Desk, Preview
from adapter.errors import Malformed, NotFound, Problem, Refused
from adapter.show.found import known_partner, stored_case


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
        known_partner(desk, partner)
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
        stored = stored_case(tx, number)
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
        stored = stored_case(tx, number)
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
