"""Every place where something of a case could come out of an instance, and what may stand there.

A partner's bytes are searched as they leave (story.py). Here is the rest: each channel asks, reads and says of each
marker whether its reader may see it: nothing at all; the numbers and paths by which people find a case; the texts that
a role is to read; or what one partner may see, where people look at that partner's view.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

import click

from adapter import tell
from adapter.cli import main
from adapter.core.consent.rulebook import TOPICS
from adapter.core.notice import Kind
from adapter.outward.webhook import Taken
from adapter.store import notices
from tests.journeys.leaks import coming_back
from tests.journeys.leaks.instance import PARTNERS, READERS, Instance
from tests.journeys.leaks.planting import Leaf
from tests.journeys.leaks.sight import permitted
from tests.journeys.leaks.story import Finds

May = Callable[[str, Leaf], bool]
Piece = tuple[str, bytes, May]
Channel = Callable[[Instance, list[str]], Iterator[Piece]]
TYPES = ("Patient", "Goal", "CarePlan", "CareTeam", "Consent", "ServiceRequest", "Task", "Condition", "Observation",
         "Practitioner", "PractitionerRole", "Organization", "RelatedPerson", "EpisodeOfCare")  # fmt: skip
PEOPLE = ("coordinator", "privacy", "admin")
"""The roles that look after cases (docs/operating.md, *Tokens and roles*); `source` wrote them."""
SHEET = (
    "child/name", "people/name", "organizations/name", "documents/title", "documents/date",
    "assessments/instrument", "assessments/on",
)  # fmt: skip
"""What a consent form names, for the family to sign: the child, who signs, and the reports that a line means."""
DAYS = (
    "goals/due", "goals/steps/due", "care_plans/transitions/steps/due", "care_plans/reviews/next",
    "assessments/next_due", "care_plans/services/received/on", "referrals/respond_by",
)  # fmt: skip
"""The days on which something falls due: what a list of that is for."""
WAITS = ("enrolment/first_contact", "enrolment/waitlist/region", "enrolment/waitlist/since")
"""By what a waitlist is put in its order, and told apart."""
ENTERED = {
    "to": "The health unit", "at": "2026-10-30", "how": "telephone", "parts": ["identity"], "basis": "Duty to report",
    "by": "R. Osei",
}  # fmt: skip


def nothing(_token: str, _leaf: Leaf) -> bool:
    return False


def names(_token: str, leaf: Leaf) -> bool:
    """The case's number and the ids in a record's path: never what the record says."""
    return leaf.kind != "value"


def due(token: str, leaf: Leaf) -> bool:
    """Names, and the days on which something falls due."""
    return names(token, leaf) or leaf.place in DAYS


def waits(token: str, leaf: Leaf) -> bool:
    """Names, and why a family has its place among those who wait."""
    return names(token, leaf) or leaf.place in WAITS


def ids(_token: str, leaf: Leaf) -> bool:
    return leaf.kind == "id"


def logs(i: Instance, _numbers: list[str]) -> Iterator[Piece]:
    """What was written since it was searched last: nothing may ever stand there, and nothing is taken out of it."""
    written = i.log.getvalue()[i.searched :]
    i.searched += written.rfind("\n") + 1  # a line that is not whole is searched again
    yield "our log, and all of every library's", written.encode(), nothing


def database(i: Instance, _numbers: list[str]) -> Iterator[Piece]:
    yield "every file of the instance but its keys", i.files(), nothing


def partners_reading(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """/fhir for each partner: its own world only; questions about everybody else's find nothing and tell nothing."""
    for partner in (p for p in PARTNERS if p not in READERS):
        held = [(h.type, h.id) for n in numbers for h in i.held(n, partner) if h.id] or [("Patient", "1")]

        def its_own_words(token: str, _leaf: Leaf, partner: str = partner) -> bool:
            return token in i.fhir(partner).given  # in an id that it gave, which the answer's own address repeats

        for type_, id_ in held[:1]:
            for path in questions(type_, id_):
                yield from _answer(i, partner, "GET", path, its_own_words)
        for type_ in TYPES:
            yield from _answer(i, partner, "GET", f"/fhir/{type_}?_count=100", nothing)
        for method, path in (("POST", "/fhir"), ("PUT", "/fhir/Goal/x"), ("DELETE", "/fhir/Patient/x")):
            yield from _answer(i, partner, method, path, nothing, b"{")


def views_read(i: Instance, _numbers: list[str]) -> Iterator[Piece]:
    """/fhir for a partner that reads its view: of every case exactly what it may see, however it asks."""
    every = [each["case"] for each in json.loads(i.ask("source", "GET", "/api/cases?limit=1000").data)]
    for partner in READERS:
        seen = {token for n in every if not i.stored(n).deleted for token in permitted(i, n, partner, i.clock.now)}

        def may(token: str, _leaf: Leaf, seen: set[str] = seen) -> bool:
            return token in seen

        for type_ in (*TYPES, "Composition", "DocumentReference", "Provenance"):
            found = i.ask(partner, "GET", f"/fhir/{type_}?_count=200")
            yield f"{partner} reads every {type_}", _whole(found), may
            ids_ = [entry["resource"]["id"] for entry in json.loads(found.data).get("entry", ())]
            for path in questions(type_, ids_[0]) if ids_ else ():
                yield from _answer(i, partner, "GET", path, may)
            for operation in {"Patient": ("$everything",), "Composition": ("$document",)}.get(type_, ()):
                for id_ in ids_[:3]:
                    yield from _answer(i, partner, "GET", f"/fhir/{type_}/{id_}/{operation}", may)


def questions(type_: str, id_: str) -> list[str]:
    """Every way to ask about one type that FHIR's search and read know of."""
    return [
        f"/fhir/{type_}", f"/fhir/{type_}/{id_}", f"/fhir/{type_}/{id_}/_history", f"/fhir/{type_}/{id_}/_history/1",
        f"/fhir/{type_}/{id_}/$everything", f"/fhir/{type_}?_id={id_}", f"/fhir/{type_}?_summary=count",
        f"/fhir/{type_}?_summary=true", f"/fhir/{type_}?_elements=id,meta", f"/fhir/{type_}?_include=*",
        f"/fhir/{type_}?_include={type_}:subject&_revinclude=Provenance:target", f"/fhir/{type_}?_total=accurate",
        f"/fhir/{type_}?_count=1", f"/fhir/{type_}?_lastUpdated=gt2000-01-01", f"/fhir/{type_}?identifier=x|y",
        f"/fhir/{type_}?subject=Patient/{id_}", f"/fhir/{type_}?_sort=-_lastUpdated", f"/fhir/{type_}?_page=x",
    ]  # fmt: skip


def engineers(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """A role that sees partners and shares and no case: no number, no path, no word of one, on any route."""
    for number in numbers:
        for path in case_paths(number):
            yield from _answer(i, "engineer", "GET", path, nothing)
    for path in (
        "/api/cases",
        "/api/review",
        "/api/due",
        "/api/waitlist",
        "/api/alarms",
        "/api/partners",
        "/api/forms",
        "/api/notices",
    ):
        yield from _answer(i, "engineer", "GET", path, nothing)
    for path in (
        "/",
        "/waiting",
        "/waitlist",
        "/inbox",
        "/referrals",
        f"/waiting/{numbers[0]}",
        f"/cases/{numbers[0]}",
    ):
        yield f"engineer {path}", _whole(i.page("engineer", path)), nothing


def case_paths(number: str) -> list[str]:
    """Every route that shows a case, or a part of it."""
    at = f"/api/cases/{number}"
    views = [f"{at}/views/{p}?as={form}" for p in PARTNERS for form in ("records", "fhir", "explain")]
    statements = [f"{at}/statement?as={form}" for form in ("html", "pdf", "csv")]
    return [at, f"{at}/child", f"{at}/enrolment", f"{at}/shares", f"{at}/disclosures", f"{at}/disclosures?as=fhir",
            f"/api/review?case={number}", f"/api/due?case={number}", f"/api/alarms?case={number}",
            f"/api/review?case={number}&text=true", f"{at}/sources", f"/api/inbox?case={number}",
            f"/api/referrals?case={number}", *views, *statements]  # fmt: skip


def lists(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """Shares, what stopped, what waits and what ends, for the agency's people: where and since when, never what."""
    for number in numbers:
        for path in (f"/api/cases/{number}/shares", f"/api/review?case={number}"):
            yield from _answer(i, "coordinator", "GET", path, names)
        for form in ("", "&as=fhir"):
            yield from _answer(i, "coordinator", "GET", f"/api/due?case={number}&days=999{form}", due)
    for path in (
        "/api/cases?limit=1000",
        "/api/alarms?limit=1000",
        "/api/review?limit=1000",
        "/api/notices?limit=1000",
    ):
        yield from _answer(i, "privacy", "GET", path, names)
    yield from _answer(i, "privacy", "GET", "/api/due?limit=1000", due)
    yield from _answer(i, "privacy", "GET", "/api/waitlist", waits)


def notices_out(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """What the case system's webhook is told: of all that has happened, and of one of each kind about these cases."""
    told: list[bytes] = []

    def take(_id: str, body: bytes) -> Taken:
        told.append(body)
        return Taken(done=True)

    with i.desk.store.writing() as tx:
        for number in numbers:
            about = {"case": i.stored(number).id, "partner": PARTNERS[0], "path": "referrals/r1", "item": "7"}
            for kind in get_args(Kind):
                notices.note(tx, kind, about, now=i.clock.now)
    desk = replace(i.desk, case_system=take)
    tell.replay(desk, b'{"after": 0}')
    while tell.tell_next(desk) is not None:
        pass
    yield "the case system is told", b"\n".join(told), nothing


def pages(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """The console's pages for each role that sees cases: numbers and paths."""
    for role in PEOPLE:
        for path in ("/", "/waiting"):
            yield f"{role} {path}", _whole(i.page(role, path)), names
        yield f"{role} /waitlist", _whole(i.page(role, "/waitlist")), waits
        for number in numbers:
            yield f"{role} /cases/{number}", _whole(i.page(role, f"/cases/{number}")), due


def pages_to_read(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """The page on which texts are read: those that wait to be, and of no other case."""
    for number in numbers:
        answer = i.ask("coordinator", "GET", f"/api/review?case={number}&text=true")
        waits = json.loads(answer.data)["waiting"]
        words = " ".join(text for row in waits for text in row["text"].values()).casefold()

        def may(token: str, leaf: Leaf, number: str = number, words: str = words) -> bool:
            return leaf.number == number and (leaf.kind != "value" or token in words)

        yield f"/waiting/{number}", _whole(i.page("coordinator", f"/waiting/{number}")), may


def views(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """A partner's view as people see it: as FHIR exactly what the partner may see, as records also their ids."""
    for number in numbers:
        for partner in PARTNERS:
            seen = permitted(i, number, partner, i.clock.now)
            at = f"/api/cases/{number}/views/{partner}"

            def exactly(token: str, _leaf: Leaf, seen: set[str] = seen) -> bool:
                return token in seen

            def with_ids(token: str, leaf: Leaf, seen: set[str] = seen) -> bool:
                return token in seen or leaf.kind == "id"

            yield from _answer(i, "coordinator", "GET", f"{at}?as=fhir", exactly)
            yield from _answer(i, "coordinator", "GET", f"{at}?as=records", with_ids)
            yield from _answer(i, "coordinator", "GET", f"{at}?as=explain", ids)


def account(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """The account: which record, which parts, to whom; never what a record says."""
    for number in numbers:
        yield from _answer(i, "privacy", "GET", f"/api/cases/{number}/disclosures", ids)


def audit_events(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """AuditEvents are read by other systems: no number, no id of a record."""
    for number in numbers:
        yield from _answer(i, "privacy", "GET", f"/api/cases/{number}/disclosures?as=fhir", nothing)
    result = i.command("disclosures", "export", "--as", "fhir")
    yield "adapter disclosures export --as fhir", result.stdout_bytes, nothing


def exports(i: Instance, _numbers: list[str]) -> Iterator[Piece]:
    """The signed export: opaque names for cases, the paths of records."""
    for command in (("export",), ("sign",), ("key",)):
        yield f"adapter disclosures {command[0]}", i.command("disclosures", *command).stdout_bytes, ids


def statements(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """The family's statement, in both languages: what a person entered and nothing else; no topic either."""
    for number in numbers:
        i.ask("coordinator", "POST", f"/api/cases/{number}/disclosures", ENTERED)
        for language in ("en", "fr"):
            for form in ("html", "csv", *(("pdf",) if number == numbers[0] else ())):
                answer = i.ask("privacy", "GET", f"/api/cases/{number}/statement?as={form}&language={language}")
                assert answer.status_code == 200
                yield f"statement {form} {language}", _whole(answer), nothing
                if form == "csv":
                    assert [topic for topic in TOPICS if topic in answer.text] == []


def consent_forms(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """A form to sign names the child, who signs, the partners and the reports; nothing that is not on it."""

    def may(_token: str, leaf: Leaf) -> bool:
        return leaf.place.startswith(SHEET)

    for number in numbers[:3]:
        for form in ("default", "reports"):
            for kind in ("html", *(("pdf",) if number == numbers[0] else ())):
                result = i.command("consent", "form", form, "--case-number", number, "--as", kind)
                yield f"adapter consent form {form} --as {kind}", result.stdout_bytes, may
                yield f"adapter consent form {form}: standard error", result.stderr_bytes, nothing


def error_bodies(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """What is answered to every kind of bad request: a path, a rule, and never a value, sent or stored."""
    for number in numbers[:4]:
        case = json.loads(i.ask("source", "GET", f"/api/cases/{number}").data)
        for what, bad in broken(case):
            yield from _answer(i, "source", "PUT", f"/api/cases/{number}", nothing, bad, what)
            body = b'{"partner": "lakeside", "case": ' + bad + b"}"
            if what != "another number":  # that is a case that can be previewed
                yield from _answer(i, "source", "POST", "/api/preview", nothing, body, what)
        for collection, record in ((c, r) for c, r in case.items() if isinstance(r, list) and r):
            value = {**record[0], "topics": ["sorcery"], "status": record[0], "title": [record[0]]}
            at = f"/api/cases/{number}/{collection}/{record[0]['id']}"
            yield from _answer(i, "source", "PUT", at, nothing, json.dumps(value).encode(), "a wrong record")
            yield from _answer(i, "source", "PUT", f"{at}x", nothing, json.dumps(record[0]).encode(), "another id")
            yield from _answer(i, "source", "GET", f"{at}x", nothing)
        for path in (
            "what-if",
            "consents/capture",
            "consents/c1/limits",
            "consents/c1/revoke",
            "disclosures",
            "review",
        ):
            for bad in (
                json.dumps({"by": case["child"], "ticks": case, "path": json.dumps(case["child"])}).encode(),
                b"[" + json.dumps(case).encode(),
            ):
                yield from _answer(i, "coordinator", "POST", f"/api/cases/{number}/{path}", nothing, bad)
    text = json.dumps(case).encode()
    at = f"/api/cases/{numbers[0]}"
    for who, method, path in (
        ("", "PUT", at), ("engineer", "PUT", at), ("lakeside", "POST", "/fhir"), ("lakeside", "POST", "/fhir/Patient"),
        ("lakeside", "PUT", "/fhir/Goal/g"), ("lakeside", "POST", "/api/preview"),
    ):  # fmt: skip
        yield from _answer(i, who, method, path, nothing, text)
        wrong = json.dumps(
            {
                "resourceType": "Patient",
                "id": "g",
                "birthDate": case["case"],
                "name": case["child"]["name"],
                "contact": case.get("people"),
            }
        ).encode()
        yield from _answer(i, who, method, path, nothing, wrong)


def broken(case: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The same case, wrong in each way that an answer could be tempted to quote."""
    text = json.dumps(case)
    yield "cut off", text[: len(text) // 2].encode()
    yield "not UTF-8", text.encode() + b"\xff"
    yield "a key twice", text.replace('"case"', '"child": {}, "case"', 1).encode()
    yield "a number out of range", text[:-1].encode() + b', "note": 1e999}'
    yield "another number", json.dumps({**case, "case": case["case"] + "x"}).encode()
    yield "every text too long", json.dumps(_each(case, lambda text: text * 3000)).encode()
    yield "every text a list", json.dumps(_each(case, lambda text: [text])).encode()
    yield "every text an object", json.dumps(_each(case, lambda text: {"was": text})).encode()
    yield "every text with a control character", json.dumps(_each(case, lambda text: f"{text}\x07")).encode()
    yield "every text a reference to nothing", json.dumps(_each(case, lambda text: f"people/{text}")).encode()
    yield "everything in one list", json.dumps({**case, "people": [case]}).encode()
    yield "half a pair", text.replace('": "', '": "\\ud800', 40).encode()


def _each(value: Any, change: Callable[[str], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _each(child, change) for name, child in value.items()}
    if isinstance(value, list):
        return [_each(child, change) for child in value]
    return change(value) if isinstance(value, str) else value


def warnings_of_a_put(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """The answer to a put that is accepted: warnings name places, and people by their paths."""
    for number in numbers:
        case = i.ask("source", "GET", f"/api/cases/{number}").data
        yield from _answer(i, "source", "PUT", f"/api/cases/{number}", ids, case)


def command_line(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """What commands print for an administrator, and what they say besides, which cron mails and terminals keep."""
    bad = json.dumps({"case": numbers[0], "child": numbers[0]}).encode()
    for line in (("review", "list"), ("due", "--days", "999"), ("alarms",), ("check",), ("token", "list")):
        result = i.command(*line)
        yield "adapter " + " ".join(line), result.stdout_bytes, due if line[0] == "due" else names
        yield f"adapter {line[0]}: standard error", result.stderr_bytes, nothing
    case = i.ask("source", "GET", f"/api/cases/{numbers[0]}").data
    wrong = next(text for what, text in broken(json.loads(case)) if what == "every text a list")
    for line in (("validate", "-"), ("preview", "-", "--partner", "lakeside"), ("map", "-", "--partner", "lakeside"),
                 ("consent", "form", "default", "--case", "-"), ("consent", "evaluate", "-"),
                 ("consent", "take", "default", "-", "--case-number", numbers[0])):  # fmt: skip
        for given in (bad,) if line[0] == "consent" else (wrong, b"{" + case):
            result = i.command(*line, given=given)
            assert result.exit_code
            yield f"adapter {' '.join(line[:2])}: on a wrong file", result.stdout_bytes + result.stderr_bytes, nothing
    for line in (("disclosures", "verify"), ("disclosures", "verify", "--case", numbers[0])):
        yield f"adapter {' '.join(line[:2])}", i.command(*line).stdout_bytes, names
    for line in (
        ("review", "release", numbers[0], "goals/none", "--by", "A"),
        ("disclosures", "statement", "--case", "none"),
    ):
        yield f"adapter {' '.join(line[:2])}: refused", i.command(*line).output.encode(), nothing


def help_texts(i: Instance, _numbers: list[str]) -> Iterator[Piece]:
    for line in _commands(main, ()):
        yield f"adapter {' '.join(line)} --help", i.command(*line, "--help").output.encode(), nothing


def _commands(group: click.Command, line: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield line
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from _commands(command, (*line, name))


def open_doors(i: Instance, numbers: list[str]) -> Iterator[Piece]:
    """What anyone may ask without showing who they are; metrics too, were there any."""
    paths = ("/healthz", "/readyz", "/openapi.json", "/fhir/metadata", "/", "/metrics", "/static/style.css")
    for path in (*paths, f"/waiting/{numbers[0]}", "/waitlist", f"/cases/{numbers[0]}", *case_paths(numbers[0])):
        yield from _answer(i, "", "GET", path, nothing)


CHANNELS: Mapping[str, Channel] = {
    "logs, ours and of libraries, at every level": logs,
    "the database's files at rest": database,
    "/fhir, read by each partner": partners_reading,
    "/fhir, a view that is read there": views_read,
    "what an engineer may ask": engineers,
    "shares, alarms, what waits, what ends (API)": lists,
    "notices to the case system": notices_out,
    "console pages, each role": pages,
    "console page of texts to read": pages_to_read,
    "a partner's view, as people see it": views,
    "the account of disclosures (API)": account,
    "AuditEvents": audit_events,
    "signed export of the account": exports,
    "the family's statement: HTML, PDF, CSV": statements,
    "consent forms: HTML, PDF": consent_forms,
    "error bodies of API and /fhir": error_bodies,
    "answers to puts that are accepted": warnings_of_a_put,
    "command line: output and errors": command_line,
    "command line: help": help_texts,
    "doors that are open to all, metrics": open_doors,
    "the answer on a partner's Task": coming_back.answers,
    "what subscribers are told, and ask": coming_back.subscribers,
}
"""Channel → how it is read. Requests to partners, and what they still hold in the end, are searched in story.py."""


def search_all(i: Instance, finds: Finds, numbers: list[str], only: Callable[[str], bool] = lambda _: True) -> None:
    """Read every channel for these cases."""
    for name, channel in CHANNELS.items():
        if only(name):
            for where, data, may in channel(i, numbers):
                finds.search(name, where, data, may)


def _answer(
    i: Instance, who: str, method: str, path: str, may: May, body: bytes | None = None, what: str = ""
) -> Iterator[Piece]:
    answer = i.ask(who, method, path, body)
    yield (
        f"{who or 'nobody'} {method} {path.partition('?')[0].split('/')[-1]} {what} {answer.status_code}",
        _whole(answer),
        may,
    )


def _whole(answer: Any) -> bytes:
    """Status, headers and body."""
    data: bytes = answer.data
    return data if data.startswith(b"%PDF") else str(answer.headers).encode() + b"\n" + data
