"""All that a partner holds is looked at again: what was changed or lost there is set right, share by share, paced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter import steer
from adapter.errors import Conflict, NotFound
from tests.cli.conftest import Run, run  # noqa: F401
from tests.verbs.agency import Agency, case_of, kinds, revoked
from tests.verbs.conftest import Open
from tests.verbs.test_directory import another

ONLY = {"each": {"paused": True}, "lakeside": {"paused": False}}


def resync(agency: Agency, **options: Any) -> list[tuple[int, int]]:
    steps = []
    while (step := steer.resync_next(agency.desk, "lakeside", **options)) is not None:
        options = {"begins": False}
        steps.append(step)
    return steps


def places(agency: Agency, type_: str) -> list[str]:
    return [place for place in agency.fhir().resources if place.startswith(f"{type_}/")]


@pytest.fixture
def three(open_agency: Open) -> Agency:
    agency = open_agency(**ONLY)
    for number in ("C-1", "C-2", "C-3"):
        agency.put(another(case_of("shared-decision"), number))
    agency.work()
    return agency


def test_what_was_changed_or_lost_at_the_partner_is_set_right(three: Agency) -> None:
    """A goal was changed there, another deleted: nothing here says so, and a save changes nothing of it."""
    changed, lost = places(three, "Goal")[0], places(three, "Goal")[-1]
    three.fhir().resources[changed]["description"] = {"text": "What somebody there wrote"}
    three.fhir().touch(changed)
    del three.fhir().resources[lost]
    three.put(another(case_of("shared-decision"), "C-1"))
    three.work()
    with pytest.raises(AssertionError):
        three.assert_equal()
    assert resync(three) == [(1, 3), (2, 3), (3, 3)]
    three.work_on()
    three.assert_equal()
    for number in three.numbers:
        assert three.share(number)["state"] == "idle"
        lines = kinds(three.account(number))
        assert lines["attempted"] == sum(lines.values()) - lines["attempted"]  # each has its second line
    asked = three.asked()
    three.work_on()
    assert three.asked() == asked


def test_a_lost_directory_resource_is_made_again_and_referred_to(open_agency: Open) -> None:
    agency = open_agency(**ONLY)
    agency.put(case_of("shared-decision"))
    agency.work()
    del agency.fhir().resources[places(agency, "Practitioner")[0]]
    assert resync(agency) == [(1, 1)]
    agency.work_on()
    agency.assert_equal()


def test_a_share_that_a_worker_is_at_has_its_turn_when_that_is_done(three: Agency) -> None:
    """What the worker learns meanwhile is not written over, nor is what was to be looked at again forgotten for it."""
    said: list[Any] = []

    def ask(*_: Any) -> None:
        three.fhir().watch = None
        said.append(steer.resync_next(three.desk, "lakeside"))
        with pytest.raises(Conflict, match="worked on"):
            steer.retry(three.desk, "C-1", "lakeside", theirs="overwrite")

    changed = case_of("shared-decision")
    changed["goals"][0]["title"] = "Something else that we want"
    three.put(another(changed, "C-1"))
    three.fhir().watch = ask
    three.work()
    assert said == [(0, 3)]
    lost = places(three, "Goal")[0]
    del three.fhir().resources[lost]
    assert resync(three) == [(1, 3), (2, 3), (3, 3)]
    three.work_on()
    three.assert_equal()


def test_where_it_was_stopped_it_goes_on(three: Agency) -> None:
    """The position is in the store, so that whoever goes on begins there; anew, where that is asked for."""
    assert steer.resync_next(three.desk, "lakeside") == (1, 3)
    three.work_on()
    before = len(three.seen())
    assert steer.resync_next(three.desk, "lakeside") == (2, 3)
    assert [three.share(number)["state"] for number in ("C-1", "C-2", "C-3")] == ["idle", "due", "idle"]
    three.work_on()
    assert len(three.seen()) > before
    assert resync(three, anew=True) == [(1, 3), (2, 3), (3, 3)]
    three.work_on()
    three.assert_equal()


def test_two_at_once_share_the_work_and_the_later_one_begins_nothing_anew(three: Agency) -> None:
    """Whoever finds that the other has come to the end is through, too."""
    assert steer.resync_next(three.desk, "lakeside") == (1, 3)
    assert steer.resync_next(three.desk, "lakeside") == (2, 3)
    assert steer.resync_next(three.desk, "lakeside", begins=False) == (3, 3)
    assert steer.resync_next(three.desk, "lakeside", begins=False) is None
    assert steer.resync_next(three.desk, "lakeside", begins=False) is None
    assert steer.resync_next(three.desk, "lakeside") == (1, 3)


def test_a_case_that_is_new_meanwhile_is_looked_at_too(three: Agency) -> None:
    assert steer.resync_next(three.desk, "lakeside") == (1, 3)
    three.put(another(case_of("shared-decision"), "C-4"))
    three.work()
    assert resync(three, begins=False) == [(2, 4), (3, 4), (4, 4)]


def test_what_has_ended_is_neither_read_nor_sent(open_agency: Open) -> None:
    """What was taken back stays so, and what is frozen is left alone."""
    agency = open_agency(**ONLY)
    agency.put(case_of())
    agency.put(revoked(another(case_of(), "C-2")))
    agency.work()
    agency.put(revoked(case_of()))
    agency.work()
    left = dict(agency.fhir().resources)
    resync(agency)
    agency.work_on()
    agency.assert_equal()
    assert agency.fhir().resources.keys() == left.keys()


def test_there_is_no_such_partner(open_agency: Open) -> None:
    with pytest.raises(NotFound):
        steer.resync_next(open_agency().desk, "nobody")


def test_the_command_says_how_many(run: Run, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "agency"
    run("init", folder)
    text = (Path(__file__).parents[2] / "fixtures" / "partners" / "lakeside.toml").read_text("utf-8")
    (folder / "partners" / "lakeside.toml").write_text(text, "utf-8")
    words = ("--instance", folder, "share", "resync", "--partner")
    assert run(*words, "lakeside").stderr == "No share(s) of lakeside are due to be looked at again.\n"
    assert run(*words, "nobody").exit_code == 1


def test_the_command_says_that_a_partner_is_paused(run: Run, three: Agency, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """And, stopped by a person, how far it came."""
    monkeypatch.setattr("adapter.wiring.wire", lambda _folder: three.desk)
    words = ("--instance", "anywhere", "share", "resync", "--per-minute", "6000", "--partner", "lakeside")
    steer.pause(three.desk, "lakeside")
    said = run(*words).stderr
    assert said.startswith("3 share(s) of lakeside") and "`adapter partner resume lakeside" in said

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    stopped = run(*words)
    assert (stopped.exit_code, stopped.stderr) == (
        130,
        "Stopped after 1 of 3 share(s): the same command goes on from there.\n",
    )
