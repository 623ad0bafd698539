"""The commands about referrals: what they print and leave behind, and how they end."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter import keep
from adapter.wiring import wire
from tests.cli.conftest import REPOSITORY, Run, printed
from tests.verbs import test_answering as inward
from tests.verbs.test_answers import NUMBER, case


@pytest.fixture(scope="module")
def agency(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with one case, whose referral goes to a school that answers by a link; its consent is in force."""
    folder = tmp_path_factory.mktemp("referral") / "agency"
    assert run("init", folder).exit_code == 0
    shutil.copy(REPOSITORY / "fixtures" / "partners" / "lakeside.toml", folder / "partners")
    with (folder / "partners" / "lakeside.toml").open("a", encoding="utf-8") as file:
        file.write('\n[referrals]\nanswers = "link"\n')
    today = datetime.now(UTC).date()
    made = case(story="MARKER story")
    made["consents"][0] |= {
        "signed_at": (today - timedelta(days=30)).isoformat(),
        "period": {"start": (today - timedelta(days=30)).isoformat(), "end": (today + timedelta(days=60)).isoformat()},
    }
    desk = wire(folder, environ={})
    keep.put_case(desk, NUMBER, json.dumps(made).encode())
    desk.store.close()
    return folder


def test_a_referral_is_listed_shown_linked_and_cancelled(run: Run, agency: Path) -> None:
    listed = run("--instance", agency, "referral", "list", "--json")
    assert [(r["referral"], r["state"]) for r in printed(listed)] == [("r1", "requested")]
    assert "MARKER" not in listed.stdout
    assert "1 referral(s), 0 overdue." in listed.stderr
    made = printed(run("--instance", agency, "referral", "link", NUMBER, "r1", "--days", "3"))
    assert made["link"].count("/r/") == 1
    assert len(made["code"]) == 9
    cancelled = run("--instance", agency, "referral", "cancel", NUMBER, "r1", "--reason", "Found a place")
    assert printed(cancelled)["cancelled"] is True
    shown = printed(run("--instance", agency, "referral", "show", NUMBER, "r1"))
    assert (shown["state"], shown["reason"]) == ("cancelled", "Found a place")
    assert printed(run("--instance", agency, "referral", "list", "--state", "requested", "--json")) == []


def test_what_is_not_there_or_has_ended_is_said(run: Run, agency: Path) -> None:
    ended = run("--instance", agency, "referral", "show", NUMBER, "r9")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "no such referral" in ended.stderr
    assert run("--instance", agency, "referral", "list", "--state", "lost").exit_code == 1
    assert run("--instance", agency, "referral", "cancel", NUMBER, "r1").exit_code == 2


def test_one_that_came_in_is_answered(run: Run, agency: Path) -> None:
    desk = wire(agency, environ={})
    keep.put_case(desk, inward.NUMBER, json.dumps(inward.case(story="MARKER story")).encode())
    desk.store.close()
    done = run("--instance", agency, "referral", "answer", inward.NUMBER, "r1", "--status", "accepted")
    assert (printed(done)["status"], printed(done)["state"], done.exit_code) == ("accepted", "accepted", 0)
    wrong = run("--instance", agency, "referral", "answer", inward.NUMBER, "r1", "--status", "lost")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    listed = printed(run("--instance", agency, "referral", "list", "--case", inward.NUMBER, "--json"))
    assert [(r["direction"], r["state"]) for r in listed] == [("in", "accepted")]
