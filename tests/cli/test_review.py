"""What waits, is due and needs a look, and who waits, on the command line; releases; tokens of sources; a table."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.settings import read
from adapter.store import tokens
from adapter.store.database import Store
from adapter.store.seal import Keys
from adapter.wiring import wire
from tests.cli.conftest import REPOSITORY, Run, printed

GOAL = "goals/g1"
TEXT = "Tie my own shoes before gym"


@pytest.fixture(scope="module")
def agency(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with a source that does not label, which has put one case."""
    from adapter import keep

    folder = tmp_path_factory.mktemp("review") / "agency"
    assert run("init", folder).exit_code == 0
    shutil.copy(REPOSITORY / "fixtures" / "partners" / "lakeside.toml", folder / "partners")
    settings = (folder / "adapter.toml").read_text(encoding="utf-8").replace("INVENTED-ORG-0001", "INVENTED-ORG-0002")
    source = '\n[[sources]]\nid = "intake-form"\ntitle = "The form on our page"\nlabels_topics = false\n'
    (folder / "adapter.toml").write_text(settings + source, encoding="utf-8")
    desk = wire(folder, environ={})
    body = (REPOSITORY / "fixtures" / "minimal" / "case.json").read_bytes()
    keep.put_case(desk, "C-0001", body, source="intake-form")
    desk.store.close()
    return folder


def rows(run: Run, agency: Path, *arguments: object) -> Any:
    return printed(run("--instance", agency, *arguments, "--json"))


def test_the_list_says_where_and_since_when_and_not_what(run: Run, agency: Path) -> None:
    result = run("--instance", agency, "review", "list")
    found = {row["path"]: row for row in printed(result)}
    assert found[GOAL]["kind"] == "unreviewed"
    assert found[GOAL]["days"] == 0
    assert TEXT not in result.stdout
    assert "2 thing(s) wait" in result.stderr


def test_the_text_is_shown_when_it_is_asked_for_and_the_look_is_entered(run: Run, agency: Path) -> None:
    found = {row["path"]: row for row in rows(run, agency, "review", "list", "--case", "C-0001", "--text")}
    assert found[GOAL]["text"] == {"title": TEXT}
    exported = run("--instance", agency, "disclosures", "export", "--case", "C-0001").stdout
    assert GOAL in exported
    assert TEXT not in exported


def test_releasing(run: Run, agency: Path) -> None:
    """What was released is not listed; the same again is said to be so; another text is not touched."""
    once = run("--instance", agency, "review", "release", "C-0001", "goals/g2", "--by", "D. Roy", "--topics", "justice")
    assert printed(once)["changed"]
    assert "its shares are due" in once.stderr
    again = run(
        "--instance", agency, "review", "release", "C-0001", "goals/g2", "--by", "D. Roy", "--topics", "justice"
    )
    assert not printed(again)["changed"]
    assert [row["path"] for row in rows(run, agency, "review", "list")] == [GOAL]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["C-0001", "goals/none", "--by", "R"], 1, "nothing at this path", id="a goal that is not there"),
        pytest.param(["none", GOAL, "--by", "R"], 1, "no such case", id="a case that is not there"),
        pytest.param(["C-0001", GOAL, "--by", "R", "--topics", "weather"], 1, "unknown topic", id="an unknown topic"),
        pytest.param(["C-0001", GOAL, "--by", ""], 1, "must name who", id="nobody"),
        pytest.param(["C-0001", GOAL], 2, "--by", id="without a name"),
        pytest.param(["C-0001", GOAL, "--by", "R", "--not-denied"], 1, "waits", id="not denied, where nobody asked"),
        pytest.param(
            ["C-0001", GOAL, "--by", "R", "--not-denied", "--topics", "hiv"], 2, "leave --topics out", id="both at once"
        ),
    ],
)
def test_what_is_no_release_is_told_in_a_sentence(
    run: Run, agency: Path, arguments: list[str], code: int, said: str
) -> None:
    result = run("--instance", agency, "review", "release", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_what_ends_soon_and_the_alarms(run: Run, agency: Path) -> None:
    ending = rows(run, agency, "due", "--days", "3660")
    assert ("consents/c1", "consent-ends", "2027-09-30") in {(r["path"], r["kind"], r["on"]) for r in ending}
    assert any(row["kind"] == "own-age" and row["path"] == "child" for row in ending)
    # The identifier in the instance's settings is in no case: the alarm says so.
    assert [row["alarm"] for row in rows(run, agency, "alarms", "--case", "C-0001")] == ["agency-not-found"]


def test_a_token_of_a_source_names_one_of_the_settings(run: Run, agency: Path) -> None:
    made = run("--instance", agency, "token", "new", "--role", "source", "--source", "intake-form").stdout.strip()
    settings = read(agency, {})
    store = Store.open(settings.database, Keys.parse(settings.keys.read_text()))
    with store.reading() as tx:
        found = tokens.find(tx, made, now=datetime.now(UTC))
    store.close()
    assert found is not None
    assert found.source == "intake-form"
    listed = rows(run, agency, "token", "list")
    assert listed[-1]["source"] == "intake-form"
    for wrong in (["--role", "source", "--source", "none"], ["--role", "admin", "--source", "intake-form"]):
        assert run("--instance", agency, "token", "new", *wrong).exit_code == 2


def test_an_explanation_has_a_table_of_parts(run: Run) -> None:
    """`--explain` prints parts by how much of them is shared, and why not, then each record; `--as explain` is JSON."""
    case = REPOSITORY / "fixtures" / "minimal" / "case.json"
    told = printed(run("preview", case, "-p", "lakeside", "--at", "2026-11-21", "--as", "explain"))
    parts = {row["part"]: row for row in told["parts"]}
    assert (parts["goals"]["shared"], parts["goals"]["partly"], parts["goals"]["withheld"]) == (1, 0, 1)
    assert parts["identity"]["outcome"] == "shared"
    assert parts["family"]["outcome"] == "withheld"
    shown = run("preview", case, "-p", "lakeside", "--at", "2026-11-21", "--explain")
    assert shown.exit_code == 0
    first, second = (table.splitlines() for table in shown.stdout.split("┏")[1:])
    assert [cell.strip() for cell in first[1].strip("┃").split("┃")] == [
        "part", "is", "shared", "partly", "withheld", "why",
    ]  # fmt: skip
    goals = next([cell.strip() for cell in line.split("│")[1:-1]] for line in first if "│ goals " in line)
    assert goals[:5] == ["goals", "partly", "1", "0", "1"]
    assert goals[5] == "The consent names single records, and this is not one of them."
    assert any("goals/g2" in line and "withheld" in line for line in second)


def test_what_the_programs_ask_for_stands_beside_what_ends_soon(run: Run, agency: Path) -> None:
    """Rows of one shape, by their day, those without a day last; the same as Tasks with --as fhir."""
    found = rows(run, agency, "due", "--days", "3660")
    assert [row["on"] or "9999" for row in found] == sorted(row["on"] or "9999" for row in found)
    asked = {(row["path"], row["rule"], row["kind"]) for row in found if row["rule"]}
    assert ("care_plans", "cycle-7-plan-developed", "missing") in asked
    assert {row["kind"] for row in found if not row["rule"]} == {"consent-ends", "own-age"}
    result = run("--instance", agency, "due", "--as", "fhir", "--days", "3660")
    assert {e["resource"]["resourceType"] for e in printed(result)["entry"]} == {"Task"}
    assert len(printed(result)["entry"]) == len([row for row in found if row["rule"]])
    assert f"{len(printed(result)['entry'])} task(s)." in result.stderr


def test_who_waits(run: Run, agency: Path) -> None:
    from adapter import keep
    from adapter.core import strict_json

    assert rows(run, agency, "waitlist") == []
    desk = wire(agency, environ={})
    case = strict_json.parse((REPOSITORY / "fixtures" / "minimal" / "case.json").read_bytes())
    for number, first, region in (("C-W1", "2026-05-01", "North"), ("C-W2", "2026-04-01", "South")):
        case |= {"case": number, "enrolment": {"status": "waitlisted", "first_contact": first}}
        case["enrolment"]["waitlist"] = {"region": region}
        keep.put_case(desk, number, strict_json.dump(case))
    desk.store.close()
    assert [(row["place"], row["case"]) for row in rows(run, agency, "waitlist")] == [(1, "C-W2"), (2, "C-W1")]
    (row,) = rows(run, agency, "waitlist", "--region", "North", "--program", "ontario-csp")
    assert (row["place"], row["place_in_region"], row["region"]) == (2, 1, "North")
    assert "First contact on 2026-05-01" in row["why"]
