"""Whatever the agency, its families and the partner do, one after the other: each move of the Task is one that may be,
each has its line in the account, and in the end the Task says what is wanted, or it is said why not."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from adapter import answering, refer
from adapter.core.referral.inward import ANSWERS, OURS, WITHHELD
from adapter.core.referral.reply import reply
from adapter.core.referral.table import STATES, Dialect
from adapter.errors import AdapterError
from adapter.store import disclosures, shares
from tests.core.referral.test_table import DIALECTS
from tests.verbs.conftest import Open
from tests.verbs.test_answering import PATIENT, REQUEST, TASK, Both, case, quiet
from tests.verbs.test_answers import PROOFS

MARKER = "MARKER, as the family told it"
COUNT = itertools.count()
"""Each sequence has a case of its own, in one agency."""


@dataclass
class Run(Both):
    """One sequence."""

    name: str = ""
    written: int = 0
    """Versions of its Task that the partner wrote, and deletes."""

    def theirs(self, status: str, reason: bool, **more: Any) -> None:
        """The partner writes its Task, from what it last sent."""
        about = {"reference": f"ServiceRequest/{self.name}"}
        words = {"statusReason": {"text": "They say why"}} if reason else {}
        self.ask("PUT", "Task", self.name, {**TASK, "id": self.name, "focus": about, "status": status, **words, **more})
        self.written += 1


Do = Callable[[Run], None]


def record(status: str, business: str, reason: bool) -> Do:
    def do(run: Run) -> None:
        outcome = {"status": status, **({"business_status": business} if business else {})}
        run.put(status=status, outcome={**outcome, **({"reason": MARKER, "result": MARKER} if reason else {})})

    return do


def person(status: str, reason: bool) -> Do:
    def do(run: Run) -> None:
        said = json.dumps({"status": status, **({"reason": MARKER} if reason else {})}).encode()
        refer.answer(run.agency.desk, run.number, "r1", said, by="coordinator")

    return do


def consent(parts: list[str], denied: bool) -> Do:
    def do(run: Run) -> None:
        provisions = run.made["consents"][0]["provisions"]
        provisions[0]["parts"] = ["identity", *parts]
        deny = [{"id": "no", "effect": "deny", "to": ["partners/lakeside"], "parts": ["referrals"]}] if denied else []
        run.made["consents"][0]["provisions"] = [provisions[0], *deny]
        run.put()

    return do


def enrolled(status: str) -> Do:
    def do(run: Run) -> None:
        run.made["enrolment"] = {"status": status}
        run.put()

    return do


def partner(status: str, reason: bool) -> Do:
    return lambda run: run.theirs(status, reason, description="Theirs")


def asked(name: str, status: str = "active") -> dict[str, Any]:
    """The request, about a child of its own: what is said of one child is looked at together, and grows."""
    return {**REQUEST, "id": name, "status": status, "subject": {"reference": f"Patient/{name}"}}


def request(status: str) -> Do:
    return lambda run: run.write(asked(run.name, status))


def removed(run: Run) -> None:
    if not run.history(run.name)[-1].deleted:
        run.ask("DELETE", "Task", run.name)
        run.written += 1


def paused(run: Run) -> None:
    desk = run.agency.desk
    with desk.store.writing() as tx:
        if shares.paused(tx, "lakeside"):
            shares.resume(tx, "lakeside", now=run.agency.clock.now)
        else:
            shares.pause(tx, "lakeside", now=run.agency.clock.now)


def stopped(do: Do) -> Do:
    """The machine stops while that is answered."""

    def stops(*_: Any, **__: Any) -> None:
        raise RuntimeError("the machine stops")

    def undone(run: Run) -> None:
        with pytest.MonkeyPatch.context() as patched, contextlib.suppress(RuntimeError):
            patched.setattr(disclosures, "append", stops)
            do(run)

    return undone


bools, states = st.booleans(), st.sampled_from(STATES)
plain = st.one_of(
    st.builds(record, states, st.sampled_from(["", "scheduled", "own-code"]), bools),
    st.builds(person, st.sampled_from(ANSWERS), bools),
    st.builds(consent, st.sampled_from([[], ["referrals"], ["referrals", "enrolment"]]), bools),
    st.builds(enrolled, st.sampled_from(["referred", "waitlisted", "active"])),
    st.builds(partner, states, bools),
    st.builds(request, st.sampled_from(["active", "revoked", "entered-in-error"])),
    st.sampled_from([removed, paused]),
)
deeds = st.lists(st.one_of(plain, st.builds(stopped, plain)), max_size=12)


@pytest.mark.timeout(1800 if PROOFS else 120)  # 300 sequences of up to 12 deeds each take minutes
@pytest.mark.parametrize("name", sorted(DIALECTS) if PROOFS else ["generic", "gravity"])
def test_the_task_follows_whatever_happens(open_agency: Open, name: str) -> None:
    agency, dialect = quiet(open_agency, name), DIALECTS[name]

    @settings(
        max_examples=300 if PROOFS else 10,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
        phases=[Phase.explicit, Phase.generate],
        report_multiple_bugs=False,
    )
    @given(deeds)
    @example([partner("cancelled", True), record("accepted", "", False), request("revoked")])
    @example([consent(["referrals"], False), record("rejected", "", True), consent([], True), removed])
    @example([consent(["referrals"], False), record("rejected", "", True), stopped(consent([], False)), removed])
    @example([record("in-progress", "", False), record("accepted", "scheduled", False)])
    @example([person("received", True), partner("received", False)])
    @example([request("revoked"), removed, partner("entered-in-error", True)])
    @example([removed, partner("on-hold", False), partner("received", True)])
    def follows(sequence: list[Do]) -> None:
        name_ = f"n{next(COUNT)}"
        with agency.desk.store.writing() as tx:
            shares.resume(tx, "lakeside", now=agency.clock.now)
        run = Run(agency, {**case(), "case": f"C-{name_}"}, f"C-{name_}", name=name_)
        agency.put(run.made)
        run.write({**PATIENT, "id": name_}, asked(name_))
        run.theirs("requested", False)
        run.adopt(name_)
        for do in sequence:
            with contextlib.suppress(AdapterError):  # what is refused changes nothing
                do(run)
            assert_sound(run, dialect)
        with agency.desk.store.writing() as tx:
            shares.resume(tx, "lakeside", now=agency.clock.now)
        agency.work()
        assert_sound(run, dialect)
        assert_level(run, dialect)

    follows()


def assert_sound(run: Run, dialect: Dialect) -> None:
    """Each move in the history may be made by one side or the other; each version of ours has its line."""
    history = run.history(run.name)
    lines = [line for line in run.agency.account(run.number, "lakeside") if line.about == "referrals/r1"]
    assert len(history) == run.written + len(lines)
    for before, after in itertools.pairwise(_statuses(run)):
        may = {*dialect.may("receiver", before), *dialect.may("requester", before)}
        assert after in {dialect.says.get(state, state) for state in may} or _hidden(dialect, before, after)
    steps = run.row().course.steps
    assert all(one.end == two.start for one, two in itertools.pairwise(steps))


def _statuses(run: Run) -> Iterator[Any]:
    """The states between two deletes; what comes after one begins anew."""
    found: list[Any] = []
    for version in run.history(run.name):
        if version.deleted:
            found = []
        elif not found or version.body["status"] != found[-1]:
            found.append(version.body["status"])
    return iter(found)


def _hidden(dialect: Dialect, before: Any, after: Any) -> bool:
    """A move from a state that this dialect writes otherwise (Gravity's received is written as requested)."""
    return any(
        said == before and after in {*dialect.may("receiver", state), *dialect.may("requester", state)}
        for state, said in dialect.says.items()
    )


def assert_level(run: Run, dialect: Dialect) -> None:
    """Once all is worked off: the Task says what is wanted, or why not is known; and doing it again does nothing."""
    history, row = run.history(run.name), run.row()
    assert row.inward is not None
    stored, now = run.agency.stored(run.number), run.agency.clock.now
    wanted = reply(run.agency.desk.bench, stored.body, stored.kept, "referrals/r1", "lakeside", now, dialect)
    answering.bring_all(run.agency.desk, run.number)
    assert (run.history(run.name), run.row()) == (history, row)
    task = history[-1].body
    if not {"reason", "result"} & wanted.may:
        assert not any(MARKER in json.dumps(version.body) for version in history)
    if history[-1].deleted:
        assert row.inward.held == "gone"
    elif wanted.denied:
        assert row.inward.held == "denied"
    elif row.inward.held:
        assert row.course.state != wanted.state or row.inward.held == "no-reason"
    elif wanted.begun and row.course.state == "in-progress":
        assert task["status"] == "in-progress", "once the work has begun a yes is not taken back"
    elif wanted.state is not None and not (row.course.steps and row.course.steps[-1].by == "requester"):
        said = dialect.says.get(wanted.state, wanted.state)
        # What the partner has itself written on its Task may stand there in the word that its dialect has another for.
        assert task["status"] in (said, wanted.state) or dialect.ended(row.course.state)
        if row.course.state == wanted.state:
            reason = task.get("statusReason", {}).get("text", "")
            # What the sender said with its own request stays, where nothing is to be said in its place.
            assert reason == wanted.reason or (reason, wanted.reason, said) == ("They say why", "", "requested")
            assert reason in ("", MARKER, WITHHELD, "They say why")
            assert bool(task.get("businessStatus")) == bool(wanted.business)
    assert set(task) <= {*TASK, *OURS, "description"}
