"""The search can fail: the code broken on purpose, a channel at a time, and each time the marker is found."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, field, replace
from importlib import import_module
from random import Random
from typing import Any

import pytest

from adapter import keep, reconcile, saving, serve
from adapter.answering import moving
from adapter.cli import main
from adapter.core import case as case_room
from adapter.core import desired as desired_room
from adapter.core import notice as notice_room
from adapter.core.account import audit, export
from adapter.core.consent.last_look import Look
from adapter.core.diff import Delete
from adapter.core.fhir import outcome
from adapter.core.referral import reply as reply_room
from adapter.core.sheet import Words
from adapter.core.subscriptions import telling as telling_room
from adapter.paper import pdf as pdf_room
from adapter.receive.world import World
from adapter.reconcile import delivering
from adapter.reconcile import work as work_room
from adapter.show import account as account_room
from adapter.show import views as views_room
from adapter.store import cases as cases_room
from adapter.web import auth
from adapter.web.api import routes
from adapter.web.console import pages as pages_room
from adapter.web.console import waiting as waiting_room
from adapter.web.fhir import routes as fhir_room
from tests.journeys.leaks import channels
from tests.journeys.leaks.instance import READERS, Instance, instance
from tests.journeys.leaks.planting import Planting
from tests.journeys.leaks.story import Case, Finds, Story

pytestmark = pytest.mark.servers  # none is needed, but minutes are

Patch = pytest.MonkeyPatch
Break = Callable[[Patch, "Ground"], None]


@dataclass
class Ground:
    """One instance with two cases in it, to which each test adds one of its own."""

    i: Instance
    planting: Planting
    cases: list[Case]
    fresh_number: str = ""
    seeds: Iterator[int] = field(default_factory=lambda: iter(range(500, 600)))

    @property
    def numbers(self) -> list[str]:
        return [case["case"] for case in self.cases[:1]]

    @property
    def name(self) -> str:
        """A word that stands in the first case alone."""
        return str(self.cases[0]["child"]["name"]["family"])

    def fresh(self) -> Case:
        """A case that nobody has seen."""
        case = self.planting.fixture("ontario-csp", next(self.seeds))
        self.fresh_number = case["case"]
        return case


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    planting = Planting()
    cases = [planting.fixture("ontario-csp", 11), planting.fixture("wraparound", 12)]
    with instance(tmp_path_factory.mktemp("leaks") / "agency") as i:
        Story(i, Finds(planting), Random(5)).begins(cases)
        yield Ground(i, planting, cases)


def _wrap(patch: Patch, room: Any, name: str, around: Callable[..., Any]) -> None:
    """Replace a function by `around(the right one, its arguments…)`."""
    right = getattr(room, name)
    patch.setattr(room, name, lambda *args, **options: around(right, *args, **options))


# What happens as a case is put, sent and taken back.


def maps_the_case(patch: Patch, _g: Ground) -> None:
    """The mapping sees the case in place of the view, and the last look is blind."""
    patch.setattr(Look, "at", lambda *_a, **_o: None)
    _wrap(patch, desired_room, "view", lambda right, case, *a, **o: _all_of(right(case, *a, **o), case))


def _all_of(shown: Any, case: Case) -> Any:
    goals = [{**goal, "path": f"goals/{goal['id']}"} for goal in case.get("goals", ())]
    return replace(shown, case={**shown.case, "goals": goals}) if shown.case.get("goals") else shown


def tells_who_in_a_header(patch: Patch, g: Ground) -> None:
    """The request id, which is random, is the number of the case."""
    patch.setattr(work_room, "secrets", type("S", (), {"token_hex": lambda _n: g.fresh_number}))


def keeps_what_a_partner_says(patch: Patch, _g: Ground) -> None:
    """What a partner's error repeats comes through into the share."""
    patch.setattr(outcome, "unechoed", lambda said, _sent: tuple(said))


def logs_a_case(patch: Patch, _g: Ground) -> None:
    """A line of a library's kind, at DEBUG, with a record in it."""

    def around(right: Any, desk: Any, work: Any) -> None:
        logging.getLogger("adapter.somewhere").debug("sending %s", work.subject.case)
        right(desk, work)

    _wrap(patch, reconcile, "reconcile", around)


def prints_a_traceback(patch: Patch, _g: Ground) -> None:
    """A fault of ours whose text quotes a record, printed as Python would."""

    def around(right: Any, tx: Any, number: str) -> Any:
        try:
            raise KeyError(number)
        except KeyError:
            traceback.print_exc(file=sys.stderr)
        return right(tx, number)

    _wrap(patch, cases_room, "get", around)


def deletes_nothing(patch: Patch, _g: Ground) -> None:
    """A withdrawal is settled as done and never sent."""
    _wrap(patch, delivering, "groups", lambda right, c, way: right([x for x in c if not isinstance(x, Delete)], way))


IN_THE_STORY: dict[str, tuple[Break, str]] = {
    "the mapping sees the case": (maps_the_case, "requests to partners: bodies"),
    "a header tells the case": (tells_who_in_a_header, "requests to partners: addresses and headers"),
    "a partner's words in a share": (keeps_what_a_partner_says, "the database's files at rest"),
    "a library's line at DEBUG": (logs_a_case, "logs, ours and of libraries, at every level"),
    "a traceback": (prints_a_traceback, "logs, ours and of libraries, at every level"),
    "nothing is taken back": (deletes_nothing, "what a partner still holds of a deleted case"),
}


@pytest.mark.parametrize(("break_", "channel"), IN_THE_STORY.values(), ids=IN_THE_STORY)
def test_what_leaves_is_caught(ground: Ground, monkeypatch: Patch, break_: Break, channel: str) -> None:
    case = ground.fresh()
    finds = Finds(ground.planting)
    story = Story(ground.i, finds, Random(1), {p: len(ground.i.seen(p)) for p in ground.i.servers})
    break_(monkeypatch, ground)
    for partner in ground.i.servers:
        ground.i.fhir(partner).names = False
        ground.i.fhir(partner).refuses = 1 if break_ is keeps_what_a_partner_says else 0
    ground.i.log.truncate(0)
    # pytest has put its own standard error in the place of the instance's.
    with redirect_stderr(ground.i.log):
        ground.i.put(case)
        story.work()
        if break_ is deletes_nothing:
            assert ground.i.ask("source", "DELETE", f"/api/cases/{case['case']}").status_code == 202
            ground.i.work()
            story.search_what_is_left()
    if channel in channels.CHANNELS:
        channels.search_all(ground.i, finds, [case["case"]], only=lambda name: name == channel)
    assert {leak.channel for leak in finds.leaks} == {channel}
    assert case["case"] in {leak.leaf.number for leak in finds.leaks}


# What people, partners and programs read.


def quotes_in_errors(patch: Patch, _g: Ground) -> None:
    """The schema library's own words, which repeat the value."""
    _wrap(patch, case_room, "_problems_of", lambda right, e: (replace(p, detail=e.message) for p in right(e)))


def quotes_in_warnings(patch: Patch, g: Ground) -> None:
    _wrap(patch, saving, "intake", lambda right, *a: [*right(*a), keep.Problem("", f"for {g.name}")])


def names_a_child_in_the_table(patch: Patch, g: Ground) -> None:
    _wrap(patch, account_room.pages, "table", lambda right, *a: right(*a) + g.name)


def names_a_child_in_the_pdf(patch: Patch, g: Ground) -> None:
    """Drawn on a page as glyphs of a font, in a packed stream."""

    def around(right: Any, sheet: Any, **o: Any) -> bytes:
        drawn: bytes = right(replace(sheet, blocks=(*sheet.blocks, Words(f"For {g.name}"))), **o)
        return drawn

    _wrap(patch, pdf_room, "pdf", around)


def tells_the_child_in_audits(patch: Patch, g: Ground) -> None:
    _wrap(patch, audit, "_data", lambda right, entry: {**right(entry), "name": g.name})


def exports_the_number(patch: Patch, g: Ground) -> None:
    _wrap(patch, export, "signed", lambda right, *a: right(*a) + g.numbers[0].encode())


def shows_a_name_on_the_first_page(patch: Patch, g: Ground) -> None:
    _wrap(patch, pages_room.show, "overview", lambda right, desk: {**right(desk), "agency": g.name})


def shows_texts_of_all_on_the_page_of_one(patch: Patch, g: Ground) -> None:
    other = g.cases[1]["child"]["name"]["family"]
    _wrap(patch, waiting_room, "page", lambda right, t, **o: right(t, **o | {"case": f"{o.get('case')} {other}"}))


def lets_an_engineer_in(patch: Patch, _g: Ground) -> None:
    let = {"GET", "/api/cases/<case>"}
    rules = {k: replace(a, roles=a.roles | {"engineer"}) if set(k) == let else a for k, a in auth.ADMISSIONS.items()}
    patch.setattr(auth, "ADMISSIONS", rules)


def shows_another_partner_s_world(patch: Patch, g: Ground) -> None:
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": g.name}}
    patient = {"resourceType": "Patient", "id": "one"}
    g.i.ask("riverside", "PUT", "/fhir/Patient/one", patient)
    g.i.ask("riverside", "POST", "/fhir/Goal", {**goal, "subject": {"reference": "Patient/one"}})
    patch.setattr(fhir_room, "_world", lambda: World("riverside", "http://localhost/fhir", g.i.clock.now))


def serves_the_case(patch: Patch, g: Ground) -> None:
    """The view that a partner reads is made of the case, and the last look is blind."""
    with g.i.desk.store.reading() as tx:
        every = [stored.id for stored in cases_room.listed(tx, after=None, limit=1000)]
    anew = {partner: iter([every]) for partner in READERS}
    patch.setattr(serve.views, "stale", lambda _tx, partner, **_o: next(anew[partner], []))
    patch.setattr(serve, "last_look", lambda *_a, **_o: None)
    _wrap(patch, desired_room, "view", lambda right, case, *a, **o: _all_of(right(case, *a, **o), case))


def shows_the_case_as_a_view(patch: Patch, _g: Ground) -> None:
    _wrap(patch, views_room, "desire", lambda right, b, s, *a, **o: _whole_view(right(b, s, *a, **o), s))


def _whole_view(desired: Any, subject: Any) -> Any:
    return replace(desired, view=replace(desired.view, case=subject.case))


def prints_needs_on_a_form(patch: Patch, g: Ground) -> None:
    need = g.cases[0]["needs"][0]["text"]
    forms_room = import_module("adapter.show.forms")  # by its path: a function of its package has the same name
    _wrap(patch, forms_room, "form_sheet", lambda right, *a, **o: _with(right(*a, **o), need))


def _with(sheet: Any, words: str) -> Any:
    return replace(sheet, blocks=(*sheet.blocks, Words(words)))


def quotes_on_standard_error(patch: Patch, g: Ground) -> None:
    _wrap(patch, keep, "problems", lambda right, body, s: [keep.Problem("", body.decode("utf-8", "ignore")[:4000])])


def helps_with_a_real_case(patch: Patch, g: Ground) -> None:
    patch.setattr(main, "epilog", f"Example: {g.numbers[0]}")


def says_how_it_is(patch: Patch, g: Ground) -> None:
    _wrap(patch, routes, "reply", lambda right, value, **o: right([value, g.numbers], **o))


def lists_what_a_share_says(patch: Patch, g: Ground) -> None:
    _wrap(patch, routes.show, "shares_of", lambda right, *a: [{**s, "detail": g.name} for s in right(*a)])


def tells_whose_it_is(patch: Patch, g: Ground) -> None:
    _wrap(patch, notice_room, "told", lambda right, *a: {**right(*a), "name": g.name})


def answers_with_the_case(patch: Patch, _g: Ground) -> None:
    """What may be told of an answer is asked of the case in place of the view, and the last look is blind."""
    patch.setattr(moving, "last_look", lambda *_a, **_o: None)
    _wrap(patch, reply_room, "view_of", lambda right, case, *a: replace(right(case, *a), case=case))


def tells_subscribers_a_name(patch: Patch, g: Ground) -> None:
    _wrap(patch, telling_room, "notification", lambda right, *a, **o: {**right(*a, **o), "name": g.name})


def enters_titles(patch: Patch, g: Ground) -> None:
    goal = g.cases[0]["goals"][0]["title"]
    from adapter.web.api import account as account_routes

    _wrap(patch, account_routes.show, "disclosures_of", lambda right, *a: [*right(*a), {"record": goal}])


READ: dict[str, tuple[Break, str]] = {
    "an error that quotes": (quotes_in_errors, "error bodies of API and /fhir"),
    "a warning that quotes": (quotes_in_warnings, "answers to puts that are accepted"),
    "a name in the CSV": (names_a_child_in_the_table, "the family's statement: HTML, PDF, CSV"),
    "a name drawn in the PDF": (names_a_child_in_the_pdf, "the family's statement: HTML, PDF, CSV"),
    "a name in AuditEvents": (tells_the_child_in_audits, "AuditEvents"),
    "a case number in the export": (exports_the_number, "signed export of the account"),
    "a name on the first page": (shows_a_name_on_the_first_page, "console pages, each role"),
    "another case on a page": (shows_texts_of_all_on_the_page_of_one, "console page of texts to read"),
    "an engineer who sees cases": (lets_an_engineer_in, "what an engineer may ask"),
    "another partner's world": (shows_another_partner_s_world, "/fhir, read by each partner"),
    "the case served as a view": (serves_the_case, "/fhir, a view that is read there"),
    "the case shown as a view": (shows_the_case_as_a_view, "a partner's view, as people see it"),
    "a need on a consent form": (prints_needs_on_a_form, "consent forms: HTML, PDF"),
    "a value on standard error": (quotes_on_standard_error, "command line: output and errors"),
    "a case number in a help text": (helps_with_a_real_case, "command line: help"),
    "case numbers at an open door": (says_how_it_is, "doors that are open to all, metrics"),
    "a name in a list of shares": (lists_what_a_share_says, "shares, alarms, what waits, what ends (API)"),
    "a name in a notice": (tells_whose_it_is, "notices to the case system"),
    "an answer made of the case": (answers_with_the_case, "the answer on a partner's Task"),
    "a name in a notification": (tells_subscribers_a_name, "what subscribers are told, and ask"),
    "a title in the account": (enters_titles, "the account of disclosures (API)"),
}


@pytest.mark.parametrize(("break_", "channel"), READ.values(), ids=READ)
def test_what_is_read_is_caught(ground: Ground, monkeypatch: Patch, break_: Break, channel: str) -> None:
    break_(monkeypatch, ground)
    finds = Finds(ground.planting)
    channels.search_all(ground.i, finds, ground.numbers, only=lambda name: name == channel)
    assert {leak.channel for leak in finds.leaks} == {channel}


def test_every_channel_has_been_seen_to_fail() -> None:
    """A channel that is added to the table is broken here too."""
    caught = {channel for _, channel in (*IN_THE_STORY.values(), *READ.values())}
    assert set(channels.CHANNELS) <= caught


def test_a_topic_in_the_table_for_the_family_is_caught(ground: Ground, monkeypatch: Patch) -> None:
    """It is read at a kitchen table: a topic is no marker, and is looked for by its own word."""
    _wrap(monkeypatch, account_room.pages, "table", lambda right, *a: right(*a) + "mental-health")
    with pytest.raises(AssertionError):
        channels.search_all(ground.i, Finds(ground.planting), ground.numbers, only=lambda n: n.startswith("the family"))


def test_json_of_a_case_is_full_of_markers(ground: Ground) -> None:
    finds = Finds(ground.planting)
    finds.search("x", "x", json.dumps(ground.cases[0]).encode(), channels.nothing)
    assert len(finds.leaks) > 200
